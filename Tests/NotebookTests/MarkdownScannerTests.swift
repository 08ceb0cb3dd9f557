import NotebookCore
import Testing

@Suite("Which lines of a page are fenced blocks")
struct MarkdownScannerTests {
  /// The info strings and the code of the fences in `text`.
  private func fences(_ text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return MarkdownScanner.elements(of: lines).compactMap { element in
      guard case .fence(let fence) = element else { return nil }
      return "\(fence.info): " + fence.code.joined(separator: "|")
    }
  }

  @Test("Backticks and tildes, of any length from three on")
  func marks() {
    #expect(fences("```swift\nlet a\n```") == ["swift: let a"])
    #expect(fences("~~~ swift  volatile \nlet a\n~~~") == ["swift  volatile: let a"])
    #expect(fences("`````a\n```\nb\n`````") == ["a: ```|b"])
    #expect(fences("``swift\nlet a\n``") == [])
    #expect(fences("~~~ a `b`\nc\n~~~") == ["a `b`: c"])
    #expect(fences("``` a `b`\nc") == [])
  }

  @Test("A fence closes with its own mark, at least as long, alone on its line")
  func closing() {
    #expect(fences("````a\n```\n~~~~\n```` b\n`````  \nc") == ["a: ```|~~~~|```` b"])
    #expect(fences("```a\nb\n    ```\nc\n   ```") == ["a: b|    ```|c"])
  }

  @Test("A fence inside a longer fence is text")
  func nested() {
    #expect(
      fences("````markdown\n```swift\na\n```\n````\n```b\n```") == [
        "markdown: ```swift|a|```", "b: ",
      ])
  }

  @Test("Code loses the indentation of its fence and no more")
  func indentation() {
    #expect(fences("  ```a\n    b\n c\n  \n\td\n  ```") == ["a:   b|c||  d"])
    #expect(fences("```a\n\tb\n```") == ["a: \tb"])
  }

  @Test("Four columns make an indented code block, except inside a list item")
  func lists() {
    #expect(fences("    ```a\n    ```") == [])
    #expect(fences("-   item\n\n    ```a\n    b\n    ```") == ["a: b"])
    #expect(fences("10. item\n    - ```a\n      b\n      ```") == ["a: b"])
    #expect(fences("- item\n\n      ```a") == [])
    #expect(fences("- one\n- two\n\ntext\n\n    ```a") == [])
    #expect(fences("- - -\n\n      ```a") == [])
  }

  @Test("The end of a list item ends a fence that was left open in it")
  func openInList() {
    #expect(fences("- ```a\n  b\nc\n```d\n```") == ["a: b", "d: "])
  }

  @Test("A paragraph in a list item may go on at the left of the item")
  func lazyContinuation() {
    #expect(fences("1.  some\ntext\n\n    ```a\n    b\n    ```") == ["a: b"])
    #expect(fences("1.  some\n\ntext\n\n    ```a\n    b\n    ```") == [])
  }

  @Test("A marker that may not follow a paragraph directly starts no list")
  func interruption() {
    #expect(fences("text\n10) more\n      ```a\n      b") == [])
    #expect(fences("text\n1) more\n      ```a\n      b") == ["a: b"])
    #expect(fences("text\n-\n    ```a\n    b") == [])
    #expect(fences("-\n     ```a\n     b") == ["a: b"])
    #expect(fences("-\n\n     ```a\n     b") == [])
    #expect(fences("- text\n2. more\n\n      ```a\n      b") == ["a: b"])
  }

  @Test("Comments hide fences, and block quotes are not looked into")
  func hidden() {
    #expect(fences("<!-- a\n```b\n```\n-->\n```c\n```") == ["c: "])
    #expect(fences("> ```a\n> b\n> ```") == [])
  }

  @Test("A comment on one line is an element")
  func comments() {
    let elements = MarkdownScanner.elements(of: ["text", "", "<!-- a -->", "```", "<!-- b -->"])
    #expect(elements.first == .comment("<!-- a -->", line: 2))
    #expect(elements.count == 2)
  }
}

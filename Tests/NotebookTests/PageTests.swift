import NotebookCore
import Testing

@Suite("What a page holds")
struct PageTests {
  private func page(_ text: String) throws(Failure) -> Page {
    try Page(path: "folder/page.md", text: text)
  }

  @Test("Blocks of Swift run, others and skipped ones do not")
  func blocks() throws {
    let page = try page(
      """
      ```swift
      a
      ```
      ~~~Swift volatile
      b
      ~~~
      ```swift skip
      c
      ```
      ```swiftui
      ```
      ```text
      d
      ```
      """)
    #expect(page.blocks.map(\.code) == [["a"], ["b"]])
    #expect(page.blocks.map(\.line) == [1, 4])
    #expect(page.blocks.map(\.isVolatile) == [false, true])
    #expect(page.stem == "page")
  }

  @Test(
    "A mistake is reported with its line and no more than one sentence",
    arguments: [
      (
        "a\n```swift skp\n```", 2,
        "\"```swift\" may be followed by skip or by volatile, not by \"skp\""
      ),
      ("```swift skip volatile\n```", 1, "not by \"skip volatile\""),
      ("```swift,skip\n```", 1, "a space must follow \"swift\" in \"```swift,skip\""),
      ("\n\n```swift\nlet", 3, "the block of Swift that opens here is never closed"),
      ("- ```swift\n  a\nb\n```\n```", 1, "the block of Swift that opens here is never closed"),
      ("<!-- output -->\n```text\n```\n", 1, "\"<!-- output -->\" is never closed"),
      ("<!-- output -->\n<!-- output -->", 1, "\"<!-- output -->\" is never closed"),
      ("\n<!-- end of output -->", 2, "\"<!-- end of output -->\" closes nothing"),
      (
        "<!-- output -->\n```text\nb\n```\nmy words\n<!-- end of output -->", 5,
        "\"my words\" stands inside woven output and would be lost"
      ),
      (
        "<!-- output -->\n```swift\nb\n```\n<!-- end of output -->", 2,
        "a \"```swift\" block stands inside woven output"
      ),
    ])
  func mistakes(text: String, line: Int, sentence: String) {
    let failure = #expect(throws: Failure.self) { try page(text) }
    #expect(failure?.file == "folder/page.md")
    #expect(failure?.line == line)
    #expect(failure?.sentence.contains(sentence) == true, "\(failure?.sentence ?? "")")
  }
}

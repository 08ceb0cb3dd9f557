import NotebookCore
import Testing

@Suite("Differences as text")
struct UnifiedDiffTests {
  @Test("The form is that of diff -u")
  func form() {
    let old = (1...20).map { "\($0)\n" }.joined()
    let new = old.replacing("3\n4\n", with: "3\nthree and a half\n4\n").replacing("18\n", with: "")
    let expected = """
      --- a
      +++ b
      @@ -1,6 +1,7 @@
       1
       2
       3
      +three and a half
       4
       5
       6
      @@ -15,6 +16,5 @@
       15
       16
       17
      -18
       19
       20

      """
    #expect(UnifiedDiff(from: old, to: new).text(from: "a", to: "b") == expected)
  }

  @Test("No difference is no text")
  func none() {
    let diff = UnifiedDiff(from: "a\nb\n", to: "a\nb\n")
    #expect(diff.isEmpty)
    #expect(diff.text(from: "a", to: "b") == "")
  }

  @Test("From and to nothing")
  func nothing() {
    #expect(
      UnifiedDiff(from: "", to: "a\n").text(from: "x", to: "y").hasSuffix("@@ -0,0 +1 @@\n+a\n"))
    #expect(
      UnifiedDiff(from: "a\n", to: "").text(from: "x", to: "y").hasSuffix("@@ -1 +0,0 @@\n-a\n"))
  }

  @Test("A missing newline at the end is a difference and is named")
  func lastNewline() {
    let text = UnifiedDiff(from: "a", to: "a\n").text(from: "x", to: "y")
    #expect(text.hasSuffix("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"))
  }

  @Test("Other line ends are a difference")
  func carriageReturns() {
    #expect(!UnifiedDiff(from: "a\r\nb\r\n", to: "a\nb\n").isEmpty)
    let text = UnifiedDiff(from: "a\r\nb\r\n", to: "a\r\nc\r\n").text(from: "x", to: "y")
    #expect(text.hasSuffix("@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n"))
  }

  @Test("Long differences and long lines are cut")
  func limits() {
    let text = UnifiedDiff(from: "", to: "abcdef\nb\nc\nd\n")
      .text(from: "x", to: "y", limit: 3, width: 4)
    #expect(text == "--- x\n+++ y\n@@ -…\n+abc…\n+b\n… an…\n")
  }

  @Test("The old text, patched, is the new one")
  func patching() {
    var random = SplitMix(state: 3)
    for _ in 0..<500 {
      let old = (0..<Int.random(in: 0...30, using: &random)).map { _ in
        "abc".randomElement(using: &random).map { "\($0)\n" } ?? ""
      }
      var new = old
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        new.insert("new\n", at: Int.random(in: 0...new.count, using: &random))
        if Bool.random(using: &random) {
          new.remove(at: Int.random(in: 0..<new.count, using: &random))
        }
      }
      let diff = UnifiedDiff(from: old.joined(), to: new.joined()).text(from: "x", to: "y")
      #expect(patched(old, with: diff) == new)
    }
  }

  /// Applies a difference; it goes by the line numbers and checks the lines that it meets.
  private func patched(_ old: [String], with diff: String) -> [String] {
    var result: [String] = []
    var next = 0
    for line in diff.split(separator: "\n").dropFirst(2) {
      let text = line.dropFirst() + "\n"
      switch line.first {
      case "@":
        let span = line.split(separator: " ")[1].dropFirst().split(separator: ",").compactMap {
          Int($0)
        }
        let first = span.count == 2 && span[1] == 0 ? span[0] : span[0] - 1
        result += old[next..<first]
        next = first
      case "+":
        result.append(String(text))
      default:
        #expect(old[next] == String(text))
        if line.first == " " { result.append(old[next]) }
        next += 1
      }
    }
    return result + old[next...]
  }
}

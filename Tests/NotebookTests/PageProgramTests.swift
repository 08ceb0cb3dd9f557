import NotebookCore
import Testing

@Suite("The program of a page")
struct PageProgramTests {
  @Test("Each line of a block is compiled as the line of the page on which it stands")
  func lineMapping() throws {
    let text = "# A\n\n```swift\nlet a = 1\nlet b = 2\n```\n\n- x\n\n  ```swift\n  .c\n  ```\n"
    let page = try Page(path: "it \"is\" a\\page.md", text: text)
    let program = PageProgram(page: page, target: "Page_a")
    let pageLines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var line: Int?
    var compiled: [String] = []
    for text in program.source.split(separator: "\n", omittingEmptySubsequences: false) {
      if text.hasPrefix("#sourceLocation(file: \"it \\\"is\\\" a\\\\page.md\", line: ") {
        line = Int(text.dropLast().split(separator: " ").last ?? "")
      } else if text == "#sourceLocation()" {
        line = nil
      } else if let number = line {
        #expect(pageLines[number - 1].hasSuffix(text))
        compiled.append(String(text))
        line = number + 1
      }
    }
    #expect(compiled == ["let a = 1", "let b = 2", ".c"])
  }

  @Test("A message about the code between two blocks is about the block before it")
  func glue() throws {
    let page = try Page(path: "p.md", text: "\n```swift\nlet a = {\n```\n\n```swift\nb\n```\n")
    let program = PageProgram(page: page, target: "Page_a")
    let lines = program.source.split(separator: "\n").map(String.init)
    let firstEnd = try #require(lines.firstIndex(of: "#sourceLocation()"))
    #expect(program.pageLine(at: 1) == 2)
    #expect(program.pageLine(at: firstEnd + 1) == 4)
    #expect(program.pageLine(at: firstEnd + 2) == 4)
    #expect(program.pageLine(at: lines.count) == 8)
  }

  @Test("Targets have names that are identifiers and all different")
  func targets() {
    let names = PageProgram.targets(for: ["a", "a-b", "a b", "01 für", "a"])
    #expect(names == ["Page_a", "Page_a_b", "Page_a_b_2", "Page_01_f_r", "Page_a_2"])
  }
}

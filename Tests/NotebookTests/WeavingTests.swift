import NotebookCore
import Testing

@Suite("Weaving")
struct WeavingTests {
  private func page(_ text: String) throws(Failure) -> Page {
    try Page(path: "notebooks-md/page.md", text: text)
  }

  private func output(_ segments: BlockOutput.Segment...) -> BlockOutput {
    var output = BlockOutput()
    for segment in segments {
      switch segment {
      case .text(let text): output.append(text: text)
      case .figure(let figure): output.append(figure)
      }
    }
    return output
  }

  private let figure = Figure(name: "loss", format: .svg, caption: "A [curve]", bytes: [60])

  @Test("Text and figures come below their block, in the order in which they were made")
  func order() throws {
    let woven = try page("# A\n```swift\na\n```\nB\n").woven([
      output(.text("1\n2\n"), .figure(figure), .text("3"))
    ])
    let expected = """
      # A
      ```swift
      a
      ```

      <!-- output -->
      ```text
      1
      2
      ```

      ![A \\[curve\\]](figures/page-loss.svg)

      ```text
      3
      ```
      <!-- end of output -->
      B

      """
    #expect(woven == expected)
    #expect(try page(woven).wovenFigures == ["figures/page-loss.svg"])
  }

  @Test("A block without output gets nothing, and loses what it had")
  func nothing() throws {
    let text = "```swift\na\n```\n\nB\n"
    let woven = try page(text).woven([output(.text("1\n"))])
    #expect(woven != text)
    #expect(try page(woven).woven([output()]) == text)
    #expect(try page(text).woven([output()]) == text)
  }

  @Test("Output that belongs to no block goes away")
  func orphans() throws {
    let region = "\n<!-- output -->\n```text\nx\n```\n<!-- end of output -->\n"
    let woven = try page("A\n\(region)\n```swift skip\n```\n\(region)\(region)B\n").woven([])
    #expect(woven == "A\n\n```swift skip\n```\nB\n")
  }

  @Test("Output with fences in it gets a longer fence")
  func longerFence() throws {
    let woven = try page("```swift\n```").woven([output(.text("````\n<!-- end of output -->\n"))])
    #expect(woven.contains("\n`````text\n````\n<!-- end of output -->\n`````\n"))
    #expect(try page(woven).woven([output()]) == "```swift\n```")
  }

  @Test("Output in a list item stays in it")
  func indented() throws {
    let woven = try page("- a\n\n  ```swift\n  b\n  ```\n").woven([output(.text("1\n\n2\n"))])
    #expect(woven.contains("\n\n  <!-- output -->\n  ```text\n  1\n\n  2\n  ```\n"))
  }

  @Test("Carriage returns: the page keeps its line ends, output does not bring any")
  func carriageReturns() throws {
    let woven = try page("```swift\r\na\r\n```\r\nB\r\n").woven([output(.text("1\r\n2\r3\n"))])
    #expect(!woven.replacing("\r\n", with: "").contains { $0.isNewline })
    #expect(woven.contains("\r\n1\r\n2\r\n3\r\n```\r\n"))
  }

  @Test("A page name with a space is a link all the same")
  func spaces() throws {
    let page = try Page(path: "my page.md", text: "```swift\n```\n")
    let woven = page.woven([output(.figure(figure))])
    #expect(woven.contains("](<figures/my page-loss.svg>)"))
    #expect(try Page(path: "my page.md", text: woven).wovenFigures == ["figures/my page-loss.svg"])
  }

  @Test("A check leaves volatile output alone as long as it has the same shape")
  func volatile() throws {
    let page = try page("```swift volatile\na\n```\n```swift\nb\n```\n")
    let woven = page.woven([output(.text("1 s"), .figure(figure)), output(.text("2"))])
    let onDisk = try self.page(woven)
    var other = figure
    other.caption = "1.5 s"
    #expect(onDisk.expected([output(.text("9 s"), .figure(other)), output(.text("2"))]) == woven)
    #expect(onDisk.expected([output(.text("1 s"), .figure(figure)), output(.text("3"))]) != woven)
    #expect(onDisk.expected([output(.text("1 s")), output(.text("2"))]) != woven)
    #expect(onDisk.expected([output(.figure(figure)), output(.text("2"))]) != woven)
    #expect(onDisk.expected([output(), output(.text("2"))]) != woven)
    other.name = "another"
    #expect(onDisk.expected([output(.text("1 s"), .figure(other)), output(.text("2"))]) != woven)
    #expect(page.expected([output(.text("1 s")), output()]) != "```swift volatile\na\n```\n")
  }

  @Test("Weaving twice is weaving once, and weaving nothing takes all of it back")
  func idempotence() throws {
    var random = SplitMix(state: 20)
    var count = 0
    while count < 2000 {
      let text = random.page()
      guard let page = try? page(text) else { continue }
      let nothing = page.blocks.map { _ in BlockOutput() }
      let bare = page.woven(nothing)
      // Old output may have ended a list, so that taking it away makes code of other lines.
      guard let code = try? self.page(bare).blocks.map(\.code), code == page.blocks.map(\.code)
      else { continue }
      let outputs = page.blocks.map { _ in random.output() }
      let woven = page.woven(outputs)
      let again = try #require(try? self.page(woven), "\(text)\n=====\n\(woven)")
      try #require(again.blocks.map(\.code) == code, "\(text)\n=====\n\(woven)")
      #expect(again.woven(outputs) == woven, "\(text)")
      #expect(again.expected(outputs) == woven, "\(text)")
      #expect(again.woven(nothing) == bare, "\(text)")
      count += 1
    }
  }
}

/// A small repeatable source of random pages.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private static let lines = [
    "", "", "text", "  text", "# heading", "- item", "  - inner", "1. first", "    far", "***",
    "```swift", "```swift volatile", "```swift skip", "```", "```", "  ```swift", "  ```",
    "~~~swift", "~~~", "````markdown", "````", "<!-- note -->", "> quote", "let a = 1",
    "<!-- output -->\n```text\nold\n```\n<!-- end of output -->",
    "```swift\nlet b = 2\n```", "- ```swift\n  c\n  ```", "      ```swift\n      d\n      ```",
  ]

  /// Some lines of Markdown; not always a valid page.
  mutating func page() -> String {
    (0..<Int.random(in: 1...14, using: &self)).map { _ in
      Self.lines.randomElement(using: &self) ?? ""
    }
    .joined(separator: "\n") + (Bool.random(using: &self) ? "\n" : "")
  }

  private static let texts = [
    "1\n", "a", "\n", "\n\n", "```\n", "~~~~\n", "<!-- output -->\n", "  x", "- y\n", "````swift\n",
  ]

  /// Up to three pieces of output.
  mutating func output() -> BlockOutput {
    var output = BlockOutput()
    for index in 0..<Int.random(in: 0...3, using: &self) {
      if Int.random(in: 0...3, using: &self) == 0 {
        output.append(Figure(name: "f\(index)", format: .png, caption: "](", bytes: []))
      } else {
        output.append(text: Self.texts.randomElement(using: &self) ?? "")
      }
    }
    return output
  }
}

import Foundation
import NotebookCore
import Synchronization
import Testing

@Suite("From a page on disk to the woven page")
struct EndToEndTests {
  private static let files = [
    "Package.swift": """
    // swift-tools-version: 6.1
    import PackageDescription

    let package = Package(
      name: "ScoreSDE",
      products: [.library(name: "ScoreSDE", targets: ["ScoreSDE"])],
      targets: [.target(name: "ScoreSDE")])
    """,
    "Sources/ScoreSDE/Line.swift": """
    public struct Line: Sendable {
      public var slope: Double
      public init(slope: Double) { self.slope = slope }
      public func callAsFunction(_ x: Double) async -> Double { slope * x }
    }
    """,
    "notebooks-md/good.md": """
    # A page

    ```swift
    import ScoreSDE

    let line = Line(slope: 2)
    var sum = 0.0
    func add(_ x: Double) { sum += x }
    print("slope", line.slope)
    ```

    Later blocks see what earlier ones declared.

    ```swift
    add(await line(3))
    [1.0, 2.0].forEach { add($0 * line.slope) }
    extension Line { var twice: Double { 2 * slope } }
    print(sum, line.twice, terminator: "")
    show("<svg/>", "empty", caption: "Nothing")
    show([137, 80, 78, 71, 13, 10, 26, 10], "pixels")
    ```

    ```swift volatile
    print(UInt64.random(in: .min ... .max))
    ```

    """,
    "notebooks-md/compile.md":
      "\n```swift\nlet a = 1\n```\n\n```swift\nprint(a)\nundefined(a)\n```\n",
    "notebooks-md/stops.md": "```swift\nlet a = [1]\n```\n\n```swift\n\nprint(a[a.count])\n```\n",
  ]

  private static let wovenOutput = """

    <!-- output -->
    ```text
    12.0 4.0
    ```

    ![Nothing](figures/good-empty.svg)

    ![](figures/good-pixels.png)
    <!-- end of output -->

    """

  /// A package of its own in a temporary folder.
  private let root = FileManager.default.temporaryDirectory
    .appendingPathComponent("notebook-tests-\(UUID().uuidString)", isDirectory: true)

  private func write(_ text: String, to path: String) throws {
    let url = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Runs the tool; gives whether all went well, and what it printed.
  private func notebook(_ words: String...) throws -> (isFine: Bool, printed: String, notes: String)
  {
    let arguments = try #require(try Arguments.parse(words))
    let printed = Mutex("")
    let notes = Mutex("")
    let progress = ProgressLine(isQuiet: true) { text in notes.withLock { $0 += text } }
    let notebook = Notebook(arguments, progress: progress) { text in printed.withLock { $0 += text }
    }
    let isFine = try notebook.perform(in: root)
    return (isFine, printed.withLock { $0 }, notes.withLock { $0 })
  }

  @Test("Weave, check, and failures with their page and line")
  func wholeWay() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in Self.files { try write(text, to: path) }

    // One page that does not compile and one that stops do not keep the good one from being woven.
    let first = try notebook("weave")
    #expect(!first.isFine)
    #expect(first.printed == "notebooks-md/good.md: rewritten\n")
    #expect(first.notes.contains("notebooks-md/compile.md:8: cannot find 'undefined' in scope\n"))
    #expect(first.notes.contains("notebooks-md/stops.md:7: the page stopped here: "))
    for page in ["notebooks-md/compile.md", "notebooks-md/stops.md"] {
      #expect(try text(page) == Self.files[page])
    }
    let woven = try text("notebooks-md/good.md")
    #expect(
      woven.contains("```\n\n<!-- output -->\n```text\nslope 2.0\n```\n<!-- end of output -->\n"))
    #expect(woven.contains(Self.wovenOutput))
    #expect(try text("notebooks-md/figures/good-empty.svg") == "<svg/>")

    // The volatile block prints another number now, and the page is fresh all the same.
    let good = "notebooks-md/good.md"
    let fresh = try notebook("check", good)
    #expect(fresh.isFine)
    #expect(fresh.printed == "notebooks-md/good.md: fresh\n")

    try write(woven.replacing("12.0 4.0", with: "12.5 4.0"), to: good)
    try write("<svg />", to: "notebooks-md/figures/good-empty.svg")
    let stale = try notebook("check", good)
    #expect(!stale.isFine)
    #expect(stale.printed.contains("\n-12.5 4.0\n+12.0 4.0\n"))
    #expect(stale.printed.contains("--- figures/good-empty.svg\n"))
    #expect(stale.notes.contains("1 page is stale"))
    #expect(try text(good).contains("12.5 4.0"))

    let run = try notebook("run", good)
    #expect(run.isFine)
    #expect(run.printed.hasPrefix("slope 2.0\n12.0 4.0"))

    // A figure that is no longer made goes.
    try write(
      woven.replacing("show([137, 80, 78, 71, 13, 10, 26, 10], \"pixels\")\n", with: ""), to: good)
    #expect(try notebook("weave", good).isFine)
    let figures = try FileManager.default.contentsOfDirectory(
      atPath: root.appendingPathComponent("notebooks-md/figures").path)
    #expect(figures == ["good-empty.svg"])
    #expect(try !text(good).contains("pixels"))
  }

  @Test("Pages and packages that are not there")
  func missing() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    #expect(throws: Failure("neither this folder nor one above it has a Package.swift")) {
      try notebook("check")
    }
    try write("", to: "Package.swift")
    #expect(throws: Failure("this folder has no pages (files named *.md)", file: "notebooks-md")) {
      try notebook("check")
    }
    #expect(throws: Failure("there is no such page or folder", file: "no.md")) {
      try notebook("check", "no.md")
    }
  }

  @Test("A page without blocks needs no build")
  func noBlocks() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try write("this is no manifest", to: "Package.swift")
    try write("Text.\n", to: "notebooks-md/a.md")
    let check = try notebook("check")
    #expect(check.isFine)
    #expect(check.printed == "notebooks-md/a.md: fresh\n")
  }
}

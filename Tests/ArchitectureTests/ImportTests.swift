import Foundation
import Testing

/// Holds the rooms to the table in README.md: what a room imports, its row names.
@Suite struct ImportTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Rooms of the project that a row of the table names, by the room's path.
  private static func table() throws -> [String: Set<String>] {
    let text = try String(
      contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    var table: [String: Set<String>] = [:]
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3,
        cells[0].hasPrefix("`Engine/") || cells[0].hasPrefix("`Theory/")
          || cells[0].hasPrefix("`Practice/")
      else { continue }
      let room = cells[0].trimmingCharacters(in: ["`"])
      table[room] = Set(
        cells[1].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
          .filter { $0 != "–" })
    }
    return table
  }

  private static func files(_ folder: URL) -> [URL] {
    let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
  }

  private static func imports(_ file: URL) throws -> Set<String> {
    let text = try String(contentsOf: file, encoding: .utf8)
    return Set(
      // Indented lines may belong to a text; the rooms are never imported on a condition.
      text.split(separator: "\n").filter { !$0.hasPrefix(" ") }.compactMap { line in
        let words = line.split(separator: " ")
        guard let place = words.firstIndex(of: "import"), place <= 1, words.count > place + 1
        else { return nil }
        return String(words[place + 1])
      })
  }

  /// Optimised code drops what the standard library's `precondition` says; the package's own is heard where it is seen.
  @Test func preconditionsAreTheOnesThatAreHeard() throws {
    let sources = Self.root.appendingPathComponent("Sources")
    var count = 0
    for file in ["Engine", "Theory", "Practice"].flatMap({
      Self.files(sources.appendingPathComponent($0))
    }) {
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(!text.contains("preconditionFailure("), "\(file.lastPathComponent)")
      guard text.contains("precondition(") else { continue }
      count += 1
      let hasItsOwn = ["/ScoreTensors/", "/ScoreFigures/"].contains { file.path.contains($0) }
      #expect(
        try hasItsOwn || Self.imports(file).contains("ScoreTensors"),
        "\(file.lastPathComponent) has preconditions and does not import ScoreTensors")
    }
    #expect(count > 30)
  }

  @Test func everyRoomIsInTheTableAndImportsWhatItsRowNames() throws {
    let table = try Self.table()
    let sources = Self.root.appendingPathComponent("Sources")
    let rooms = try ["Engine", "Theory", "Practice"].flatMap { tower in
      try FileManager.default.contentsOfDirectory(
        atPath: sources.appendingPathComponent(tower).path
      ).filter { !$0.hasSuffix(".md") }.map { "\(tower)/\($0)" }
    }
    #expect(Set(rooms) == Set(table.keys))
    let names = Set(rooms.map { String($0.split(separator: "/")[1]) })
    for room in rooms where room != "Practice/ScoreSDE" {
      for file in Self.files(sources.appendingPathComponent(room)) {
        let ours = try Self.imports(file).intersection(names)
        let allowed = table[room] ?? []
        #expect(
          ours.isSubset(of: allowed),
          "\(room)/\(file.lastPathComponent) imports \(ours.subtracting(allowed).sorted())")
      }
    }
  }

  /// The names that Package.swift quotes in the entry of each test target: its own and what it depends on.
  private static func declaredByTests() throws -> [String: Set<String>] {
    let text = try String(
      contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8)
    var declared: [String: Set<String>] = [:]
    let list = text.components(separatedBy: "// Tests, one target a room.").last ?? ""
    for entry in list.split(separator: /\n    (?:tests\(|\.testTarget\(|\.target\()/) {
      let names = entry.matches(of: /"([A-Za-z]+)"/).map { String($0.1) }
      guard let first = names.first else { continue }
      declared[first.hasSuffix("Tests") ? first : first + "Tests"] = Set(names)
    }
    return declared
  }

  @Test func everyTestImportsWhatItsTargetDeclares() throws {
    let declared = try Self.declaredByTests()
    let tests = Self.root.appendingPathComponent("Tests")
    let names = Set(try Self.table().keys.map { String($0.split(separator: "/")[1]) })
      .union(["NotebookCore", "AllocationCounter"])
    let folders = try FileManager.default.contentsOfDirectory(atPath: tests.path)
      .filter { $0.hasSuffix("Tests") }
    #expect(folders.count > 15)
    for folder in folders {
      let own = try #require(declared[folder], "\(folder) is not in Package.swift")
      for file in Self.files(tests.appendingPathComponent(folder)) {
        let ours = try Self.imports(file).intersection(names)
        #expect(
          ours.isSubset(of: own),
          "\(folder)/\(file.lastPathComponent) imports \(ours.subtracting(own).sorted())")
      }
    }
  }

  @Test func theUmbrellaExportsEveryRoomOfSwift() throws {
    let table = try Self.table()
    let umbrella = Self.root.appendingPathComponent("Sources/Practice/ScoreSDE/ScoreSDE.swift")
    let expected = Set(table.keys.map { String($0.split(separator: "/")[1]) })
      .subtracting(["ScoreSDE", "CScoreKernels"])
    #expect(try Self.imports(umbrella) == expected)
  }

  @Test func thePackageNamesNoDependencyAndNoUnsafeFlag() throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent("Package.swift"), encoding: .utf8)
    #expect(!text.contains(".package("))
    #expect(!text.contains("unsafeFlags"))
  }
}

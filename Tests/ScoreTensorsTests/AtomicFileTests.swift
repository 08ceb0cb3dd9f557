import Foundation
import ScoreTensors
import Testing

@Suite final class AtomicFileTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/atomic-\(UUID().uuidString)"

  init() throws { try AtomicFile.makeFolder(folder) }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
  }

  /// A name that is too long is found when the file is renamed, and nothing is left of it then.
  @Test func whatCannotBeWrittenLeavesNothing() throws {
    let name = String(repeating: "a", count: 300)
    #expect(throws: FileError.self) { try AtomicFile.write("new", to: "\(folder)/\(name)") }
    #expect(try names.isEmpty)
  }

  /// A link stays one, and what it leads to is written.
  @Test func linksAreFollowed() throws {
    let (file, link) = (folder + "/file", folder + "/link")
    try AtomicFile.write("old", to: file)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file")
    try AtomicFile.write("new", to: link)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "file")
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "new")
    #expect(try names == ["file", "link"])
  }
}

import Foundation
import ScoreSDE
import Testing

/// What the documents say of themselves and of the package.
@Suite struct DocumentTests {
  @Test func linksLeadSomewhere() throws {
    let documents = try Document.all()
    var seen = 0
    for document in documents {
      let folder = (document.path as NSString).deletingLastPathComponent
      for (path, anchor) in document.links {
        let target =
          path.isEmpty ? document.path : (folder as NSString).appendingPathComponent(path)
        let place = Document.root.appendingPathComponent(target).standardizedFileURL
        #expect(
          FileManager.default.fileExists(atPath: place.path), "\(document.path) links to \(path)")
        seen += 1
        guard let anchor, place.pathExtension == "md" else { continue }
        let name = String(place.path.dropFirst(Document.root.standardizedFileURL.path.count + 1))
        let other = try Document(name)
        #expect(other.anchors.contains(anchor), "\(document.path) links to \(path)#\(anchor)")
      }
    }
    #expect(documents.count > 10 && seen > 50)
  }

  @Test func everyNameIsTold() throws {
    let (readme, manual) = (
      try Document("README.md").text, try Document("Sources/Tools/README.md").text
    )
    for name in ProcessSpec.names {
      #expect(readme.contains("\n| `\(name)"), "\(name) is not in the table of SDEs")
    }
    for name in SolverSpec.names {
      #expect(manual.contains("`\(name)"), "\(name) is not among the solvers")
    }
    for name in DataSource.names {
      #expect(manual.contains("`\(name)"), "\(name) is not among the data")
    }
    for name in Preconditioning.names {
      #expect(manual.contains("`\(name)"), "\(name) is not among what networks give")
    }
  }

  /// The parameters of SDEs stand in the table as they are by default.
  @Test func theTableOfSDEsHasTheDefaults() throws {
    let rows = try Document("README.md").text.matches(of: /\n\| `([a-z-]+:[^`…]+)` \|/)
    #expect(rows.count == ProcessSpec.standardNames.count)
    for row in rows {
      let text = String(row.1)
      let name = String(text.prefix { $0 != ":" })
      let standard = ProcessSpec.text(of: try ProcessSpec.process(name))
      #expect(standard.hasPrefix(text), "\(text) against \(standard)")
      #expect(ProcessSpec.text(of: try ProcessSpec.process(text)) == standard)
    }
  }
}

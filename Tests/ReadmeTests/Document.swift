import Foundation

/// A Markdown file of the package.
struct Document {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The path from the root.
  let path: String
  let text: String

  init(_ path: String) throws {
    self.path = path
    text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  /// All of them, but for what builds leave.
  static func all() throws -> [Document] {
    let folders = ["", "Sources", "Tests", "notebooks-md"]
    let files = folders.flatMap { folder -> [String] in
      let place = root.appendingPathComponent(folder).path
      if folder.isEmpty { return ["README.md"] }
      let names = FileManager.default.enumerator(atPath: place)?.compactMap { $0 as? String } ?? []
      return names.filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
    }
    return try files.sorted().map(Document.init)
  }

  /// The lines that are not in fenced blocks.
  var prose: [Substring] {
    var isCode = false
    return text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      if line.hasPrefix("```") {
        isCode.toggle()
        return false
      }
      return !isCode
    }
  }

  /// The names by which links find the headings.
  var anchors: Set<String> {
    Set(
      prose.filter { $0.hasPrefix("#") }.map { heading in
        heading.drop { $0 == "#" || $0 == " " }.lowercased()
          .filter { $0.isLetter || $0.isNumber || "- _".contains($0) }
          .replacing(" ", with: "-")
      })
  }

  /// Where links and pictures lead, but for those into the web.
  var links: [(path: String, anchor: String?)] {
    prose.joined(separator: "\n").matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }
      .filter { !$0.contains("://") }
      .map { link in
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
      }
  }
}

/// A picture that a page made.
package struct Figure: Equatable, Sendable {
  /// How the picture is written down.
  package enum Format: String, Sendable {
    case svg, png
  }

  /// The name that the page gave it: letters, digits, hyphens and underscores.
  package var name: String

  /// How `bytes` are to be read.
  package var format: Format

  /// What the picture shows, in words.
  package var caption: String

  /// The contents of its file.
  package var bytes: [UInt8]

  /// Makes a figure from all its parts.
  package init(name: String, format: Format, caption: String, bytes: [UInt8]) {
    self.name = name
    self.format = format
    self.caption = caption
    self.bytes = bytes
  }

  /// The path of its file relative to a page with the name `stem`.
  package func path(for stem: String) -> String {
    "figures/\(stem)-\(name).\(format.rawValue)"
  }

  /// The Markdown that shows it on that page.
  func markdown(for stem: String) -> String {
    let path = path(for: stem)
    let isPlain = path.allSatisfy { !" ()<>\t".contains($0) }
    let escaped = caption.map { "[]\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    return "![\(escaped)](\(isPlain ? path : "<\(path)>"))"
  }
}

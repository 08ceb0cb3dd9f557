/// What stands above pictures, or in the place of one: a title, the legend that they share, and lines of text.
public struct Heading: Figure {
  /// The title; none where empty.
  public let title: String
  /// What colours mean.
  public let entries: [(label: String, color: Color)]
  /// Lines of text below.
  public let lines: [String]
  /// The width in pixels.
  public let width: Int

  private static let left = 14.0
  private static let lineHeight = 19.0

  /// Creates a heading of a width.
  public init(
    _ title: String = "", entries: [(label: String, color: Color)] = [], lines: [String] = [],
    width: Int
  ) {
    (self.title, self.entries, self.lines, self.width) = (title, entries, lines, width)
  }

  /// The height in pixels.
  public var height: Int { Int(bottom) }
  /// What the heading says.
  public var summary: String {
    ([title] + entries.map(\.label) + lines).filter { !$0.isEmpty }.joined(separator: "; ")
  }

  private var entriesTop: Double { title.isEmpty ? 8 : 34 }
  private var linesTop: Double { entriesTop + Double(entries.count) * Self.lineHeight }
  private var bottom: Double { linesTop + Double(lines.count) * Self.lineHeight + 6 }

  /// The elements, from the top.
  public var elements: String {
    func text(
      _ text: String, x: Double = Self.left, y: Double, size: Double = PlotLayout.tickSize,
      fill: String = "#333333", bold: Bool = false
    ) -> String {
      SVG.text(
        text, x: x, y: y, size: size, fill: fill, bold: bold, within: Double(width) - x - 4)
    }
    var found =
      title.isEmpty
      ? "" : text(title, y: 24, size: PlotLayout.titleSize, fill: "#1a1a1a", bold: true)
    for (place, entry) in entries.enumerated() {
      let y = entriesTop + (Double(place) + 0.5) * Self.lineHeight
      found +=
        "<rect x=\"\(SVG.number(Self.left))\" y=\"\(SVG.number(y - 5))\" width=\"18\" height=\"10\""
        + " fill=\"\(entry.color.hex)\" opacity=\"0.45\"/>\n"
        + text(entry.label, x: Self.left + 26, y: y + 4)
    }
    for (place, line) in lines.enumerated() {
      found += text(
        line, y: linesTop + (Double(place) + 0.5) * Self.lineHeight + 4, fill: "#555555")
    }
    return found
  }
}

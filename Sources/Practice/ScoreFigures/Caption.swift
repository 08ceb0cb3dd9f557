/// A picture under a line of text.
public struct Caption: Figure {
  /// The line above the picture.
  public let text: String
  /// The picture.
  public let figure: any Figure

  private static let lineHeight = 32

  /// Puts a line of text above a picture.
  public init(_ text: String, _ figure: any Figure) {
    (self.text, self.figure) = (text, figure)
  }

  /// The width in pixels, at least that of the text.
  public var width: Int {
    max(figure.width, Int(SVG.widestWidth(text, size: PlotLayout.titleSize).rounded(.up)))
  }
  /// The height in pixels.
  public var height: Int { figure.height + Self.lineHeight }
  /// What the picture shows.
  public var summary: String { text }

  /// The elements of both.
  public var elements: String {
    SVG.text(
      text, x: 4, y: 21, size: PlotLayout.titleSize, fill: "#1a1a1a", bold: true)
      + "<g transform=\"translate(0 \(Self.lineHeight))\">\n\(figure.elements)</g>\n"
  }
}

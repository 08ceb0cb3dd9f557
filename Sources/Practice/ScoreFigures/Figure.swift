/// A picture that draws itself as SVG.
public protocol Figure: Sendable {
  /// The width in pixels.
  var width: Int { get }
  /// The height in pixels.
  var height: Int { get }
  /// What the picture shows, for readers who cannot see it.
  var summary: String { get }
  /// The SVG elements inside the root, without the root itself.
  var elements: String { get }
}

extension Figure {
  /// The picture as a self-contained SVG document on a white background.
  ///
  /// No identifiers, style sheets or scripts, so that any number of pictures can stand in one HTML page.
  public var svg: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
    viewBox="0 0 \(width) \(height)" font-family="\(SVG.fontFamily)" role="img">
    <title>\(SVG.escaped(summary))</title>
    <rect width="\(width)" height="\(height)" fill="#ffffff"/>
    \(elements)</svg>

    """
  }
}

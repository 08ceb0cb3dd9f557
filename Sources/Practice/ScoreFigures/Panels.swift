/// Pictures side by side, in rows.
public struct Panels: Figure {
  /// The pictures.
  public let figures: [any Figure]
  /// The number of pictures in a row.
  public let columns: Int
  /// What the pictures show.
  public var summary: String

  /// Puts pictures side by side, in rows of `columns`; in one row where nil.
  public init(_ figures: [any Figure], columns: Int? = nil, summary: String? = nil) {
    precondition(!figures.isEmpty && columns ?? 1 > 0, "panels take one picture or more")
    self.figures = figures
    self.columns = columns ?? figures.count
    self.summary = summary ?? figures.map(\.summary).joined(separator: "; ")
  }

  private var columnWidths: [Int] {
    (0..<min(columns, figures.count)).map { column in
      stride(from: column, to: figures.count, by: columns).map { figures[$0].width }.max() ?? 0
    }
  }

  private var rowHeights: [Int] {
    stride(from: 0, to: figures.count, by: columns).map { start in
      figures[start..<min(start + columns, figures.count)].map(\.height).max() ?? 0
    }
  }

  /// The width in pixels.
  public var width: Int { columnWidths.reduce(0, +) }
  /// The height in pixels.
  public var height: Int { rowHeights.reduce(0, +) }

  /// The pictures' elements, each moved to its place.
  public var elements: String {
    let (widths, heights) = (columnWidths, rowHeights)
    return figures.enumerated().map { index, figure in
      let x = widths[..<(index % columns)].reduce(0, +)
      let y = heights[..<(index / columns)].reduce(0, +)
      return "<g transform=\"translate(\(x) \(y))\">\n\(figure.elements)</g>\n"
    }.joined()
  }
}

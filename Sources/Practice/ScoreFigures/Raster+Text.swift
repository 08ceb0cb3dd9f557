extension Raster {
  /// A line of text, black on white, in letters of five by seven squares, with a margin of four pixels.
  ///
  /// Of characters, those of ASCII and the ellipsis are drawn; others are an empty box. What is wider than it may be is cut in
  /// its middle, before its end.
  /// - Parameters:
  ///   - factor: each square has so many pixels a side.
  ///   - room: the most pixels that it may be wide.
  ///   - end: what stands at the end, whole.
  package static func text(
    _ text: String, end: String = "", channels: Int, factor: Int = 2, within room: Int
  ) -> Raster {
    let margin = 4
    let shown =
      text.shortened { 6 * factor * ($0.count + end.count) + 2 * margin <= room } + end
    var picture = Raster(
      width: max(1, 6 * factor * shown.count) + 2 * margin, height: 7 * factor + 2 * margin,
      channels: channels, filledWith: 255)
    for (place, character) in shown.enumerated() {
      for (column, bits) in PixelFont.columns(of: character).enumerated() {
        for row in 0..<7 where bits >> row & 1 == 1 {
          picture.blacken(
            left: margin + (6 * place + column) * factor, top: margin + row * factor, side: factor)
        }
      }
    }
    return picture
  }

  private mutating func blacken(left: Int, top: Int, side: Int) {
    for y in top..<top + side {
      for entry in (y * width + left) * channels..<(y * width + left + side) * channels {
        pixels[entry] = 0
      }
    }
  }
}

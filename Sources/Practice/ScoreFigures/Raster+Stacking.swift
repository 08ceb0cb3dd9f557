extension Raster {
  /// Pictures one below the other, white between them and beside those that are less wide.
  ///
  /// - Parameters:
  ///   - pictures: one or more, all grey or all RGB.
  ///   - gap: the white pixels between them.
  public static func stacked(_ pictures: [Raster], gap: Int) -> Raster {
    precondition(
      gap >= 0 && !pictures.isEmpty && Set(pictures.map(\.channels)).count == 1,
      "\(pictures.count) pictures of \(pictures.map(\.channels)) channels, \(gap) pixels between")
    let channels = pictures[0].channels
    let width = pictures.map(\.width).max() ?? 1
    var pixels: [UInt8] = []
    for (place, picture) in pictures.enumerated() {
      if place > 0 { pixels += [UInt8](repeating: 255, count: gap * width * channels) }
      let margin = [UInt8](repeating: 255, count: (width - picture.width) * channels)
      let line = picture.width * channels
      for start in stride(from: 0, to: picture.pixels.count, by: line) {
        pixels += picture.pixels[start..<start + line] + margin
      }
    }
    return Raster(
      width: width, height: pixels.count / (width * channels), channels: channels, pixels: pixels)
  }
}

/// A picture of pixels: grey or RGB, eight bits a channel, rows from the top.
public struct Raster: Hashable, Sendable {
  /// The number of pixels in a row.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// The channels of a pixel: 1 for grey, 3 for RGB.
  public let channels: Int
  /// The channels of all pixels, row by row.
  public var pixels: [UInt8]

  /// Creates a picture from its pixels.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && (channels == 1 || channels == 3)
        && pixels.count == width * height * channels,
      "\(pixels.count) bytes do not fill \(width) × \(height) pixels of \(channels) channels")
    (self.width, self.height, self.channels) = (width, height, channels)
    self.pixels = pixels
  }

  /// Creates a picture of one grey level.
  public init(width: Int, height: Int, channels: Int, filledWith level: UInt8) {
    self.init(
      width: width, height: height, channels: channels,
      pixels: [UInt8](repeating: level, count: width * height * channels))
  }

  /// Draws a matrix through a colour map, `low` at the map's start and `high` at its end.
  ///
  /// The values come row by row, the top row first.
  public init(
    matrix values: [Double], width: Int, low: Double, high: Double, colorMap: ColorMap = .ember
  ) {
    precondition(
      width > 0 && values.count % width == 0 && low < high,
      "\(values.count) values in rows of \(width), range \(low) to \(high)")
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * values.count)
    for value in values {
      let color = colorMap[(value - low) / (high - low)]
      pixels += [color.red, color.green, color.blue]
    }
    self.init(width: width, height: values.count / width, channels: 3, pixels: pixels)
  }

  /// Every pixel as a square of `factor` × `factor` pixels.
  public func enlarged(_ factor: Int) -> Raster {
    precondition(factor > 0, "a picture is enlarged by a positive factor, got \(factor)")
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count * factor * factor)
    for y in 0..<height {
      var line: [UInt8] = []
      for x in 0..<width {
        let start = (y * width + x) * channels
        for _ in 0..<factor { line += pixels[start..<start + channels] }
      }
      for _ in 0..<factor { result += line }
    }
    return Raster(
      width: width * factor, height: height * factor, channels: channels, pixels: result)
  }
}

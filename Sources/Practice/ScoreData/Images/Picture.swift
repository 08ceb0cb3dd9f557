import ScoreTensors

/// An image of eight bits a channel: rows from the top.
public struct Picture: Hashable, Sendable {
  /// The number of pixels in a row.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// The channels of a pixel: 1 grey, 2 grey and opacity, 3 RGB, 4 RGB and opacity.
  public let channels: Int
  /// The channels of all pixels, row by row.
  public let pixels: [UInt8]

  /// Creates a picture from its pixels.
  /// - Precondition: one to four channels, and a level for each of every pixel.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && (1...4).contains(channels)
        && checkedProduct([width, height, channels]) == pixels.count,
      "\(width) × \(height) pixels of \(channels) channels with \(pixels.count) levels")
    (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
  }
}

// MARK: - Colours

extension Picture {
  /// The picture with its colours alone.
  public var withoutOpacity: Picture {
    guard channels == 2 || channels == 4 else { return self }
    return Picture(
      width: width, height: height, channels: channels - 1,
      pixels: pixels.indices.filter { $0 % channels != channels - 1 }.map { pixels[$0] })
  }
}

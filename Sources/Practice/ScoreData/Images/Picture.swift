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

  /// Reads a PNG or JPEG file, whichever its first bytes say that it is.
  /// - Throws: a `DataError` where the file is neither, missing or damaged.
  public static func read(_ path: String) throws(DataError) -> Picture {
    let bytes = try FileBytes.read(path)
    if bytes.starts(with: [0x89, 0x50]) { return try PNG.decode(bytes, path: path) }
    if bytes.starts(with: [0xFF, 0xD8]) { return try JPEG.decode(bytes, path: path) }
    throw DataError(
      .wrongFormat, path, "this is neither a PNG nor a JPEG file: it lacks their signatures")
  }

  /// Whether a file is one of these, by the ending of its name: `.png`, `.jpg` or `.jpeg`.
  public static func isPicture(_ path: String) -> Bool {
    [".png", ".jpg", ".jpeg"].contains { path.lowercased().hasSuffix($0) }
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

  /// The picture in grey, without its opacity.
  ///
  /// ```
  /// grey = 0.299 R + 0.587 G + 0.114 B
  /// ```
  ///
  /// This is the luma of ITU-R BT.601, that of JPEG's Y′, with weights of 16 bits and rounded, as Pillow has it.
  public var gray: Picture {
    let colors = withoutOpacity
    guard colors.channels == 3 else { return colors }
    let levels = stride(from: 0, to: colors.pixels.count, by: 3).map { place in
      let (red, green, blue) = (
        Int(colors.pixels[place]), Int(colors.pixels[place + 1]), Int(colors.pixels[place + 2])
      )
      return UInt8((19595 * red + 38470 * green + 7471 * blue + 1 << 15) >> 16)
    }
    return Picture(width: width, height: height, channels: 1, pixels: levels)
  }

  /// The picture in RGB, without its opacity.
  public var rgb: Picture {
    let colors = withoutOpacity
    guard colors.channels == 1 else { return colors }
    return Picture(
      width: width, height: height, channels: 3, pixels: colors.pixels.flatMap { [$0, $0, $0] })
  }
}

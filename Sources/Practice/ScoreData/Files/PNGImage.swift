/// An image read from a PNG file: rows from the top, eight bits a channel.
public struct PNGImage: Hashable, Sendable {
  /// The number of pixels in a row.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// The channels of a pixel: 1 grey, 2 grey and opacity, 3 RGB, 4 RGB and opacity.
  public let channels: Int
  /// The channels of all pixels, row by row.
  public let pixels: [UInt8]

  /// Reads an image: grey, RGB or palette, with or without opacity, up to eight bits a channel, not interlaced.
  /// - Throws: a `DataError` where the file is missing, damaged, or a variant that is not read here.
  public static func read(_ path: String) throws(DataError) -> PNGImage {
    try decode(FileBytes.read(path), path: path)
  }

  /// Decodes the bytes of a file; `path` is for messages.
  package static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> PNGImage {
    guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
      throw DataError(.wrongFormat, path, "this is not a PNG file: it lacks the signature")
    }
    var reader = ByteReader(bytes, path: path)
    _ = try reader.take(8, "the signature")
    var header: PNGHeader?
    var palette: ArraySlice<UInt8> = []
    var data: [UInt8] = []
    while true {
      let length = try reader.bigEndian32("a chunk's length")
      let start = reader.offset
      let name = String(decoding: try reader.take(4, "a chunk's type"), as: UTF8.self)
      let body = try reader.take(length, "chunk \(name)")
      let sum = UInt32(try reader.bigEndian32("the checksum of chunk \(name)"))
      guard sum == Checksum.crc32(bytes[start..<start + 4 + length]) else {
        throw DataError(
          .malformed, path,
          "the checksum of chunk \(name) at byte \(start) does not fit its content")
      }
      switch name {
      case "IHDR": header = try PNGHeader(body, path: path)
      case "PLTE": palette = body
      case "IDAT": data += body
      case "IEND":
        guard let header else { throw DataError(.malformed, path, "chunk IHDR is missing") }
        return try header.image(data, palette: palette, path: path)
      case _ where name.utf8.first.map { $0 & 0x20 == 0 } ?? true:
        throw DataError(.unsupported, path, "the critical chunk \(name) is not known")
      default: continue
      }
    }
  }
}

/// What the first chunk of a PNG file says, and the way from compressed rows to pixels.
private struct PNGHeader {
  let width: Int
  let height: Int
  let depth: Int
  let colorType: UInt8
  let fileChannels: Int
  let lineBytes: Int
  let path: String

  init(_ body: ArraySlice<UInt8>, path: String) throws(DataError) {
    var reader = ByteReader(Array(body), path: path)
    guard body.count == 13 else {
      throw DataError(.malformed, path, "chunk IHDR holds \(body.count) bytes, where 13 are due")
    }
    width = try reader.bigEndian32("the width")
    height = try reader.bigEndian32("the height")
    let kinds = Array(try reader.take(5, "the kind of image"))
    guard width > 0, height > 0, width < 1 << 31, height < 1 << 31 else {
      throw DataError(.malformed, path, "an image of \(width) × \(height) pixels")
    }
    guard kinds[2] == 0, kinds[3] == 0, kinds[4] <= 1 else {
      throw DataError(.malformed, path, "unknown methods \(kinds[2...]) in chunk IHDR")
    }
    guard kinds[4] == 0 else {
      throw DataError(.unsupported, path, "an interlaced image, where plain ones are read")
    }
    depth = Int(kinds[0])
    colorType = kinds[1]
    let channels: [UInt8: Int] = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4]
    guard let fileChannels = channels[colorType],
      [1, 2, 4, 8].contains(depth) || (depth == 16 && colorType != 3),
      depth >= 8 || colorType == 0 || colorType == 3
    else {
      throw DataError(
        .malformed, path, "an image of colour type \(colorType) with \(depth) bits a channel")
    }
    guard depth <= 8 else {
      throw DataError(.unsupported, path, "16 bits a channel, where up to 8 are read")
    }
    self.fileChannels = fileChannels
    lineBytes = (width * fileChannels * depth + 7) / 8
    self.path = path
  }

  func image(_ data: [UInt8], palette: ArraySlice<UInt8>, path: String) throws(DataError)
    -> PNGImage
  {
    guard let size = checkedProduct([height, lineBytes + 1]),
      // Deflate cannot expand by more than 1032, so a larger claim is refused before memory is taken for it.
      size / 1032 <= data.count
    else {
      throw DataError(
        .truncated, path,
        "the header promises \(width) × \(height) pixels, the file holds \(data.count) compressed bytes"
      )
    }
    var lines: [UInt8]
    do {
      lines = try Inflate.zlib(data[...], limit: size)
    } catch {
      throw DataError(inflating: error, path)
    }
    guard lines.count == size else {
      throw DataError(
        .truncated, path,
        "the header promises \(size) bytes of pixels, the compressed data hold \(lines.count)")
    }
    try removeFilters(&lines)
    return try colors(lines, palette: palette)
  }

  /// Undoes the prediction of each row from its left, upper and upper left neighbours, in place.
  private func removeFilters(_ lines: inout [UInt8]) throws(DataError) {
    let step = max(1, fileChannels * depth / 8)
    for y in 0..<height {
      let start = y * (lineBytes + 1)
      let filter = lines[start]
      guard filter <= 4 else {
        throw DataError(.malformed, path, "row \(y) has filter \(filter), where 0 to 4 are defined")
      }
      if filter == 0 { continue }
      for x in 1...lineBytes {
        let place = start + x
        let left = x > step ? Int(lines[place - step]) : 0
        let up = y > 0 ? Int(lines[place - lineBytes - 1]) : 0
        let corner = x > step && y > 0 ? Int(lines[place - step - lineBytes - 1]) : 0
        let prediction =
          switch filter {
          case 1: left
          case 2: up
          case 3: (left + up) / 2
          default: Self.paeth(left, up, corner)
          }
        lines[place] &+= UInt8(prediction)
      }
    }
  }

  private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
    let estimate = left + up - corner
    let (a, b, c) = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
    return a <= b && a <= c ? left : b <= c ? up : corner
  }

  private func colors(_ lines: [UInt8], palette: ArraySlice<UInt8>) throws(DataError) -> PNGImage {
    let isPalette = colorType == 3
    let channels = isPalette ? 3 : fileChannels
    var pixels: [UInt8] = []
    pixels.reserveCapacity(width * height * channels)
    for y in 0..<height {
      let start = y * (lineBytes + 1) + 1
      if depth == 8, !isPalette {
        pixels += lines[start..<start + lineBytes]
        continue
      }
      for x in 0..<width {
        let bit = x * depth
        let value = Int(lines[start + bit / 8]) >> (8 - depth - bit % 8) & (1 << depth - 1)
        if isPalette {
          guard 3 * value + 3 <= palette.count else {
            throw DataError(
              .malformed, path, "colour \(value) of a palette of \(palette.count / 3)")
          }
          pixels += palette.dropFirst(3 * value).prefix(3)
        } else {
          pixels.append(UInt8(value * 255 / (1 << depth - 1)))
        }
      }
    }
    return PNGImage(width: width, height: height, channels: channels, pixels: pixels)
  }
}

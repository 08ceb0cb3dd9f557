/// What the first chunk of a PNG file says, and the way from compressed rows to pixels.
struct PNGHeader {
  private let width: Int
  private let height: Int
  private let depth: Int
  private let isPalette: Bool
  /// The samples of a pixel in the file; a palette's colours have one.
  private let fileChannels: Int
  private let isInterlaced: Bool
  private let path: String

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
    depth = Int(kinds[0])
    let channels: [UInt8: Int] = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4]
    guard let fileChannels = channels[kinds[1]],
      [1, 2, 4, 8].contains(depth) || (depth == 16 && kinds[1] != 3),
      depth >= 8 || kinds[1] == 0 || kinds[1] == 3
    else {
      throw DataError(
        .malformed, path, "an image of colour type \(kinds[1]) with \(depth) bits a channel")
    }
    isPalette = kinds[1] == 3
    isInterlaced = kinds[4] == 1
    self.fileChannels = fileChannels
    self.path = path
  }

  func picture(_ data: [UInt8], palette: ArraySlice<UInt8>) throws(DataError) -> Picture {
    let passes = PNGPass.passes(
      width: width, height: height, pixelBits: fileChannels * depth, isInterlaced: isInterlaced)
    var lines = try inflated(data, passes)
    let channels = isPalette ? 3 : fileChannels
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    var start = 0
    for pass in passes {
      try pass.removeFilters(&lines, from: start, path: path)
      for y in 0..<pass.height {
        let row = (pass.firstY + y * pass.stepY) * width + pass.firstX
        try place(
          lines[(start + 1)..<(start + 1 + pass.lineBytes)], of: pass, palette: palette,
          from: row * channels, in: &pixels)
        start += pass.lineBytes + 1
      }
    }
    return Picture(width: width, height: height, channels: channels, pixels: pixels)
  }

  /// The rows of all passes, each after the byte of its filter.
  private func inflated(_ data: [UInt8], _ passes: [PNGPass]) throws(DataError) -> [UInt8] {
    var size = 0
    for pass in passes {
      // Deflate cannot expand by more than 1032, so a larger claim is refused before memory is taken for it.
      guard let own = pass.size, own / 1032 <= data.count else {
        throw DataError(
          .truncated, path,
          "the header promises \(width) × \(height) pixels, the file holds \(data.count) compressed bytes"
        )
      }
      size += own
    }
    let lines: [UInt8]
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
    return lines
  }

  /// Puts the pixels of a row where they belong.
  private func place(
    _ line: ArraySlice<UInt8>, of pass: PNGPass, palette: ArraySlice<UInt8>, from first: Int,
    in pixels: inout [UInt8]
  ) throws(DataError) {
    let step = pass.stepX * (isPalette ? 3 : fileChannels)
    for x in 0..<pass.width {
      let place = first + x * step
      guard isPalette else {
        for channel in 0..<fileChannels {
          pixels[place + channel] = level(x * fileChannels + channel, in: line)
        }
        continue
      }
      let color = sample(x, in: line)
      guard 3 * color + 3 <= palette.count else {
        throw DataError(.malformed, path, "colour \(color) of a palette of \(palette.count / 3)")
      }
      for channel in 0..<3 {
        pixels[place + channel] = palette[palette.startIndex + 3 * color + channel]
      }
    }
  }

  /// A sample of a row in eight bits.
  @inline(__always)
  private func level(_ index: Int, in line: ArraySlice<UInt8>) -> UInt8 {
    let (value, top) = (sample(index, in: line), 1 << depth - 1)
    return depth == 8 ? UInt8(value) : UInt8((value * 255 + top / 2) / top)
  }

  /// A sample of a row as the file has it.
  @inline(__always)
  private func sample(_ index: Int, in line: ArraySlice<UInt8>) -> Int {
    let bit = index * depth
    let byte = line.startIndex + bit / 8
    if depth == 16 { return Int(line[byte]) << 8 | Int(line[byte + 1]) }
    return Int(line[byte]) >> (8 - depth - bit % 8) & (1 << depth - 1)
  }
}

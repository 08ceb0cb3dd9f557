extension Raster {
  /// The picture as a PNG file (ISO/IEC 15948), grey or RGB, not interlaced.
  public var png: [UInt8] {
    var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    let header =
      Self.bigEndian(UInt32(width)) + Self.bigEndian(UInt32(height))
      + [8, channels == 1 ? 0 : 2, 0, 0, 0]
    bytes += Self.chunk("IHDR", header)
    bytes += Self.chunk("IDAT", Deflate.zlib(filtered))
    bytes += Self.chunk("IEND", [])
    return bytes
  }

  /// The picture as a `data:` URI, for pages that hold everything themselves.
  public var dataURI: String { "data:image/png;base64," + Base64.encoded(png) }

  private static func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
    let content = Array(type.utf8) + body
    return bigEndian(UInt32(body.count)) + content + bigEndian(Checksum.crc32(content))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    stride(from: 24, through: 0, by: -8).map { UInt8(value >> $0 & 0xFF) }
  }

  /// The rows, each behind the filter whose residuals are smallest in sum, which is what compresses well.
  private var filtered: [UInt8] {
    let stride = width * channels
    var result: [UInt8] = []
    result.reserveCapacity(height * (stride + 1))
    var above = [UInt8](repeating: 0, count: stride)
    for y in 0..<height {
      let line = Array(pixels[y * stride..<(y + 1) * stride])
      var best: (cost: Int, filter: UInt8, residuals: [UInt8])?
      for filter in 0..<5 as Range<UInt8> {
        let residuals = Self.residuals(line, above, channels, filter)
        let cost = residuals.reduce(0) { $0 + Int(Int8(bitPattern: $1).magnitude) }
        if best.map({ cost < $0.cost }) ?? true { best = (cost, filter, residuals) }
      }
      result.append(best?.filter ?? 0)
      result += best?.residuals ?? line
      above = line
    }
    return result
  }

  private static func residuals(
    _ line: [UInt8], _ above: [UInt8], _ step: Int, _ filter: UInt8
  ) -> [UInt8] {
    line.indices.map { i in
      let left = i >= step ? Int(line[i - step]) : 0
      let up = Int(above[i])
      let corner = i >= step ? Int(above[i - step]) : 0
      let prediction =
        switch filter {
        case 0: 0
        case 1: left
        case 2: up
        case 3: (left + up) / 2
        default: paeth(left, up, corner)
        }
      return line[i] &- UInt8(prediction)
    }
  }

  private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
    let estimate = left + up - corner
    let (a, b, c) = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
    return a <= b && a <= c ? left : b <= c ? up : corner
  }
}

import ScoreData
import ScoreFigures
import ScoreTensors
import Testing

@Suite struct PNGTests {
  static let gray = (0..<63).map { (i: Int) -> UInt8 in
    let value = 31 * (i % 7) + 17 * (i / 7)
    return UInt8(value % 256)
  }
  static let rgb = (0..<63).flatMap { (i: Int) -> [UInt8] in
    let (x, y) = (i % 7, i / 7)
    return [UInt8((30 * x + y) % 256), UInt8((x + 25 * y) % 256), UInt8(5 * x * y % 256)]
  }

  func decode(_ fixture: String) throws -> Picture {
    try PNG.decode(bytes(base64: fixture), path: "x.png")
  }

  @Test func greyAndColourImagesAreRead() throws {
    let gray = try decode(PNGFixture.gray)
    #expect(gray.width == 7 && gray.height == 9 && gray.channels == 1)
    #expect(gray.pixels == Self.gray)
    let rgb = try decode(PNGFixture.rgb)
    #expect(rgb.channels == 3 && rgb.pixels == Self.rgb)
  }

  @Test func opacityIsReadAndCanBeLeftOut() throws {
    let rgba = try decode(PNGFixture.rgba)
    #expect(rgba.channels == 4 && rgba.withoutOpacity.pixels == Self.rgb)
    let opacity: [UInt8] = (0..<63).map { rgba.pixels[4 * $0 + 3] }
    #expect(opacity == Self.gray)
    let la = try decode(PNGFixture.la)
    #expect(la.channels == 2 && la.withoutOpacity.pixels == Self.gray)
    let inverse: [UInt8] = (0..<63).map { 255 - la.pixels[2 * $0 + 1] }
    #expect(inverse == Self.gray)
  }

  @Test func palettesAndFewBitsAreUnpacked() throws {
    let palette = try decode(PNGFixture.palette)
    let colors = Self.gray.flatMap { (level: UInt8) -> [UInt8] in
      let index = level % 5
      return [40 * index, 255 - 30 * index, 9 * index * index]
    }
    #expect(palette.channels == 3 && palette.pixels == colors)
    let ends: [UInt8] = Self.gray.map { $0 % 2 == 0 ? 0 : 255 }
    #expect(try decode(PNGFixture.one).pixels == ends)
  }

  @Test func interlacedImagesAreRead() throws {
    let rgb = try decode(PNGFixture.interlaced)
    #expect(rgb.width == 7 && rgb.height == 9 && rgb.channels == 3 && rgb.pixels == Self.rgb)
    #expect(
      try decode(PNGFixture.interlacedOne).pixels == Self.gray.map { $0 % 2 == 0 ? 0 : 255 })
    // Of seven passes one has a pixel.
    #expect(
      try decode(PNGFixture.interlacedPixel)
        == Picture(width: 1, height: 1, channels: 1, pixels: [77]))
  }

  @Test func sixteenBitsAreRoundedToEight() throws {
    func rounded(_ value: Int) -> UInt8 { UInt8((Double(value) * 255 / 65535).rounded()) }
    let wide = try decode(PNGFixture.sixteenAndOpacity)
    let expected = (0..<63).flatMap { (i: Int) -> [UInt8] in
      let (x, y) = (i % 7, i / 7)
      return [rounded(9000 * x + 700 * y), rounded(65535 - 8000 * y)]
    }
    #expect(wide.channels == 2 && wide.pixels == expected)
    // All sixteen bits, beside what they come to.
    let values: [Int] = [0, 128, 129, 385, 386, 65406, 65407, 65535]
    var lines: [UInt8] = [0]
    for value in values { lines += [UInt8(value >> 8), UInt8(value & 255)] }
    let file = Self.file([
      ("IHDR", bigEndian(8) + bigEndian(1) + [16, 0, 0, 0, 0]), ("IDAT", Deflate.zlib(lines)),
      ("IEND", []),
    ])
    #expect(try PNG.decode(file, path: "").pixels == [0, 0, 1, 1, 2, 254, 255, 255])
    #expect(try decode(PNGFixture.sixteen).channels == 1)
  }

  @Test func whatTheFiguresWriteIsRead() throws {
    for (channels, width) in [(1, 37), (3, 11)] {
      let noise: Tensor<Float> = RandomKey(5).uniform([13 * width * channels])
      // Smooth rows and columns, so that all filters are chosen somewhere.
      let pixels = noise.scalars.enumerated().map { (i: Int, u: Float) -> UInt8 in
        UInt8(
          truncatingIfNeeded: i / channels % width * 5 + i / (width * channels) * 9 + Int(u * 3))
      }
      let raster = Raster(width: width, height: 13, channels: channels, pixels: pixels)
      let image = try PNG.decode(raster.png, path: "")
      #expect(image.width == width && image.height == 13 && image.channels == channels)
      #expect(image.pixels == pixels)
    }
  }

  /// A file of these chunks, with correct checksums.
  static func file(_ chunks: [(String, [UInt8])]) -> [UInt8] {
    chunks.reduce([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { file, chunk in
      let content = Array(chunk.0.utf8) + chunk.1
      return file + bigEndian(chunk.1.count) + content + bigEndian(Int(Checksum.crc32(content)))
    }
  }

  @Test func everyFilterIsUndone() throws {
    // Two rows of three bytes for each filter; worked out by hand from the definition.
    let expected: [UInt8] = [10, 13, 18, 7, 30, 40]
    let residuals: [UInt8: [UInt8]] = [
      0: [7, 30, 40], 1: [7, 23, 10], 2: [253, 17, 22], 3: [2, 20, 16], 4: [253, 20, 10],
    ]
    for (filter, residual) in residuals {
      let lines: [UInt8] = [0, 10, 13, 18, filter] + residual
      let file = Self.file([
        ("IHDR", bigEndian(3) + bigEndian(2) + [8, 0, 0, 0, 0]), ("tEXt", [1, 2, 3]),
        ("IDAT", Deflate.zlib(lines)), ("IEND", []),
      ])
      #expect(try PNG.decode(file, path: "").pixels == expected, "filter \(filter)")
    }
  }

  @Test func damagedImagesAreRefused() {
    func kindOf(_ chunks: [(String, [UInt8])]) -> DataError.Kind? {
      kind { _ = try PNG.decode(Self.file(chunks), path: "") }
    }
    let header = bigEndian(2) + bigEndian(2) + [8, 0, 0, 0, 0]
    let data = Deflate.zlib([0, 1, 2, 0, 3, 4])
    #expect(kindOf([("IHDR", header), ("IDAT", data), ("IEND", [])]) == nil)
    #expect(kindOf([("IHDR", header), ("IDAT", data)]) == .truncated)
    #expect(kindOf([("IDAT", data), ("IEND", [])]) == .malformed)
    #expect(kindOf([("IHDR", [1, 2]), ("IEND", [])]) == .malformed)
    #expect(
      kindOf([("IHDR", header), ("IDAT", Deflate.zlib([0, 1, 2])), ("IEND", [])]) == .truncated)
    #expect(
      kindOf([("IHDR", header), ("IDAT", Deflate.zlib([9, 1, 2, 0, 3, 4])), ("IEND", [])])
        == .malformed)
    #expect(
      kindOf([("IHDR", header), ("IDAT", data + data), ("IEND", [])]) == nil,
      "bytes after the stream")
    // A header that claims more pixels than the data could ever hold, and a colour outside the palette.
    let huge = bigEndian(2_000_000_000) + bigEndian(2_000_000_000) + [8, 6, 0, 0, 0]
    #expect(kindOf([("IHDR", huge), ("IDAT", data), ("IEND", [])]) == .truncated)
    let palette = bigEndian(2) + bigEndian(2) + [8, 3, 0, 0, 0]
    #expect(
      kindOf([("IHDR", palette), ("PLTE", [1, 2, 3]), ("IDAT", data), ("IEND", [])]) == .malformed)
    #expect(kindOf([("IHDR", header), ("ABCD", []), ("IDAT", data), ("IEND", [])]) == .unsupported)
  }
}

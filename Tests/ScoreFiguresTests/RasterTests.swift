import ScoreData
import ScoreFigures
import Testing

@Suite struct RasterTests {
  @Test func checksumsHaveTheirPublishedCheckValues() {
    #expect(Checksum.crc32("123456789".utf8) == 0xCBF4_3926)
    #expect(Checksum.adler32("Wikipedia".utf8) == 0x11E6_0398)
  }

  @Test func aPictureIsTheBytesThatTheStandardSays() {
    // One white pixel: signature, header, a fixed-code block of the row 00 FF, end.
    let png = Raster(width: 1, height: 1, channels: 1, pixels: [255]).png
    let expected: [UInt8] = [
      0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
      1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55,
    ]
    #expect(Array(png.prefix(expected.count)) == expected)
    #expect(Array(png.suffix(8)) == [0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
  }

  @Test func gridsPutEachValueInItsPlace() throws {
    // Three images of 1 × 2, two in a row, each value four pixels, one pixel between.
    let grid = SampleGrid(
      [-1.0, 1, 0, -5, 5, .nan], height: 1, width: 2, columns: 2, scale: 2, padding: 1)
    #expect(grid.width == 11 && grid.height == 7)
    let image = try PNG.decode(grid.png, path: "")
    let lines = (0..<7).map { Array(image.pixels[$0 * 11..<($0 + 1) * 11]) }
    let blank = [UInt8](repeating: 60, count: 11)
    #expect(lines[0] == blank && lines[3] == blank && lines[6] == blank)
    #expect(lines[1] == [60, 0, 0, 255, 255, 60, 128, 128, 0, 0, 60] && lines[2] == lines[1])
    #expect(lines[4] == [60, 255, 255, 0, 0, 60, 60, 60, 60, 60, 60] && lines[5] == lines[4])
    // A row is no wider than its images.
    #expect(SampleGrid([0.0, 1], height: 1, width: 1, columns: 5, padding: 1).width == 5)
    // Not-a-number is black either way.
    let inverted = SampleGrid([.nan, -1.0], height: 1, width: 2, inverted: true, padding: 0)
    #expect(try PNG.decode(inverted.png, path: "").pixels == [0, 255])
  }

  @Test func coloursStayTogether() throws {
    let grid = SampleGrid(
      [0, 0.5, 1, 1, 0, 0] as [Float], height: 1, width: 2, channels: 3, range: 0...1, padding: 0)
    #expect(grid.raster.pixels == [0, 128, 255, 255, 0, 0])
    #expect(try PNG.decode(grid.png, path: "").pixels == grid.raster.pixels)
    let inverted = SampleGrid(
      [0.0, 1], height: 1, width: 2, range: 0...1, inverted: true, padding: 0)
    #expect(inverted.raster.pixels == [255, 0])
  }

  @Test func enlargedPicturesRepeatPixels() {
    let raster = Raster(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6]).enlarged(2)
    let line: [UInt8] = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]
    #expect(raster.pixels == line + line && raster.width == 4 && raster.height == 2)
  }

  /// Narrow pictures are filled up on the right, and the gap is between pictures alone, all in white.
  @Test func stackedPicturesHaveAGapBetween() {
    let one = Raster(width: 1, height: 1, channels: 1, pixels: [1])
    let two = Raster(width: 2, height: 1, channels: 1, pixels: [2, 3])
    let stack = Raster.stacked([one, two], gap: 1)
    #expect(stack.height == 3 && stack.pixels == [1, 255, 255, 255, 2, 3])
  }

  @Test func dataURIsAreBase64() {
    let raster = Raster(width: 1, height: 1, channels: 1, pixels: [0])
    let uri = raster.dataURI
    #expect(uri.hasPrefix("data:image/png;base64,iVBORw0KGgo"))
    #expect(uri.dropFirst(22).count.isMultiple(of: 4))
  }

  /// A hyphen is the middle row of its five columns; letters that are not there are boxes.
  @Test func textIsDrawnInSquares() {
    let hyphen = Raster.text("-", channels: 1, factor: 1, within: 100)
    #expect(hyphen.width == 14 && hyphen.height == 15)
    let black = hyphen.pixels.indices.filter { hyphen.pixels[$0] == 0 }
    #expect(black == (4..<9).map { 7 * 14 + $0 })
    let large = Raster.text("-", channels: 3, factor: 2, within: 100)
    #expect(large.pixels.count { $0 == 0 } == 3 * 4 * black.count)
    let box = Raster.text("ü", channels: 1, factor: 1, within: 100)
    #expect(box.pixels.count { $0 == 0 } == 2 * 7 + 2 * 3)
    #expect(Raster.text("\u{2009}", channels: 1, within: 99).pixels.allSatisfy { $0 == 255 })
    // What is too wide loses its middle.
    let cut = Raster.text("abcdefghij", channels: 1, factor: 1, within: 40)
    #expect(cut == Raster.text("ab…ij", channels: 1, factor: 1, within: 99) && cut.width <= 40)
    // The end stays whole.
    let counted = Raster.text("abcdefghij", end: ": 12", channels: 1, factor: 1, within: 64)
    #expect(counted == Raster.text("ab…ij: 12", channels: 1, factor: 1, within: 99))
    // No two letters are alike.
    let letters = (0x20...0x7E).map { Character(Unicode.Scalar(UInt8($0))) }
    let drawn = Set(letters.map { Raster.text(String($0), channels: 1, within: 99) })
    #expect(drawn.count == letters.count)
  }
}

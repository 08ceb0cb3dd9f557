import ScoreData
import ScoreTensors
import Testing

/// Pictures made alike: their colours and their sizes.
@Suite struct PictureTests {
  func gray(_ width: Int, _ height: Int, _ level: (_ x: Int, _ y: Int) -> Int) -> Picture {
    Picture(
      width: width, height: height, channels: 1,
      pixels: (0..<width * height).map { UInt8(level($0 % width, $0 / width)) })
  }

  @Test func greyIsTheLuma() {
    let colors: [[UInt8]] = [
      [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [12, 200, 77], [0, 0, 0],
    ]
    let picture = Picture(width: 3, height: 2, channels: 3, pixels: colors.flatMap { $0 })
    let expected = colors.map { (color: [UInt8]) -> UInt8 in
      let (red, green, blue) = (Double(color[0]), Double(color[1]), Double(color[2]))
      let luma: Double = 0.299 * red + 0.587 * green + 0.114 * blue
      return UInt8(luma.rounded())
    }
    #expect(picture.gray.pixels == expected && picture.gray.channels == 1)
    #expect(picture.rgb == picture && picture.gray.gray == picture.gray)
    #expect(
      picture.gray.rgb.pixels
        == expected.flatMap { (level: UInt8) -> [UInt8] in [level, level, level] })
    let clear = Picture(width: 1, height: 1, channels: 4, pixels: [255, 255, 255, 9])
    #expect(clear.gray.pixels == [255] && clear.rgb.pixels == [255, 255, 255])
  }

  @Test func smallerPicturesAreMeansOverAreas() {
    let blocks = gray(6, 4) { 10 * $0 + 50 * $1 }
    // Means over 2 × 2: half a column and half a row on.
    #expect(blocks.resized(height: 2, width: 3).pixels == [30, 50, 70, 130, 150, 170])
    // A third of the whole has one pixel and half of the next.
    let line = gray(3, 3) { x, _ in [0, 90, 240][x] }
    #expect(line.resized(height: 2, width: 2).pixels == [30, 190, 30, 190])
    let flat = gray(37, 23) { _, _ in 201 }
    #expect(Set(flat.resized(height: 7, width: 5).pixels) == [201])
  }

  @Test func largerPicturesAreOnLinesBetweenPixels() {
    let steps = gray(2, 1) { x, _ in 100 * x }
    #expect(steps.resized(height: 2, width: 4).pixels == [0, 25, 75, 100, 0, 25, 75, 100])
    let ramp = gray(8, 8) { x, y in 20 * x + 8 * y }
    let larger = ramp.resized(height: 24, width: 24)
    // Thrice as large, each pixel's middle is one of the new ones, and lines stay lines.
    for y in 0..<24 {
      for x in 0..<24 {
        func place(_ index: Int) -> Double { min(max(0, (Double(index) - 1) / 3), 7) }
        let exact = 20 * place(x) + 8 * place(y)
        #expect(abs(Double(larger.pixels[24 * y + x]) - exact) <= 0.5 + 1e-9)
      }
    }
  }

  @Test func whatIsCutOffLiesAtBothEnds() {
    let wide = gray(9, 3) { x, y in 10 * x + y }
    #expect(wide.resized(height: 3, width: 3).pixels == [30, 40, 50, 31, 41, 51, 32, 42, 52])
    let tall = gray(2, 7) { x, y in 10 * y + x }
    #expect(tall.resized(height: 2, width: 2).pixels == [20, 21, 30, 31])
    #expect(tall.resized(height: 7, width: 2) == tall)
    // Of a line of pixels at least one is left.
    #expect(gray(1, 200) { _, y in y }.resized(height: 1, width: 1).pixels == [99])
    #expect(gray(1000, 1) { x, _ in x % 200 }.resized(height: 64, width: 1).pixels.count == 64)
  }

  @Test func coloursStayApart() {
    let picture = Picture(
      width: 2, height: 2, channels: 3,
      pixels: [0, 100, 7, 20, 100, 7, 40, 100, 7, 60, 100, 9])
    #expect(picture.resized(height: 1, width: 1).pixels == [30, 100, 8])
  }

  @Test func theFirstBytesSayWhatAFileIs() throws {
    let folder = try TemporaryFolder()
    let misnamed = try folder.write("a.jpg", bytes(base64: PNGFixture.gray))
    #expect(try Picture.read(misnamed).pixels == PNGTests.gray)
    let jpeg = try folder.write("b.png", bytes(base64: JPEGFixture.grey))
    #expect(try Picture.read(jpeg) == JPEG.read(jpeg))
    let text = try folder.write("c.png", Array("hello".utf8))
    #expect(kind { _ = try Picture.read(text) } == .wrongFormat)
    #expect(kind { _ = try Picture.read("\(folder.path)/none.jpg") } == .missing)
  }
}

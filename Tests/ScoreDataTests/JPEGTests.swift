import Foundation
import ScoreData
import ScoreTensors
import Testing

@Suite struct JPEGTests {
  static let files = [
    ("grey", JPEGFixture.grey, JPEGFixture.greyPixels),
    ("whole", JPEGFixture.whole, JPEGFixture.wholePixels),
    ("halved", JPEGFixture.halved, JPEGFixture.halvedPixels),
    ("quartered", JPEGFixture.quartered, JPEGFixture.quarteredPixels),
    ("narrow", JPEGFixture.narrow, JPEGFixture.narrowPixels),
    ("noisy", JPEGFixture.noisy, JPEGFixture.noisyPixels),
    ("coarse", JPEGFixture.coarse, JPEGFixture.coarsePixels),
    ("restarts", JPEGFixture.restarts, JPEGFixture.restartsPixels),
    ("rgb", JPEGFixture.rgb, JPEGFixture.rgbPixels),
    ("progressive", JPEGFixture.progressive, JPEGFixture.progressivePixels),
    ("progressive noise", JPEGFixture.progressiveNoise, JPEGFixture.progressiveNoisePixels),
    ("progressive grey", JPEGFixture.progressiveGrey, JPEGFixture.progressiveGreyPixels),
    ("tall", JPEGFixture.tall, JPEGFixture.tallPixels),
    ("strip", JPEGFixture.strip, JPEGFixture.stripPixels),
  ]

  static func decode(_ file: [UInt8]) throws -> Picture { try JPEG.decode(file, path: "x.jpg") }

  /// Pixel for pixel, as all is in the integers of libjpeg.
  @Test(arguments: files)
  func pixelsAreThoseOfPillow(name: String, file: String, pixels: String) throws {
    let expected = try PNG.decode(bytes(base64: pixels), path: "")
    #expect(try Self.decode(bytes(base64: file)) == expected)
  }

  /// The transform against its formula, in the range that blocks of eight bits have.
  @Test func theTransformIsTheFormula() {
    let draws: Tensor<Double> = RandomKey(1).normal([20, 64])
    let steps = (0..<64).map { UInt16(1 + $0 / 4) }
    var transform = JPEGTransform(steps: steps)
    func wave(_ x: Int, _ u: Int) -> Double {
      (u == 0 ? 0.5.squareRoot() : 1) / 2 * cos(Double((2 * x + 1) * u) * Double.pi / 16)
    }
    for block in 0..<20 {
      let coefficients = draws.row(block).map { Int16(($0 * Double(2 * block)).rounded()) }
      transform(coefficients, from: 0)
      var exact = [Double](repeating: 128, count: 64)
      for (index, place) in JPEGTransform.order.enumerated() {
        let value = Double(coefficients[index]) * Double(steps[index])
        for pixel in 0..<64 {
          exact[pixel] += value * wave(pixel / 8, place / 8) * wave(pixel % 8, place % 8)
        }
      }
      let levels = (0..<64).map { Double(transform.level($0 / 8, $0 % 8)) }
      let largest = zip(levels, exact).map { abs($0 - min(max(0, $1), 255)) }.max() ?? .infinity
      #expect(largest < 0.6, "block \(block)")
    }
    #expect(JPEGTransform.order.prefix(6) == [0, 1, 8, 16, 9, 2])
    #expect(JPEGTransform.order.sorted() == Array(0..<64))
  }

  @Test func otherSpellingsOfAFileGiveTheSamePixels() throws {
    let file = bytes(base64: JPEGFixture.quartered)
    let expected = try Self.decode(file)
    // Extended sequential coding.
    var extended = file
    extended[try place(of: 0xC0, in: file) + 1] = 0xC1
    #expect(try Self.decode(extended) == expected)
    // Steps of sixteen bits.
    var wide = Array(file[..<2])
    for segment in try segments(of: file) {
      guard segment.marker == 0xDB else {
        wide += file[segment.range]
        continue
      }
      let body = file[segment.range].dropFirst(4)
      var table: [UInt8] = [try #require(body.first) | 0x10]
      for step in body.dropFirst() { table += [0, step] }
      wide += spelled(0xDB, table)
    }
    #expect(try Self.decode(wide) == expected)
    // Bytes before a marker, and after all.
    let endings: [[UInt8]] = [[0xFF, 0xFF, 0xFF, 0xD9, 1, 2, 3], [7, 0, 0xFF, 0xD9]]
    for ending in endings {
      #expect(try Self.decode(Array(file.dropLast(2)) + ending) == expected)
    }
  }

  @Test func componentsCalledRGBAreRGBWithoutAMarker() throws {
    let file = bytes(base64: JPEGFixture.rgb)
    let expected = try Self.decode(file)
    let adobe = try #require(segments(of: file).first { $0.marker == 0xEE })
    var plain = file
    plain.removeSubrange(adobe.range)
    #expect(try Self.decode(plain) == expected)
    // JFIF's marker says that they are Y′CbCr, whatever they are called.
    let jfif = plain[..<2] + spelled(0xE0, Array("JFIF\0".utf8)) + plain[2...]
    #expect(try Self.decode(Array(jfif)) != expected)
  }

  @Test func picturesStandAsExifSays() throws {
    let plain = Picture(width: 3, height: 2, channels: 1, pixels: [0, 1, 2, 3, 4, 5])
    for (index, expected) in JPEGFixture.orientations.enumerated() {
      let turned = plain.oriented(index + 1)
      #expect(turned.width == expected.width && turned.pixels == expected.places, "\(index + 1)")
    }
    let file = bytes(base64: JPEGFixture.halved)
    let base = try Self.decode(file)
    for orientation in 1...8 {
      let number = UInt8(orientation)
      let little: [UInt8] = [
        0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, number, 0, 0, 0,
      ]
      let big: [UInt8] = [
        0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, number, 0, 0,
      ]
      for tiff in [little, big] {
        let exif = spelled(0xE1, Array("Exif\0\0".utf8) + tiff)
        let turned = try Self.decode(Array(file[..<2] + exif + file[2...]))
        #expect(turned == base.oriented(orientation), "\(orientation)")
      }
    }
  }

  @Test func variantsThatAreNotReadAreNamed() throws {
    let file = bytes(base64: JPEGFixture.quartered)
    let frame = try place(of: 0xC0, in: file)
    func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
      var other = file
      other[frame + offset] = value
      return other
    }
    for (file, says) in [
      (changed(1, 0xC9), "arithmetic coding"), (changed(1, 0xCA), "arithmetic coding"),
      (changed(1, 0xC3), "lossless coding"), (changed(1, 0xC5), "hierarchical coding"),
      (changed(4, 12), "12 bits a sample"), (bytes(base64: JPEGFixture.cmyk), "CMYK"),
      (changed(14, 0x33), "no whole one"), (changed(6, 0), "the height stands after"),
    ] {
      let error = #expect(throws: DataError.self) { try Self.decode(file) }
      #expect(error?.kind == .unsupported && error?.place == "x.jpg", "\(says)")
      #expect(error?.message.contains(says) == true, "\(error?.message ?? "")")
    }
  }

  @Test func filesThatEndTooEarlyAreRefusedWhereverTheyEnd() throws {
    for (name, file, _) in Self.files {
      let file = bytes(base64: file)
      for end in 0..<file.count {
        let error = #expect(throws: DataError.self) { try Self.decode(Array(file[..<end])) }
        let isSaid = error?.kind == .truncated || end < 2 && error?.kind == .wrongFormat
        #expect(isSaid, "\(name), \(end) bytes: \(error?.message ?? "")")
      }
    }
  }

  @Test func noFlippedBitTraps() throws {
    for file in [JPEGFixture.whole, JPEGFixture.progressive, JPEGFixture.restarts] {
      let file = bytes(base64: file)
      for bit in 0..<8 * file.count {
        var other = file
        other[bit / 8] ^= 1 << UInt8(bit % 8)
        do {
          _ = try JPEG.decode(other, path: "x.jpg")
        } catch {
          #expect(error.place == "x.jpg" && !error.message.isEmpty)
        }
      }
    }
  }

  @Test func damageIsNamed() throws {
    let file = bytes(base64: JPEGFixture.whole)
    let (frame, scan) = (try place(of: 0xC0, in: file), try place(of: 0xDA, in: file))
    func says(_ change: (inout [UInt8]) -> Void) -> String {
      var other = file
      change(&other)
      do {
        _ = try JPEG.decode(other, path: "x.jpg")
        return ""
      } catch { return "\(error.kind): \(error.message)" }
    }
    #expect(says { $0[0] = 1 }.contains("lacks the signature"))
    // A picture that no such file can hold is refused before memory is taken for it.
    let huge = says { $0.replaceSubrange(frame + 5..<frame + 9, with: [255, 255, 255, 255]) }
    #expect(huge.contains("truncated: the header promises 65535 × 65535 pixels"), "\(huge)")
    let cut = says { $0.replaceSubrange(scan + 20..<scan + 20, with: [0xFF, 0xD9]) }
    #expect(cut.contains("before its last block"), "\(cut)")
    let tables = try segments(of: file).filter { [0xDB, 0xC4].contains($0.marker) }
    let steps = try #require(tables.first { $0.marker == 0xDB })
    #expect(says { $0.removeSubrange(steps.range) }.contains("whose quantisation no table gives"))
    let code = try #require(tables.first { $0.marker == 0xC4 })
    #expect(says { $0.removeSubrange(code.range) }.contains("that no table gives"))
    #expect(says { $0[code.range.lowerBound + 5] = 200 }.contains("Huffman codes is damaged"))
    #expect(says { $0.removeSubrange(frame..<frame + 19) }.contains("before the frame"))
    let first = file[frame..<frame + 19]
    #expect(says { $0.insert(contentsOf: first, at: frame) }.contains("two frames"))
    let restarted = bytes(base64: JPEGFixture.restarts)
    let restart = try #require(
      restarted.indices.dropLast().first { restarted[$0] == 0xFF && restarted[$0 + 1] == 0xD0 })
    let skipped = says {
      $0 = restarted
      $0[restart + 1] = 0xD1
    }
    #expect(skipped.contains("where restart 0 is due"), "\(skipped)")
  }

  // ------------------------------------------------------------------ parts of files

  /// The segments up to the end of the first scan's header, that with the data of all scans.
  private func segments(of file: [UInt8]) throws -> [(marker: UInt8, range: Range<Int>)] {
    var result: [(UInt8, Range<Int>)] = []
    var place = 2
    while place + 4 <= file.count {
      try #require(file[place] == 0xFF)
      let marker = file[place + 1]
      let end =
        marker == 0xDA ? file.count : place + 2 + Int(file[place + 2]) << 8 + Int(file[place + 3])
      result.append((marker, place..<end))
      place = end
    }
    return result
  }

  private func spelled(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
    [0xFF, marker, 0, UInt8(body.count + 2)] + body
  }

  private func place(of marker: UInt8, in file: [UInt8]) throws -> Int {
    try #require(segments(of: file).first { $0.marker == marker }).range.lowerBound
  }
}

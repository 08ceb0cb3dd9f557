import ScoreData
import ScoreFigures
import ScoreTensors
import Testing

@Suite struct InflateTests {
  static let expected = (0..<3000).map { (i: Int) -> UInt8 in
    let square = i * i / 7
    return UInt8(square % 23 + i / 300)
  }

  @Test func dynamicAndStoredBlocksAreDecompressed() throws {
    let dynamic = bytes(base64: StreamFixture.dynamic)
    #expect(try Inflate.zlib(dynamic[...], limit: 3000) == Self.expected)
    let stored = bytes(base64: StreamFixture.stored)
    #expect(try Inflate.zlib(stored[...], limit: 200) == Array(Self.expected[..<200]))
  }

  @Test func outputBeyondTheLimitIsRefused() {
    let dynamic = bytes(base64: StreamFixture.dynamic)
    #expect(throws: Inflate.Failure.tooLarge(limit: 2999)) {
      try Inflate.zlib(dynamic[...], limit: 2999)
    }
  }

  @Test func everyTruncationIsFound() {
    let dynamic = bytes(base64: StreamFixture.dynamic)
    for length in 0..<dynamic.count {
      #expect(throws: Inflate.Failure.truncated) {
        try Inflate.zlib(dynamic[..<length], limit: 3000)
      }
    }
  }

  @Test func aChangedByteIsFoundByTheChecksumAtLatest() {
    let dynamic = bytes(base64: StreamFixture.dynamic)
    for place in dynamic.indices {
      var changed = dynamic
      changed[place] ^= 0x10
      #expect(throws: Inflate.Failure.self, "byte \(place)") {
        try Inflate.zlib(changed[...], limit: 1 << 20)
      }
    }
  }

  @Test func whatTheFiguresCompressComesBack() throws {
    // Constant, periodic, random, short: literals of both lengths, all length and distance codes.
    let key = RandomKey(3)
    let noise: Tensor<Float> = key.uniform([70_000])
    let random = noise.scalars.map { UInt8($0 * 256) }
    let inputs: [[UInt8]] = [
      [], [7], [1, 2], [UInt8](repeating: 200, count: 100_000), Array(random[..<5000]),
      (0..<90_000).map { UInt8($0 / 3 % 251) },
      Array(random[..<33_000]) + Array(random[..<33_000]) + Array(random[100..<300]),
      random.enumerated().map { $0.element < 128 ? UInt8($0.offset / 40 & 0xFF) : $0.element / 32 },
    ]
    for input in inputs {
      let packed = Deflate.zlib(input)
      #expect(try Inflate.zlib(packed[...], limit: input.count) == input)
    }
    #expect(Deflate.zlib(inputs[3]).count < 1000)
  }

  @Test(
    arguments: [
      // A block of the reserved type 3, and a copy from before the beginning, behind a bare header.
      [0x78, 0x01, 0b111, 0, 0, 0, 0, 0], [0x78, 0x01, 0b0000_0011, 0b0000_0010, 0, 0, 0, 0, 0],
      // A stored block whose lengths disagree, a wrong method, a preset dictionary.
      [0x78, 0x01, 1, 1, 0, 1, 0, 5, 0, 0, 0, 0], [0x77, 0x01, 3, 0, 0, 0, 0, 1],
      [0x78, 0x20, 3, 0, 0, 0, 0, 1],
    ] as [[UInt8]])
  func nonsenseIsMalformed(stream: [UInt8]) throws {
    let failure = try #require(throws: Inflate.Failure.self) {
      try Inflate.zlib(stream[...], limit: 100)
    }
    guard case .malformed = failure else {
      Issue.record("\(failure)")
      return
    }
  }
}

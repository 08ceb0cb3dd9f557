import ScoreData
import ScoreTensors
import Testing

@Suite struct IDXTests {
  static let pixels = (0..<96).map { UInt8(truncatingIfNeeded: 7 * $0) }
  static let plain = [0, 0, 8, 3] + bigEndian(6) + bigEndian(4) + bigEndian(4) + pixels

  @Test func plainAndCompressedFilesAreRead() throws {
    let expected = Tensor<Float>([6, 4, 4], Self.pixels.map { Float($0) })
    for file in [
      Self.plain, bytes(base64: StreamFixture.gzip), bytes(base64: StreamFixture.gzipOfTwo),
    ] {
      let (tensor, isBytes) = try IDX.decode(file, path: "x", as: Float.self)
      #expect(tensor == expected && isBytes)
    }
  }

  @Test func everyElementTypeIsRead() throws {
    func decoded(_ type: UInt8, _ count: Int, _ data: [UInt8]) throws -> [Double] {
      let file = [0, 0, type, 1] + bigEndian(count) + data
      return try IDX.decode(file, path: "x", as: Double.self).tensor.scalars
    }
    #expect(try decoded(0x09, 2, [0xFF, 5]) == [-1, 5])
    #expect(try decoded(0x0B, 2, [0xFF, 0xFE, 1, 0]) == [-2, 256])
    #expect(try decoded(0x0C, 1, [0xFF, 0xFF, 0xFF, 0xFD]) == [-3])
    #expect(try decoded(0x0D, 1, bigEndian(Int(Float(1.5).bitPattern))) == [1.5])
    let bits = Int(bitPattern: UInt(Double(-0.1).bitPattern))
    #expect(try decoded(0x0E, 1, bigEndian(bits >> 32) + bigEndian(bits)) == [-0.1])
  }

  @Test func numbersThatRoundingWouldWipeOutAreRefused() throws {
    let whole: [UInt8] =
      [0, 0, 0x0C, 1] + bigEndian(2) + bigEndian(1_700_000_000) + bigEndian(1_700_000_001)
    let bits = [1e9, 1e9 + 1].map { Int($0.bitPattern) }
    let doubles: [UInt8] =
      [0, 0, 0x0E, 1] + bigEndian(2) + bits.flatMap { bigEndian($0 >> 32) + bigEndian($0) }
    for file in [whole, doubles] {
      #expect(try IDX.decode(file, path: "x", as: Double.self).tensor.count == 2)
      #expect(kind { _ = try IDX.decode(file, path: "x", as: Float.self) } == .unsupported)
    }
  }

  @Test func wrongSizesAndTypesAreRefused() {
    func kindOf(_ file: [UInt8]) -> DataError.Kind? {
      kind { _ = try IDX.decode(file, path: "x", as: Float.self) }
    }
    for length in 4..<Self.plain.count {
      #expect(kindOf(Array(Self.plain[..<length])) == .truncated)
    }
    #expect(kindOf(Self.plain + [1]) == .malformed)
    #expect(kindOf([0, 0, 7, 1] + bigEndian(1) + [1]) == .wrongFormat)
    #expect(kindOf([0, 0, 8, 0, 1]) == .wrongFormat)
    #expect(kindOf([0, 0, 8, 1] + bigEndian(0)) == .empty)
    // Extents whose product exceeds an integer, and one larger than the file.
    #expect(kindOf([0, 0, 8, 3] + [UInt8](repeating: 0xFF, count: 12)) == .malformed)
    #expect(kindOf([0, 0, 8, 1] + bigEndian(1 << 31)) == .truncated)
    let gzip = bytes(base64: StreamFixture.gzip)
    #expect(kindOf(Array(gzip.dropLast(9))) == .truncated)
    #expect(
      kindOf(gzip.enumerated().map { $0.offset == gzip.count - 6 ? 0 : $0.element }) == .malformed)
  }
}

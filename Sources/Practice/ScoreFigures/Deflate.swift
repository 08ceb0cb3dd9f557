/// A compressor for PNG streams (RFC 1950, 1951): greedy LZ77 with the fixed Huffman code.
///
/// Pictures of plots and sample grids repeat themselves so much that better codes gain little.
package struct Deflate {
  private var output: [UInt8] = []
  private var pending: UInt64 = 0
  private var pendingCount: UInt64 = 0

  private init() {}

  /// The bytes as a zlib stream.
  package static func zlib(_ input: [UInt8]) -> [UInt8] {
    var deflate = Deflate()
    deflate.output = [0x78, 0x01]
    deflate.compress(input)
    let check = Checksum.adler32(input)
    return deflate.output + stride(from: 24, through: 0, by: -8).map { UInt8(check >> $0 & 0xFF) }
  }

  private mutating func compress(_ input: [UInt8]) {
    // One final block, type 01.
    put(0b011, 3)
    var heads = [Int](repeating: -1, count: 1 << 15)
    var previous = [Int](repeating: -1, count: 1 << 15)
    func slot(_ i: Int) -> Int {
      let word = UInt32(input[i]) << 16 | UInt32(input[i + 1]) << 8 | UInt32(input[i + 2])
      return Int((word &* 0x9E37_79B1) >> 17)
    }
    var position = 0
    while position < input.count {
      var best = (length: 0, distance: 0)
      if position + 3 <= input.count {
        let limit = min(258, input.count - position)
        var candidate = heads[slot(position)]
        // 32 links find nearly all of what an exhaustive search finds.
        for _ in 0..<32 where candidate >= 0 && position - candidate <= 32768 {
          var length = 0
          while length < limit && input[candidate + length] == input[position + length] {
            length += 1
          }
          if length > best.length { best = (length, position - candidate) }
          let next = previous[candidate & 0x7FFF]
          if best.length == limit || next >= candidate { break }
          candidate = next
        }
      }
      let step: Int
      if best.length >= 3 {
        putLength(best.length)
        putDistance(best.distance)
        step = best.length
      } else {
        putLiteral(Int(input[position]))
        step = 1
      }
      for i in position..<position + step where i + 3 <= input.count {
        let slot = slot(i)
        previous[i & 0x7FFF] = heads[slot]
        heads[slot] = i
      }
      position += step
    }
    putLiteral(256)
    if pendingCount > 0 { put(0, 8 - pendingCount) }
  }

  /// Appends bits, lowest first.
  private mutating func put(_ bits: UInt64, _ count: UInt64) {
    pending |= bits << pendingCount
    pendingCount += count
    while pendingCount >= 8 {
      output.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      pendingCount -= 8
    }
  }

  /// Appends a Huffman code, highest bit first.
  private mutating func putCode(_ code: Int, _ count: Int) {
    var reversed: UInt64 = 0
    for bit in 0..<count { reversed |= UInt64(code >> bit & 1) << UInt64(count - 1 - bit) }
    put(reversed, UInt64(count))
  }

  private mutating func putLiteral(_ symbol: Int) {
    switch symbol {
    case ..<144: putCode(0x30 + symbol, 8)
    case ..<256: putCode(0x190 + symbol - 144, 9)
    case ..<280: putCode(symbol - 256, 7)
    default: putCode(0xC0 + symbol - 280, 8)
    }
  }

  private mutating func putLength(_ length: Int) {
    if length == 258 {
      putLiteral(285)
    } else {
      let (code, extra, count) = Self.bucket(length - 3, perDoubling: 4)
      putLiteral(257 + code)
      put(UInt64(extra), UInt64(count))
    }
  }

  private mutating func putDistance(_ distance: Int) {
    let (code, extra, count) = Self.bucket(distance - 1, perDoubling: 2)
    putCode(code, 5)
    put(UInt64(extra), UInt64(count))
  }

  /// The code of a value, with its extra bits: codes are spaced evenly, `perDoubling` of them each time a value doubles.
  private static func bucket(_ value: Int, perDoubling: Int) -> (code: Int, extra: Int, count: Int)
  {
    if value < 2 * perDoubling { return (value, 0, 0) }
    let top = Int.bitWidth - 1 - value.leadingZeroBitCount
    let count = top - perDoubling.trailingZeroBitCount
    return (count * perDoubling + (value >> count), value & ((1 << count) - 1), count)
  }
}

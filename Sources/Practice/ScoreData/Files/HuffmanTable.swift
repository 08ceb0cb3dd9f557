/// The decoder of one canonical Huffman code (RFC 1951, 3.2.2), by a table of the first bits.
struct HuffmanTable {
  private static let fastBits = 10
  /// For each pattern of the next ten bits, `symbol << 4 | length`, or 0 where the code is longer or unused.
  private var fast = [UInt16](repeating: 0, count: 1 << fastBits)
  private var counts = [Int](repeating: 0, count: 16)
  private var symbols: [UInt16] = []

  /// The code with these lengths, 0 for unused symbols; nil where the lengths are no code.
  ///
  /// A code may be incomplete only where it has a single symbol of one bit, as the format allows for distances.
  init?(lengths: some Collection<UInt8>) {
    for length in lengths where length > 0 { counts[Int(length)] += 1 }
    var unused = 1
    for length in 1...15 {
      unused = unused << 1 - counts[length]
      if unused < 0 { return nil }
    }
    let used = counts.reduce(0, +)
    guard unused == 0 || used == 0 || (used == 1 && counts[1] == 1) else { return nil }

    var starts = [Int](repeating: 0, count: 17)
    for length in 1...15 { starts[length + 1] = starts[length] + counts[length] }
    symbols = [UInt16](repeating: 0, count: used)
    var place = starts
    for (symbol, length) in lengths.enumerated() where length > 0 {
      symbols[place[Int(length)]] = UInt16(symbol)
      place[Int(length)] += 1
    }

    var code = 0
    for length in 1...Self.fastBits {
      code <<= 1
      for index in 0..<counts[length] {
        // Codes come highest bit first, the stream lowest first.
        var reversed = 0
        for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
        let entry = symbols[starts[length] + index] << 4 | UInt16(length)
        for rest in stride(from: reversed, to: 1 << Self.fastBits, by: 1 << length) {
          fast[rest] = entry
        }
        code += 1
      }
    }
  }

  /// The symbol at the front of `bits`, lowest bit first, and the length of its code; nil where no code fits.
  @inline(__always)
  func decode(_ bits: UInt64) -> (symbol: Int, length: UInt64)? {
    let entry = fast[Int(bits & UInt64(1 << Self.fastBits - 1))]
    if entry != 0 { return (Int(entry >> 4), UInt64(entry & 15)) }
    var code = 0
    var first = 0
    var index = 0
    for length in 1...15 {
      code |= Int(bits >> UInt64(length - 1) & 1)
      let count = counts[length]
      if code - first < count { return (Int(symbols[index + code - first]), UInt64(length)) }
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return nil
  }
}

/// The tables that hold from where they stand in a JPEG file on.
struct JPEGTables {
  /// The steps of quantisation, in the order of the file's coefficients.
  private(set) var quantisation = [[UInt16]?](repeating: nil, count: 4)
  private(set) var dcCodes = [JPEGCode?](repeating: nil, count: 4)
  private(set) var acCodes = [JPEGCode?](repeating: nil, count: 4)
  /// The units between restarts, or 0 where there are none.
  private(set) var restartInterval = 0

  /// Reads a segment of quantisation tables.
  mutating func addQuantisation(_ body: ArraySlice<UInt8>, path: String) throws(DataError) {
    var rest = body
    while let first = rest.popFirst() {
      let (size, place) = (Int(first >> 4) + 1, Int(first & 15))
      guard size <= 2, place < 4, rest.count >= 64 * size else {
        throw DataError(.malformed, path, "a quantisation table is damaged")
      }
      let bytes = Array(rest.prefix(64 * size))
      let steps = (0..<64).map { entry in
        bytes[entry * size..<(entry + 1) * size].reduce(0) { $0 << 8 | UInt16($1) }
      }
      guard !steps.contains(0) else {
        throw DataError(.malformed, path, "a quantisation table has a step of 0")
      }
      quantisation[place] = steps
      rest = rest.dropFirst(64 * size)
    }
  }

  /// Reads a segment of Huffman codes.
  mutating func addCodes(_ body: ArraySlice<UInt8>, path: String) throws(DataError) {
    var rest = body
    while let first = rest.popFirst() {
      let counts = rest.prefix(16).map(Int.init)
      let total = counts.reduce(0, +)
      guard first >> 4 <= 1, first & 15 < 4, counts.count == 16, total <= 256,
        rest.count >= 16 + total,
        let code = JPEGCode(counts: counts, symbols: Array(rest.dropFirst(16).prefix(total)))
      else {
        throw DataError(.malformed, path, "a table of Huffman codes is damaged")
      }
      if first >> 4 == 0 {
        dcCodes[Int(first & 15)] = code
      } else {
        acCodes[Int(first & 15)] = code
      }
      rest = rest.dropFirst(16 + total)
    }
  }

  mutating func setRestartInterval(_ body: ArraySlice<UInt8>, path: String) throws(DataError) {
    guard body.count == 2 else {
      throw DataError(
        .malformed, path, "the restart interval has \(body.count) bytes, where 2 are due")
    }
    restartInterval = body.reduce(0) { $0 << 8 | Int($1) }
  }
}

/// A Huffman code of a JPEG file: up to 16 bits, the highest first.
struct JPEGCode {
  private static let fastBits = 9
  /// For each pattern of the next nine bits, `symbol << 8 | length`, or 0 where the code is longer or unused.
  private var fast = [UInt16](repeating: 0, count: 1 << fastBits)
  /// For each length, what is beyond its last code, in the upper of 16 bits, and from a code to the place of its symbol.
  private var ends = [Int](repeating: 0, count: 17)
  private var shifts = [Int](repeating: 0, count: 17)
  private let symbols: [UInt8]

  /// The code with so many symbols of lengths 1 … 16; nil where that is no code.
  init?(counts: [Int], symbols: [UInt8]) {
    self.symbols = symbols
    var (code, place) = (0, 0)
    for length in 1...16 {
      code <<= 1
      shifts[length] = place - code
      for _ in 0..<counts[length - 1] {
        guard code < 1 << length else { return nil }
        if length <= Self.fastBits {
          let first = code << (Self.fastBits - length)
          for rest in 0..<1 << (Self.fastBits - length) {
            fast[first + rest] = UInt16(symbols[place]) << 8 | UInt16(length)
          }
        }
        code += 1
        place += 1
      }
      ends[length] = code << (16 - length)
    }
  }

  /// The symbol at the front of 16 bits, and the length of its code; nil where no code fits.
  @inline(__always)
  func symbol(_ bits: Int) -> (symbol: UInt8, length: Int)? {
    let entry = fast[bits >> (16 - Self.fastBits)]
    if entry != 0 { return (UInt8(entry >> 8), Int(entry & 255)) }
    for length in Self.fastBits + 1...16 where bits < ends[length] {
      return (symbols[bits >> (16 - length) + shifts[length]], length)
    }
    return nil
  }
}

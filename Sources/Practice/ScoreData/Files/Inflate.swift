/// The decompressor of deflate streams (RFC 1951), bare, or inside zlib (RFC 1950) or gzip (RFC 1952).
package struct Inflate {
  /// Why a stream cannot be decompressed.
  package enum Failure: Error, Equatable {
    /// The stream ends before it is complete.
    case truncated
    /// The stream contradicts its format; the text says how.
    case malformed(String)
    /// The output would exceed the limit given.
    case tooLarge(limit: Int)
  }

  private let input: ArraySlice<UInt8>
  private var next: Int
  private var bits: UInt64 = 0
  private var bitCount: UInt64 = 0
  private var output: [UInt8] = []
  private let limit: Int

  private init(_ input: ArraySlice<UInt8>, limit: Int, reserve: Int) {
    self.input = input
    self.limit = limit
    next = input.startIndex
    output.reserveCapacity(min(limit, reserve))
  }

  /// Decompresses a bare deflate stream; returns the output and the number of input bytes used.
  package static func deflate(_ input: ArraySlice<UInt8>, limit: Int) throws(Failure)
    -> (output: [UInt8], used: Int)
  {
    var inflate = Inflate(input, limit: limit, reserve: 4 * input.count)
    try inflate.run()
    // Whole bytes that were looked ahead belong to what follows.
    return (inflate.output, inflate.next - Int(inflate.bitCount / 8) - input.startIndex)
  }

  /// Decompresses a zlib stream and checks its sum.
  package static func zlib(_ input: ArraySlice<UInt8>, limit: Int) throws(Failure) -> [UInt8] {
    guard input.count >= 6 else { throw .truncated }
    let head = Int(input[input.startIndex]) << 8 | Int(input[input.startIndex + 1])
    guard head >> 8 & 15 == 8, head % 31 == 0, head & 0x20 == 0 else {
      throw .malformed("the zlib header is \(String(head, radix: 16))")
    }
    let (output, used) = try deflate(input.dropFirst(2), limit: limit)
    let tail = input.dropFirst(2 + used).prefix(4)
    guard tail.count == 4 else { throw .truncated }
    guard tail.reduce(0, { $0 << 8 | UInt32($1) }) == Checksum.adler32(output) else {
      throw .malformed("the zlib checksum does not fit the data")
    }
    return output
  }

  /// Decompresses a gzip file, which may hold several members, and checks their sums.
  package static func gzip(_ input: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
    var rest = input[...]
    var output: [UInt8] = []
    repeat {
      rest = rest.dropFirst(try gzipHeaderLength(rest))
      let (member, used) = try deflate(rest, limit: limit - output.count)
      let tail = rest.dropFirst(used).prefix(8)
      guard tail.count == 8 else { throw .truncated }
      let sum = tail.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
      let size = tail.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
      guard sum == Checksum.crc32(member), size == UInt32(truncatingIfNeeded: member.count) else {
        throw .malformed("the gzip checksum does not fit the data")
      }
      if output.isEmpty { output = member } else { output += member }
      rest = rest.dropFirst(used + 8)
    } while rest.starts(with: [0x1F, 0x8B])
    return output
  }

  private static func gzipHeaderLength(_ input: ArraySlice<UInt8>) throws(Failure) -> Int {
    let bytes = input.prefix(10)
    guard bytes.count == 10 else { throw .truncated }
    let start = input.startIndex
    guard bytes.starts(with: [0x1F, 0x8B, 8]) else { throw .malformed("no gzip header") }
    let flags = input[start + 3]
    var place = start + 10
    if flags & 4 != 0 {
      guard place + 2 <= input.endIndex else { throw .truncated }
      place += 2 + Int(input[place]) + Int(input[place + 1]) << 8
    }
    for flag in [8, 16] as [UInt8] where flags & flag != 0 {
      guard place < input.endIndex, let end = input[place...].firstIndex(of: 0) else {
        throw .truncated
      }
      place = end + 1
    }
    if flags & 2 != 0 { place += 2 }
    guard place <= input.endIndex else { throw .truncated }
    return place - start
  }

  // ------------------------------------------------------------------ blocks

  private mutating func run() throws(Failure) {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try stored()
      case 1:
        let lengths =
          [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112)
          + [UInt8](repeating: 7, count: 24) + [UInt8](repeating: 8, count: 8)
        try compressed(
          HuffmanTable(lengths: lengths), HuffmanTable(lengths: [UInt8](repeating: 5, count: 32)))
      case 2:
        let (literals, distances) = try dynamicTables()
        try compressed(literals, distances)
      default: throw .malformed("a block of the reserved type 3")
      }
    }
  }

  private mutating func stored() throws(Failure) {
    _ = try take(bitCount % 8)
    let length = try take(16)
    guard try take(16) == length ^ 0xFFFF else {
      throw .malformed("a stored block whose lengths disagree")
    }
    guard output.count + length <= limit else { throw .tooLarge(limit: limit) }
    for _ in 0..<length { output.append(UInt8(try take(8))) }
  }

  private mutating func dynamicTables() throws(Failure) -> (HuffmanTable?, HuffmanTable?) {
    let literalCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let lengthCount = try take(4) + 4
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var lengthLengths = [UInt8](repeating: 0, count: 19)
    for symbol in order.prefix(lengthCount) { lengthLengths[symbol] = UInt8(try take(3)) }
    guard let table = HuffmanTable(lengths: lengthLengths) else {
      throw .malformed("code lengths that are no Huffman code")
    }
    var lengths: [UInt8] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try decode(table)
      let (value, count): (UInt8, Int)
      switch symbol {
      case 0..<16: (value, count) = (UInt8(symbol), 1)
      case 16:
        guard let last = lengths.last else { throw .malformed("a repeat of nothing") }
        (value, count) = (last, 3 + (try take(2)))
      case 17: (value, count) = (0, 3 + (try take(3)))
      default: (value, count) = (0, 11 + (try take(7)))
      }
      lengths += [UInt8](repeating: value, count: count)
    }
    guard lengths.count == literalCount + distanceCount else {
      throw .malformed("more code lengths than announced")
    }
    return (
      HuffmanTable(lengths: lengths.prefix(literalCount)),
      HuffmanTable(lengths: lengths.dropFirst(literalCount))
    )
  }

  private mutating func compressed(_ literals: HuffmanTable?, _ distances: HuffmanTable?)
    throws(Failure)
  {
    guard let literals, let distances else {
      throw .malformed("code lengths that are no Huffman code")
    }
    while true {
      let symbol = try decode(literals)
      if symbol < 256 {
        guard output.count < limit else { throw .tooLarge(limit: limit) }
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol < 286 else { throw .malformed("the reserved length code \(symbol)") }
      let length = symbol == 285 ? 258 : 3 + (try extended(symbol - 257, perDoubling: 4))
      let code = try decode(distances)
      guard code < 30 else { throw .malformed("the reserved distance code \(code)") }
      let distance = 1 + (try extended(code, perDoubling: 2))
      guard distance <= output.count else {
        throw .malformed("a copy from \(distance) bytes back, \(output.count) bytes in")
      }
      guard output.count + length <= limit else { throw .tooLarge(limit: limit) }
      let start = output.count - distance
      for i in start..<start + length { output.append(output[i]) }
    }
  }

  /// The value of a code with its extra bits: `perDoubling` codes each time the value doubles.
  private mutating func extended(_ code: Int, perDoubling: Int) throws(Failure) -> Int {
    if code < 2 * perDoubling { return code }
    let extra = code / perDoubling - 1
    return (perDoubling + code % perDoubling) << extra + (try take(UInt64(extra)))
  }

  // ------------------------------------------------------------------ bits

  /// Fills the buffer with 48 bits or all that are left.
  @inline(__always)
  private mutating func refill() {
    while bitCount <= 48, next < input.endIndex {
      bits |= UInt64(input[next]) << bitCount
      next += 1
      bitCount += 8
    }
  }

  @inline(__always)
  private mutating func take(_ count: UInt64) throws(Failure) -> Int {
    if bitCount < count { refill() }
    guard bitCount >= count else { throw .truncated }
    let value = Int(bits & (1 << count - 1))
    bits >>= count
    bitCount -= count
    return value
  }

  @inline(__always)
  private mutating func decode(_ table: HuffmanTable) throws(Failure) -> Int {
    if bitCount < 15 { refill() }
    guard let (symbol, length) = table.decode(bits) else {
      if bitCount < 15 { throw .truncated }
      throw .malformed("a pattern of bits that is no code")
    }
    guard length <= bitCount else { throw .truncated }
    bits >>= length
    bitCount -= length
    return symbol
  }
}

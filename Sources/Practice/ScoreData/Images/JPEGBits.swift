/// The bits of a scan's entropy-coded data, from the highest of each byte on, up to the next marker.
struct JPEGBits {
  private let bytes: [UInt8]
  private let path: String
  /// The next byte, or the marker that the data end with.
  private(set) var offset: Int
  /// The bits that were read ahead, in the lowest `count`.
  private var buffer: UInt64 = 0
  private var count = 0

  init(_ bytes: [UInt8], from offset: Int, path: String) {
    (self.bytes, self.offset, self.path) = (bytes, offset, path)
  }

  /// Fills the buffer with 48 bits or all that are left.
  private mutating func fill() {
    while count <= 48, offset < bytes.count {
      let byte = bytes[offset]
      if byte == 0xFF {
        // A byte 0xFF has a 0 after it; anything else is a marker.
        guard offset + 1 < bytes.count, bytes[offset + 1] == 0 else { return }
        offset += 1
      }
      offset += 1
      buffer = buffer << 8 | UInt64(byte)
      count += 8
    }
  }

  /// The next symbol of a code.
  @inline(__always)
  mutating func symbol(_ code: JPEGCode) throws(DataError) -> Int {
    if count < 16 { fill() }
    let front = count >= 16 ? buffer >> UInt64(count - 16) : buffer << UInt64(16 - count)
    guard let (symbol, length) = code.symbol(Int(front & 0xFFFF)) else {
      if count < 16 { throw ended() }
      throw malformed("a pattern of bits that is no code")
    }
    guard length <= count else { throw ended() }
    count -= length
    return Int(symbol)
  }

  /// The next bits as a number.
  /// - Precondition: no more than 16.
  @inline(__always)
  mutating func take(_ number: Int) throws(DataError) -> Int {
    if count < number {
      fill()
      guard count >= number else { throw ended() }
    }
    count -= number
    return Int(buffer >> UInt64(count) & (1 << UInt64(number) - 1))
  }

  /// The next bits as a number with a sign: those that begin with 0 are negative (T.81, F.2.2.1).
  @inline(__always)
  mutating func signed(_ size: Int) throws(DataError) -> Int {
    if size == 0 { return 0 }
    let value = try take(size)
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value
  }

  /// Goes to the next marker, which must be restart `index`, counted from 0 and named modulo 8.
  mutating func restart(_ index: Int) throws(DataError) {
    let place = markerOffset
    guard place + 1 < bytes.count else { throw ended() }
    guard bytes[place + 1] == 0xD0 + UInt8(index % 8) else {
      throw malformed(
        "marker \(String(bytes[place + 1], radix: 16, uppercase: true)), where restart \(index % 8) is due"
      )
    }
    (buffer, count) = (0, 0)
    offset = place + 2
  }

  /// Where the next marker is, or the end of the file.
  var markerOffset: Int {
    var place = offset
    while place < bytes.count {
      if bytes[place] == 0xFF, place + 1 < bytes.count, bytes[place + 1] != 0,
        bytes[place + 1] != 0xFF
      {
        return place
      }
      place += 1
    }
    return place
  }

  /// The error of data that hold something that makes no sense.
  func malformed(_ what: String) -> DataError {
    DataError(.malformed, path, "the data of a scan hold \(what), shortly before byte \(offset)")
  }

  private func ended() -> DataError {
    offset + 1 < bytes.count
      ? DataError(
        .malformed, path,
        "the data of a scan end with the marker at byte \(offset), before its last block")
      : DataError(
        .truncated, path, "the file ends at byte \(bytes.count), within the data of a scan")
  }
}

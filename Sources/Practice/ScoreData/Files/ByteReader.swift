/// A place in a run of bytes, moving forward; every read is checked against the end.
struct ByteReader {
  let bytes: [UInt8]
  let path: String
  private(set) var offset = 0

  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  var remaining: Int { bytes.count - offset }

  /// Bytes `offset` ..< `offset + count`, which the file must hold.
  mutating func take(_ count: Int, _ what: String) throws(DataError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else {
      throw DataError(
        .truncated, path,
        "the file ends at byte \(bytes.count), within \(what) at byte \(offset), which takes \(count) bytes"
      )
    }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  mutating func byte(_ what: String) throws(DataError) -> UInt8 {
    let slice = try take(1, what)
    return slice[slice.startIndex]
  }

  mutating func bigEndian16(_ what: String) throws(DataError) -> Int {
    try take(2, what).reduce(0) { $0 << 8 | Int($1) }
  }

  mutating func bigEndian32(_ what: String) throws(DataError) -> Int {
    try take(4, what).reduce(0) { $0 << 8 | Int($1) }
  }

  mutating func littleEndian16(_ what: String) throws(DataError) -> Int {
    try take(2, what).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  mutating func littleEndian32(_ what: String) throws(DataError) -> Int {
    try take(4, what).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// A number of 64 bits; one that is no place in a file is refused.
  mutating func littleEndian64(_ what: String) throws(DataError) -> Int {
    let value = try take(8, what).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let number = Int(exactly: value) else {
      throw DataError(.malformed, path, "\(what) has the number \(value), larger than any file")
    }
    return number
  }
}

/// The product of extents and a size in bytes, or nil where it exceeds an integer or an extent is negative.
func checkedProduct(_ factors: some Sequence<Int>) -> Int? {
  // A factor 0 makes the product 0 however large the others are.
  var product = 1
  var isZero = false
  for factor in factors {
    guard factor >= 0 else { return nil }
    if factor == 0 {
      isZero = true
      continue
    }
    let (next, overflow) = product.multipliedReportingOverflow(by: factor)
    if overflow { return nil }
    product = next
  }
  return isZero ? 0 : product
}

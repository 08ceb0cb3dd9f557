/// The segments of a JPEG file: a marker, and what belongs to it.
struct JPEGSegments {
  private let bytes: [UInt8]
  private let path: String
  /// Where the next marker is looked for.
  var offset = 2

  init(_ bytes: [UInt8], path: String) { (self.bytes, self.path) = (bytes, path) }

  var remaining: Int { bytes.count - offset }

  /// The next marker and the bytes of its segment, without those of its length.
  mutating func next() throws(DataError) -> (marker: UInt8, body: ArraySlice<UInt8>) {
    // Any number of bytes 0xFF may stand before a marker.
    while offset + 1 < bytes.count, bytes[offset] == 0xFF, bytes[offset + 1] == 0xFF { offset += 1 }
    guard offset + 1 < bytes.count else { throw ended("a marker") }
    let marker = bytes[offset + 1]
    guard bytes[offset] == 0xFF, marker != 0 else {
      throw DataError(
        .malformed, path,
        "byte \(offset) is \(bytes[offset]), where a marker is due, which begins with 255")
    }
    offset += 2
    // These stand alone.
    if marker == 0x01 || (0xD0...0xD9).contains(marker) { return (marker, []) }
    let name = "the segment of marker \(String(marker, radix: 16, uppercase: true))"
    guard remaining >= 2 else { throw ended(name) }
    let length = Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    guard length >= 2 else {
      throw DataError(.malformed, path, "\(name) has length \(length), where 2 is the least")
    }
    guard length <= remaining else { throw ended(name) }
    defer { offset += length }
    return (marker, bytes[offset + 2..<offset + length])
  }

  private func ended(_ what: String) -> DataError {
    DataError(.truncated, path, "the file ends at byte \(bytes.count), within \(what)")
  }
}

/// What application segments say of colours and of how the picture stands.
struct JPEGMarks {
  /// Whether the file is JFIF, whose three components are Y′CbCr.
  private(set) var isJFIF = false
  /// The colour transform that Adobe's marker names: 0 none, 1 Y′CbCr, 2 YCCK.
  private(set) var adobeTransform: UInt8?
  /// The Exif orientation, 1 … 8.
  private(set) var orientation = 1

  mutating func read(_ marker: UInt8, _ body: ArraySlice<UInt8>) {
    switch marker {
    case 0xE0: if body.starts(with: Array("JFIF\0".utf8)) { isJFIF = true }
    case 0xE1:
      if let exif = Self.exifOrientation(body) { orientation = exif }
    default:
      if body.starts(with: Array("Adobe".utf8)), body.count >= 12 {
        adobeTransform = body[body.startIndex + 11]
      }
    }
  }

  /// The orientation in the first directory of an Exif segment; nil where none can be read there.
  private static func exifOrientation(_ body: ArraySlice<UInt8>) -> Int? {
    guard body.starts(with: Array("Exif\0\0".utf8)) else { return nil }
    let tiff = Array(body.dropFirst(6))
    let isLittleEndian = tiff.starts(with: [0x49, 0x49, 42, 0])
    guard isLittleEndian || tiff.starts(with: [0x4D, 0x4D, 0, 42]) else { return nil }
    func number(_ place: Int, _ count: Int) -> Int? {
      guard place >= 0, place + count <= tiff.count else { return nil }
      let bytes = tiff[place..<place + count]
      return (isLittleEndian ? bytes.reversed() : Array(bytes)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
    for entry in 0..<count {
      let place = directory + 2 + 12 * entry
      guard let tag = number(place, 2) else { return nil }
      // One short number.
      guard tag == 0x0112, number(place + 2, 2) == 3 else { continue }
      return number(place + 8, 2).flatMap { (1...8).contains($0) ? $0 : nil }
    }
    return nil
  }
}

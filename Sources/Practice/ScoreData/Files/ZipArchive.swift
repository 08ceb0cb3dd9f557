/// A ZIP archive in memory (PKWARE's application note 6.3): files that are stored or deflated, of any size.
package struct ZipArchive {
  /// A file in the archive.
  package struct Entry {
    package let name: String
    fileprivate let method: Int
    fileprivate let flags: Int
    fileprivate let checksum: UInt32
    fileprivate var compressedSize: Int
    fileprivate var size: Int
    /// Where its own header is.
    fileprivate var offset: Int
  }

  package let entries: [Entry]
  private let bytes: [UInt8]
  private let path: String

  /// Reads the directory at the end of the archive.
  package init(_ bytes: [UInt8], path: String) throws(DataError) {
    self.bytes = bytes
    self.path = path
    let directory = try Self.directory(bytes, path)
    var reader = ByteReader(bytes, path: path)
    _ = try reader.take(directory.offset, "what comes before the archive's directory")
    var entries: [Entry] = []
    for _ in 0..<directory.count { entries.append(try Self.entry(&reader)) }
    self.entries = entries
  }

  /// The content of a file, whose checksum is checked.
  package func content(of entry: Entry) throws(DataError) -> [UInt8] {
    var reader = ByteReader(bytes, path: path)
    _ = try reader.take(entry.offset, "what comes before \(entry.name)")
    guard try reader.take(4, "a header").elementsEqual([0x50, 0x4B, 3, 4]) else {
      throw fault(
        "\(entry.name) does not begin at byte \(entry.offset), where the directory has it")
    }
    _ = try reader.take(22, "a header")
    let (name, extra) = (
      try reader.littleEndian16("a header"), try reader.littleEndian16("a header")
    )
    _ = try reader.take(name + extra, "a header")
    guard entry.flags & 1 == 0 else {
      throw DataError(.unsupported, path, "\(entry.name) is encrypted")
    }
    let packed = try reader.take(entry.compressedSize, entry.name)
    let content: [UInt8]
    switch entry.method {
    case 0: content = Array(packed)
    case 8:
      do {
        content = try Inflate.deflate(packed, limit: entry.size).output
      } catch {
        throw fault("\(entry.name) cannot be decompressed: \(error)")
      }
    default:
      throw DataError(
        .unsupported, path,
        "\(entry.name) is compressed by method \(entry.method); known are 0, stored, and 8, deflate"
      )
    }
    guard content.count == entry.size, Checksum.crc32(content) == entry.checksum else {
      throw fault("\(entry.name) does not have the size and the checksum that the directory says")
    }
    return content
  }

  private func fault(_ words: String) -> DataError { DataError(.malformed, path, words) }

  /// Where the directory begins and how many files it lists; large archives say it in a record of their own.
  private static func directory(_ bytes: [UInt8], _ path: String) throws(DataError)
    -> (offset: Int, count: Int)
  {
    // The last record has 22 bytes and a comment of up to 65535.
    let first = max(0, bytes.count - 22 - 65535)
    let ends = stride(from: bytes.count - 22, through: first, by: -1)
    guard let end = ends.first(where: { bytes[$0...].starts(with: [0x50, 0x4B, 5, 6]) }) else {
      throw DataError(
        .wrongFormat, path, "this is not a ZIP archive: it has no directory at its end")
    }
    var reader = ByteReader(bytes, path: path)
    _ = try reader.take(end + 10, "the archive's end")
    let count = try reader.littleEndian16("the archive's end")
    _ = try reader.littleEndian32("the archive's end")
    let offset = try reader.littleEndian32("the archive's end")
    guard count == 0xFFFF || offset == 0xFFFF_FFFF else { return (offset, count) }
    reader = ByteReader(bytes, path: path)
    _ = try reader.take(max(0, end - 20), "the archive's end")
    guard try reader.take(4, "the archive's end").elementsEqual([0x50, 0x4B, 6, 7]) else {
      return (offset, count)
    }
    _ = try reader.take(4, "the archive's end")
    let record = try reader.littleEndian64("the archive's end")
    reader = ByteReader(bytes, path: path)
    _ = try reader.take(record, "what comes before the archive's directory")
    _ = try reader.take(32, "the archive's end")
    let wideCount = try reader.littleEndian64("the archive's end")
    _ = try reader.littleEndian64("the archive's end")
    return (try reader.littleEndian64("the archive's end"), wideCount)
  }

  private static func entry(_ reader: inout ByteReader) throws(DataError) -> Entry {
    let what = "the archive's directory"
    guard try reader.take(4, what).elementsEqual([0x50, 0x4B, 1, 2]) else {
      throw DataError(
        .malformed, reader.path, "the archive's directory breaks off at byte \(reader.offset - 4)")
    }
    _ = try reader.take(4, what)
    let (flags, method) = (try reader.littleEndian16(what), try reader.littleEndian16(what))
    _ = try reader.take(4, what)
    let checksum = UInt32(try reader.littleEndian32(what))
    let (packed, size) = (try reader.littleEndian32(what), try reader.littleEndian32(what))
    let lengths = (
      name: try reader.littleEndian16(what), extra: try reader.littleEndian16(what),
      comment: try reader.littleEndian16(what)
    )
    _ = try reader.take(8, what)
    let offset = try reader.littleEndian32(what)
    let name = String(decoding: try reader.take(lengths.name, what), as: UTF8.self)
    var entry = Entry(
      name: name, method: method, flags: flags, checksum: checksum, compressedSize: packed,
      size: size, offset: offset)
    var extra = ByteReader(Array(try reader.take(lengths.extra, what)), path: reader.path)
    while extra.remaining >= 4 {
      let (kind, length) = (try extra.littleEndian16(what), try extra.littleEndian16(what))
      var field = ByteReader(Array(try extra.take(length, what)), path: reader.path)
      guard kind == 1 else { continue }
      // Sizes that do not fit in 32 bits, in this order.
      let wide = 0xFFFF_FFFF
      if entry.size == wide { entry.size = try field.littleEndian64(what) }
      if entry.compressedSize == wide { entry.compressedSize = try field.littleEndian64(what) }
      if entry.offset == wide { entry.offset = try field.littleEndian64(what) }
    }
    _ = try reader.take(lengths.comment, what)
    return entry
  }
}

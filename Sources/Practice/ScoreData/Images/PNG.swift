/// PNG files: grey, RGB or palette, with or without opacity, plain or interlaced.
///
/// Levels are those of the file, whatever gamma or profile it names. Fewer than eight bits a channel fill the range 0 … 255, and
/// sixteen are rounded to it: `v` becomes the whole number nearest `255 v / 65535`.
public enum PNG {
  /// Reads a picture.
  /// - Throws: a `DataError` where the file is missing or damaged.
  public static func read(_ path: String) throws(DataError) -> Picture {
    try decode(FileBytes.read(path), path: path)
  }

  /// Decodes the bytes of a file; `path` is for messages.
  package static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> Picture {
    guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
      throw DataError(.wrongFormat, path, "this is not a PNG file: it lacks the signature")
    }
    var reader = ByteReader(bytes, path: path)
    _ = try reader.take(8, "the signature")
    var header: PNGHeader?
    var palette: ArraySlice<UInt8> = []
    var data: [UInt8] = []
    while true {
      let length = try reader.bigEndian32("a chunk's length")
      let start = reader.offset
      let name = String(decoding: try reader.take(4, "a chunk's type"), as: UTF8.self)
      let body = try reader.take(length, "chunk \(name)")
      let sum = UInt32(try reader.bigEndian32("the checksum of chunk \(name)"))
      guard sum == Checksum.crc32(bytes[start..<start + 4 + length]) else {
        throw DataError(
          .malformed, path,
          "the checksum of chunk \(name) at byte \(start) does not fit its content")
      }
      switch name {
      case "IHDR": header = try PNGHeader(body, path: path)
      case "PLTE": palette = body
      case "IDAT": data += body
      case "IEND":
        guard let header else { throw DataError(.malformed, path, "chunk IHDR is missing") }
        return try header.picture(data, palette: palette)
      case _ where name.utf8.first.map { $0 & 0x20 == 0 } ?? true:
        throw DataError(.unsupported, path, "the critical chunk \(name) is not known")
      default: continue
      }
    }
  }
}

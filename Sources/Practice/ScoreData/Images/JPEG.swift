/// JPEG files (ITU-T T.81) of eight bits: baseline, extended sequential and progressive, in Huffman codes.
///
/// Colours are grey, Y′CbCr as JFIF has it, or RGB where Adobe's marker or the names of the components say so. Pictures stand as
/// their Exif orientation says; colour profiles are left aside. The inverse cosine transform, the triangle filter that enlarges
/// chroma and the colours are in the integers of libjpeg's default, so pixels are the same as those of the readers built on it.
/// Bytes that are left over after the last block of a scan are skipped, as by these.
public enum JPEG {
  /// Reads a picture.
  /// - Throws: a `DataError` where the file is missing, damaged, ends too early, or is a variant that is not read here.
  public static func read(_ path: String) throws(DataError) -> Picture {
    try decode(FileBytes.read(path), path: path)
  }

  /// Decodes the bytes of a file; `path` is for messages.
  package static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> Picture {
    guard bytes.starts(with: [0xFF, 0xD8]) else {
      throw DataError(.wrongFormat, path, "this is not a JPEG file: it lacks the signature")
    }
    var segments = JPEGSegments(bytes, path: path)
    var tables = JPEGTables()
    var marks = JPEGMarks()
    var frame: JPEGFrame?
    while true {
      let (marker, body) = try segments.next()
      switch marker {
      case 0xC4: try tables.addCodes(body, path: path)
      case 0xDB: try tables.addQuantisation(body, path: path)
      case 0xDD: try tables.setRestartInterval(body, path: path)
      case 0xC0, 0xC1, 0xC2:
        guard frame == nil else { throw DataError(.malformed, path, "there are two frames") }
        frame = try JPEGFrame(
          body, isProgressive: marker == 0xC2, path: path, bytesLeft: segments.remaining)
      case 0xDA:
        guard frame != nil else {
          throw DataError(.malformed, path, "a scan stands before the frame that it is of")
        }
        segments.offset = try scan(body, bytes, from: segments.offset, tables, &frame!, path: path)
      case 0xD9:
        guard let frame else { throw DataError(.malformed, path, "the file holds no frame") }
        return try frame.picture(marks).oriented(marks.orientation)
      case 0xE0, 0xE1, 0xEE: marks.read(marker, body)
      default: try checkIsPassedOver(marker, path: path)
      }
    }
  }

  /// Decodes a scan from its header and what follows; returns where that ends.
  private static func scan(
    _ header: ArraySlice<UInt8>, _ bytes: [UInt8], from offset: Int, _ tables: JPEGTables,
    _ frame: inout JPEGFrame, path: String
  ) throws(DataError) -> Int {
    let scan = try JPEGScan(header, tables, &frame, path: path)
    var decoder = JPEGScanDecoder(scan, bits: JPEGBits(bytes, from: offset, path: path))
    try decoder.decode(into: &frame)
    return decoder.end
  }

  /// Throws where a marker is of a variant that is not read.
  private static func checkIsPassedOver(_ marker: UInt8, path: String) throws(DataError) {
    let variant: String
    switch marker {
    case 0xC3: variant = "lossless coding"
    case 0xC5...0xC7, 0xDE, 0xDF: variant = "hierarchical coding"
    case 0xC9...0xCF: variant = "arithmetic coding"
    case 0xDC: variant = "a height that stands after the first scan"
    default: return
    }
    throw DataError(
      .unsupported, path,
      "the file has \(variant); expected baseline, extended sequential or progressive JPEG in Huffman codes"
    )
  }
}

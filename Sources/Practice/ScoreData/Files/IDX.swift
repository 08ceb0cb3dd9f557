import ScoreTensors

/// IDX files, the format of MNIST and its family, plain or compressed by gzip.
public enum IDX {
  /// Reads an array of bytes, integers or floating-point numbers.
  /// - Throws: a `DataError` where the file is missing, damaged, shorter or longer than its header says, or holds a
  ///   value that is not finite.
  public static func read<Scalar: TensorScalar>(
    _ path: String, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> Tensor<Scalar> {
    try decode(FileBytes.read(path), path: path).tensor
  }

  /// Whether bytes begin like an IDX file or a gzip file.
  static func isLikely(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x1F, 0x8B])
      || (bytes.count >= 4 && bytes[0] == 0 && bytes[1] == 0 && types[bytes[2]] != nil
        && bytes[3] > 0)
  }

  private static let types: [UInt8: ElementType] = [
    0x08: ElementType(kind: .unsigned, size: 1, isBigEndian: true),
    0x09: ElementType(kind: .signed, size: 1, isBigEndian: true),
    0x0B: ElementType(kind: .signed, size: 2, isBigEndian: true),
    0x0C: ElementType(kind: .signed, size: 4, isBigEndian: true),
    0x0D: ElementType(kind: .float, size: 4, isBigEndian: true),
    0x0E: ElementType(kind: .float, size: 8, isBigEndian: true),
  ]

  /// Decodes the bytes of a file; `path` is for messages.
  package static func decode<Scalar: TensorScalar>(
    _ bytes: [UInt8], path: String, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> (tensor: Tensor<Scalar>, isBytes: Bool) {
    var reader = ByteReader(try unpacked(bytes, path: path), path: path)
    let magic = try reader.take(4, "the magic number")
    let start = magic.startIndex
    guard magic[start] == 0, magic[start + 1] == 0, let element = types[magic[start + 2]],
      magic[start + 3] > 0
    else {
      throw DataError(
        .wrongFormat, path,
        "this is not an IDX file: it begins with the bytes \(magic.map { String($0, radix: 16) }.joined(separator: " ")); expected 0 0 8 to e, and the number of axes"
      )
    }
    var extents: [Int] = []
    for axis in 0..<magic[start + 3] {
      extents.append(try reader.bigEndian32("the extent of axis \(axis)"))
    }
    guard let needed = checkedProduct(extents + [element.size]) else {
      throw DataError(.malformed, path, "the header's shape \(extents) is larger than any memory")
    }
    guard needed <= reader.remaining else {
      throw DataError(
        .truncated, path,
        "the header promises \(needed) bytes of data (shape \(extents)), the file holds \(reader.remaining)"
      )
    }
    guard needed == reader.remaining else {
      throw DataError(
        .malformed, path,
        "the header promises \(needed) bytes of data (shape \(extents)), the file holds \(reader.remaining - needed) more"
      )
    }
    guard needed > 0 else {
      throw DataError(.empty, path, "an array of shape \(extents) has no entries")
    }
    let data = try reader.take(needed, "the data")
    if element.isWide {
      let exact: Tensor<Double> = element.tensor(data, Shape(extents))
      return (try exact.rounded(allowsNonFinite: false, path), false)
    }
    let tensor: Tensor<Scalar> = element.tensor(data, Shape(extents))
    try tensor.checkFinite(path)
    return (tensor, element.isByte)
  }

  /// The bytes of a file, decompressed where they are a gzip file's.
  private static func unpacked(_ bytes: [UInt8], path: String) throws(DataError) -> [UInt8] {
    guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
    do {
      return try Inflate.gzip(bytes, limit: 1 << 32)
    } catch {
      throw DataError(inflating: error, path)
    }
  }
}

extension DataError {
  /// The error for a compressed stream that cannot be decompressed.
  init(inflating failure: Inflate.Failure, _ path: String) {
    switch failure {
    case .truncated: self.init(.truncated, path, "the file ends within its compressed data")
    case .malformed(let what):
      self.init(.malformed, path, "the compressed data are damaged: \(what)")
    case .tooLarge(let limit):
      self.init(.malformed, path, "the compressed data hold more than the \(limit) bytes expected")
    }
  }
}

import ScoreTensors

/// NumPy's `.npy` files, versions 1 to 3: one array of numbers with its shape.
public enum NPY {
  /// Reads an array of any integer, boolean or floating-point type, byte order and memory order.
  /// - Throws: a `DataError` where the file is missing, damaged, shorter or longer than its header says, holds another
  ///   type of data, no entries, or, unless they are allowed, a value that is not finite.
  public static func read<Scalar: TensorScalar>(
    _ path: String, as type: Scalar.Type = Scalar.self, allowsNonFinite: Bool = false
  ) throws(DataError) -> Tensor<Scalar> {
    try decode(FileBytes.read(path), path: path, allowsNonFinite: allowsNonFinite).tensor
  }

  /// Decodes the bytes of a file; `path` is for messages.
  ///
  /// Images `[n, height, width, channels]` of whole numbers are bytes too, whatever their type, where they are as bytes are.
  package static func decode<Scalar: TensorScalar>(
    _ bytes: [UInt8], path: String, as type: Scalar.Type = Scalar.self,
    allowsNonFinite: Bool = false
  ) throws(DataError) -> (tensor: Tensor<Scalar>, isBytes: Bool) {
    var reader = ByteReader(bytes, path: path)
    guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw DataError(
        .wrongFormat, path, "this is not an NPY file: it does not begin with \\x93NUMPY")
    }
    _ = try reader.take(6, "the magic bytes")
    let major = try reader.byte("the version")
    _ = try reader.byte("the version")
    guard 1...3 ~= major else {
      throw DataError(.unsupported, path, "NPY version \(major), where 1 to 3 are known")
    }
    let length =
      major == 1
      ? try reader.littleEndian16("the header's length")
      : try reader.littleEndian32("the header's length")
    let header = try NPYHeader(text: reader.take(length, "the header"), path: path)

    guard let needed = checkedProduct(header.extents + [header.element.size]) else {
      throw DataError(
        .malformed, path, "the header's shape \(header.extents) is larger than any memory")
    }
    guard needed <= reader.remaining else {
      throw DataError(
        .truncated, path,
        "the header promises \(needed) bytes of data (shape \(header.extents)), the file holds \(reader.remaining)"
      )
    }
    guard needed == reader.remaining else {
      throw DataError(
        .malformed, path,
        "the header promises \(needed) bytes of data (shape \(header.extents)), the file holds \(reader.remaining - needed) more"
      )
    }
    guard needed > 0 else {
      throw DataError(.empty, path, "an array of shape \(header.extents) has no entries")
    }
    let data = try reader.take(needed, "the data")
    if header.element.isWide {
      let exact: Tensor<Double> = header.tensor(data)
      let tensor: Tensor<Scalar> = try exact.rounded(allowsNonFinite: allowsNonFinite, path)
      return (tensor, header.holdsImages && tensor.isOfBytes)
    }
    let tensor: Tensor<Scalar> = header.tensor(data)
    if !allowsNonFinite { try tensor.checkFinite(path) }
    return (tensor, header.element.isByte || header.holdsImages && tensor.isOfBytes)
  }

  /// Writes an array as `float32` or `float64`, whichever the tensor is, whole or not at all.
  /// - Throws: `unwritable`.
  public static func write<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>, to path: String)
    throws(DataError)
  {
    try FileBytes.write(encode(tensor), to: path)
  }

  /// The bytes of a file that holds the tensor.
  package static func encode<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>) -> [UInt8] {
    let extents = tensor.shape.extents
    let shape = extents.map { "\($0)," }.joined(separator: " ")
    let size = MemoryLayout<Scalar>.size
    var header =
      "{'descr': '<f\(size)', 'fortran_order': False, 'shape': (\(extents.count == 1 ? shape : String(shape.dropLast()))), }"
    // Data start at a multiple of 64 bytes, so that readers may map the file.
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)]
    bytes += header.utf8
    bytes.reserveCapacity(bytes.count + size * tensor.count)
    if let floats = tensor as? Tensor<Float> {
      floats.withUnsafeBuffer {
        for x in $0 { withUnsafeBytes(of: x.bitPattern.littleEndian) { bytes += $0 } }
      }
    } else {
      Tensor<Double>(tensor).withUnsafeBuffer {
        for x in $0 { withUnsafeBytes(of: x.bitPattern.littleEndian) { bytes += $0 } }
      }
    }
    return bytes
  }
}

extension NPYHeader {
  /// Whether they can be nothing but images of whole numbers.
  fileprivate var holdsImages: Bool { element.isInteger && extents.count == 4 }

  /// Decodes the numbers that follow, whose bytes are as many as they take, in whichever memory order.
  fileprivate func tensor<Scalar: TensorScalar>(_ data: ArraySlice<UInt8>) -> Tensor<Scalar> {
    isFortranOrder && extents.count > 1
      ? element.tensor(data, Shape(extents.reversed())).axesReversed
      : element.tensor(data, Shape(extents))
  }
}

extension Tensor {
  /// Whether entries are as those of images in bytes: whole numbers from 0 to 255 that reach beyond the middle of that range.
  package var isOfBytes: Bool {
    withUnsafeBuffer { entries in
      entries.allSatisfy { $0 >= 0 && $0 <= 255 && $0 == $0.rounded() }
        && entries.contains { $0 >= 128 }
    }
  }

  /// The tensor with its axes in reverse order.
  fileprivate var axesReversed: Tensor {
    let target = Shape(shape.extents.reversed())
    let sourceStrides: [Int] = shape.strides.reversed()
    return Tensor(target) { out in
      withUnsafeBuffer { source in
        var index = [Int](repeating: 0, count: target.rank)
        var place = 0
        for i in 0..<out.count {
          out[i] = source[place]
          var axis = target.rank - 1
          while axis >= 0 {
            index[axis] += 1
            place += sourceStrides[axis]
            if index[axis] < target[axis] { break }
            place -= index[axis] * sourceStrides[axis]
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
  }
}

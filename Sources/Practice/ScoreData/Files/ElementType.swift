import ScoreTensors

/// How one number lies in a file: kind, size and byte order.
struct ElementType: Equatable {
  enum Kind {
    case signed, unsigned, float, bool
  }

  let kind: Kind
  let size: Int
  let isBigEndian: Bool

  /// Whether the numbers are whole bytes, as pixels are.
  var isByte: Bool { kind == .unsigned && size == 1 }

  /// Whether the numbers are whole.
  var isInteger: Bool { kind == .signed || kind == .unsigned }

  /// Whether there are numbers of this type that Float would round.
  var isWide: Bool { size > 4 || size == 4 && kind != .float }

  /// Decodes numbers, row-major; the caller has checked that the bytes suffice.
  func tensor<Scalar: TensorScalar>(_ bytes: ArraySlice<UInt8>, _ shape: Shape) -> Tensor<Scalar> {
    // Called with the concrete type, the loops below compile to straight conversions.
    if Scalar.self == Float.self, let tensor = decoded(bytes, shape, Float.self) as? Tensor<Scalar>
    {
      return tensor
    }
    if let tensor = decoded(bytes, shape, Double.self) as? Tensor<Scalar> { return tensor }
    return Tensor(decoded(bytes, shape, Double.self))
  }

  private func decoded<Scalar: TensorScalar>(
    _ bytes: ArraySlice<UInt8>, _ shape: Shape, _: Scalar.Type
  ) -> Tensor<Scalar> {
    precondition(
      bytes.count == shape.count * size, "\(bytes.count) bytes for \(shape) of \(size)")
    return Tensor(shape) { target in
      bytes.withUnsafeBytes { source in
        switch (kind, size) {
        case (.unsigned, 1): fill(target, source) { (x: UInt8) in Scalar(x) }
        case (.unsigned, 2): fill(target, source) { (x: UInt16) in Scalar(x) }
        case (.unsigned, 4): fill(target, source) { (x: UInt32) in Scalar(x) }
        case (.unsigned, _): fill(target, source) { (x: UInt64) in Scalar(x) }
        case (.signed, 1): fill(target, source) { (x: Int8) in Scalar(x) }
        case (.signed, 2): fill(target, source) { (x: Int16) in Scalar(x) }
        case (.signed, 4): fill(target, source) { (x: Int32) in Scalar(x) }
        case (.signed, _): fill(target, source) { (x: Int64) in Scalar(x) }
        case (.float, 2): fill(target, source) { (x: UInt16) in Scalar(Float(halfBits: x)) }
        case (.float, 4): fill(target, source) { (x: UInt32) in Scalar(Float(bitPattern: x)) }
        case (.float, _): fill(target, source) { (x: UInt64) in Scalar(Double(bitPattern: x)) }
        case (.bool, _): fill(target, source) { (x: UInt8) in x == 0 ? 0 : 1 }
        }
      }
    }
  }

  @inline(__always)
  private func fill<Scalar: TensorScalar, Raw: FixedWidthInteger>(
    _ target: UnsafeMutableBufferPointer<Scalar>, _ source: UnsafeRawBufferPointer,
    _ convert: (Raw) -> Scalar
  ) {
    let stride = MemoryLayout<Raw>.size
    for i in 0..<target.count {
      let raw = source.loadUnaligned(fromByteOffset: i * stride, as: Raw.self)
      target[i] = convert(isBigEndian ? Raw(bigEndian: raw) : Raw(littleEndian: raw))
    }
  }
}

extension Tensor {
  /// Throws where an entry is not a number or infinite, and says which.
  func checkFinite(_ path: String) throws(DataError) {
    // The kernel is fast; the search for the place runs only where there is one.
    if isFinite { return }
    guard let bad = withUnsafeBuffer({ $0.firstIndex { !$0.isFinite } }) else { return }
    let value = withUnsafeBuffer { $0[bad] }
    var rest = bad
    let index = shape.strides.map { stride -> Int in
      defer { rest %= max(1, stride) }
      return rest / max(1, stride)
    }
    throw DataError(
      .notFinite, path,
      "entry \(index) is \(value) as \(Scalar.self), where finite numbers are needed")
  }
}

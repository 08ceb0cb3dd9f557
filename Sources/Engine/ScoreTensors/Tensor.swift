/// An array of numbers with a shape: a value, contiguous, row-major, copied only when written while shared.
///
/// The first axis is the batch wherever a room speaks of samples: row `i` is sample `i`. Whoever makes one, a draw of
/// `RandomKey` too, has memory for its entries; what takes a number of samples and throws looks for it first.
public struct Tensor<Scalar: TensorScalar>: Sendable {
  /// The extents.
  public private(set) var shape: Shape
  private var storage: TensorStorage<Scalar>

  /// Creates a tensor whose entries `body` writes, every one of them.
  public init<E: Error>(
    _ shape: Shape, initializingWith body: (UnsafeMutableBufferPointer<Scalar>) throws(E) -> Void
  ) throws(E) {
    self.shape = shape
    storage = TensorStorage(uninitialized: shape.count)
    try body(storage.buffer)
  }

  /// Creates a tensor with the same value in every entry.
  public init(_ shape: Shape, repeating value: Scalar = 0) {
    self.init(shape) { $0.initialize(repeating: value) }
  }

  /// Creates a tensor from its entries in row-major order.
  public init(_ shape: Shape, _ scalars: [Scalar]) {
    precondition(
      shape.count == scalars.count,
      "shape \(shape) takes \(shape.count) entries, got \(scalars.count)")
    self.init(shape) { _ = $0.initialize(fromContentsOf: scalars) }
  }

  /// Creates a matrix from its rows, all of one length.
  public init(rows: [[Scalar]]) {
    let columns = rows.first?.count ?? 0
    precondition(rows.allSatisfy { $0.count == columns }, "the rows differ in length")
    self.init([rows.count, columns], Array(rows.joined()))
  }

  /// Creates a tensor from one of another scalar type, each entry rounded to nearest.
  public init<Other: TensorScalar>(_ other: Tensor<Other>) {
    if let same = other as? Tensor<Scalar> {
      self = same
      return
    }
    // Concrete loops: a generic conversion costs a call for every entry.
    if let single = other as? Tensor<Float>,
      let double = Tensor<Double>(single.shape, from: single, { Double($0) }) as? Tensor<Scalar>
    {
      self = double
    } else if let double = other as? Tensor<Double> {
      self.init(double.shape) { out in
        double.withUnsafeBuffer { source in
          guard let source = source.baseAddress, let target = out.baseAddress else { return }
          Scalar._round(out.count, source, target)
        }
      }
    } else {
      self.init(other.shape, from: other) { Scalar($0) }
    }
  }

  private init<Other: TensorScalar>(
    _ shape: Shape, from other: Tensor<Other>, _ convert: (Other) -> Scalar
  ) {
    self.init(shape) { target in
      other.withUnsafeBuffer { source in
        for i in 0..<source.count { target[i] = convert(source[i]) }
      }
    }
  }

  /// The number of entries.
  public var count: Int { shape.count }

  /// The entries in row-major order; a copy.
  public var scalars: [Scalar] { withUnsafeBuffer { Array($0) } }

  /// Calls `body` with the entries in row-major order.
  @inlinable
  public func withUnsafeBuffer<R, E: Error>(
    _ body: (UnsafeBufferPointer<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    try body(_readable)
  }

  /// Calls `body` with the entries for writing; copies them first where another tensor shares them.
  @inlinable
  public mutating func withUnsafeMutableBuffer<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    try body(_writable())
  }

  @usableFromInline var _readable: UnsafeBufferPointer<Scalar> {
    UnsafeBufferPointer(storage.buffer)
  }

  @usableFromInline mutating func _writable() -> UnsafeMutableBufferPointer<Scalar> {
    if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    return storage.buffer
  }

  /// The same entries under another shape of equal count.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "cannot reshape \(self.shape) to \(shape)")
    var result = self
    result.shape = shape
    return result
  }

  /// The entry at one index an axis.
  public subscript(indices: Int...) -> Scalar {
    get { withUnsafeBuffer { $0[offset(indices)] } }
    set {
      let offset = offset(indices)
      withUnsafeMutableBuffer { $0[offset] = newValue }
    }
  }

  private func offset(_ indices: [Int]) -> Int {
    precondition(
      indices.count == shape.rank
        && Swift.zip(indices, shape.extents).allSatisfy { 0 <= $0 && $0 < $1 },
      "index \(indices) is outside shape \(shape)")
    return Swift.zip(indices, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

extension Tensor: Equatable {
  /// Whether shapes and entries are equal, as floating-point numbers.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape
      && a.withUnsafeBuffer { x in b.withUnsafeBuffer { y in x.elementsEqual(y) } }
  }
}

extension Tensor: CustomStringConvertible {
  public var description: String {
    let shown = withUnsafeBuffer { $0.prefix(12).map { "\($0)" }.joined(separator: ", ") }
    return "Tensor\(shape)(\(shown)\(count > 12 ? ", …" : ""))"
  }
}

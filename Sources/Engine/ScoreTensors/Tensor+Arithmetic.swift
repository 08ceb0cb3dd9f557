extension Tensor {
  /// The entrywise combination `a·x + b·y + c·z` of tensors of one shape, in one pass.
  public static func combined(
    _ a: Scalar, _ x: Tensor, _ b: Scalar = 0, _ y: Tensor? = nil, _ c: Scalar = 0,
    _ z: Tensor? = nil
  ) -> Tensor {
    precondition(
      (y?.shape ?? x.shape) == x.shape && (z?.shape ?? x.shape) == x.shape,
      "shapes differ: \(x.shape), \(y?.shape ?? x.shape), \(z?.shape ?? x.shape)")
    return withExtendedLifetime((x, y, z)) {
      Tensor(x.shape) { out in
        Scalar._combine(
          .best, x.count, a, x.base, b, y?.base, c, z?.base, out.baseAddress)
      }
    }
  }

  /// The combination `aᵢ·xᵢ + bᵢ·yᵢ + cᵢ·zᵢ` with one factor a row `i`.
  public static func combinedRows(
    _ a: [Scalar], _ x: Tensor, _ b: [Scalar]? = nil, _ y: Tensor? = nil, _ c: [Scalar]? = nil,
    _ z: Tensor? = nil
  ) -> Tensor {
    precondition(
      (y?.shape ?? x.shape) == x.shape && (z?.shape ?? x.shape) == x.shape
        && [a.count, b?.count ?? x.rows, c?.count ?? x.rows].allSatisfy { $0 == x.rows }
        && (y == nil) == (b == nil) && (z == nil) == (c == nil),
      "factors or shapes do not fit \(x.shape)")
    return withExtendedLifetime((x, y, z)) {
      Tensor(x.shape) { out in
        Scalar._combineRows(
          .best, x.rows, x.shape.rowCount, a, x.base, b, y?.base, c, z?.base, out.baseAddress)
      }
    }
  }

  // Valid while the tensor lives: callers hold it with withExtendedLifetime.
  private var base: UnsafePointer<Scalar>? { withUnsafeBuffer { $0.baseAddress } }

  /// The entrywise sum.
  public static func + (x: Tensor, y: Tensor) -> Tensor { combined(1, x, 1, y) }
  /// The entrywise difference.
  public static func - (x: Tensor, y: Tensor) -> Tensor { combined(1, x, -1, y) }
  /// Every entry negated.
  public static prefix func - (x: Tensor) -> Tensor { combined(-1, x) }
  /// Every entry times a factor.
  public static func * (a: Scalar, x: Tensor) -> Tensor { combined(a, x) }
  /// Every entry times a factor.
  public static func * (x: Tensor, a: Scalar) -> Tensor { combined(a, x) }

  /// The entrywise product.
  public static func * (x: Tensor, y: Tensor) -> Tensor { x.zip(with: y) { $0 * $1 } }

  /// Every entry through a function.
  @inlinable
  public func map(_ function: (Scalar) -> Scalar) -> Tensor {
    Tensor(shape) { out in
      withUnsafeBuffer { x in
        for i in 0..<x.count { out[i] = function(x[i]) }
      }
    }
  }

  /// Entries of two tensors of one shape through a function.
  @inlinable
  public func zip(with other: Tensor, _ function: (Scalar, Scalar) -> Scalar) -> Tensor {
    precondition(shape == other.shape, "shapes differ: \(shape), \(other.shape)")
    return Tensor(shape) { out in
      withUnsafeBuffer { x in
        other.withUnsafeBuffer { y in
          for i in 0..<x.count { out[i] = function(x[i], y[i]) }
        }
      }
    }
  }

  /// The product of a matrix `[m, k]` with a matrix `[k, n]`, each entry one chain of multiply-adds over `k`.
  public func matmul(_ other: Tensor, transposeSelf: Bool = false, transposeOther: Bool = false)
    -> Tensor
  {
    precondition(
      shape.rank == 2 && other.shape.rank == 2, "matmul takes matrices: \(shape), \(other.shape)")
    let m = shape[transposeSelf ? 1 : 0]
    let k = shape[transposeSelf ? 0 : 1]
    let n = other.shape[transposeOther ? 0 : 1]
    precondition(
      k == other.shape[transposeOther ? 1 : 0], "inner extents differ: \(shape), \(other.shape)")
    return withExtendedLifetime((self, other)) {
      Tensor([m, n]) { out in
        let scratch = UnsafeMutableRawPointer.allocate(
          byteCount: max(64, Scalar._gemmScratch(m, n, k)), alignment: 64)
        defer { scratch.deallocate() }
        Scalar._gemm(
          .best, m, n, k, base, max(1, shape[1]), transposeSelf, other.base,
          max(1, other.shape[1]), transposeOther, out.baseAddress, max(1, n), scratch)
      }
    }
  }

  /// The dot product of each row with the same row of another tensor.
  public func rowDots(_ other: Tensor) -> [Scalar] {
    precondition(shape == other.shape, "shapes differ: \(shape), \(other.shape)")
    return [Scalar](unsafeUninitializedCapacity: rows) { out, count in
      withExtendedLifetime((self, other)) {
        Scalar._dotRows(.best, rows, shape.rowCount, base, other.base, out.baseAddress)
      }
      count = rows
    }
  }

  /// Whether every entry is finite.
  public var isFinite: Bool {
    withUnsafeBuffer { Scalar._allFinite(.best, count, $0.baseAddress) }
  }

  /// The mean of all entries, summed in Double.
  public var mean: Double {
    // With the type known, the loop compiles to straight arithmetic.
    Tensor<Double>(self).withUnsafeBuffer { $0.reduce(0, +) } / Double(count)
  }
}

import ScoreTensors

/// A sum of terms, each times a factor of its own along each axis, and an offset along each axis.
///
/// ```
/// z_k = b_k + Σⱼ c_jk y_jk
/// ```
struct PrincipalMap: Sendable, Equatable {
  /// b, one number an axis.
  private(set) var offset: [Double]
  /// c, for each term one number an axis.
  private(set) var factors: [[Double]]

  /// The map of least squares to a target, with each factor held to a start by a ridge.
  ///
  /// ```
  /// min Σᵢ (b_k + Σⱼ c_jk y_ijk − r_ik)² + ρ Σⱼ var(y_jk) (c_jk − s_j)²
  /// ```
  ///
  /// Terms and target are `[n, axes]`. Where factors are shared, they are the best ones for all axes together. O(n axes terms²).
  init(
    fitting terms: [Tensor<Double>], to target: Tensor<Double>, from start: [Double], ridge: Double,
    isShared: Bool
  ) {
    let width = target.shape.rowCount
    let count = terms.count
    let means = terms.map(Self.means)
    let rest = target.adding(terms, start.map { -$0 })
    let restMeans = Self.means(rest)
    // The products of deviations from the means, for each pair of terms one number an axis, the rest being the last term.
    let all = zip(terms + [rest], means + [restMeans]).map { $0 - Self.repeated($1, $0.rows) }
    var products: [[[Double]]] = []
    for i in 0...count {
      products.append((0...min(i, count - 1)).map { Self.sums(of: all[i], times: all[$0]) })
      if isShared {
        products[i] = products[i].map { [$0.reduce(0, +)] }
      }
    }
    factors = start.map { [Double](repeating: $0, count: width) }
    for axis in 0..<(isShared ? 1 : width) {
      var matrix = [Double](repeating: 0, count: count * count)
      for i in 0..<count {
        for j in 0...i { matrix[i * count + j] = products[i][j][axis] }
        matrix[i * count + i] *= 1 + ridge
      }
      // Along an axis where the pilot has no spread the start is as good as any.
      guard let cholesky = Cholesky(matrix, order: count) else { continue }
      let change = cholesky.solve((0..<count).map { products[count][$0][axis] })
      for j in 0..<count {
        for place in isShared ? 0..<width : axis..<axis + 1 { factors[j][place] += change[j] }
      }
    }
    offset = Self.means(target)
    for (mean, row) in zip(means, factors) {
      for axis in 0..<width { offset[axis] -= row[axis] * mean[axis] }
    }
  }

  /// The sums of terms `[n, axes]`.
  func callAsFunction(_ terms: [Tensor<Double>]) -> Tensor<Double> {
    let width = offset.count
    return Tensor(terms[0].shape) { out in
      for row in stride(from: 0, to: out.count, by: width) {
        for axis in 0..<width { out[row + axis] = offset[axis] }
      }
      for (term, factors) in zip(terms, factors) {
        term.withUnsafeBuffer { term in
          for row in stride(from: 0, to: out.count, by: width) {
            for axis in 0..<width { out[row + axis] += factors[axis] * term[row + axis] }
          }
        }
      }
    }
  }

  private static func means(_ x: Tensor<Double>) -> [Double] {
    let ones = Tensor<Double>([x.rows, 1], repeating: 1 / Double(x.rows))
    return ones.matmul(x, transposeSelf: true).scalars
  }

  private static func repeated(_ row: [Double], _ count: Int) -> Tensor<Double> {
    Tensor<Double>([count, 1], repeating: 1).matmul(Tensor([1, row.count], row))
  }

  /// Σᵢ x_ik y_ik.
  private static func sums(of x: Tensor<Double>, times y: Tensor<Double>) -> [Double] {
    let width = x.shape.rowCount
    var sums = [Double](repeating: 0, count: width)
    x.withUnsafeBuffer { x in
      y.withUnsafeBuffer { y in
        for row in stride(from: 0, to: x.count, by: width) {
          for axis in 0..<width { sums[axis] += x[row + axis] * y[row + axis] }
        }
      }
    }
    return sums
  }
}

/// The Cholesky factor of a small symmetric positive definite matrix, in Double.
///
/// ```
/// A = L Lᵀ,   L lower triangular with a positive diagonal
/// ```
package struct Cholesky: Sendable {
  /// The order n of the matrix.
  package let order: Int
  /// L, row-major `[n, n]`, zeros above the diagonal.
  package let lower: [Double]

  /// Factors a row-major matrix `[order, order]`, of which the lower triangle is read; nil unless it is positive
  /// definite to rounding.
  package init?(_ matrix: [Double], order n: Int) {
    precondition(matrix.count == n * n, "\(matrix.count) entries for a matrix of order \(n)")
    var lower = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0...i {
        var sum = matrix[i * n + j]
        for k in 0..<j { sum -= lower[i * n + k] * lower[j * n + k] }
        if i == j {
          // A pivot below its rounding error says nothing about the sign of the exact one.
          guard sum > matrix[i * n + i] * Double(n) * .ulpOfOne, sum.isFinite else { return nil }
          lower[i * n + i] = sum.squareRoot()
        } else {
          lower[i * n + j] = sum / lower[j * n + j]
        }
      }
    }
    order = n
    self.lower = lower
  }

  /// A⁻¹ b.
  package func solve(_ b: [Double]) -> [Double] {
    precondition(b.count == order, "\(b.count) entries for a matrix of order \(order)")
    let n = order
    var x = b
    for i in 0..<n {
      for k in 0..<i { x[i] -= lower[i * n + k] * x[k] }
      x[i] /= lower[i * n + i]
    }
    for i in (0..<n).reversed() {
      for k in 0..<n where k > i { x[i] -= lower[k * n + i] * x[k] }
      x[i] /= lower[i * n + i]
    }
    return x
  }
}

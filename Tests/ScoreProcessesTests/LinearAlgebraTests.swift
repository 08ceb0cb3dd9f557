import Foundation
import ScoreTensors
import Testing

/// The small dense solvers that oracles and metrics lean on.
@Suite struct LinearAlgebraTests {
  static func random(_ n: Int, _ seed: UInt64) -> [Double] {
    RandomKey(seed).normal([n, n], of: Double.self).scalars
  }

  /// B Bᵀ + shift · I.
  static func positive(_ n: Int, _ seed: UInt64, shift: Double = 0.1) -> [Double] {
    let b = Tensor<Double>([n, n], random(n, seed))
    var a = b.matmul(b, transposeOther: true).scalars
    for i in 0..<n { a[i * n + i] += shift }
    return a
  }

  @Test(arguments: [1, 2, 3, 8, 33, 64]) func eigenvectorsRestoreTheMatrix(_ n: Int) {
    let b = Self.random(n, 5)
    let matrix = (0..<n * n).map { b[$0] + b[$0 % n * n + $0 / n] }
    let eigen = SymmetricEigen(matrix, order: n)
    let scale = eigen.values.map(abs).max() ?? 1
    #expect(eigen.values == eigen.values.sorted())
    #expect(zip(eigen.mapped { 2 * $0 }, matrix).allSatisfy { abs($0 - 2 * $1) < 1e-12 * scale })
    for i in 0..<n {
      for j in 0..<n {
        var (restored, dot) = (0.0, 0.0)
        for k in 0..<n {
          restored +=
            eigen.vectors[k * n + i] * eigen.values[k] * eigen.vectors[k * n + j]
          dot += eigen.vectors[i * n + k] * eigen.vectors[j * n + k]
        }
        #expect(abs(restored - matrix[i * n + j]) < 1e-13 * scale)
        #expect(abs(dot - (i == j ? 1 : 0)) < 1e-13)
      }
    }
  }

  @Test func largeEntriesDoNotOverflow() {
    let eigen = SymmetricEigen([2e155, 1e155, 1e155, 2e155], order: 2)
    #expect(abs(eigen.values[0] / 1e155 - 1) < 1e-14 && abs(eigen.values[1] / 3e155 - 1) < 1e-14)
  }

  /// The second-difference matrix of order n has the eigenvalues 2 − 2 cos(kπ/(n + 1)).
  @Test func knownEigenvalues() {
    let n = 12
    let matrix = (0..<n * n).map {
      let (i, j) = ($0 / n, $0 % n)
      return i == j ? 2.0 : abs(i - j) == 1 ? -1 : 0
    }
    let values = SymmetricEigen(matrix, order: n).values
    for k in 1...n {
      #expect(abs(values[k - 1] - (2 - 2 * cos(Double(k) * .pi / Double(n + 1)))) < 1e-14)
    }
  }

  /// A graded matrix keeps its smallest eigenvalue to full relative accuracy.
  @Test func smallEigenvaluesKeepTheirDigits() {
    let small = SymmetricEigen([1, 1e-8, 1e-8, 1e-14], order: 2).values[0]
    // λ = det / λ₁ with det = 1e-14 − 1e-16 and λ₁ = 1 + 1e-16 + …
    #expect(abs(small / 0.99e-14 - 1) < 1e-14)
  }

  @Test func degenerateMatrices() {
    #expect(SymmetricEigen([], order: 0).values.isEmpty)
    #expect(SymmetricEigen([0, 0, 0, 0], order: 2).values == [0, 0])
    #expect(SymmetricEigen([0, 1, 1, 0], order: 2).values == [-1, 1])
    // The symmetric part counts.
    #expect(SymmetricEigen([0, 2, 0, 0], order: 2).values == [-1, 1])
  }

  @Test(arguments: [1, 2, 5, 40]) func choleskySolves(_ n: Int) throws {
    let a = Self.positive(n, 7)
    let factor = try #require(Cholesky(a, order: n))
    let b = Array(Self.random(n, 8).prefix(n))
    let x = factor.solve(b)
    for i in 0..<n {
      let product = (0..<n).reduce(0.0) { $0 + a[i * n + $1] * x[$1] }
      #expect(abs(product - b[i]) < 1e-10)
      for j in 0..<n {
        let product = (0..<n).reduce(0.0) {
          $0 + factor.lower[i * n + $1] * factor.lower[j * n + $1]
        }
        #expect(abs(product - a[i * n + j]) < 1e-12 * Double(n))
      }
    }
  }

  @Test func choleskyRefusesWhatIsNotPositiveDefinite() {
    #expect(Cholesky([1, 2, 2, 1], order: 2) == nil)
    #expect(Cholesky([1, 1, 1, 1], order: 2) == nil)
    #expect(Cholesky([0], order: 1) == nil)
    #expect(Cholesky([.nan], order: 1) == nil)
  }
}

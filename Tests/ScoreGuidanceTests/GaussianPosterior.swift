import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreTensors

/// The exact posterior N(m′, C′) of Gaussian data N(m, C) given y = A x + n, by Cholesky factors.
struct GaussianPosterior {
  var mean: [Double]
  var covariance: [[Double]]
  /// log p(y).
  var evidence: Double

  init?(
    mean: [Double], covariance: [[Double]], observation: LinearObservation, observed: [Double],
    noise: [Double]
  ) throws {
    let (width, count) = (mean.count, observed.count)
    let rows = try Self.rows(of: observation)
    // C Aᵀ, one row an entry of x.
    let cross = covariance.map { c in rows.map { a in zip(a, c).reduce(0) { $0 + $1.0 * $1.1 } } }
    var system = [Double](repeating: 0, count: count * count)
    for i in 0..<count {
      for j in 0..<count {
        system[i * count + j] =
          (0..<width).reduce(i == j ? noise[i] * noise[i] : 0) { $0 + rows[i][$1] * cross[$1][j] }
      }
    }
    guard let factor = Cholesky(system, order: count) else { return nil }
    let residual = (0..<count).map { i in
      observed[i] - zip(rows[i], mean).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let solved = factor.solve(residual)
    self.mean = (0..<width).map { j in
      mean[j] + zip(cross[j], solved).reduce(0) { $0 + $1.0 * $1.1 }
    }
    self.covariance = (0..<width).map { j in
      let column = factor.solve(cross[j])
      return (0..<width).map { k in
        covariance[j][k] - zip(cross[k], column).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
    let pivots = (0..<count).map { factor.lower[$0 * count + $0] }
    evidence =
      -0.5 * zip(residual, solved).reduce(0) { $0 + $1.0 * $1.1 }
      - pivots.reduce(0) { $0 + log($1) } - 0.5 * Double(count) * log(2 * .pi)
  }

  /// σ (α² C′ + σ² I)⁻¹ (x − α m′), which stands where C′ has no inverse too.
  func noise(_ x: [Double], _ kernel: Marginal) -> [Double]? {
    let (alpha, sigma, width) = (kernel.alpha, kernel.sigma, x.count)
    let system = (0..<width * width).map { place in
      let (i, j) = (place / width, place % width)
      return alpha * alpha * covariance[i][j] + (i == j ? sigma * sigma : 0)
    }
    return Cholesky(system, order: width)?.solve((0..<width).map { x[$0] - alpha * mean[$0] })
      .map { sigma * $0 }
  }

  /// A as a matrix: the adjoint of unit vectors.
  static func rows(of observation: LinearObservation) throws -> [[Double]] {
    let count = observation.shape.count
    let units = Tensor(rows: (0..<count).map { i in (0..<count).map { $0 == i ? 1.0 : 0 } })
    let rows = try observation.adjoint(
      units.reshaped(Shape([count] + observation.shape.extents)))
    return (0..<count).map { rows.row($0) }
  }
}

/// A random covariance with eigenvalues from 0.1 on: Z Zᵀ/d + 0.1 I.
func randomCovariance(_ width: Int, _ key: RandomKey) -> [[Double]] {
  let z: Tensor<Double> = key.normal([width, width])
  let square = z.matmul(z, transposeOther: true)
  return (0..<width).map { i in
    (0..<width).map { square[i, $0] / Double(width) + (i == $0 ? 0.1 : 0) }
  }
}

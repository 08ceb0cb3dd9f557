import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// A value that was extrapolated, and how far it moved in doing so.
struct Extrapolated {
  var value: Double
  var uncertainty: Double
}

extension FlowLikelihood {
  /// log p_ε(x) − log p_0(x) from the Fokker–Planck equation at ε and at the time of twice its σ²/α².
  func truncation(
    at x: Tensor<Scalar>, key: RandomKey, first: Int
  ) throws -> [Extrapolated] {
    let process = field.process
    let near = process.marginal(at: epsilon)
    let later = min(
      process.time(halfLogSNR: near.halfLogSNR - 0.5 * log(2)),
      0.5 * (epsilon + process.endTime))
    let far = process.marginal(at: later)
    let slopes = try batches(x, nil) { batch, start, _ in
      let number = first + start
      let field = field.rows(start..<start + batch.rows)
      let a = try densitySlopes(field, batch, epsilon, near, key.folded("near"), number)
      let b = try densitySlopes(field, batch, later, far, key.folded("far"), number)
      return Array(zip(a, b))
    }
    let (variance, farVariance) = (near.sigma * near.sigma, far.sigma * far.sigma)
    return slopes.joined().map { near1, far1 in
      var (value, moved) = (0.0, 0.0)
      // The integral from 0 of a line through two points: the value at the nearer one less half of what it changes by.
      for (slope, next, from, to) in [
        (near1.alpha, far1.alpha, near.logAlpha, far.logAlpha),
        (near1.variance, far1.variance, variance, farVariance),
      ] where from != 0 {
        let ratio = to == from ? 0 : from / (to - from)
        let correction = -0.5 * ratio * (next - slope)
        value += from * (slope + correction)
        moved += abs(from * correction)
      }
      return Extrapolated(value: value, uncertainty: moved)
    }
  }

  // ∂log p/∂log α and ∂log p/∂σ² at fixed x.
  private func densitySlopes(
    _ field: any DifferentiableScoreField<Scalar>, _ x: Tensor<Scalar>, _ t: Double,
    _ kernel: Marginal, _ key: RandomKey, _ first: Int
  ) throws -> [(alpha: Double, variance: Double)] {
    let estimator = TraceEstimator(
      field, divergence, rows: x.rows, key: key, samples: .consecutive(first: first))
    let (noise, columns) = try estimator(x, at: .shared(t))
    let squares = noise.doubleRowDots(noise)
    let alongs = noise.doubleRowDots(x)
    let (sigma, dimensions) = (kernel.sigma, Double(x.shape.rowCount))
    return (0..<x.rows).map { row in
      let trace = columns.reduce(0) { $0 + $1[row] } / Double(columns.count)
      // σ² q from ε̂ = −σ s.
      let curvature = squares[row] - sigma * trace
      return (
        alongs[row] / sigma - dimensions - curvature, 0.5 * curvature / (sigma * sigma)
      )
    }
  }
}

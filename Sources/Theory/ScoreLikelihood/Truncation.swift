import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// A value that was extrapolated, and how far it moved in doing so.
struct Extrapolated {
  var value: Double
  var uncertainty: Double
}

/// How far estimates of truncation go with what solves make of it.
package struct HeldTruncation {
  /// A sample of which both are known.
  package struct Pilot {
    /// By solves.
    package var found: Double
    package var estimate: Double
    /// What the two may differ by.
    package var error: Double

    package init(found: Double, estimate: Double, error: Double) {
      (self.found, self.estimate, self.error) = (found, estimate, error)
    }
  }

  /// What estimates are taken times.
  package private(set) var share = 1.0
  /// What is left then, root mean square; 0 where they go together.
  package private(set) var rest = 0.0

  package init(_ pilots: [Pilot]) {
    func size(_ value: (Pilot) -> Double) -> Double {
      (pilots.reduce(0) { $0 + value($1) * value($1) } / Double(max(1, pilots.count))).squareRoot()
    }
    guard size({ $0.found - $0.estimate }) > size(\.error) else { return }
    let square = pilots.reduce(0) { $0 + $1.estimate * $1.estimate }
    let product = pilots.reduce(0) { $0 + $1.estimate * $1.found }
    let share = square > 0 ? min(1, max(0, product / square)) : 1
    self.share = share
    rest = size { $0.found - share * $0.estimate }
  }

  func applied(to truncation: [Extrapolated]) -> [Extrapolated] {
    truncation.map {
      Extrapolated(value: share * $0.value, uncertainty: share * $0.uncertainty + rest)
    }
  }
}

extension FlowLikelihood {
  /// What is known of truncation by the equation, held to what solves of pilots from a hundredth of σ/α make of it.
  ///
  /// The equation holds for the score of the flow's own densities. That of a network is another, and the squares of its errors of
  /// ε̂ at ε come out as truncation, of which the flow has none: by a network on a mixture in the plane 0.008 nats where solves
  /// from nearer 0 move by 0.00002. So where pilots differ by more than the estimates' and the solves' own errors,
  /// the estimates are taken times the share c that goes best with the pilots, and what that leaves counts as their error.
  ///
  /// - Parameter truncation: of x, one a row.
  func held(
    _ truncation: [Extrapolated], to pilots: Pilots, _ x: Tensor<Scalar>, _ key: RandomKey,
    _ first: Int, _ progress: ((SamplingProgress) -> Bool)?
  ) throws -> [Extrapolated] {
    let process = field.process
    let earlier = process.time(halfLogSNR: process.marginal(at: epsilon).halfLogSNR + log(100))
    guard earlier > 0, earlier < epsilon, !pilots.rows.isEmpty else { return truncation }
    let found = try FlowLikelihood(
      field.rows(pilots.rows), divergence: divergence, method: pilots.method, epsilon: earlier,
      batchSize: batchSize
    ).logDensity(
      of: x.rows(pilots.rows), key: key, samples: .explicit(pilots.rows.map { first + $0 }),
      progress: progress
    ).logDensity
    let known = pilots.rows.indices.compactMap { place -> HeldTruncation.Pilot? in
      let own = truncation[pilots.rows[place]]
      let pilot = HeldTruncation.Pilot(
        found: pilots.logDensity[place] - found[place], estimate: own.value,
        // A hundredth of σ/α leaves a hundredth of it at most, and solves are off by what they move.
        error: own.uncertainty + 0.02 * abs(own.value) + 3 * pilots.moves[place])
      return pilot.found.isFinite && pilot.estimate.isFinite && pilot.error.isFinite ? pilot : nil
    }
    return HeldTruncation(known).applied(to: truncation)
  }

  /// log p_ε(x) − log p_0(x) from the Fokker–Planck equation at ε and at the time of twice its σ²/α².
  func truncation(
    at x: Tensor<Scalar>, key: RandomKey, samples: SampleIndices
  ) throws -> [Extrapolated] {
    let process = field.process
    let near = process.marginal(at: epsilon)
    let later = min(
      process.time(halfLogSNR: near.halfLogSNR - 0.5 * log(2)),
      0.5 * (epsilon + process.endTime))
    let far = process.marginal(at: later)
    let slopes = try batches(x, nil) { batch, start, _ in
      let rows = start..<start + batch.rows
      let (field, numbers) = (field.rows(rows), samples.rows(Array(rows)))
      let a = try densitySlopes(field, batch, epsilon, near, key.folded("near"), numbers)
      let b = try densitySlopes(field, batch, later, far, key.folded("far"), numbers)
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
    _ kernel: Marginal, _ key: RandomKey, _ samples: SampleIndices
  ) throws -> [(alpha: Double, variance: Double)] {
    let estimator = TraceEstimator(
      field, divergence, rows: x.rows, key: key, samples: samples)
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

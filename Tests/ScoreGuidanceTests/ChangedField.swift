import Foundation
import ScoreProcesses
import ScoreTensors

/// A Gaussian's field, changed: `added` is added to ε̂ of x, and `change` gives what becomes of the pullback of v at x and σ.
struct ChangedField: DifferentiableScoreField {
  let base: GaussianOracle<Double>
  var added: @Sendable (Tensor<Double>) -> Tensor<Double> = { 0 * $0 }
  let change:
    @Sendable (
      _ pullback: Tensor<Double>, _ v: Tensor<Double>, _ x: Tensor<Double>, _ sigma: Double
    )
      -> Tensor<Double>
  var process: any LinearProcess { base.process }
  var sampleShape: Shape { base.sampleShape }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    try base.noise(x, at: t) + added(x)
  }

  func noiseAndPullback(
    _ x: Tensor<Double>, at t: Times, cotangent v: Tensor<Double>
  ) throws -> (noise: Tensor<Double>, pullback: Tensor<Double>) {
    let pullback = try base.noiseAndPullback(x, at: t, cotangent: v).pullback
    return (try noise(x, at: t), change(pullback, v, x, process.marginal(at: t[0]).sigma))
  }

  /// Pullbacks are no numbers.
  static func torn(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(base: base) { _, v, _, _ in v.map { _ in .nan } }
  }

  /// Derivatives are those of the base and a rotation of neighbours.
  static func skew(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(base: base) { pullback, v, _, _ in
      let (entries, width) = (v.scalars, v.shape.rowCount)
      let rotated = entries.indices.map { place in
        let row = place - place % width
        return entries[row + (place + 1) % width] - entries[row + (place + width - 1) % width]
      }
      return pullback + 0.2 * Tensor(v.shape, rotated)
    }
  }

  /// Ripples in space, whose derivatives are off by what a network's are.
  static func wavy(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(
      base: base, added: { $0.map { 0.0025 * sin(20 * $0) } },
      change: { pullback, v, x, _ in pullback + v * x.map { 0.05 * cos(20 * $0) } })
  }

  /// Derivatives say that x₀ is lower where x is higher.
  static func rigid(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(base: base) { _, v, _, sigma in (1.2 / sigma) * v }
  }
}

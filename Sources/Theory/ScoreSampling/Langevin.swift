import ScoreProcesses
import ScoreTensors

/// The Langevin corrector with a signal-to-noise ratio for a step size (Song et al. 2021, Algorithms 4 and 5).
///
/// ```
/// x ← x + η s + √(2η) z,   s = ∇log p_t(x) = −ε̂/σ,   η = 2 a r² (‖z‖² + ν)/(‖s‖² + ν/σ²)
/// ```
///
/// a is the squared factor (α_t/α_s)² of the step's transition: 1 − β_i for VP, 1 for VE. Norms are each sample's own,
/// so no sample depends on its neighbours; with ν = 0 this is the published η = 2 a (r ‖z‖/‖s‖)². That step follows the
/// place of the sample, which multiplies the variance by about (D + 2)/(D − 2) and has no bound near a mode, where s
/// vanishes. So the squares are blended with those expected of ν more dimensions, and the bias is about 4/(D + ν) in any
/// dimension D.
public struct Langevin: Corrector {
  /// The signal-to-noise ratio r.
  public let snr: Double
  /// How many times the correction is made at each time.
  public let steps: Int
  /// The dimensions ν with which the norms are blended; 0 gives the published step.
  public let shrinkage: Double

  /// Creates the corrector.
  /// - Throws: `SamplingError` unless r > 0, steps is 1 to 10,000 and ν ≥ 0.
  public init(snr: Double = 0.16, steps: Int = 1, shrinkage: Double = 64) throws(SamplingError) {
    try Self.check(snr: snr, steps: steps)
    guard shrinkage >= 0, shrinkage.isFinite else {
      throw SamplingError("the corrector has shrinkage \(shrinkage); expected 0 or more")
    }
    self.snr = snr
    self.steps = steps
    self.shrinkage = shrinkage
  }

  static func check(snr: Double, steps: Int) throws(SamplingError) {
    guard snr > 0, snr.isFinite else {
      throw SamplingError("the corrector has snr \(snr); expected a positive number")
    }
    guard (1...10_000).contains(steps) else {
      throw SamplingError("the corrector has corrector-steps \(steps); expected 1 to 10000")
    }
  }

  public var parameters: [Spec.Parameter] {
    [
      Spec.Parameter(key: "corrector", value: "langevin"),
      Spec.Parameter(key: "snr", value: Spec.text(snr)),
      Spec.Parameter(key: "corrector-steps", value: "\(steps)"),
    ]
      + (shrinkage == 64
        ? [] : [Spec.Parameter(key: "shrinkage", value: Spec.text(shrinkage))])
  }
  public var evaluationsPerStep: Int { steps }

  public func correct<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let sigma = context.process.marginal(at: step.time).sigma
    let length = step.transition(of: context.process).scale * snr * sigma
    let ones = [Scalar](repeating: 1, count: x.rows)
    var x = x
    for _ in 0..<steps {
      let noise = try context.predictedNoise(x, at: step.time)
      let z = context.normal(like: x, in: step)
      let (noiseSquares, zSquares) = (noise.doubleRowDots(noise), z.doubleRowDots(z))
      // The norms of ε̂ stand for σ ‖s‖, so that nothing is divided by a small σ before it must be.
      let sizes = zip(noiseSquares, zSquares).map { noiseSquare, zSquare in
        2 * length * length * (zSquare + shrinkage) / (noiseSquare + shrinkage)
      }
      x = .combinedRows(
        ones, x, [Scalar](rounding: sizes.map { -$0 / sigma }), noise,
        [Scalar](rounding: sizes.map { (2 * $0).squareRoot() }), z)
    }
    return x
  }
}

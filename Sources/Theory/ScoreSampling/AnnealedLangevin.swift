import ScoreProcesses
import ScoreTensors

/// Annealed Langevin dynamics as a corrector: the step size follows σ alone (Song & Ermon 2019, Algorithm 1).
///
/// ```
/// x ← x + η s + √(2η) z,   s = −ε̂/σ,   η = 2 a (r σ)²
/// ```
///
/// a is the squared factor (α_t/α_s)² of the step's transition. Linear in x where the score is.
public struct AnnealedLangevin: Corrector {
  /// The signal-to-noise ratio r.
  public let snr: Double
  /// How many times the correction is made at each time.
  public let steps: Int

  /// Creates the corrector.
  /// - Throws: `SamplingError` unless r > 0 and steps is 1 to 10,000.
  public init(snr: Double = 0.16, steps: Int = 1) throws(SamplingError) {
    try Langevin.check(snr: snr, steps: steps)
    self.snr = snr
    self.steps = steps
  }

  public var parameters: [Spec.Parameter] {
    [
      Spec.Parameter(key: "corrector", value: "ald"),
      Spec.Parameter(key: "snr", value: Spec.text(snr)),
      Spec.Parameter(key: "corrector-steps", value: "\(steps)"),
    ]
  }
  public var evaluationsPerStep: Int { steps }

  public func correct<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let sigma = context.process.marginal(at: step.time).sigma
    let length = step.transition(of: context.process).scale * snr * sigma
    let size = 2 * length * length
    var x = x
    for _ in 0..<steps {
      let noise = try context.predictedNoise(x, at: step.time)
      let z = context.normal(like: x, in: step)
      x = .combined(
        1, x, Scalar(-size / sigma), noise, Scalar((2 * size).squareRoot()), z)
    }
    return x
  }
}

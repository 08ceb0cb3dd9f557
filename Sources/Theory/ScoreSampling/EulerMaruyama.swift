import ScoreProcesses
import ScoreTensors

/// Euler–Maruyama on the reverse SDE, or on another process back in time with the same marginals.
///
/// ```
/// x_s = x − h (f x − ½ (1 + λ²) g² ∇log p) + λ g √h z,   h = t − s,   g² ∇log p = −2 (g²/2σ) ε̂
/// ```
///
/// The stochasticity λ is 1 for the reverse SDE, 0 for the probability-flow ODE and anything in between or above; see
/// `reverseRates(at:stochasticity:)`. Weak order 1, and strong order 1 as the
/// noise is additive; one evaluation a step.
public struct EulerMaruyama: StepSolver {
  /// The stochasticity λ.
  public let stochasticity: Double

  /// Creates the solver of the reverse SDE.
  public init() { stochasticity = 1 }

  /// Creates the solver of the reverse process of stochasticity λ.
  /// - Throws: `SamplingError` unless λ ≥ 0, finite.
  public init(stochasticity: Double) throws(SamplingError) {
    try SamplingError.check(stochasticity: stochasticity)
    self.stochasticity = stochasticity
  }

  public var spec: Spec { Spec(solver: "euler-maruyama", stochasticity: stochasticity) }
  public var order: Int { 1 }
  public var strongOrder: Double? { usesNoise ? 1 : nil }
  public var usesNoise: Bool { stochasticity > 0 }
  public var evaluationsPerStep: Int { 1 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let rates = context.process.reverseRates(at: step.time, stochasticity: stochasticity)
    let h = step.length
    let noise = try context.predictedNoise(x, at: step.time)
    let a = Scalar(1 - h * rates.drift)
    let b = Scalar(-h * rates.noiseGain)
    if step.isNoiseless || !usesNoise { return .combined(a, x, b, noise) }
    let c = Scalar(h.squareRoot() * rates.diffusion)
    return .combined(a, x, b, noise, c, context.normal(like: x, in: step))
  }
}

import ScoreProcesses
import ScoreTensors

/// Heun's method on the reverse SDE, whose noise is additive.
///
/// ```
/// x̃ = x + h F(x, t) + g_t √h z,   x_s = x + ½h (F(x, t) + F(x̃, s)) + ½ (g_t + g_s) √h z
/// F(x, t) = −f x − (1 + λ²) (g²/2σ) ε̂(x, t),   g_t = λ g(t),   h = t − s
/// ```
///
/// λ is the stochasticity, 1 for the reverse SDE. Strong order 1, weak order 2 (Kloeden & Platen 1992, 14.5 and 15.1); two
/// evaluations a step, but one in a step that ends where σ = 0: there ε̂ has no meaning and x̃ is taken. A step without noise
/// is Heun's on the drift.
public struct StochasticHeun: StepSolver {
  /// The stochasticity λ.
  public let stochasticity: Double

  /// Creates the solver of the reverse process of stochasticity λ, 1 for the reverse SDE.
  /// - Throws: `SamplingError` unless λ ≥ 0, finite.
  public init(stochasticity: Double = 1) throws(SamplingError) {
    try SamplingError.check(stochasticity: stochasticity)
    self.stochasticity = stochasticity
  }

  public var spec: Spec { Spec(solver: "stochastic-heun", stochasticity: stochasticity) }
  public var order: Int { 2 }
  public var strongOrder: Double? { usesNoise ? 1 : nil }
  public var usesNoise: Bool { stochasticity > 0 }
  public var evaluationsPerStep: Int { 2 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let h = step.length
    let here = context.process.reverseRates(at: step.time, stochasticity: stochasticity)
    let first = try context.predictedNoise(x, at: step.time)
    let noise = step.isNoiseless || !usesNoise ? nil : context.normal(like: x, in: step)
    let g = h.squareRoot() * here.diffusion
    let tried = Tensor.combined(
      Scalar(1 - h * here.drift), x, Scalar(-h * here.noiseGain), first, Scalar(g), noise)
    if context.process.marginal(at: step.next).sigma == 0 { return tried }
    let there = context.process.reverseRates(at: step.next, stochasticity: stochasticity)
    let second = try context.predictedNoise(tried, at: step.next)
    let mean = x.adding(
      [tried, first, second],
      [-0.5 * h * there.drift, -0.5 * h * here.noiseGain, -0.5 * h * there.noiseGain],
      scale: 1 - 0.5 * h * here.drift)
    guard let noise else { return mean }
    return .combined(1, mean, Scalar(0.5 * (g + h.squareRoot() * there.diffusion)), noise)
  }
}

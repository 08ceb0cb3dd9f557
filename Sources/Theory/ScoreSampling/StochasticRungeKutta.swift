import ScoreProcesses
import ScoreTensors

/// The method SRA1 for additive noise, of strong order 1.5, on the reverse SDE (Rößler 2010, Table 6.3).
///
/// ```
/// H   = x + ¾h F(x, t) + 3/2 g_s I/h
/// x_s = x + h (⅓ F(x, t) + ⅔ F(H, t − ¾h)) + g_s (W − I/h) + g_t I/h
/// F(x, t) = −f x − (1 + λ²) (g²/2σ) ε̂(x, t),   g_t = λ g(t),   W = √h z,   I = ½h (W + √(h/3) z′)
/// ```
///
/// λ is the stochasticity, 1 for the reverse SDE; W is the change of the Brownian motion over the step, I its integral. Strong order 1.5, weak order 2; two evaluations
/// and two draws a step.
public struct StochasticRungeKutta: StepSolver {
  /// The stochasticity λ.
  public let stochasticity: Double

  /// Creates the solver of the reverse process of stochasticity λ, 1 for the reverse SDE.
  /// - Throws: `SamplingError` unless λ ≥ 0, finite.
  public init(stochasticity: Double = 1) throws(SamplingError) {
    try SamplingError.check(stochasticity: stochasticity)
    self.stochasticity = stochasticity
  }

  public var spec: Spec { Spec(solver: "sra1", stochasticity: stochasticity) }
  public var order: Int { 2 }
  public var strongOrder: Double? { usesNoise ? 1.5 : nil }
  public var usesNoise: Bool { stochasticity > 0 }
  public var evaluationsPerStep: Int { 2 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let process = context.process
    let h = step.length
    let middle = step.time - 0.75 * h
    let here = process.reverseRates(at: step.time, stochasticity: stochasticity)
    let inside = process.reverseRates(at: middle, stochasticity: stochasticity)
    let first = try context.predictedNoise(x, at: step.time)
    var stage = Tensor.combined(
      Scalar(1 - 0.75 * h * here.drift), x, Scalar(-0.75 * h * here.noiseGain), first)
    var added: Tensor<Scalar>?
    if !step.isNoiseless, usesNoise {
      let (z, other) = (context.normal(like: x, in: step), context.normal(like: x, in: step))
      let root = h.squareRoot()
      let share = 0.5 * root / 3.0.squareRoot()
      let g = here.diffusion
      let gNext = process.reverseRates(at: step.next, stochasticity: stochasticity).diffusion
      // I/h = ½ √h z + share z′.
      stage = .combined(
        1, stage, Scalar(0.75 * gNext * root), z, Scalar(1.5 * gNext * share), other)
      added = .combined(Scalar(0.5 * root * (g + gNext)), z, Scalar(share * (g - gNext)), other)
    }
    let second = try context.predictedNoise(stage, at: middle)
    let mean = x.adding(
      [stage, first, second],
      [-2 * h / 3 * inside.drift, -h / 3 * here.noiseGain, -2 * h / 3 * inside.noiseGain],
      scale: 1 - h / 3 * here.drift)
    return added.map { .combined(1, mean, 1, $0) } ?? mean
  }
}

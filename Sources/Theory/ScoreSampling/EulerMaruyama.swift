import ScoreProcesses
import ScoreTensors

/// Euler–Maruyama on the reverse SDE.
///
/// ```
/// x_s = x − h (f x − g² ∇log p) + g √h z,   h = t − s,   g² ∇log p = −2 (g²/2σ) ε̂
/// ```
///
/// Weak order 1; one evaluation a step.
public struct EulerMaruyama: StepSolver {
  public init() {}

  public var spec: Spec { Spec(kind: "solver", name: "euler-maruyama") }
  public var order: Int { 1 }
  public var usesNoise: Bool { true }
  public var evaluationsPerStep: Int { 1 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let rates = context.process.rates(at: step.time)
    let h = step.length
    let noise = try context.predictedNoise(x, at: step.time)
    let a = Scalar(1 - h * rates.drift)
    let b = Scalar(-2 * h * rates.noiseGain)
    if step.isNoiseless { return .combined(a, x, b, noise) }
    let c = Scalar((h * rates.squaredDiffusion).squareRoot())
    return .combined(a, x, b, noise, c, context.normal(like: x, in: step))
  }
}

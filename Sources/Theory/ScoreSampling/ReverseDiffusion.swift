import ScoreProcesses
import ScoreTensors

/// Reverse diffusion: the reverse of the process's own discrete step (Song et al. 2021, eq. 46).
///
/// ```
/// x_s = (2 − a) x + v ∇log p_t(x) + √v z
/// ```
///
/// with the factor a and the variance v of the exact step from s to t, so it serves every linear process. Weak order 1;
/// one evaluation a step.
public struct ReverseDiffusion: StepSolver {
  public init() {}

  public var spec: Spec { Spec(kind: "solver", name: "reverse-diffusion") }
  public var order: Int { 1 }
  public var usesNoise: Bool { true }
  public var evaluationsPerStep: Int { 1 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let transition = step.transition(of: context.process)
    let sigma = context.process.marginal(at: step.time).sigma
    let noise = try context.predictedNoise(x, at: step.time)
    let a = Scalar(2 - transition.scale)
    let b = Scalar(-transition.variance / sigma)
    if step.isNoiseless { return .combined(a, x, b, noise) }
    let c = Scalar(transition.variance.squareRoot())
    return .combined(a, x, b, noise, c, context.normal(like: x, in: step))
  }
}

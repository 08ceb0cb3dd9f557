import ScoreProcesses
import ScoreTensors

/// Ancestral sampling: draws x_s from its Gaussian given x_t and the denoised data (Ho et al. 2020, Algorithm 2).
///
/// ```
/// x_s = (x + v ∇log p_t(x))/a + √w z
/// ```
///
/// with the factor a and the variance v of the exact step from s to t, so it serves every linear process. Weak order 1;
/// one evaluation a step.
public struct Ancestral: StepSolver {
  /// Which variance w the noise has.
  public enum Variance: String, Sendable, CaseIterable {
    /// v σ_s²/σ_t², that of x_s where x_t and x_0 are known: exact for data in one point.
    case posterior
    /// v, that of the forward step: exact for DDPM on data of unit variance, and the reference code's choice for VP.
    case forward
  }

  /// Which variance the noise has.
  public var variance: Variance

  public init(variance: Variance = .posterior) { self.variance = variance }

  public var spec: Spec {
    variance == .posterior
      ? Spec(kind: "solver", name: "ancestral")
      : Spec(kind: "solver", name: "ancestral", parameters: ["variance": variance.rawValue])
  }
  public var order: Int { 1 }
  public var usesNoise: Bool { true }
  public var evaluationsPerStep: Int { 1 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let transition = step.transition(of: context.process)
    let sigma = context.process.marginal(at: step.time).sigma
    let noise = try context.predictedNoise(x, at: step.time)
    let a = Scalar(1 / transition.scale)
    let b = Scalar(-transition.variance / (sigma * transition.scale))
    if step.isNoiseless { return .combined(a, x, b, noise) }
    let w = variance == .posterior ? transition.posteriorVariance : transition.variance
    return .combined(a, x, b, noise, Scalar(w.squareRoot()), context.normal(like: x, in: step))
  }
}

import Foundation
import ScoreProcesses
import ScoreTensors

/// Denoising diffusion implicit steps (Song, Meng & Ermon 2021, eq. 12), for every linear process.
///
/// ```
/// x_s = (x − σ_t ε̂)/a + √(σ_s² − c²) ε̂ + c z,   c² = η² v σ_s²/σ_t²,   a = α_t/α_s
/// ```
///
/// With η = 0 it is Euler's method on the flow in the noise ratio σ/α, of order 1; with η = 1 it is ancestral sampling.
/// One evaluation a step.
public struct DDIM: StepSolver {
  /// How much of the ancestral noise is added, from 0 (none) to 1 (all).
  public let eta: Double

  /// Creates the solver.
  /// - Throws: `SamplingError` unless 0 ≤ η ≤ 1.
  public init(eta: Double = 0) throws(SamplingError) {
    guard eta >= 0, eta <= 1 else {
      throw SamplingError("DDIM has eta \(eta); expected 0 to 1")
    }
    self.eta = eta
  }

  public var spec: Spec {
    eta == 0
      ? Spec(kind: "solver", name: "ddim")
      : Spec(kind: "solver", name: "ddim", parameters: ["eta": Spec.text(eta)])
  }
  public var order: Int { 1 }
  public var usesNoise: Bool { eta > 0 }
  public var evaluationsPerStep: Int { 1 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let transition = step.transition(of: context.process)
    let sigma = context.process.marginal(at: step.time).sigma
    let nextSigma = context.process.marginal(at: step.next).sigma
    let added = eta * transition.posteriorVariance.squareRoot()
    let kept = max(0, (nextSigma - added) * (nextSigma + added)).squareRoot()
    let noise = try context.predictedNoise(x, at: step.time)
    let a = Scalar(1 / transition.scale)
    let b = Scalar(kept - sigma / transition.scale)
    if step.isNoiseless || eta == 0 { return .combined(a, x, b, noise) }
    return .combined(a, x, b, noise, Scalar(added), context.normal(like: x, in: step))
  }
}

import Foundation
import ScoreProcesses
import ScoreTensors

/// The reverse SDE in steps of each sample's own (Jolicoeur-Martineau et al. 2021, "Gotta Go Fast", Algorithm 1).
///
/// An Euler–Maruyama step x′ is held against the stochastic Heun step x″ on the same noise, which is the one kept:
///
/// ```
/// E = √(mean over entries of ((x′ − x″)/δ)²),   δ = max(atol, rtol max(|x′|, |x′ of the last step|))
/// accepted where E ≤ 1;   h ← min(rest of the way, ½ σ²/g², 1.5 h, θ h E^(−r)),   θ = 0.9,  r = 0.9
/// ```
///
/// The bound ½ σ²/g² is not in the paper. E is linear in the step's noise, so in one dimension it vanishes by chance: about
/// one try in twenty passes however long the step, and a step as long as the time that is left jumps past its own noise.
/// Where time is σ itself, as on EDM, that made deviations 9 % too large (in two dimensions both entries must agree, and
/// nothing was seen). The score's slope is at most 1/σ² on log-concave data, so the bound keeps h times the drift's slope
/// below ½, where E tells the error's size. It costs a twentieth more evaluations.
///
/// A step that is refused keeps its noise: the shorter one takes its part of the same Brownian path by a bridge, so that
/// choosing steps by their noise puts no bias in. Weak order 2; two evaluations a try. No sample's bits or count depend on
/// the others. The last step keeps its noise, whatever the denoising but Tweedie's. A sample whose step underflows, whose
/// budget is spent or which is not finite ends with that status and its last state.
public struct AdaptiveDiffusion: Solver {
  /// The relative tolerance of a step.
  public let rtol: Double
  /// The absolute tolerance of a step.
  public let atol: Double
  /// The evaluations that one sample may take.
  public let maxEvaluations: Int

  /// Creates the solver.
  /// - Throws: `SamplingError` unless rtol > 0, atol > 0 and maxEvaluations ≥ 2.
  public init(
    rtol: Double = 0.05, atol: Double = 0.01, maxEvaluations: Int = 10_000
  ) throws(SamplingError) {
    try AdaptiveIntegrator.check(rtol: rtol, atol: atol, maxEvaluations: maxEvaluations)
    self.rtol = rtol
    self.atol = atol
    self.maxEvaluations = maxEvaluations
  }

  public var spec: Spec {
    let limit =
      maxEvaluations == 10_000
      ? [] : [Spec.Parameter(key: "max-evaluations", value: "\(maxEvaluations)")]
    return Spec(
      kind: "solver", name: "adaptive-sde", argument: nil,
      parameters: [
        Spec.Parameter(key: "rtol", value: Spec.text(rtol)),
        Spec.Parameter(key: "atol", value: Spec.text(atol)),
      ] + limit)
  }
  public var order: Int { 2 }
  public var strongOrder: Double? { 1 }
  public var usesNoise: Bool { true }
  public var evaluationsPerStep: Int { 2 }

  public func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    guard context.noise.isKeyed else {
      throw SamplingError("the solver \(spec) chooses its steps by their noise; it is not affine")
    }
    let batch = AdaptiveDiffusionBatch(x, from: grid.start, to: grid.end, solver: self, context)
    var points: [TrajectoryPoint<Scalar>] = []
    // The states are kept at the ends alone: each sample has times of its own in between.
    if context.trajectoryStride != nil {
      points.append(TrajectoryPoint(time: grid.start, x: x))
    }
    while !batch.isDone {
      let shouldContinue = context.monitor.shouldContinue
      if Task.isCancelled
        || !(shouldContinue.map { $0(batch.fraction, batch.slowest, batch.evaluations.max() ?? 0) }
          ?? true)
      {
        batch.cancel()
        break
      }
      try batch.round()
    }
    if context.trajectoryStride != nil {
      points.append(TrajectoryPoint(time: grid.end, x: batch.result))
    }
    return BatchSolution(
      x: batch.result, status: batch.status, evaluations: batch.evaluations, trajectory: points)
  }
}

import Foundation
import ScoreProcesses
import ScoreTensors

/// The stochastic sampler of Karras et al. 2022, Algorithm 2: noise is added, then Heun's step takes more of it away.
///
/// ```
/// û = (1 + γ) u,   x̂ = (α̂/α) x + α̂ √(û² − u²) S_noise z,   γ = min(S_churn/N, √2 − 1) where S_min ≤ u ≤ S_max, else 0
/// ```
///
/// with u = σ/α, and Heun's method in u from û to the step's end. û stays inside the process, so the first step adds
/// nothing. Without churn it is Heun's method in u. Two evaluations a step, one in a step that ends where σ = 0: 2N − 1 for
/// N steps to clean data. Weak order 2, as adding noise is exact, and the order of Heun's method without churn.
public struct ChurnedHeun: StepSolver {
  /// S_churn, the noise added over the whole of the solve.
  public let churn: Double
  /// S_min and S_max: the noise ratios between which noise is added.
  public let range: ClosedRange<Double>
  /// S_noise, the standard deviation of what is added.
  public let noise: Double

  /// Creates the solver.
  /// - Throws: `SamplingError` unless S_churn ≥ 0, 0 ≤ S_min ≤ S_max and S_noise > 0.
  public init(
    churn: Double = 0, min lowest: Double = 0, max highest: Double = .infinity, noise: Double = 1
  ) throws(SamplingError) {
    guard churn >= 0, churn.isFinite else {
      throw SamplingError("the EDM sampler has churn \(churn); expected 0 or more")
    }
    guard lowest >= 0, highest >= lowest else {
      throw SamplingError(
        "the EDM sampler has churn from \(lowest) to \(highest); expected 0 <= min <= max")
    }
    guard noise > 0, noise.isFinite else {
      throw SamplingError("the EDM sampler has noise \(noise); expected a positive number")
    }
    self.churn = churn
    range = lowest...highest
    self.noise = noise
  }

  public var spec: Spec {
    var parameters: [Spec.Parameter] = []
    if churn != 0 { parameters.append(Spec.Parameter(key: "churn", value: Spec.text(churn))) }
    if range.lowerBound != 0 {
      parameters.append(Spec.Parameter(key: "min", value: Spec.text(range.lowerBound)))
    }
    if range.upperBound != .infinity {
      parameters.append(Spec.Parameter(key: "max", value: Spec.text(range.upperBound)))
    }
    if noise != 1 { parameters.append(Spec.Parameter(key: "noise", value: Spec.text(noise))) }
    return Spec(kind: "solver", name: "edm", argument: nil, parameters: parameters)
  }
  public var order: Int { 2 }
  public var usesNoise: Bool { churn > 0 }
  public var evaluationsPerStep: Int { 2 }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule {
    process.suitsEvenTimesInNoise ? .uniform : .karras(rho: 7)
  }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let process = context.process
    let marginal = process.marginal(at: step.time)
    let ratio = marginal.sigma / marginal.alpha
    let gamma = min(churn / Double(context.stepCount), 2.0.squareRoot() - 1)
    var (x, step) = (x, step)
    if gamma > 0, !step.isNoiseless, range.contains(ratio), step.time < process.endTime {
      let raised = process.time(
        logNoiseRatio: log(ratio) + log1p(gamma), between: step.time, and: process.endTime)
      let transition = process.step(from: step.time, to: raised)
      x = .combined(
        Scalar(transition.scale), x, Scalar(noise * transition.variance.squareRoot()),
        context.normal(like: x, in: step))
      step.time = raised
    }
    return try FlowRungeKutta(.heun, variable: .noise).step(x, step, in: &context)
  }
}

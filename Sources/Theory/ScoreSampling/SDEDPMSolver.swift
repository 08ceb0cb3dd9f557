import Foundation
import ScoreProcesses
import ScoreTensors

/// SDE-DPM-Solver++ 1 and 2M: DPM-Solver++ on the reverse SDE (Lu et al. 2023, eq. 17 to 19).
///
/// ```
/// x_s = (σ_s/σ_t) e^(−h) x + α_s (1 − e^(−2h)) D + σ_s √(1 − e^(−2h)) z,   h = λ_s − λ_t
/// 1:  D = x̂₀        2M:  D = x̂₀ + (x̂₀ − x̂₀′)/(2r),  x̂₀′ from the step before, of length r h
/// ```
///
/// With one prediction it is ancestral sampling. Weak order 1 or 2; one evaluation a step.
public struct SDEDPMSolver: StepSolver {
  /// The predictions that a step uses, 1 or 2; the weak order.
  public let order: Int

  /// Creates the solver.
  /// - Throws: `SamplingError` unless the order is 1 or 2.
  public init(order: Int = 2) throws(SamplingError) {
    guard order == 1 || order == 2 else {
      throw SamplingError("SDE-DPM-Solver++ has order \(order); expected 1 or 2")
    }
    self.order = order
  }

  public var spec: Spec {
    Spec(kind: "solver", name: "sde-dpm-solver++", parameters: ["order": "\(order)"])
  }
  public var usesNoise: Bool { true }
  public var evaluationsPerStep: Int { 1 }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule { .logSNR }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let value = try context.prediction(.data, x, at: step.time)
    context.remember(value, at: step.time, keeping: order)
    let (start, end) = (
      context.process.marginal(at: step.time), context.process.marginal(at: step.next)
    )
    let full = ExponentialStep(.data, from: start, to: end)
    let weight = -end.alpha * expm1(-2 * full.length)
    var weights = [weight]
    if context.past.count == 2, full.hasLength {
      let share = weight / (2 * full.place(of: context.pastLambdas[1]))
      weights = [weight - share, share]
    }
    let mean = x.adding(
      context.past.map(\.value), weights, scale: full.scale * exp(-full.length))
    guard !step.isNoiseless, end.sigma > 0 else { return mean }
    let deviation = end.sigma * (-expm1(-2 * full.length)).squareRoot()
    return .combined(1, mean, Scalar(deviation), context.normal(like: x, in: step))
  }
}

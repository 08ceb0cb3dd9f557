import ScoreProcesses
import ScoreTensors

/// DPM-Solver++ 2M and 3M: one evaluation a step and the predictions of earlier steps (Lu et al. 2023, Algorithm 2).
///
/// With x̂₀ at t, λ one step before at −r₀ h and two before at −(r₀ + r₁) h:
///
/// ```
/// 2M:  x_s = (σ_s/σ_t) x − α_s (e^(−h) − 1) ((1 + 1/(2r₀)) x̂₀ − 1/(2r₀) x̂₀′)
/// 3M:  x_s = (σ_s/σ_t) x + α_s ∫ e^(λ − λ_s) P(λ) dλ,   P the parabola through x̂₀, x̂₀′ and x̂₀″
/// ```
///
/// The first step of 2M is of order 1, which costs it nothing. That of 3M would leave order 2, so it is mended once the
/// next prediction is there, by the exponential trapezium, without another evaluation; released code does not, and halves
/// the weight of the parabola's second difference, which makes it of order 2. A step that ends where σ = 0 gives x̂₀.
/// Order 2 or 3, deterministic, one evaluation a step.
public struct DPMSolverMultistep: StepSolver {
  /// The predictions that a step uses, 2 or 3.
  public let order: Int

  /// Creates the solver.
  /// - Throws: `SamplingError` unless the order is 2 or 3.
  public init(order: Int = 2) throws(SamplingError) {
    guard order == 2 || order == 3 else {
      throw SamplingError("multistep DPM-Solver++ has order \(order); expected 2 or 3")
    }
    self.order = order
  }

  public var spec: Spec {
    Spec(kind: "solver", name: "dpm-solver++", parameters: ["method": "\(order)m"])
  }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { 1 }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule { .logSNR }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    try context.multistep(x, step, .data, keeping: order) { full, places in
      guard order == 2, places.count == 2 else { return full.weights(places) }
      let share = full.weight / (2 * places[1])
      return [full.weight - share, share]
    }
  }
}

extension SolverContext {
  /// One step from the prediction at x and those kept, with weights given the step and the places of the predictions.
  ///
  /// With three predictions or more, the first step of the solve is mended when its end has been evaluated.
  mutating func multistep(
    _ x: Tensor<Scalar>, _ step: TimeStep, _ kind: Prediction, keeping count: Int,
    _ weights: (ExponentialStep, [Double]) -> [Double]
  ) throws -> Tensor<Scalar> {
    var x = x
    let value = try prediction(kind, x, at: step.time)
    remember(value, at: step.time, keeping: count)
    let start = process.marginal(at: step.time)
    if count > 2, past.count == 2 {
      let first = ExponentialStep(kind, from: process.marginal(at: past[1].time), to: start)
      // Both ways start from the same state, so only what predictions add differs.
      let mended = first.weights([0, 1])
      x = .combined(
        1, x, Scalar(mended[0] - first.weight), past[1].value, Scalar(mended[1]), value)
    }
    let full = ExponentialStep(kind, from: start, to: process.marginal(at: step.next))
    let used =
      full.hasLength
      ? weights(full, pastLambdas.map { full.place(of: $0) }) : [full.weight]
    return x.adding(past.map(\.value), used, scale: full.scale)
  }
}

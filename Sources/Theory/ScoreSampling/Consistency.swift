import ScoreProcesses
import ScoreTensors

/// Samples of a consistency function: to the end of the flow in one step, and noised again for each step after it
/// (Song et al. 2023, algorithm 1, for every linear process).
///
/// ```
/// x_s = α_s f(x, t) + √(σ_s² − α_s² σ_ε²/α_ε²) z
/// ```
///
/// With an exact f each step leaves samples of p_s, so that more than one step serves where f is learnt: a later step draws the
/// details anew that an earlier one has less well. One evaluation a step; the first is from T, and the others suit best even in
/// log(σ/α). It serves samplers of a `ConsistencyFunction`; a score field is refused.
public struct Consistency: StepSolver {
  /// The name in `SolverSpec`.
  public static let name = "consistency"

  public init() {}

  public var spec: Spec { Spec(kind: "solver", name: Self.name) }
  public var order: Int { 1 }
  public var usesNoise: Bool { true }
  public var evaluationsPerStep: Int { 1 }
  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule { .logSNR }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let origins = try context.origins(of: x, at: step.time)
    let process = context.process
    let (next, end) = (
      process.marginal(at: step.next), process.marginal(at: process.cutoffs.sampling)
    )
    let kept = next.alpha * end.sigma / end.alpha
    let added = max(0, (next.sigma - kept) * (next.sigma + kept)).squareRoot()
    if step.isNoiseless || added == 0 { return .combined(Scalar(next.alpha), origins) }
    return .combined(
      Scalar(next.alpha), origins, Scalar(added), context.normal(like: x, in: step))
  }
}

/// A consistency function in the form of a score field, in which samplers carry it to their solver.
struct ConsistencyField<Scalar: TensorScalar>: ScoreField {
  let function: any ConsistencyFunction<Scalar>

  var process: any LinearProcess { function.process }
  var sampleShape: Shape { function.sampleShape }
  var rowCount: Int? { function.rowCount }
  func rows(_ rows: [Int]) -> ConsistencyField { ConsistencyField(function: function.rows(rows)) }

  func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    throw SamplingError(
      "the sampler has a consistency function, which is no score; expected the solver consistency")
  }
}

extension SolverContext {
  /// Where the flow through each state comes from, counted as one evaluation.
  /// - Throws: `SamplingError` where the sampler has a score field, whose x̂₀ is a mean.
  mutating func origins(of x: Tensor<Scalar>, at t: Double) throws -> Tensor<Scalar> {
    guard let field = field as? ConsistencyField<Scalar> else {
      throw SamplingError(
        "the solver consistency draws from consistency functions, and the field is a score; expected another solver"
      )
    }
    count()
    return try field.function.checkedOrigins(of: x, at: .shared(t))
  }
}

extension Sampler {
  /// Creates a sampler of a consistency function, by `Consistency`, with a grid from T, or a given start, to ε, the process's own
  /// for sampling where none is given; even in log(σ/α) where no schedule is given.
  /// - Throws: `SamplingError` unless 1 ≤ N ≤ `TimeGrid.mostSteps` and 0 < ε < start ≤ T.
  public init(
    _ function: any ConsistencyFunction<Scalar>, steps: Int = 1, schedule: GridSchedule? = nil,
    from start: Double? = nil, epsilon: Double? = nil, denoising: Denoising = .mean,
    batchSize: Int? = nil, trajectoryStride: Int? = nil
  ) throws(SamplingError) {
    guard denoising != .tweedie else {
      throw SamplingError(
        "Tweedie's denoising asks for a mean, which a consistency function does not give; expected another denoising"
      )
    }
    try self.init(
      ConsistencyField(function: function), solver: Consistency(), steps: steps,
      schedule: schedule, from: start, epsilon: epsilon, denoising: denoising,
      batchSize: batchSize, trajectoryStride: trajectoryStride)
  }
}

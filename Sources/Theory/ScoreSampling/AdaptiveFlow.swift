import ScoreProcesses
import ScoreTensors

/// The probability-flow ODE by a Runge–Kutta pair, with steps of each sample's own.
///
/// Order 5 with Dormand–Prince 5(4), six evaluations a step and two at the start. The state is held in Double. A sample whose step underflows, whose
/// budget is spent or whose rate is not finite ends with that status and its last state.
public struct AdaptiveFlow: Solver {
  /// The relative tolerance of a step.
  public var rtol: Double { integrator.rtol }
  /// The absolute tolerance of a step.
  public var atol: Double { integrator.atol }
  /// The evaluations that one sample may take.
  public var maxEvaluations: Int { integrator.maxEvaluations }
  /// The method.
  public var method: EmbeddedPair { integrator.pair }
  private let integrator: AdaptiveIntegrator

  /// Creates the solver.
  /// - Throws: `SamplingError` unless rtol > 0, atol > 0 and maxEvaluations ≥ 2.
  public init(
    method: EmbeddedPair = .dormandPrince, rtol: Double = 1e-5, atol: Double = 1e-5,
    maxEvaluations: Int = 10_000
  ) throws(SamplingError) {
    integrator = try AdaptiveIntegrator(
      rtol: rtol, atol: atol, maxEvaluations: maxEvaluations, pair: method)
  }

  public var spec: Spec {
    let limit =
      maxEvaluations == 10_000
      ? [] : [Spec.Parameter(key: "max-evaluations", value: "\(maxEvaluations)")]
    return Spec(
      kind: "solver", name: "ode", argument: nil,
      parameters: [
        Spec.Parameter(key: "method", value: method.method.name),
        Spec.Parameter(key: "rtol", value: Spec.text(rtol)),
        Spec.Parameter(key: "atol", value: Spec.text(atol)),
      ] + limit)
  }
  public var order: Int { method.method.order }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { method.evaluationsPerStep }

  public func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    var system = FlowSystem(context.field)
    var outputs: [Double] = []
    if let stride = context.trajectoryStride {
      outputs =
        [grid.start]
        + grid.steps.enumerated().filter {
          ($0.offset + 1) % stride == 0 || $0.offset + 1 == grid.steps.count
        }.map(\.element.next)
    }
    let solution = try integrator.integrateFlow(
      &system, x.doubles, from: grid.start, to: grid.end, outputs: outputs,
      shouldContinue: context.monitor.shouldContinue)
    func tensor(_ states: [Double]) -> Tensor<Scalar> {
      Tensor(rows: states, stride: x.shape.rowCount, shape: x.shape)
    }
    return BatchSolution(
      x: tensor(solution.states), status: solution.status, evaluations: solution.evaluations,
      trajectory: zip(outputs, solution.outputs).map {
        TrajectoryPoint(time: $0, x: tensor($1))
      })
  }
}

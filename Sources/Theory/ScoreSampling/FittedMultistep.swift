import ScoreProcesses
import ScoreTensors

/// A multistep solver with weights for each step of one grid, made by `FittedFlow`.
public struct FittedMultistep: StepSolver {
  /// The grid that the weights belong to.
  public let grid: TimeGrid
  /// The time of the first evaluation, in the grid's first step.
  public let entry: Double
  /// How many terms each step adds up: the state and predictions.
  public var terms: [Int] { maps.dropFirst().map(\.factors.count) }
  let axes: PrincipalAxes
  // The way from the start to the entry, and the steps.
  let maps: [PrincipalMap]

  public var spec: Spec { Spec(kind: "solver", name: "fitted") }
  public var order: Int { 1 }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { 1 }

  /// One step of the grid that the weights belong to.
  /// - Throws: `SamplingError` for a step of another grid or a state of another shape, and what the field throws.
  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    guard grid.steps.indices.contains(step.index), step.time == grid.steps[step.index].time,
      step.next == grid.steps[step.index].next
    else {
      throw SamplingError(
        "step \(step.index) goes from t = \(step.time) to \(step.next); expected the grid of \(grid.steps.count) steps that the solver was fitted for"
      )
    }
    guard x.shape.row == axes.sampleShape else {
      throw SamplingError(
        "the states have shape \(x.shape); expected [n] followed by \(axes.sampleShape), which the solver was fitted for"
      )
    }
    let isFirst = step.index == 0
    let coordinates = isFirst ? maps[0]([axes.coordinates(x)]) : axes.coordinates(x)
    let time = isFirst ? entry : step.time
    let noise = try context.predictedNoise(isFirst ? axes.states(coordinates) : x, at: time)
    context.remember(
      Tensor<Scalar>(axes.coordinates(noise)), at: time, keeping: (terms.max() ?? 2) - 1)
    let map = maps[step.index + 1]
    guard context.past.count + 1 >= map.factors.count else {
      throw SamplingError(
        "step \(step.index) wants \(map.factors.count - 1) predictions and finds \(context.past.count); expected the steps before it"
      )
    }
    let past = context.past.prefix(map.factors.count - 1).map { Tensor<Double>($0.value) }
    return axes.states(map([coordinates] + past))
  }
}

import ScoreTensors

/// A solver that takes the steps of a grid, one after another, the same for every sample.
public protocol StepSolver: Solver {
  /// The state at `step.next`, from the state x at `step.time`.
  ///
  /// Each row of the result depends on the same row of x alone. Where `step.isNoiseless` holds, a solver that adds noise
  /// gives the mean.
  func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar>
}

extension StepSolver {
  public func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    var x = x
    var trajectory: [TrajectoryPoint<Scalar>] = []
    let stride = context.trajectoryStride
    if stride != nil { trajectory.append(TrajectoryPoint(time: grid.start, x: x)) }
    var cancelled: Double?
    context.past = []
    context.stepCount = grid.steps.count
    for (done, step) in grid.steps.enumerated() {
      if !context.continues(Double(done) / Double(grid.steps.count), time: step.time) {
        cancelled = step.time
        break
      }
      let next = try self.step(x, step, in: &context)
      try SamplingError.checkStates(next, of: x, by: "a step of the solver")
      x = next
      if let stride, (done + 1) % stride == 0 || done + 1 == grid.steps.count {
        trajectory.append(TrajectoryPoint(time: step.next, x: x))
      }
    }
    let finite = x.finiteRows
    return BatchSolution(
      x: x,
      status: finite.map {
        $0
          ? cancelled.map { .cancelled(time: $0) } ?? .finished
          : .nonFinite(time: cancelled ?? grid.end)
      },
      evaluations: [Int](repeating: context.evaluations, count: x.rows), trajectory: trajectory)
  }
}

extension Tensor {
  /// Whether all entries of each row are finite.
  package var finiteRows: [Bool] {
    if isFinite { return [Bool](repeating: true, count: rows) }
    return (0..<rows).map { rows($0..<$0 + 1).isFinite }
  }
}

import ScoreProcesses
import ScoreTensors

/// A solver of the flow that is fitted to a score field before it draws from it.
///
/// `Sampler` fits it whenever it is run, on a pilot batch of the field's own; `Sampler.fitted` does it once for several
/// runs. Under one key, or none, the fit is the same to the bit.
public protocol FieldFittedSolver: Solver {
  /// The fitted solver and the grid that it runs on, from a grid that gives the ends and the number of steps.
  /// - Throws: `SamplingError` where it cannot be fitted, `CancellationError` where the task is cancelled, and what the field
  ///   throws.
  func fitted<Scalar: TensorScalar>(
    to field: any ScoreField<Scalar>, along grid: TimeGrid
  ) throws -> (solver: any Solver, grid: TimeGrid)
}

extension FieldFittedSolver {
  public func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    let (solver, grid) = try fit(to: context.field, along: grid)
    return try solver.solve(x, along: grid, in: &context)
  }

  /// Fits the solver, to no more steps than make sense: fits are for few, and their time grows with the steps.
  fileprivate func fit<Scalar: TensorScalar>(
    to field: any ScoreField<Scalar>, along grid: TimeGrid
  ) throws -> (solver: any Solver, grid: TimeGrid) {
    guard grid.steps.count <= 1000 else {
      throw SamplingError(
        "\(spec.name) fits each of its steps, and there are \(grid.steps.count); expected 1000 or fewer"
      )
    }
    return try fitted(to: field, along: grid)
  }
}

extension Sampler {
  /// The sampler with its solver fitted to its field, where it is one that wants fitting.
  /// - Throws: `SamplingError` where it cannot be fitted, `CancellationError` where the task is cancelled, and what the field
  ///   throws.
  public func fitted() throws -> Sampler {
    guard let wanting = solver as? any FieldFittedSolver else { return self }
    var sampler = self
    (sampler.solver, sampler.grid) = try wanting.fit(to: field, along: grid)
    return sampler
  }
}

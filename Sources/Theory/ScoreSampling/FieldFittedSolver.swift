import ScoreProcesses
import ScoreTensors

/// A solver of the flow that is fitted to a score field before it draws from it.
///
/// `Sampler` fits it whenever it is run, on a pilot batch of the field's own; `Sampler.fitted` does it once for several
/// runs. Under one key, or none, the fit is the same to the bit.
public protocol FieldFittedSolver: Solver {
  /// About how many evaluations a fit costs, those of all pilot samples together: 0 or more, finite.
  ///
  /// By them a run that begins with a fit tells how much of it is done.
  func fitEvaluations(for process: any LinearProcess, along grid: TimeGrid) -> Double

  /// The fitted solver and the grid that it runs on, from a grid that gives the ends and the number of steps.
  ///
  /// - Parameters:
  ///   - progress: called before each step of a pilot batch with the part of the fit that is done; false stops the fit, as
  ///     does the task's cancellation, and it is not called again.
  /// - Throws: `SamplingError` where it cannot be fitted, `CancellationError` where it is stopped, and what the field throws.
  func fitted<Scalar: TensorScalar>(
    to field: any ScoreField<Scalar>, along grid: TimeGrid,
    progress: ((SamplingProgress) -> Bool)?
  ) throws -> (solver: any Solver, grid: TimeGrid)
}

extension FieldFittedSolver {
  public func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    try checkSteps(grid)
    let (solver, grid) = try fitted(to: context.field, along: grid, progress: nil)
    return try solver.checkedSolve(x, along: grid, in: &context)
  }

  /// Fits are for few steps, and their time grows with them.
  fileprivate func checkSteps(_ grid: TimeGrid) throws(SamplingError) {
    guard grid.steps.count <= 1000 else {
      throw SamplingError(
        "\(spec.name) fits each of its steps, and there are \(grid.steps.count); expected 1000 or fewer"
      )
    }
  }
}

extension Sampler {
  /// The sampler with its solver fitted to its field, where it is one that wants fitting.
  ///
  /// - Parameters:
  ///   - progress: called before each step of a pilot batch with the part of the fit that is done, and at its end with 1;
  ///     false stops the fit, as does the task's cancellation.
  /// - Throws: `SamplingError` where it cannot be fitted, `CancellationError` where it is stopped, and what the field throws.
  public func fitted(progress: ((SamplingProgress) -> Bool)? = nil) throws -> Sampler {
    guard let wanting = solver as? any FieldFittedSolver else { return self }
    try wanting.checkSteps(grid)
    let progress = SamplingProgress.untilStopped(progress)
    var sampler = self
    (sampler.solver, sampler.grid) = try wanting.fitted(to: field, along: grid, progress: progress)
    try SamplingProgress.checks(of: [1], at: grid.start, by: progress)(0, 1)
    return sampler
  }

  /// About how many evaluations `fitted` costs, those of all pilot samples together; 0 for a solver that wants no fitting.
  /// - Throws: `SamplingError` for more steps than are fitted.
  public func fitEvaluations() throws(SamplingError) -> Double {
    guard let wanting = solver as? any FieldFittedSolver else { return 0 }
    try wanting.checkSteps(grid)
    return wanting.fitEvaluations(for: field.process, along: grid)
  }

  /// A run that begins with a fit, of which each part has its share of the evaluations.
  func fitAndRun(
    _ count: Int, _ source: NoiseSource, _ first: Int, _ states: Tensor<Scalar>?,
    _ progress: ((SamplingProgress) -> Bool)?
  ) throws -> SamplingResult<Scalar> {
    let fit = try fitEvaluations()
    let own = Double(count) * Double(grid.steps.count) * Double(solver.evaluationsPerStep)
    let share = fit / max(1, fit + own)
    var isStopped = false
    let progress = SamplingProgress.untilStopped(progress).map { listener in
      { (progress: SamplingProgress) in
        isStopped = !listener(progress)
        return !isStopped
      }
    }
    var sampler = self
    do {
      sampler = try fitted(progress: SamplingProgress.part(0...share, of: progress))
    } catch is CancellationError where isStopped || Task.isCancelled {
      // A run that is stopped takes no step: any solver leaves its samples where they start.
      sampler.solver = try DDIM()
    }
    return try sampler.run(
      count, source, first, states, SamplingProgress.part(share...1, of: progress))
  }
}

import ScoreProcesses
import ScoreTensors

/// A solver of the flow on the grid that suits it, a score field and a number of steps best.
///
/// On a pilot batch the times are searched for the least error at the end against a fine solve, from Karras's grids, one
/// even in log(σ/α) and the given one. Deterministic; takes as many evaluations as the solver. The search costs each pilot
/// sample 4 ln(u_T/u_ε)/0.1 evaluations for the fine solve (u = σ/α) and up to 400 solves.
public struct OptimizedGrid<Inner: StepSolver>: FieldFittedSolver {
  /// The solver.
  public let solver: Inner
  /// The samples of the pilot batch.
  public let pilot: Int
  /// How often each time has its turn in the search.
  public let sweeps: Int
  /// The key of the pilot batch.
  public var key = RandomKey(0)

  /// Creates the solver, to be fitted when it is used.
  /// - Throws: `SamplingError` for a solver that uses noise, and unless pilot is 2 to 2²⁰ and sweeps 0 to 1000.
  public init(_ solver: Inner, pilot: Int = 512, sweeps: Int = 6) throws(SamplingError) {
    guard !solver.usesNoise else {
      throw SamplingError(
        "the solver \(solver.spec) uses noise; grids are optimized for flows only")
    }
    guard (2...1 << 20).contains(pilot), (0...1000).contains(sweeps) else {
      throw SamplingError(
        "the optimized grid has pilot \(pilot) and sweeps \(sweeps); expected 2 to \(1 << 20), and 0 to 1000"
      )
    }
    self.solver = solver
    self.pilot = pilot
    self.sweeps = sweeps
  }

  public var spec: Spec {
    let inner = solver.spec
    return Spec(
      kind: inner.kind, name: inner.name, argument: inner.argument,
      parameters: inner.parameters + [Spec.Parameter(key: "grid", value: "optimized")])
  }
  public var order: Int { solver.order }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { solver.evaluationsPerStep }

  public func fitEvaluations(for process: any LinearProcess, along grid: TimeGrid) -> Double {
    parts(for: process, along: grid).reduce(0, +)
  }

  // The fine solve, the starts and the search.
  private func parts(for process: any LinearProcess, along grid: TimeGrid) -> [Double] {
    let steps = grid.steps.count
    let fine = FlowPilot<Double>.evaluations(of: process, from: grid.start, to: grid.end)
    let solves = [5, Double(search.mostTrials(steps, from: 1))]
    return [Double(pilot) * fine] + solves.map { $0 * Double(pilot * steps * evaluationsPerStep) }
  }

  private var search: KnotSearch { KnotSearch(sweeps: sweeps) }

  public func fitted<Scalar: TensorScalar>(
    to field: any ScoreField<Scalar>, along grid: TimeGrid,
    progress: ((SamplingProgress) -> Bool)?
  ) throws -> (solver: any Solver, grid: TimeGrid) {
    let check = SamplingProgress.checks(
      of: parts(for: field.process, along: grid), at: grid.start, by: progress)
    let pilot = try FlowPilot(
      field, count: pilot, from: grid.start, to: grid.end, key: key
    ) { try check(0, $0) }
    let process = field.process
    func error(_ knots: [Double], _ part: Int, _ done: Double) throws -> Double {
      let grid = try process.grid(knots, from: grid.start, to: grid.end)
      var context = SolverContext(field: pilot.field, key: key)
      context.monitor.shouldContinue = { _, _, _ in (try? check(part, done)) != nil }
      let solution = try solver.checkedSolve(pilot.start, along: grid, in: &context)
      // A solve that is stopped on the way is no error of the grid's.
      if case .cancelled = solution.status[0] { throw CancellationError() }
      return pilot.error(of: solution.x)
    }
    let given = ([grid.start] + grid.steps.map(\.next)).map { process.logNoiseRatio(at: $0) }
    var (knots, best) = (given, try error(given, 1, 0))
    let candidates = KnotSearch.candidates(
      from: pilot.ends.high, to: pilot.ends.low, steps: grid.steps.count)
    for (place, candidate) in candidates.enumerated() {
      let found = try error(candidate, 1, Double(1 + place) / Double(1 + candidates.count))
      if found < best { (knots, best) = (candidate, found) }
    }
    try search.improve(knots, loss: best) { trial, _, best, done in
      let found = try error(trial, 2, done)
      guard found < best else { return nil }
      knots = trial
      return found
    }
    return (solver, try process.grid(knots, from: grid.start, to: grid.end))
  }
}

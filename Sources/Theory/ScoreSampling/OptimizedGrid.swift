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

  public func fitted<Scalar: TensorScalar>(
    to field: any ScoreField<Scalar>, along grid: TimeGrid
  ) throws -> (solver: any Solver, grid: TimeGrid) {
    let pilot = try FlowPilot(field, count: pilot, from: grid.start, to: grid.end, key: key)
    let process = field.process
    func error(_ knots: [Double]) throws -> Double {
      // A solver that is cancelled stops on the way, which is no error of the grid's.
      try Task.checkCancellation()
      var context = SolverContext(field: field, key: key)
      let grid = try process.grid(knots, from: grid.start, to: grid.end)
      return pilot.error(of: try solver.solve(pilot.start, along: grid, in: &context).x)
    }
    let given = ([grid.start] + grid.steps.map(\.next)).map { process.logNoiseRatio(at: $0) }
    var (knots, best) = (given, try error(given))
    for candidate in KnotSearch.candidates(
      from: pilot.ends.high, to: pilot.ends.low, steps: grid.steps.count)
    {
      let found = try error(candidate)
      if found < best { (knots, best) = (candidate, found) }
    }
    try KnotSearch(sweeps: sweeps).improve(knots, loss: best) { trial, _, best in
      let found = try error(trial)
      guard found < best else { return nil }
      knots = trial
      return found
    }
    return (solver, try process.grid(knots, from: grid.start, to: grid.end))
  }
}

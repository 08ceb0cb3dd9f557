import Foundation
import ScoreSDE

/// Error against the number of function evaluations (NFE) on one score field.
///
/// Solvers without noise are held to a fine solve of the flow from the same starting noise, by the root mean square over
/// all entries. All solvers are held to a reference set by the energy distance: exact samples of the data where the
/// field is an oracle, else a fine solve from other noise.
struct Study<Scalar: TensorScalar> {
  let field: any DifferentiableScoreField<Scalar>
  /// The NFE to compare at.
  let budgets: [Int]
  /// The solvers, as text.
  let solvers: [String]
  let grids: [String]
  let count: Int
  let epsilon: Double
  let key: RandomKey

  /// One solver on one grid at one cost.
  struct Point {
    /// The NFE that was asked for; nil for an adaptive solver, whose tolerance sets its own.
    var budget: Int?
    /// The relative and absolute tolerance of an adaptive solver.
    var tolerance: Double?
    /// The NFE that it took, the mean over samples.
    var evaluations: Double
    /// The root mean square difference from the fine solve; nil for solvers with noise.
    var error: Estimate?
    /// The energy distance to the reference set.
    var distance: Estimate
  }

  /// The points of one solver on one grid, by NFE.
  struct Curve {
    var solver: String
    /// The grid: `adaptive` for a solver that chooses its steps by tolerance, `own` for one that takes none of the named grids.
    var grid: String
    var points: [Point] = []
  }

  /// What a study asked for and could not have, and why.
  struct Omission {
    var solver: String
    var grid: String
    var budget: Int?
    var tolerance: Double?
    var reason: String
  }

  /// What a study found.
  struct Result {
    var curves: [Curve] = []
    var omissions: [Omission] = []
    /// What the distances are to.
    var reference: String
    /// The distance of as many exact or finely solved samples to the reference set: what no solver can beat but by luck.
    var floor: Estimate
  }

  /// The tolerances at which adaptive solvers run.
  private var tolerances: [Double] { [1e-1, 3e-2, 1e-2, 1e-3, 1e-4] }

  /// Measures all curves.
  func run(progress: @escaping (Double, String) -> Void) throws -> Result {
    let ends = try solved(key) { progress(0.04 * $0, "fine solve") }
    let other = try solved(key.folded("reference")) { progress(0.04 + 0.04 * $0, "fine solve") }
    let exact = (field as? any ScoreOracle<Scalar>).map {
      $0.sample(count, key: key.folded("reference"))
    }
    let reference = exact ?? other
    var result = Result(
      reference: exact == nil ? "a fine solve from other noise" : "exact samples",
      floor: Metrics.energyDistance(exact == nil ? ends : other, reference))

    var jobs = try solvers.flatMap { try curves(of: $0) }
    result.omissions = jobs.flatMap(\.omissions)
    let total = jobs.reduce(0.0) { $0 + $1.cost }
    var done = 0.0
    func listener(_ cost: Double, _ note: String) -> (SamplingProgress) -> Bool {
      let before = done
      done += cost
      return { state in
        progress(0.08 + 0.92 * (before + cost * state.fraction) / total, note)
        return true
      }
    }
    // Fits take their time, and come first.
    for place in jobs.indices {
      try jobs[place].keep(&result.omissions) { run, job in
        run.sampler = try run.sampler.fitted(
          progress: listener(run.fitCost, "\(job.solver), fit at NFE \(run.budget ?? 0)"))
      }
    }
    for var job in jobs {
      var curve = Curve(solver: job.solver, grid: job.grid)
      try job.keep(&result.omissions) { run, job in
        let samples = try run.sampler.sample(
          count, key: key, progress: listener(run.cost, "\(job.solver), \(job.grid)"))
        curve.points.append(try point(of: run, samples, ends: ends, reference: reference))
      }
      curve.points.sort { $0.evaluations < $1.evaluations }
      if !curve.points.isEmpty { result.curves.append(curve) }
    }
    return result
  }

  /// Samples by a fine solve of the flow.
  private func solved(
    _ key: RandomKey, progress: @escaping (_ fraction: Double) -> Void
  ) throws -> Tensor<Scalar> {
    let fine = try AdaptiveFlow(rtol: tolerance, atol: tolerance, maxEvaluations: 100_000)
    let sampler = try Sampler(field, solver: fine, steps: 1, epsilon: epsilon)
    let result = try sampler.sample(count, key: key) {
      progress($0.fraction)
      return true
    }
    guard let bad = result.status.firstIndex(where: { !$0.isFinished }) else {
      return result.samples
    }
    throw CommandError.failure(
      "the fine solve of sample \(bad) did not finish: \(result.status[bad])")
  }

  /// What a run comes to.
  /// - Throws: `SamplingError` for a solver that blows up, which has no error to show.
  private func point(
    of run: Run, _ found: SamplingResult<Scalar>, ends: Tensor<Scalar>, reference: Tensor<Scalar>
  ) throws -> Point {
    let unfinished = found.status.count { !$0.isFinished }
    if let status = found.status.first(where: { !$0.isFinished }) {
      throw SamplingError(
        "\(NumberText.grouped(unfinished)) of \(NumberText.counted(count, "sample")) did not finish, the first: \(status)",
        isNumerical: true)
    }
    guard found.samples.isFinite else {
      throw SamplingError("samples are no finite numbers", isNumerical: true)
    }
    return Point(
      budget: run.budget, tolerance: run.tolerance, evaluations: found.meanEvaluations,
      error: run.sampler.solver.usesNoise ? nil : Self.error(found.samples, ends),
      distance: Metrics.energyDistance(found.samples, reference))
  }

  private var tolerance: Double { Scalar.self == Float.self ? 1e-6 : 1e-9 }

  // MARK: What is run

  private struct Run {
    var sampler: Sampler<Scalar>
    var budget: Int?
    var tolerance: Double?
    /// In evaluations of a sample of the study, as that of the fit, which is 0 where there is none.
    var cost: Double
    var fitCost = 0.0
  }

  private struct Job {
    var solver: String
    var grid: String
    var runs: [Run] = []
    var omissions: [Omission] = []
    var cost: Double { runs.reduce(0) { $0 + $1.cost + $1.fitCost } }

    /// Does something with each run, and keeps those with which it can be done; the reasons against others are added.
    mutating func keep(
      _ omissions: inout [Omission], _ body: (inout Run, Job) throws -> Void
    ) rethrows {
      var kept: [Run] = []
      for var run in runs {
        do {
          try body(&run, self)
          kept.append(run)
        } catch let error as SamplingError {
          omissions.append(
            Omission(
              solver: solver, grid: grid, budget: run.budget, tolerance: run.tolerance,
              reason: error.description))
        }
      }
      runs = kept
    }
  }

  /// The runs of a solver: one curve a grid, one where it has its own, or one over tolerances.
  private func curves(of name: String) throws -> [Job] {
    let spec = try Spec(name, kind: "solver")
    func with(_ parameters: [(String, String)]) -> SolverSpec? {
      let keys = parameters.map(\.0)
      let kept = spec.parameters.filter { !keys.contains($0.key) }
      return try? SolverSpec(
        Spec(
          kind: "solver", name: spec.name, argument: nil,
          parameters: kept + parameters.map { Spec.Parameter(key: $0.0, value: $0.1) }))
    }
    // Whoever takes tolerances chooses its own steps.
    if with([("rtol", "0.01"), ("atol", "0.01")]) != nil {
      let runs = try tolerances.compactMap { tolerance -> Run? in
        let text = Spec.text(tolerance)
        guard let solver = with([("rtol", text), ("atol", text)]) else { return nil }
        return Run(
          sampler: try Sampler(field, solver, steps: 1, epsilon: epsilon), tolerance: tolerance,
          cost: 40)
      }
      return [Job(solver: name, grid: "adaptive", runs: runs)]
    }
    func job(_ solver: SolverSpec, _ grid: String) throws -> Job {
      var job = Job(solver: name, grid: grid)
      for budget in budgets {
        do {
          let sampler = try fitting(solver, budget)
          job.runs.append(
            Run(
              sampler: sampler, budget: budget, cost: Double(budget),
              fitCost: try sampler.fitEvaluations() / Double(count)))
        } catch let error as SamplingError {
          job.omissions.append(
            Omission(solver: name, grid: grid, budget: budget, reason: error.description))
        }
      }
      return job
    }
    // A solver whose text names a grid has that one; one that takes none, as `fitted`, has its own.
    if let grid = spec.parameters.first(where: { $0.key == "grid" })?.value {
      return [try job(SolverSpec(spec), grid)]
    }
    let jobs = try grids.compactMap { grid in
      try with([("grid", grid)]).map { try job($0, grid) }
    }
    return jobs.isEmpty ? [try job(SolverSpec(spec), "own")] : jobs
  }

  /// The sampler with the most steps whose NFE is within a budget, found by running single samples, or by what is declared
  /// where a solver is still to be fitted to the field.
  /// - Throws: `SamplingError` where one step is too much, or where there is no grid of as many steps as the budget is for.
  private func fitting(_ solver: SolverSpec, _ budget: Int) throws -> Sampler<Scalar> {
    let (each, last) = (
      max(1, solver.solver.evaluationsPerStep), solver.denoising == .tweedie ? 1 : 0
    )
    func sampler(_ steps: Int) throws -> Sampler<Scalar> {
      try Sampler(field, solver, steps: steps, epsilon: epsilon)
    }
    var least = each + last
    if solver.solver is any FieldFittedSolver {
      if budget >= least { return try sampler((budget - last) / each) }
    } else {
      // Some solvers save evaluations at their ends, so that a step or two more may fit, if there is a grid for them.
      for steps in stride(from: budget / each + 2, through: 1, by: -1) {
        do {
          let sampler = try sampler(steps)
          least = try sampler.sample(1, key: key).maxEvaluations
          if least <= budget { return sampler }
        } catch let error as SamplingError {
          if steps * each + last <= budget { throw error }
        }
      }
    }
    throw SamplingError("its fewest evaluations are \(least)")
  }

  private static func error(_ found: Tensor<Scalar>, _ exact: Tensor<Scalar>) -> Estimate {
    let difference = Tensor<Double>(found) - Tensor<Double>(exact)
    let width = Double(difference.shape.rowCount)
    let square = Estimate(meanOf: difference.rowDots(difference).map { $0 / width })
    let root = square.value.squareRoot()
    return Estimate(root, standardError: root > 0 ? square.standardError / (2 * root) : 0)
  }
}

/// What a study compares where nothing else is asked for.
enum StudyDefaults {
  /// The grids; the reference code's own ends elsewhere, and a search for each solver's best one takes long: both are left
  /// out.
  static var grids: [String] {
    SolverSpec.grids.filter { $0 != "reference" && $0 != "optimized" }
  }

  /// Every solver by name, and the further orders and methods of those that have several.
  static var solvers: [String] {
    SolverSpec.names + [
      "dpm-solver:order=3", "dpm-solver++:method=2s", "dpm-solver++:method=3m", "unipc:order=3",
      "heun:variable=time", "ode:method=bosh3", "ode:method=tsit5", "ode:method=dop853",
    ]
  }
}

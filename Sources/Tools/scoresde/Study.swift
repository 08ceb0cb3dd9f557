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

  /// What a study found.
  struct Result {
    var curves: [Curve] = []
    /// What the distances are to.
    var reference: String
    /// The distance of as many exact or finely solved samples to the reference set: what no solver can beat but by luck.
    var floor: Estimate
  }

  /// The tolerances at which adaptive solvers run.
  private var tolerances: [Double] { [1e-1, 3e-2, 1e-2, 1e-3, 1e-4] }

  /// Measures all curves.
  func run(progress: @escaping (Double, String) -> Void) throws -> Result {
    let fine = try AdaptiveFlow(rtol: tolerance, atol: tolerance, maxEvaluations: 100_000)
    func solved(_ key: RandomKey, _ share: ClosedRange<Double>) throws -> Tensor<Scalar> {
      let sampler = try Sampler(field, solver: fine, steps: 1, epsilon: epsilon)
      let result = try sampler.sample(count, key: key) {
        progress(
          share.lowerBound + $0.fraction * (share.upperBound - share.lowerBound), "fine solve")
        return true
      }
      guard let bad = result.status.firstIndex(where: { !$0.isFinished }) else {
        return result.samples
      }
      throw CommandError.failure(
        "the fine solve of sample \(bad) did not finish: \(result.status[bad])")
    }
    let ends = try solved(key, 0...0.04)
    let other = try solved(key.folded("reference"), 0.04...0.08)
    let reference =
      (field as? any ScoreOracle<Scalar>).map {
        $0.sample(count, key: key.folded("reference"))
      } ?? other
    let floorSamples = field is any ScoreOracle<Scalar> ? other : ends
    var result = Result(
      reference: field is any ScoreOracle<Scalar>
        ? "exact samples" : "a fine solve from other noise",
      floor: Metrics.energyDistance(floorSamples, reference))

    var jobs = try solvers.flatMap { try curves(of: $0) }
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
    // What cannot be fitted is found before the rest is run.
    for place in jobs.indices {
      for (number, run) in jobs[place].runs.enumerated() {
        let note = "\(jobs[place].solver), fit at NFE \(run.budget ?? 0)"
        jobs[place].runs[number].sampler = try run.sampler.fitted(
          progress: listener(run.fitCost, note))
      }
    }
    for job in jobs {
      var curve = Curve(solver: job.solver, grid: job.grid)
      for run in job.runs {
        let samples = try run.sampler.sample(
          count, key: key, progress: listener(run.cost, "\(job.solver), \(job.grid)"))
        // A solver that blows up at few steps has no error to show.
        guard samples.isFinished, samples.samples.isFinite else { continue }
        curve.points.append(
          Point(
            budget: run.budget, tolerance: run.tolerance, evaluations: samples.meanEvaluations,
            error: run.sampler.solver.usesNoise ? nil : Self.error(samples.samples, ends),
            distance: Metrics.energyDistance(samples.samples, reference)))
      }
      curve.points.sort { $0.evaluations < $1.evaluations }
      if !curve.points.isEmpty { result.curves.append(curve) }
    }
    return result
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
    var runs: [Run]
    var cost: Double { runs.reduce(0) { $0 + $1.cost + $1.fitCost } }
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
      let runs = try budgets.compactMap { budget -> Run? in
        guard let sampler = try fitting(solver, budget) else { return nil }
        return Run(
          sampler: sampler, budget: budget, cost: Double(budget),
          fitCost: try sampler.fitEvaluations() / Double(count))
      }
      return Job(solver: name, grid: grid, runs: runs)
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
  private func fitting(_ solver: SolverSpec, _ budget: Int) throws -> Sampler<Scalar>? {
    let (each, last) = (
      max(1, solver.solver.evaluationsPerStep), solver.denoising == .tweedie ? 1 : 0
    )
    if solver.solver is any FieldFittedSolver {
      let steps = (budget - last) / each
      return steps < 1 ? nil : try Sampler(field, solver, steps: steps, epsilon: epsilon)
    }
    var steps = budget / each + 2
    while steps >= 1 {
      let sampler = try Sampler(field, solver, steps: steps, epsilon: epsilon)
      if try sampler.sample(1, key: key).maxEvaluations <= budget { return sampler }
      steps -= 1
    }
    return nil
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

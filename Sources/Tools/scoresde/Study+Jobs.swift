import ScoreSDE

extension Study {
  /// One solver on one grid under one process at one cost, to be measured.
  struct Run {
    var sampler: Sampler<Scalar>
    var budget: Int?
    var tolerance: Double?
    /// In evaluations of a sample of the study, as that of the fit, which is 0 where there is none.
    var cost: Double
    var fitCost = 0.0
  }

  /// The runs of one solver on one grid under one process.
  struct Job {
    /// The place of the process among the study's.
    var subject: Int
    var sde: String
    var solver: String
    var grid: String
    var runs: [Run] = []
    var omissions: [Omission] = []

    /// What is left out of the job at one cost.
    func omission(
      _ budget: Int?, _ tolerance: Double?, _ error: SamplingError
    ) -> Omission {
      Omission(
        sde: sde, solver: solver, grid: grid, budget: budget, tolerance: tolerance,
        reason: error.description)
    }
  }

  /// The runs of a solver under a process: one curve a grid, one where it has its own, or one over tolerances.
  func curves(of name: String, on place: Int) throws -> [Job] {
    let subject = subjects[place]
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
      if let own = spec.parameters.first(where: { ["rtol", "atol"].contains($0.key) }) {
        throw CommandError.usage(
          "--solvers has \(name), with \(own.key)=\(own.value), but a study measures solvers to a tolerance at \(tolerances.map(Spec.text).joined(separator: ", ")); expected it without"
        )
      }
      let runs = try tolerances.compactMap { tolerance -> Run? in
        let text = Spec.text(tolerance)
        guard let solver = with([("rtol", text), ("atol", text)]) else { return nil }
        return Run(
          sampler: try Sampler(subject.field, solver, steps: 1, epsilon: subject.epsilon),
          tolerance: tolerance, cost: 40)
      }
      return [
        Job(subject: place, sde: subject.sde, solver: name, grid: "adaptive", runs: runs)
      ]
    }
    func job(_ solver: SolverSpec, _ grid: String) throws -> Job {
      var job = Job(subject: place, sde: subject.sde, solver: name, grid: grid)
      for budget in budgets {
        do {
          let sampler = try fitting(solver, budget, on: subject)
          job.runs.append(
            Run(
              sampler: sampler, budget: budget, cost: Double(budget),
              fitCost: try sampler.fitEvaluations() / Double(count)))
        } catch let error as SamplingError {
          job.omissions.append(job.omission(budget, nil, error))
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
  private func fitting(
    _ solver: SolverSpec, _ budget: Int, on subject: Subject
  ) throws -> Sampler<Scalar> {
    let (each, last) = (
      max(1, solver.solver.evaluationsPerStep), solver.denoising == .tweedie ? 1 : 0
    )
    func sampler(_ steps: Int) throws -> Sampler<Scalar> {
      try Sampler(subject.field, solver, steps: steps, epsilon: subject.epsilon)
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

  /// The tolerances at which adaptive solvers run.
  private var tolerances: [Double] { [1e-1, 3e-2, 1e-2, 1e-3, 1e-4] }
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

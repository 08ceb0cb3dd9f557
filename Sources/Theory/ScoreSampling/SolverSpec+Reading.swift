import ScoreProcesses

extension SolverSpec {
  /// The names of solvers that take the steps of a grid.
  static let stepNames = [
    "euler-maruyama", "reverse-diffusion", "ancestral", "stochastic-heun", "sra1", "ddim",
    "dpm-solver", "dpm-solver++", "sde-dpm-solver++", "deis", "unipc", "edm", "heun", "midpoint",
    "rk4", "euler",
  ]

  /// The keys that every solver takes.
  static let common = ["grid", "rho", "denoise"]

  enum FlowMethod: String, CaseIterable {
    case dopri5, bosh3, tsit5, dop853, euler, heun, midpoint, rk4
  }

  enum DataMethod: String, CaseIterable {
    case twoM = "2m"
    case threeM = "3m"
    case oneS = "1s"
    case twoS = "2s"
    case threeS = "3s"
  }

  private enum Grid: String, CaseIterable {
    case uniform, quadratic, karras, reference, optimized
    case logSNR = "log-snr"
  }

  /// The names of grids, as `grid=` takes them.
  public static var grids: [String] { Grid.allCases.map(\.rawValue) }

  enum Choice: String, CaseIterable {
    case langevin, ald, none
  }

  /// Reads a solver that takes the steps of a grid, with the keys that it knows.
  static func stepSolver(
    _ name: String, _ spec: Spec
  ) throws -> (any StepSolver, [String]) {
    switch name {
    case "euler-maruyama":
      return (
        try EulerMaruyama(stochasticity: spec.number("stochasticity", default: 1)),
        ["stochasticity"]
      )
    case "reverse-diffusion": return (ReverseDiffusion(), [])
    case "stochastic-heun":
      return (
        try StochasticHeun(stochasticity: spec.number("stochasticity", default: 1)),
        ["stochasticity"]
      )
    case "sra1":
      return (
        try StochasticRungeKutta(stochasticity: spec.number("stochasticity", default: 1)),
        ["stochasticity"]
      )
    case "ancestral":
      let variance = try spec.choice("variance", default: Ancestral.Variance.posterior)
      return (Ancestral(variance: variance), ["variance"])
    case "ddim": return (try DDIM(eta: spec.number("eta", default: 0)), ["eta"])
    case "dpm-solver":
      return try singlestep(.noise, spec.integer("order", default: 2), spec, ["order"])
    case "dpm-solver++": return try dataSolver(spec)
    case "sde-dpm-solver++":
      return (try SDEDPMSolver(order: spec.integer("order", default: 2)), ["order"])
    case "deis":
      return (
        try DEIS(
          order: spec.integer("order", default: 3),
          variable: spec.choice("variable", default: DEIS.Variable.time)), ["order", "variable"]
      )
    case "unipc":
      return (
        try UniPC(
          predictions: spec.integer("order", default: 2),
          function: spec.choice("b", default: UniPC.Function.bh2),
          prediction: spec.choice("prediction", default: Prediction.data)),
        ["order", "b", "prediction"]
      )
    case "edm":
      return (
        try ChurnedHeun(
          churn: spec.number("churn", default: 0), min: spec.number("min", default: 0),
          max: spec.number("max", in: .nonnegative) ?? .infinity,
          noise: spec.number("noise", default: 1)), ["churn", "min", "max", "noise"]
      )
    default:
      let methods = RungeKuttaTableau.all + EmbeddedPair.all.map(\.method)
      guard let method = methods.first(where: { $0.name == name }) else {
        throw spec.wrong(
          "predictor", name, "one of \(stepNames.joined(separator: ", ")), none")
      }
      let standard = name == "euler" ? FlowRungeKutta.Variable.time : .noise
      return (
        FlowRungeKutta(method, variable: try spec.choice("variable", default: standard)),
        ["variable"]
      )
    }
  }

  private static func singlestep(
    _ prediction: Prediction, _ stages: Int, _ spec: Spec, _ keys: [String]
  ) throws -> (any StepSolver, [String]) {
    let places = stages == 3 ? ["r1", "r2"] : stages == 2 ? ["r1"] : []
    let solver = try DPMSolver(
      stages: stages, prediction: prediction, r1: spec.number("r1"),
      r2: spec.number("r2", default: 2.0 / 3))
    return (solver, keys + places)
  }

  private static func dataSolver(_ spec: Spec) throws -> (any StepSolver, [String]) {
    switch try spec.choice("method", default: DataMethod.twoM) {
    case .twoM: (try DPMSolverMultistep(order: 2), ["method"])
    case .threeM: (try DPMSolverMultistep(order: 3), ["method"])
    case .oneS: try singlestep(.data, 1, spec, ["method"])
    case .twoS: try singlestep(.data, 2, spec, ["method"])
    case .threeS: try singlestep(.data, 3, spec, ["method"])
    }
  }

  static func flow(_ spec: Spec) throws -> (any Solver, [String]) {
    let choice = try spec.choice("method", default: FlowMethod.dopri5)
    if let pair = EmbeddedPair.all.first(where: { $0.method.name == choice.rawValue }) {
      guard try spec.flag("adaptive", default: true) else {
        return (
          FlowRungeKutta(pair.method, variable: try spec.choice("variable", default: .time)),
          ["method", "adaptive", "variable"]
        )
      }
      return (
        try AdaptiveFlow(
          method: pair, rtol: spec.number("rtol", default: 1e-5),
          atol: spec.number("atol", default: 1e-5),
          maxEvaluations: spec.integer("max-evaluations", default: 10_000)),
        ["method", "adaptive", "rtol", "atol", "max-evaluations"]
      )
    }
    let method = RungeKuttaTableau.all.first { $0.name == choice.rawValue } ?? .euler
    return (
      FlowRungeKutta(method, variable: try spec.choice("variable", default: .time)),
      ["method", "variable"]
    )
  }

  static func predictorCorrector(_ spec: Spec) throws -> (any Solver, [String]) {
    let name = spec.string("predictor") ?? "reverse-diffusion"
    let (predictor, own): ((any StepSolver)?, [String]) =
      name == "none" ? (nil, []) : try stepSolver(name, spec)
    let snr = try spec.number("snr", default: 0.16)
    let steps = try spec.integer("corrector-steps", default: 1)
    let corrector: (any Corrector)?
    let keys: [String]
    switch try spec.choice("corrector", default: Choice.langevin) {
    case .langevin:
      keys = ["snr", "corrector-steps", "shrinkage"]
      corrector = try Langevin(
        snr: snr, steps: steps, shrinkage: spec.number("shrinkage", default: 64))
    case .ald:
      keys = ["snr", "corrector-steps"]
      corrector = try AnnealedLangevin(snr: snr, steps: steps)
    case .none: (keys, corrector) = ([], nil)
    }
    return (
      PredictorCorrector(predictor: predictor, corrector: corrector),
      ["predictor", "corrector"] + keys + own
    )
  }

  /// The solver on the grid that suits it best, where that is asked for.
  static func optimized(_ spec: Spec, _ solver: any Solver) throws -> any Solver {
    guard try spec.choice("grid", default: Grid.uniform) == .optimized else { return solver }
    guard let solver = solver as? any StepSolver, !solver.usesNoise,
      !(solver is PredictorCorrector)
    else {
      throw spec.wrong(
        "grid", "optimized", "that only of solvers of the flow that take the steps of a grid")
    }
    func wrapped(_ solver: some StepSolver) throws -> any Solver { try OptimizedGrid(solver) }
    return try wrapped(solver)
  }

  /// Reads the solver whose steps are fitted to the field.
  static func fittedFlow(_ spec: Spec) throws -> (any Solver, [String]) {
    if let grid = spec.string("grid") {
      throw spec.wrong("grid", grid, "none: the solver finds its own")
    }
    return (
      try FittedFlow(
        memory: spec.integer("memory", default: 4), pilot: spec.integer("pilot", default: 1024),
        sweeps: spec.integer("sweeps", default: 6)), ["memory", "pilot", "sweeps"]
    )
  }

  /// Reads the solver that chooses its own steps of the reverse SDE.
  static func adaptiveDiffusion(_ spec: Spec) throws -> (any Solver, [String]) {
    (
      try AdaptiveDiffusion(
        rtol: spec.number("rtol", default: 0.05), atol: spec.number("atol", default: 0.01),
        maxEvaluations: spec.integer("max-evaluations", default: 10_000)),
      ["rtol", "atol", "max-evaluations"]
    )
  }

  static func schedule(_ spec: Spec, _ solver: any Solver) throws -> GridSchedule? {
    let grid = try spec.choice("grid", default: Grid.uniform)
    if grid != .karras, let rho = spec.string("rho") {
      throw spec.wrong("rho", rho, "rho together with grid=karras only")
    }
    guard spec.string("grid") != nil else { return nil }
    switch grid {
    case .uniform: return .uniform
    case .quadratic: return .quadratic
    case .logSNR: return .logSNR
    // The solver finds its own.
    case .optimized: return nil
    case .karras: return .karras(rho: try spec.number("rho", default: 7, in: .positive))
    case .reference:
      guard solver.runsOnReferenceGrid else {
        throw spec.wrong(
          "grid", "reference",
          "that only of euler-maruyama, reverse-diffusion, ancestral and their predictor-corrector")
      }
      return .reference
    }
  }
}

extension Solver {
  // The reference's last step ends past the times that the process has; these solvers never look there.
  var runsOnReferenceGrid: Bool {
    let spec = spec
    let predictor = spec.parameters.first { $0.key == "predictor" }?.value
    return ["euler-maruyama", "reverse-diffusion", "ancestral", "none"].contains(
      spec.name == "pc" ? predictor ?? "" : spec.name)
  }
}

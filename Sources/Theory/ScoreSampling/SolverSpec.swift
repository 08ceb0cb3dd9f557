import ScoreProcesses

/// A solver as text: `pc:predictor=reverse-diffusion,corrector=langevin,snr=0.16`, and how its grid is spread.
///
/// | name | parameters |
/// |---|---|
/// | euler-maruyama | stochasticity=1 (0 is the flow) |
/// | reverse-diffusion | – |
/// | ancestral | variance=posterior or forward |
/// | ddim | eta |
/// | heun, midpoint, rk4 | variable=noise (the flow in σ/α, steadier at few steps) or time |
/// | euler | variable=time or noise (which is ddim) |
/// | ode | method=dopri5 (rtol, atol, max-evaluations), or euler, heun, midpoint, rk4 (variable=time or noise) |
/// | pc | predictor, corrector=langevin, ald or none, snr, corrector-steps, shrinkage, and the predictor's own |
///
/// All of them take grid=uniform, log-snr, karras (rho) or reference, and denoise=none, mean or tweedie.
public struct SolverSpec: Sendable {
  /// The solver.
  public var solver: any Solver
  /// How its steps are spread.
  public var schedule: GridSchedule
  /// What its last step does about the noise that is left.
  public var denoising: Denoising

  public init(
    _ solver: any Solver, schedule: GridSchedule = .uniform, denoising: Denoising = .mean
  ) {
    self.solver = solver
    self.schedule = schedule
    self.denoising = denoising
  }

  /// The names that are known.
  public static let names = [
    "euler-maruyama", "reverse-diffusion", "ancestral", "ddim", "heun", "midpoint", "rk4",
    "euler", "ode", "pc",
  ]

  private static let common = ["grid", "rho", "denoise"]

  /// Reads a solver.
  /// - Throws: `SpecError` or `SamplingError`, with what is known.
  public init(_ text: String) throws { try self.init(Spec(text, kind: "solver")) }

  /// Reads a solver.
  /// - Throws: `SpecError` or `SamplingError`, with what is known.
  public init(_ spec: Spec) throws {
    guard Self.names.contains(spec.name) else { throw spec.unknownName(known: Self.names) }
    let (solver, keys): (any Solver, [String])
    switch spec.name {
    case "pc": (solver, keys) = try Self.predictorCorrector(spec)
    case "ode":
      (solver, keys) = try Self.flow(spec)
    default: (solver, keys) = try Self.stepSolver(spec.name, spec)
    }
    try spec.expect(keys: keys + Self.common)
    schedule = try Self.schedule(spec, solver)
    denoising = try spec.choice("denoise", default: .mean)
    self.solver = solver
  }

  /// The text that reads back as this.
  public var spec: Spec {
    var parameters = solver.spec.parameters
    if schedule != .uniform {
      parameters.append(Spec.Parameter(key: "grid", value: schedule.description))
    }
    if case .karras(let rho) = schedule {
      parameters.append(Spec.Parameter(key: "rho", value: Spec.text(rho)))
    }
    if denoising != .mean {
      parameters.append(Spec.Parameter(key: "denoise", value: denoising.rawValue))
    }
    return Spec(kind: "solver", name: solver.spec.name, argument: nil, parameters: parameters)
  }

  private enum FlowMethod: String, CaseIterable {
    case dopri5, euler, heun, midpoint, rk4
  }

  private enum Grid: String, CaseIterable {
    case uniform, karras, reference
    case logSNR = "log-snr"
  }

  private enum Choice: String, CaseIterable {
    case langevin, ald, none
  }

  private static func stepSolver(
    _ name: String, _ spec: Spec
  ) throws -> (any StepSolver, [String]) {
    switch name {
    case "euler-maruyama":
      (
        try EulerMaruyama(stochasticity: spec.number("stochasticity", default: 1)),
        ["stochasticity"]
      )
    case "reverse-diffusion": (ReverseDiffusion(), [])
    case "ancestral":
      (
        Ancestral(variance: try spec.choice("variance", default: .posterior)), ["variance"]
      )
    case "ddim": (try DDIM(eta: spec.number("eta", default: 0)), ["eta"])
    default:
      if let method = RungeKuttaTableau.all.first(where: { $0.name == name }) {
        (
          FlowRungeKutta(
            method,
            variable: try spec.choice("variable", default: name == "euler" ? .time : .noise)),
          ["variable"]
        )
      } else {
        throw spec.wrong(
          "predictor", name,
          "one of euler-maruyama, reverse-diffusion, ancestral, ddim, euler, heun, midpoint, rk4, none"
        )
      }
    }
  }

  private static func flow(_ spec: Spec) throws -> (any Solver, [String]) {
    let choice = try spec.choice("method", default: FlowMethod.dopri5)
    guard let method = RungeKuttaTableau.all.first(where: { $0.name == choice.rawValue }) else {
      return (
        try AdaptiveFlow(
          rtol: spec.number("rtol", default: 1e-5), atol: spec.number("atol", default: 1e-5),
          maxEvaluations: spec.integer("max-evaluations", default: 10_000)),
        ["method", "rtol", "atol", "max-evaluations"]
      )
    }
    return (
      FlowRungeKutta(method, variable: try spec.choice("variable", default: .time)),
      ["method", "variable"]
    )
  }

  private static func predictorCorrector(_ spec: Spec) throws -> (any Solver, [String]) {
    let name = spec.string("predictor") ?? "reverse-diffusion"
    let (predictor, own): ((any StepSolver)?, [String]) =
      name == "none" ? (nil, []) : try stepSolver(name, spec)
    let snr = try spec.number("snr", default: 0.16)
    let steps = try spec.integer("corrector-steps", default: 1)
    var keys = ["predictor", "corrector", "snr", "corrector-steps"] + own
    let corrector: (any Corrector)?
    switch try spec.choice("corrector", default: Choice.langevin) {
    case .langevin:
      keys.append("shrinkage")
      corrector = try Langevin(
        snr: snr, steps: steps, shrinkage: spec.number("shrinkage", default: 64))
    case .ald: corrector = try AnnealedLangevin(snr: snr, steps: steps)
    case .none: corrector = nil
    }
    return (PredictorCorrector(predictor: predictor, corrector: corrector), keys)
  }

  private static func schedule(_ spec: Spec, _ solver: any Solver) throws -> GridSchedule {
    let grid = try spec.choice("grid", default: Grid.uniform)
    if grid != .karras, let rho = spec.string("rho") {
      throw spec.wrong("rho", rho, "rho together with grid=karras only")
    }
    switch grid {
    case .uniform: return .uniform
    case .logSNR: return .logSNR
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
  fileprivate var runsOnReferenceGrid: Bool {
    if let pair = self as? PredictorCorrector {
      return pair.predictor?.runsOnReferenceGrid ?? true
    }
    return self is EulerMaruyama || self is ReverseDiffusion || self is Ancestral
  }
}

extension Sampler {
  /// Creates a sampler from a specification, with a grid from T to ε.
  /// - Throws: `SamplingError` unless N ≥ 1 and 0 < ε < T.
  public init(
    _ field: any ScoreField<Scalar>, _ spec: SolverSpec, steps: Int, epsilon: Double? = nil,
    batchSize: Int? = nil, trajectoryStride: Int? = nil
  ) throws(SamplingError) {
    try self.init(
      field, solver: spec.solver, steps: steps, schedule: spec.schedule, epsilon: epsilon,
      denoising: spec.denoising, batchSize: batchSize, trajectoryStride: trajectoryStride)
  }
}

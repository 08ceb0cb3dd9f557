import ScoreProcesses

/// A solver as text: `pc:predictor=reverse-diffusion,corrector=langevin,snr=0.16`, and how its grid is spread.
///
/// | name | parameters |
/// |---|---|
/// | euler-maruyama, stochastic-heun, sra1 | stochasticity=1 (0 is the flow) |
/// | reverse-diffusion | – |
/// | ancestral | variance=posterior or forward |
/// | ddim | eta |
/// | dpm-solver | order=1, 2 or 3, r1, r2 |
/// | dpm-solver++ | method=2m, 3m, 1s, 2s or 3s (r1, r2) |
/// | sde-dpm-solver++ | order=1 or 2 |
/// | deis | order=1, 2 or 3, variable=time, noise or log-snr |
/// | unipc | order=1, 2 or 3, b=bh1 or bh2, prediction=noise or data |
/// | edm | churn, min, max, noise |
/// | heun, midpoint, rk4 | variable=noise (the flow in σ/α, steadier at few steps) or time |
/// | euler | variable=time or noise (which is ddim) |
/// | ode | method=dopri5, bosh3, tsit5 or dop853 (rtol, atol, max-evaluations; adaptive=false for even steps, with variable), or euler, heun, midpoint, rk4 (variable=time or noise) |
/// | adaptive-sde | rtol, atol, max-evaluations |
/// | fitted | memory, pilot, sweeps: steps and weights fitted to the field, for the least error at few evaluations |
/// | consistency | –; of consistency functions, and no score field |
/// | pc | predictor, corrector=langevin, ald or none, snr, corrector-steps, shrinkage, and the predictor's own |
///
/// All of them take grid=uniform, quadratic, log-snr, karras (rho), optimized (solvers of the flow: the
/// best for the field) or reference, and denoise=none, mean or tweedie. Without grid the solver's own choice for the process
/// is taken: see `GridSchedule`.
public struct SolverSpec: Sendable {
  /// The solver.
  public var solver: any Solver
  /// How its steps are spread; nil as it suits the solver and the process.
  public var schedule: GridSchedule?
  /// What its last step does about the noise that is left.
  public var denoising: Denoising

  public init(
    _ solver: any Solver, schedule: GridSchedule? = nil, denoising: Denoising = .mean
  ) {
    self.solver = solver
    self.schedule = schedule
    self.denoising = denoising
  }

  /// The names of the solvers of score fields.
  public static let names = stepNames + ["ode", "adaptive-sde", "fitted", "pc"]

  /// Reads a solver.
  /// - Throws: `SpecError` or `SamplingError`, with what is known.
  public init(_ text: String) throws { try self.init(Spec(text, kind: "solver")) }

  /// Reads a solver.
  /// - Throws: `SpecError` or `SamplingError`, with what is known.
  public init(_ spec: Spec) throws {
    let known = Self.names + [Consistency.name]
    guard known.contains(spec.name) else { throw spec.unknownName(known: known) }
    let (solver, keys): (any Solver, [String])
    switch spec.name {
    case Consistency.name: (solver, keys) = (Consistency(), [])
    case "pc": (solver, keys) = try Self.predictorCorrector(spec)
    case "adaptive-sde": (solver, keys) = try Self.adaptiveDiffusion(spec)
    case "fitted": (solver, keys) = try Self.fittedFlow(spec)
    case "ode":
      (solver, keys) = try Self.flow(spec)
    default: (solver, keys) = try Self.stepSolver(spec.name, spec)
    }
    try spec.expect(keys: keys + Self.common)
    schedule = try Self.schedule(spec, solver)
    denoising = try spec.choice("denoise", default: .mean)
    self.solver = try Self.optimized(spec, solver)
  }

  /// The text that reads back as this.
  public var spec: Spec {
    var parameters = solver.spec.parameters
    if let schedule {
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
}

extension Sampler {
  /// Creates a sampler from a specification, with a grid from T, or a given start, to ε.
  /// - Throws: `SamplingError` unless N ≥ 1 and 0 < ε < start ≤ T.
  public init(
    _ field: any ScoreField<Scalar>, _ spec: SolverSpec, steps: Int, from start: Double? = nil,
    epsilon: Double? = nil, batchSize: Int? = nil, trajectoryStride: Int? = nil
  ) throws(SamplingError) {
    try self.init(
      field, solver: spec.solver, steps: steps, schedule: spec.schedule, from: start,
      epsilon: epsilon, denoising: spec.denoising, batchSize: batchSize,
      trajectoryStride: trajectoryStride)
  }
}

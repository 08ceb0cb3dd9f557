import ScoreSDE

/// Points of a model's flow, for a consistency model to learn from.
struct FlowSource<Scalar: TensorScalar>: Sendable {
  private let field: any ScoreField<Scalar>
  /// The classes that the model has seen; empty where it knows of none.
  private let classes: [Int]
  /// The share of the trajectories that are of all classes together.
  private let unclassed: Double
  private let guidance: Double?
  private let solver: any Solver
  /// Of one step less than a trajectory has.
  private let grid: TimeGrid

  /// - Parameters:
  ///   - guidance: how far samples are led to their class; nil takes it as it is.
  ///   - steps: of the solver, along each trajectory.
  /// - Throws: where the model has covariates, the solver is not one of the flow that takes the steps of a grid, or there is nothing to
  ///   guide to.
  init(_ model: LoadedModel<Scalar>, solver spec: SolverSpec, steps: Int, guidance: Double?) throws
  {
    guard model.givenNote == nil else {
      throw CommandError.usage(
        "--model is a run that was trained with --given; expected one without: which numbers to distil for is not known"
      )
    }
    guard !spec.solver.usesNoise, spec.solver is any StepSolver || spec.solver is AdaptiveFlow,
      !(spec.solver is any FieldFittedSolver), !(spec.solver is Consistency),
      spec.denoising == .mean
    else {
      throw CommandError.usage(
        "--solver is \(spec.spec); expected a solver of the flow that takes the times of a grid, as dpm-solver++ or ode does, without denoise="
      )
    }
    field = model.field
    let run = model.run
    classes = (0..<(run?.classes ?? 0)).filter { !model.emptyClasses.contains($0) }
    guard guidance == nil || !classes.isEmpty else {
      throw CommandError.usage(
        "--guidance is given, but the model has no classes to lead to; expected a run that was trained with --labels"
      )
    }
    // What training hid is what the model knows of all classes together.
    unclassed = run?.options.labelDropout ?? TrainingOptions.usualLabelDropout
    self.guidance = guidance
    solver = spec.solver
    let process = model.field.process
    grid = try (spec.schedule ?? solver.suitedSchedule(for: process)).grid(
      for: process, steps: steps - 1)
  }

  var process: any LinearProcess { field.process }

  /// So many points, as many of each step as of the others, all of them of few trajectories.
  ///
  /// The first times are T; one is drawn within each of the grid's steps, all of one key at the same share of them in log(σ/α).
  func points(_ count: Int, key: RandomKey) throws -> FlowPoints<Scalar> {
    let draws: Tensor<Double> = key.folded("grid").uniform([1, 1])
    let grid = try jittered(by: 0.01 + 0.98 * draws.scalars[0])
    let steps = grid.steps.count
    let rows = (count + steps - 1) / steps
    let labels = labels(rows, key: key.folded("classes"))
    let sampler = Sampler(
      try conditioned(on: labels), solver: solver, grid: grid, trajectoryStride: 1)
    let result = try sampler.sample(rows, key: key.folded("flow"))
    try result.checkFinished()
    let points = try FlowPoints(
      along: result.trajectory.map { ($0.time, $0.x) }, of: process, labels: labels)
    let places = (0..<count).map { $0 * (rows * steps) / count }
    return try FlowPoints(
      states: points.states.rows(places), times: places.map { points.times[$0] },
      origins: points.origins.rows(places),
      labels: points.labels.map { labels in places.map { labels[$0] } })
  }

  /// T, a time within each step of the grid, and ε.
  private func jittered(by share: Double) throws -> TimeGrid {
    let lambdas = ([grid.start] + grid.steps.map(\.next)).map {
      process.marginal(at: $0).halfLogSNR
    }
    let inner = lambdas.indices.dropLast().map { place in
      process.time(
        halfLogSNR: lambdas[place] + share * (lambdas[place + 1] - lambdas[place]))
    }
    return try TimeGrid(times: [grid.start] + inner + [grid.end])
  }

  private func labels(_ count: Int, key: RandomKey) -> [Int?]? {
    guard !classes.isEmpty else { return nil }
    let draws: Tensor<Double> = key.uniform([count, 2])
    return (0..<count).map { row in
      guard draws[row, 0] >= unclassed else { return nil }
      return classes[min(classes.count - 1, Int(draws[row, 1] * Double(classes.count)))]
    }
  }

  private func conditioned(on labels: [Int?]?) throws -> any ScoreField<Scalar> {
    guard let labels, let model = field as? ScoreModel<Scalar> else { return field }
    let own = try model.conditioned(onRows: labels)
    return try guidance.map { try own.guided(from: model.unconditioned, scale: $0) } ?? own
  }
}

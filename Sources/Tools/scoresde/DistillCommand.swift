import Foundation
import ScoreSDE

/// `scoresde distill`: trains a consistency model on a model's flow and keeps the run in a folder.
enum DistillCommand: ScalarCommand {
  static let name = "distill"
  static let summary = "trains a model of few steps on another one's flow"
  static let options: [Option] =
    [
      .model, .modelProcess,
      Option(
        "--solver", "SOLVER",
        "of the flow, whose trajectories, with their errors, are learnt from: ode:rtol=1e-3,atol=1e-3 (default), unipc, heun, …"
      ),
      Option(
        "--solver-steps", "N",
        "times of a trajectory, each of which gives a sample, and steps of solvers that take the grid's (default 20)"
      ),
      Option(
        "--guidance", "W",
        "of a run that was trained with --labels: how far samples are led to their class, from 0 to \(Int(Arguments.mostGuidance))"
      ),
      Option(
        "--network", "NET", "as of train (default: that of the model's run, from its parameters)"),
      Option(
        "--parametrization", "NAME",
        "what the network gives: that of the model's run (default where it can be), gaussian, edm, x0 or v"
      ),
    ] + Option.optimizer(learningRate: learningRate)

  /// Where none is given: what the network is to give is no mean of much noise, and bears more than a score.
  static let learningRate = 3e-3

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    try TrainCommand.train(session) { folder -> TrainingJob<Scalar> in
      try Distillation.job(resuming: folder, session)
    } new: {
      try Distillation(session).job()
    }
  }
}

/// What a distillation is asked for: the model that teaches, how its flow is solved, and what learns.
struct Distillation<Scalar: TensorScalar> {
  private let session: Session
  private let model: LoadedModel<Scalar>
  private let source: FlowSource<Scalar>
  /// The model, as `--model` names it.
  private let text: String
  /// How its flow is solved, as notes of the run.
  private let notes: [String: String]

  /// The options that a run keeps as notes, each under its own name.
  private static var kept: [String] { ["--solver", "--solver-steps", "--guidance"] }
  private static var fingerprintNote: String { "model" }
  /// The student takes over the solver's error, which no loss shows: 20 steps of `dpm-solver++` left Gaussians too wide by 2 to 3 %.
  private static var standardSolver: String { "ode:rtol=1e-3,atol=1e-3" }

  /// How the flow was solved that a run learnt from, in words; nil of a run that was begun in Swift.
  static func flow(of run: RunDescription) -> String? {
    guard let solver = run.notes["--solver"], let steps = run.notes["--solver-steps"] else {
      return nil
    }
    let guidance = run.notes["--guidance"].map { ", guidance \($0)" } ?? ""
    return "\(solver) in \(steps) steps\(guidance)"
  }

  /// Reads the options of a new run.
  init(_ session: Session) throws {
    try self.init(session) { session.arguments.text($0) }
  }

  /// The run in a folder; options that are given must be those of the run, but for more steps.
  static func job(
    resuming folder: RunFolder, _ session: Session
  ) throws -> TrainingJob<Scalar> {
    var run = try TrainingJob<Scalar>.description(resuming: folder, given: session.arguments)
    guard let teacher = run.teacher else {
      throw CommandError.usage(
        "\(folder.path) holds a score model; scoresde \(run.command) --out \(folder.path) --resume goes on with it"
      )
    }
    guard let fingerprint = run.notes[fingerprintNote] else {
      throw CommandError.failure(
        "\(folder.path) holds a run that was begun in Swift, which does not say how its points are drawn; expected it to go on there"
      )
    }
    for option in kept {
      guard let given = session.arguments.text(option), given != run.notes[option] else { continue }
      throw CommandError.usage(
        "\(option) is \(given), but the run in \(folder.path) has \(run.notes[option] ?? "none"); leave it out or start another run"
      )
    }
    let isExact = !FilePlace.exists(session.arguments.text("--model") ?? teacher)
    var values = ["--model": session.arguments.text("--model") ?? teacher]
    if isExact { values["--sde"] = run.sde }
    let own = try Distillation(session.replacing(values)) { run.notes[$0] }
    guard own.notes[fingerprintNote] == fingerprint else {
      throw CommandError.usage(
        "\(own.text) is another model than the run in \(folder.path) was distilled from, \(teacher); give --model with its place now, or start another run"
      )
    }
    run.teacher = own.text
    let (configuration, _) = try folder.parts(of: run)
    do {
      return try TrainingJob(
        resuming: folder,
        own.trainer(configuration, run.options, from: own.parameters(for: configuration)), run)
    } catch let error as TrainingError {
      throw CommandError.failure("\(folder.descriptionPath): \(error)")
    }
  }

  private init(_ session: Session, _ option: (String) -> String?) throws {
    self.session = session
    text = try session.arguments.required("--model")
    let spec = try asUsage(of: "--solver") {
      try SolverSpec(option("--solver") ?? Self.standardSolver)
    }
    let asked = option("--solver-steps")
    let steps = asked.map { Int($0) ?? 0 } ?? 20
    guard (2...1000).contains(steps) else {
      throw CommandError.usage(
        "--solver-steps is \(asked ?? ""); expected a whole number from 2 to 1000")
    }
    let guidance = try Arguments.guidance(option("--guidance"))
    model = try LoadedModel<Scalar>(session)
    source = try FlowSource(model, solver: spec, steps: steps, guidance: guidance)
    var notes = [
      "--solver": option("--solver") ?? Self.standardSolver, "--solver-steps": "\(steps)",
    ]
    notes["--guidance"] = option("--guidance")
    notes[Self.fingerprintNote] = try model.fingerprint
    let known = [
      DataNote.scale.name, DataNote.range.name, DataNote.discrete.name, DataNote.texts.name,
      DataNote.standardization.name,
      DataNote.columns.name, DataNote.emptyClasses.name, DataNote.classNames.name,
    ]
    for name in known { notes[name] = model.run?.notes[name] }
    // Tables of samples name the column of their classes.
    if model.labelColumn != nil {
      notes[TrainingJob<Scalar>.labelsNote] = model.run?.notes[TrainingJob<Scalar>.labelsNote]
    }
    self.notes = notes
  }

  /// A new run.
  func job() throws -> TrainingJob<Scalar> {
    let arguments = session.arguments
    var standard = TrainingOptions()
    standard.learningRate = DistillCommand.learningRate
    let options = try TrainingJob<Scalar>.options(arguments, standard: standard)
    let own = try model.run?.modelConfiguration()
    let network = try arguments.text("--network").map { text in
      try asUsage(of: "--network") { try NetworkSpec(text) }
    }
    let configuration = ModelConfiguration(
      sampleShape: model.field.sampleShape,
      network: try network ?? own?.network ?? NetworkSpec("residual-mlp"),
      preconditioning: try preconditioning(own?.preconditioning),
      classes: model.run?.classes ?? 0)
    try asUsage(of: "--network") { try configuration.check() }
    do {
      let trainer = try trainer(configuration, options, from: parameters(for: configuration))
      return TrainingJob(
        trainer,
        RunDescription(
          model: configuration, process: source.process, scalar: Scalar.typeName,
          data: model.run?.data ?? text, teacher: text, options: options, notes: notes))
    } catch let error as TrainingError {
      throw CommandError.usage(error.description)
    }
  }

  /// What training begins with: the model's own parameters, where what learns is as the model is.
  private func parameters(for configuration: ModelConfiguration) -> Parameters<Scalar>? {
    guard let own = model.field as? ScoreModel<Scalar>, own.configuration == configuration else {
      return nil
    }
    return own.parameters
  }

  private func trainer(
    _ configuration: ModelConfiguration, _ options: TrainingOptions,
    from initial: Parameters<Scalar>?
  ) throws -> Trainer<Scalar> {
    try Trainer(
      configuration, process: source.process, options: options, from: initial, pool: session.pool
    ) { [source] in try source.points($0, key: $1) }
  }

  /// What the network gives: what is asked for, what the model's own gives, or the rest over a Gaussian's.
  private func preconditioning(_ own: Preconditioning?) throws -> Preconditioning {
    let text = session.arguments.text("--parametrization")
    if text == nil, let own, own.isBoundedInData(under: source.process) { return own }
    let points = try source.points(2048, key: RandomKey(0).folded("moments"))
    let moments = try TrainingData(points.origins).moments
    return try asUsage(of: "--parametrization") {
      try Preconditioning(
        text ?? "gaussian", mean: moments.mean, deviation: moments.deviation)
    }
  }
}

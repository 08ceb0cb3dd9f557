import Foundation
import ScoreSDE

/// A training run from the shell: data, model, trainer and log.
struct TrainingJob<Scalar: TensorScalar> {
  var description: RunDescription
  var trainer: Trainer<Scalar>
  var log = LossLog()
  /// The loss of the first step, before anything was learnt; nil where that was no step of this job.
  private(set) var firstLoss: Double?
  /// What evaluates the model on held-out data, if there are some, and what came of it.
  var validation: Validation<Scalar>?
  var validationLog = ValidationLog()
  /// How the data of a new run were standardised, in a sentence, if they were.
  let standardization: String?
  /// What the user should know of the data of a new run, or of one that goes on, a sentence each.
  let remarks: [String]

  /// The note in a run's description that tells its data from others.
  static var fingerprintNote: String { "data" }
  /// The note that says where the labels came from.
  static var labelsNote: String { "labels" }
  static var labelFingerprintNote: String { "label fingerprint" }
  /// The notes that say where the covariates came from, and tell them from others.
  static var givenSourceNote: String { "given source" }
  static var givenFingerprintNote: String { "given fingerprint" }
  /// Steps between entries of the loss log.
  private static var logEvery: Int { 10 }
  /// Steps between checkpoints, where none are asked for.
  static var usualInterval: Int { 500 }

  /// The steps between checkpoints that `--checkpoint-every` asks for, as they can be.
  static func interval(_ arguments: Arguments) throws -> Int? {
    try arguments.integer("--checkpoint-every", atLeast: 1).map(checkpointSteps)
  }

  /// So many steps, up to the next entry of the log, on which checkpoints fall, so that a resumed run logs the same means.
  static func checkpointSteps(_ asked: Int) -> Int { (asked + logEvery - 1) / logEvery * logEvery }

  /// Creates a new run from options.
  init(_ arguments: Arguments, process: any LinearProcess, pool: ThreadPool) throws {
    let text = try arguments.required("--data")
    let source = try asUsage(of: "--data") { try DataSource(text) }
    let network = try asUsage(of: "--network") {
      try NetworkSpec(arguments.text("--network") ?? "residual-mlp")
    }
    let start = try StartingRun<Scalar>(arguments, pool: pool)
    let parametrization = arguments.text("--parametrization") ?? "gaussian"
    let options = try Self.options(
      arguments,
      standard: TrainingOptions(
        givesData: start.map { $0.model.preconditioning == .denoised } ?? (parametrization == "x0")
      ))
    let loaded = try Self.load(
      source, labels: arguments.text("--labels"), given: arguments.text("--given"))
    try RunColumns.checkDiffer(in: loaded)
    let data = try Self.labelled(
      start.map { try $0.adapted(loaded) }
        ?? Self.standardized(Self.levelled(loaded, arguments), arguments),
      by: arguments.text("--labels"))
    try self.init(
      data: start.map { try data.labelled(as: $0.classNames) } ?? data,
      labels: arguments.text("--labels"), given: arguments.text("--given"), network: network,
      parametrization: parametrization, process: start?.process ?? process, options: options,
      start: start,
      heldOut: HeldOutPlace(arguments), pool: pool)
  }

  /// Creates a new run on data that are at hand; where they have labels, of a model of their classes.
  init(
    data: Dataset<Scalar>, labels: String? = nil, given: String? = nil, network: NetworkSpec,
    parametrization: String = "gaussian",
    process: any LinearProcess, options: TrainingOptions, start: StartingRun<Scalar>? = nil,
    heldOut: HeldOutPlace? = nil, pool: ThreadPool
  ) throws {
    let note = try start?.given ?? data.covariates.map(GivenOption.Note.init(of:))
    let samples = try data.trainingData(given: note)
    try start?.check(samples, given: data.covariates?.names)
    let moments = samples.moments
    let model =
      try start?.model
      ?? ModelConfiguration(
        sampleShape: data.sampleShape,
        network: try GivenOption.network(
          network, given: data.covariates, beside: data.sampleShape),
        preconditioning: try asUsage(of: "--parametrization") {
          try Preconditioning(parametrization, mean: moments.mean, deviation: moments.deviation)
        }, classes: samples.classes, covariates: note?.count ?? 0)
    try asUsage(of: "--network") { try model.check() }
    var notes = [Self.fingerprintNote: data.fingerprint]
    notes[Self.labelsNote] = labels
    notes[Self.labelFingerprintNote] = data.labelFingerprint
    notes[Self.givenSourceNote] = given
    notes[Self.givenFingerprintNote] = data.covariates?.fingerprint
    notes[DataNote.given.name] = try note.map(DataNote.given.text)
    if !samples.emptyClasses.isEmpty {
      notes[DataNote.emptyClasses.name] = try DataNote.emptyClasses.text(of: samples.emptyClasses)
    }
    notes[StartingRun<Scalar>.note] = start?.path
    notes[DataNote.classNames.name] = try data.classNames.map(DataNote.classNames.text)
    notes[DataNote.columns.name] = try data.columns.map(DataNote.columns.text)
    notes[DataNote.scale.name] = try data.scale.map(DataNote.scale.text)
    if data.scale == nil, data.sampleShape.image != nil {
      notes[DataNote.range.name] = try data.samples.range.map(DataNote.range.text)
    }
    notes[DataNote.standardization.name] =
      try data.standardization.map(DataNote.standardization.text)
    let heldOut = try heldOut.map {
      try HeldOutData(
        $0, beside: data, labels: labels, given: note,
        classes: (model.classes, samples.emptyClasses))
    }
    heldOut?.place.note(in: &notes)
    notes[HeldOutData<Scalar>.fingerprintNote] = heldOut?.fingerprint
    standardization = DataRemarks.standardization(of: data)
    remarks =
      DataRemarks.of(data, as: samples, process: process, hasLevel: options.noiseLevel != nil)
      + (start == nil ? DataRemarks.fewLevels(of: data).map { [$0] } ?? [] : [])
      + (heldOut?.remarks ?? [])
    description = RunDescription(
      model: model, process: process, scalar: Scalar.typeName, data: data.name,
      options: options, notes: notes)
    do {
      trainer = try Trainer(
        model, process: process, data: samples, options: options, from: start?.parameters,
        pool: pool)
    } catch let error as TrainingError {
      // The data have been read and checked: what is out of range, or too large for the machine, is an option.
      throw CommandError.usage(error.description)
    }
    validation = try heldOut.map { try trainer.validation(on: $0) }
  }

  /// Creates a new run of a trainer that is at hand.
  init(_ trainer: Trainer<Scalar>, _ description: RunDescription) {
    (self.trainer, self.description) = (trainer, description)
    (standardization, remarks) = (nil, [])
  }

  /// Takes up the run in a folder; options that are given must be those of the run, but for more steps.
  init(resuming folder: RunFolder, given arguments: Arguments, pool: ThreadPool) throws {
    var found = try Self.description(resuming: folder, given: arguments)
    guard found.teacher == nil else {
      throw CommandError.usage(
        "\(folder.path) holds a consistency model; scoresde \(found.command) --out \(folder.path) --resume goes on with it"
      )
    }
    let data = try Self.data(of: found, in: folder, given: arguments)
    found.data = data.name
    if let labels = arguments.text("--labels") { found.notes[Self.labelsNote] = labels }
    if let given = arguments.text("--given") { found.notes[Self.givenSourceNote] = given }
    let note = try DataNote.given.value(in: found, of: folder)
    let (model, process) = try folder.parts(of: found)
    let samples = try data.trainingData(given: note)
    let heldOut = try Self.heldOut(
      of: &found, in: folder, given: arguments, beside: data, note: note,
      classes: (model.classes, samples.emptyClasses))
    // Before the first checkpoint it begins where it began.
    let start =
      FilePlace.exists(folder.checkpointPath)
      ? nil
      : try found.notes[StartingRun<Scalar>.note].map {
        try StartingRun<Scalar>($0, pool: pool).parameters
      }
    let trainer: Trainer<Scalar>
    do {
      trainer = try Trainer(
        model, process: process, data: samples, options: found.options, from: start, pool: pool)
    } catch let error as TrainingError {
      throw CommandError.failure("\(folder.descriptionPath): \(error)")
    }
    try self.init(
      resuming: folder, trainer, found,
      validation: heldOut.map { try trainer.validation(on: $0) })
  }

  /// The description of the run in a folder, once options that are given are those of the run, but for more steps.
  static func description(
    resuming folder: RunFolder, given arguments: Arguments
  ) throws -> RunDescription {
    var found = try folder.description()
    if let source = found.notes[ImportCommand.note] {
      try found.checkCheckpoint(in: folder)
      throw CommandError.usage(
        "\(folder.path) was imported from \(source), without a training to go on with; --start \(folder.path) begins one with its parameters"
      )
    }
    if let start = arguments.text("--start"), start != found.notes[StartingRun<Scalar>.note] {
      throw CommandError.usage(
        "--start is \(start), but the run in \(folder.path) began with \(found.notes[StartingRun<Scalar>.note] ?? "no other"); leave it out or start another run"
      )
    }
    guard found.scalar == Scalar.typeName else {
      throw CommandError.usage(
        "the run in \(folder.path) is of \(found.scalar); give --scalar \(found.scalar)")
    }
    let keep = [
      ("--sde", found.sde), ("--network", found.network),
      ("--batch-size", "\(found.options.batchSize)"), ("--seed", "\(found.options.seed)"),
      ("--learning-rate", "\(found.options.learningRate)"), ("--clip", "\(found.options.clip)"),
      ("--schedule", found.options.schedule.rawValue), ("--warm-up", "\(found.options.warmUp)"),
      ("--average-decay", "\(found.options.averageDecay)"),
      ("--weighting", found.options.weighting.rawValue), ("--times", found.options.times.rawValue),
      ("--loss", found.options.objective.rawValue), ("--parametrization", found.parametrization),
      ("--noise-level", found.options.noiseLevel.map { "\($0)" } ?? "none"),
      (
        "--levels",
        try DataNote.scale.value(in: found, of: folder).map { "\($0.levels)" } ?? "none"
      ),
      (
        "--label-dropout",
        found.classes == nil && found.covariates == nil
          ? "none" : "\(found.options.labelDropout ?? TrainingOptions.usualLabelDropout)"
      ),
    ]
    guard !arguments.has("--independent-times") || !found.options.stratifiesTimes else {
      throw CommandError.usage(
        "--independent-times is given, but the run in \(folder.path) draws times in strata; leave it out or start another run"
      )
    }
    for (name, value) in keep {
      guard let given = arguments.text(name), given != value else { continue }
      let same: Bool =
        switch name {
        case "--sde": (try? ProcessSpec.text(of: ProcessSpec.process(given))) == value
        case "--network": Self.isNetwork(given, value)
        case "--parametrization": Self.means(given, value)
        case "--seed", "--batch-size", "--warm-up":
          UInt64(given) != nil && UInt64(given) == UInt64(value)
        default: Double(given) != nil && Double(given) == Double(value)
        }
      guard same else {
        throw CommandError.usage(
          "\(name) is \(given), but the run in \(folder.path) has \(value); leave it out or start another run"
        )
      }
    }
    if let steps = try arguments.integer("--steps", atLeast: 1) { found.options.steps = steps }
    found.notes[DataNote.interval.name] = try DataNote.interval.text(
      of: interval(arguments) ?? DataNote.interval.value(in: found, of: folder) ?? usualInterval)
    return found
  }

  /// Whether a text is a run's network, which may say itself what is given beside samples.
  private static func isNetwork(_ text: String, _ own: String) -> Bool {
    guard var network = try? NetworkSpec(text), let own = try? NetworkSpec(own) else {
      return false
    }
    if network.givenChannels == 0 { network.givenChannels = own.givenChannels }
    return network == own
  }

  /// Takes up the state that a folder has of a run, whose trainer is before its first step.
  init(
    resuming folder: RunFolder, _ trainer: Trainer<Scalar>, _ description: RunDescription,
    validation: Validation<Scalar>? = nil
  ) throws {
    var (trainer, found) = (trainer, description)
    let isBegun = FilePlace.exists(folder.checkpointPath)
    standardization = nil
    remarks =
      isBegun || !FilePlace.exists(folder.lossPath)
      ? [] : ["there is no \(folder.checkpointPath); training starts from the first step"]
    if isBegun {
      try trainer.restore(try folder.checkpoint(), from: folder.checkpointPath)
      guard let text = try? String(contentsOfFile: folder.lossPath, encoding: .utf8) else {
        throw CommandError.failure("\(folder.lossPath): the loss log is missing")
      }
      log = try LossLog(text: text, name: folder.lossPath, upTo: trainer.step)
      if validation != nil { validationLog = try folder.validationLog(upTo: trainer.step) }
    }
    guard trainer.step <= found.options.steps else {
      throw CommandError.usage(
        "--steps is \(found.options.steps), but the run in \(folder.path) has done \(trainer.step)")
    }
    // A demo's run that is trained on is no demo's any more.
    found.notes[DemoCommand.note] = nil
    self.trainer = trainer
    self.validation = validation
    self.description = found
    if validation != nil { try dropEnd(of: folder.description(), in: folder) }
    try folder.update(found)
  }

  /// Trains to the end, with checkpoints; where training diverges the last one stays.
  ///
  /// - Parameter shouldStop: asked after each step; once it answers true the run ends with a checkpoint at the next entry of
  ///   the log.
  mutating func run(
    in folder: RunFolder?, checkpointEvery every: Int, shouldStop: () -> Bool = { false },
    progress: (_ fraction: Double, _ note: String) -> Void
  ) throws {
    let every = Self.checkpointSteps(every)
    var recent: [Trainer<Scalar>.Report] = []
    var shown = log.entries.last?.loss
    func failure(_ error: any Error) -> CommandError {
      let isKept = folder.map { FilePlace.exists($0.checkpointPath) } == true
      return .failure("\(error)\(isKept ? "; the last checkpoint is kept" : "")")
    }
    while !trainer.isFinished {
      do { recent.append(try trainer.advance()) } catch { throw failure(error) }
      let step = trainer.step
      if step == 1 { firstLoss = recent.last?.loss }
      let isLogged = step % Self.logEvery == 0 || trainer.isFinished
      let isStopping = shouldStop()
      if isLogged {
        log.add(recent)
        recent = []
        shown = log.entries.last?.loss
      }
      let isStopped = isStopping && isLogged
      if let folder, trainer.isFinished || step % every == 0 || isStopped {
        do {
          // A stop is no time to wait, and the run that goes on has the lines of one that was not stopped.
          if trainer.isFinished || step % every == 0 { try validate() }
          try folder.save(
            trainer, log: log, validation: validation.map { _ in validationLog },
            figure: LossFigure(log: log, validation: validationLog).plot.svg)
        } catch { throw failure(error) }
      }
      let loss = NumberText.fixed(shown ?? recent.last?.loss ?? 0, decimals: 4)
      progress(
        Double(step) / Double(trainer.options.steps),
        "step \(step), loss \(loss)\(isStopping && !isStopped ? ", stopping" : "")")
      if isStopped { return }
    }
  }

  /// Whether a parametrisation, with its constants or without, is that of a run.
  private static func means(_ given: String, _ own: String) -> Bool {
    guard let own = try? Preconditioning(own) else { return false }
    switch own {
    case .scaledScore(let mean, let deviation), .standardized(let mean, let deviation):
      return (try? Preconditioning(given, mean: mean, deviation: deviation)) == own
    case .edm(let deviation): return (try? Preconditioning(given, deviation: deviation)) == own
    default: return (try? Preconditioning(given)) == own
    }
  }
}

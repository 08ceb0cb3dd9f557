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
    // What the other run knows to be texts is so here, as are classes that have names there.
    let label = Self.labelColumn(arguments.text("--labels"))
    let texts = start.map { start in
      start.columns.texts + (start.classNames.names == nil ? [] : [label].compactMap { $0 })
    }
    let loaded = try Self.load(
      source, labels: arguments.text("--labels"), given: arguments.text("--given"),
      texts: texts ?? [])
    try RunColumns.checkDiffer(in: loaded)
    let data = try Self.labelled(
      start.map { try $0.adapted(loaded) }
        ?? Self.standardized(
          Self.discretized(Self.levelled(loaded, arguments), arguments), arguments,
          isSeries: network.architecture == .unet1D),
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
    let samples = try data.trainingData(covariates: note?.standardization)
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
    notes[DataNote.discrete.name] = try data.discrete.map(DataNote.discrete.text)
    if !data.texts.isEmpty { notes[DataNote.texts.name] = try DataNote.texts.text(of: data.texts) }
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
}

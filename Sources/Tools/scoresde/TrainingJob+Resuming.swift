import Foundation
import ScoreSDE

/// Runs that go on.
extension TrainingJob {
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
    let samples = try data.trainingData(covariates: note?.standardization)
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

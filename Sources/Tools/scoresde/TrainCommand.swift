import Foundation
import ScoreSDE

/// `scoresde train`: trains a score network and keeps the run in a folder.
enum TrainCommand: ScalarCommand {
  static let name = "train"
  static let summary = "trains a score network on data and keeps the run in a folder"
  static let options: [Option] =
    [
      Option(
        "--data", "DATA",
        "\(DataSource.names.joined(separator: ", ")), or a file or folder (required)"),
      Option(
        "--standardize", "WHICH",
        "means and deviations that data are freed of: columns (default for tables in files), channels (default for series of channels with unet-1d), whole or none (default for the rest)"
      ),
      Option(
        "--levels", "N",
        "how many levels the data have, the whole numbers from 0 to N − 1 (default: 256 of bytes, 17 of digits; others are no levels)"
      ),
      Option(
        "--whole", "COLUMNS",
        "columns of a table that are whole numbers, with commas between: their likelihoods are probabilities, and samples in a table are whole"
      ),
      Option(
        "--labels", "WHICH",
        "classes to ask samples of later: data, for those that come with the data, column:NAME, for whole numbers or texts in a column of a table, which is no data then, or a file of whole numbers, one a sample"
      ),
      .trainingGiven, StartingRun<Float>.option,
      Option(
        "--label-dropout", "X",
        "share of labels, and of what is given, that training hides (default 0.1)"),
      .process,
      Option(
        "--network", "NET",
        "residual-mlp:width=256,blocks=3 (default), mlp:width=256,layers=4, unet:channels=32,multipliers=1-2-2, ddpm-unet or ncsnpp of images; each with condition=, features=, frequencies="
      ),
      Option(
        "--parametrization", "NAME",
        "what the network gives: gaussian (default), edm, scaled-score, epsilon, score, x0 or v"),
      Option("--loss", "NAME", "denoising (default), sliced, sliced-vr or hyvarinen"),
      Option(
        "--weighting", "NAME",
        "balanced (default), likelihood, sigma2, min-snr (default of x0) or edm"
      ),
      Option(
        "--times", "NAME",
        "balanced, importance, uniform or log-normal (default: those that suit the weighting)"
      ),
      Option("--independent-times", nil, "times drawn apart, not in strata over the batch"),
      Option("--noise-level", "X", "one ratio sigma/alpha only: a denoising autoencoder"),
    ] + HeldOutPlace.options + Option.optimizer(learningRate: TrainingOptions().learningRate)

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    try train(session) { folder -> TrainingJob<Scalar> in
      try TrainingJob(resuming: folder, given: session.arguments, pool: session.pool)
    } new: {
      try TrainingJob(session.arguments, process: try session.process(), pool: session.pool)
    }
  }

  /// Trains what the run in `--out` is of, or a new one, to the end or until a signal, and says what came of it.
  static func train<Scalar: TensorScalar>(
    _ session: Session, resuming: (RunFolder) throws -> TrainingJob<Scalar>,
    new begin: () throws -> TrainingJob<Scalar>
  ) throws {
    let arguments = session.arguments
    let folder = RunFolder(try arguments.required("--out"))
    let asked = try TrainingJob<Scalar>.interval(arguments)
    if let asked, let text = arguments.text("--checkpoint-every"), Int(text) != asked {
      session.remark(
        "--checkpoint-every is \(text); checkpoints are made every \(asked) steps, as losses are logged in tens"
      )
    }
    let start = ContinuousClock.now
    if arguments.has("--resume") {
      _ = try folder.description()
      return try folder.alone { try run(resuming(folder), in: folder, session, from: start) }
    }
    try checkNew(folder)
    let new = FilePlace.missingFolders(folder.path)
    var job = try begin()
    job.description.notes[DataNote.interval.name] = try DataNote.interval.text(
      of: asked ?? TrainingJob<Scalar>.usualInterval)
    try AtomicFile.makeFolder(folder.path)
    try folder.alone {
      // Another may have begun there in the meantime, and ended.
      try checkNew(folder)
      do {
        try run(job, in: folder, session, from: start)
      } catch {
        // A run that failed before its first checkpoint holds nothing to go on with.
        folder.removeIfWithoutCheckpoint()
        FilePlace.removeIfEmpty(new)
        throw error
      }
    }
  }

  /// Refuses the folder of a study, which could not go on beside a run.
  static func checkNoStudy(in folder: String) throws {
    guard !FilePlace.exists(StudyRecord<Float>.path(in: folder)) else {
      throw CommandError.usage(
        "--out is \(folder), which holds a study; expected another folder")
    }
  }

  /// Checks that a folder holds no run, and nothing that one would overwrite.
  private static func checkNew(_ folder: RunFolder) throws {
    try checkNoStudy(in: folder.path)
    guard !folder.exists else {
      let isBegun = FilePlace.exists(folder.checkpointPath)
      throw CommandError.usage(
        "--out \(folder.path) holds a run \(isBegun ? "already" : "without a checkpoint"); give --resume to \(isBegun ? "go on with" : "start") it, or another folder"
      )
    }
    if let file = folder.file {
      throw CommandError.usage(
        "--out is \(folder.path), where \(file) would be overwritten, though no run.json says that it is a run's; expected another folder"
      )
    }
  }

  /// Trains a run, new or resumed, in a folder that is its own, and says what came of it.
  private static func run<Scalar: TensorScalar>(
    _ job: TrainingJob<Scalar>, in folder: RunFolder, _ session: Session,
    from start: ContinuousClock.Instant
  ) throws {
    var job = job
    let every =
      try DataNote.interval.value(in: job.description, of: folder)
      ?? TrainingJob<Scalar>.usualInterval
    // From here on there is a run in the folder, which a signal does not leave without its steps.
    Interruption.watch()
    if !session.arguments.has("--resume") { try folder.create(job.description) }
    if let sentence = job.standardization { session.say(sentence) }
    for remark in job.remarks { session.remark(remark) }
    let bar = session.progress("train")
    do {
      try job.run(
        in: folder, checkpointEvery: every, shouldStop: { Interruption.received != nil },
        progress: { bar.update($0, $1) })
    } catch {
      bar.leave()
      throw error
    }
    if let signal = Interruption.received, !job.trainer.isFinished {
      bar.leave()
      throw CommandError.stopped(
        by: signal,
        "stopped by \(signal.name) at step \(job.trainer.step) of \(job.trainer.options.steps), with a checkpoint; scoresde \(job.description.command) --out \(folder.path) --resume goes on from there"
      )
    }
    let seconds = start.duration(to: .now).seconds
    let loss = job.log.entries.last?.loss ?? .nan
    if let remark = job.lossRemark { session.remark(remark) }
    let validation = job.validationReport
    try session.finish(
      .object([
        ("steps", .integer(job.trainer.step)), ("loss", .number(loss)),
        ("parameters", .integer(job.trainer.parameters.count)), ("seconds", .number(seconds)),
        ("validation", validation?.json ?? .null), ("out", .string(folder.path)),
      ]),
      "\(NumberText.counted(job.trainer.step, "step")), loss \(NumberText.significant(loss)), \(NumberText.counted(job.trainer.parameters.count, "parameter")); the run is in \(folder.path)\(validation.map { "\n\($0.sentence)" } ?? "")"
    )
  }
}

extension RunDescription {
  /// The command that makes such runs.
  var command: String { teacher == nil ? TrainCommand.name : DistillCommand.name }

  /// Checks that a run in a folder has a checkpoint.
  func checkCheckpoint(in folder: RunFolder) throws {
    guard !FilePlace.exists(folder.checkpointPath) else { return }
    if let source = notes[ImportCommand.note] {
      throw CommandError.failure(
        "\(folder.path) holds a run without a checkpoint; scoresde import \(source) --out RUN, with another folder for RUN, makes it anew"
      )
    }
    let origin = teacher.map { ", a consistency model distilled from \($0)," } ?? ""
    guard folder.isInUse else {
      throw CommandError.failure(
        "\(folder.path) holds a run\(origin) without a checkpoint, as its training was ended before the first; scoresde \(command) --out \(folder.path) --resume starts it"
      )
    }
    let interval = try DataNote.interval.value(in: self, of: folder)
    let first = min(
      options.steps, interval.map(TrainingJob<Float>.checkpointSteps) ?? options.steps)
    throw CommandError.failure(
      "\(folder.path) holds a run\(origin) that another process is training, without a checkpoint yet; the first comes at step \(first)"
    )
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

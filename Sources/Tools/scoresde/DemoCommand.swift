import Foundation
import ScoreSDE

/// `scoresde demo`: the whole path on real data, from training to a report.
enum DemoCommand: Command {
  static let name = "demo"
  static let summary = "trains on embedded digits, samples, evaluates and writes a report"
  static let options: [Option] = [
    Option("--out", "DIR", "the folder of the results (default scoresde-demo)"),
    .process,
    Option("--steps", "N", "optimiser steps (default 5000, a minute or two on two cores)"),
    .seed,
  ]

  /// The note in a run's description that says that it is a demo's.
  static let note = "demo"

  static func run(_ session: Session) throws {
    let arguments = session.arguments
    guard try !arguments.isDouble else {
      throw CommandError.usage("scoresde demo runs in float32; leave --scalar out")
    }
    let out = arguments.text("--out") ?? "scoresde-demo"
    let seed = try arguments.seed
    var options = TrainingOptions()
    options.seed = seed
    options.steps = try arguments.integer("--steps", atLeast: 1) ?? 5000
    let process = try session.process()
    let folder = RunFolder(out + "/run")
    try session.makeFolder(out, for: "--out")
    if let file = folder.file {
      // What a demo has left is its own to replace.
      guard (try? folder.description())?.notes[note] != nil else {
        throw CommandError.usage(
          "--out is \(out), where \(file) would be overwritten: it is no demo's, or has been trained on since; expected another folder"
        )
      }
    }

    let training: Dataset<Float> = Digits.load(.training)
    let test: Dataset<Float> = Digits.load(.test)
    session.say(
      "Training on \(training.count) handwritten digits of 8 × 8 pixels, 17 grey levels (UCI), under the \(process.name) SDE."
    )
    var job = try TrainingJob<Float>(
      data: training.labelled(nil), network: NetworkSpec(.residualMLP, width: 256, depth: 3),
      process: process,
      options: options, pool: session.pool)
    job.description.notes[note] = "yes"
    let start = ContinuousClock.now
    try train(&job, in: folder, session)
    let trainingSeconds = start.duration(to: .now).seconds
    let model = try job.trainer.averagedModel(pool: session.pool)

    let evaluation = DemoEvaluation(
      session: session, model: model, training: training, test: test,
      key: RandomKey(seed).folded("demo"))
    let samples = try evaluation.samples()
    let likelihood = try evaluation.likelihood()
    let report = DemoReport(
      job: job, trainingSeconds: trainingSeconds, samples: samples, likelihood: likelihood,
      reference: evaluation.referenceDistance,
      test: test)
    try report.write(to: out)
    try session.finish(report.json(out: out), report.text(out: out))
  }

  /// Trains to the end, or until a signal, which leaves a run to go on with.
  private static func train(
    _ job: inout TrainingJob<Float>, in folder: RunFolder, _ session: Session
  ) throws {
    let bar = session.progress("train     ")
    try AtomicFile.makeFolder(folder.path)
    try folder.alone {
      Interruption.watch()
      folder.clear()
      try folder.create(job.description)
      try job.run(
        in: folder, checkpointEvery: 1000, shouldStop: { Interruption.received != nil },
        progress: { bar.update($0, $1) })
    }
    guard let signal = Interruption.received else { return Interruption.endWatch() }
    bar.leave()
    throw CommandError.stopped(
      by: signal,
      "stopped by \(signal.name) at step \(job.trainer.step) of \(job.trainer.options.steps), with a checkpoint in \(folder.path); the same demo begins anew, and scoresde train --out \(folder.path) --resume goes on with its training alone"
    )
  }
}

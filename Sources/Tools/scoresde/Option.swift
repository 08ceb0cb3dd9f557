import ScoreSDE

/// One option of a command: its name, what its value is called, and a line of help.
struct Option: Sendable {
  let name: String
  /// The value's name in the help; nil for a flag.
  let value: String?
  let help: String

  init(_ name: String, _ value: String? = nil, _ help: String) {
    self.name = name
    self.value = value
    self.help = help
  }

  /// The model that several commands take.
  static let model = Option(
    "--model", "MODEL",
    "a run folder, gaussian:mean=0,std=1,dim=1 or mixture:FILE.json (required)")
  /// The process of an exact model.
  static let modelProcess = Option("--sde", "SDE", "the process of an exact model: \(processes)")
  /// The class that a model of classes is asked for.
  static let label = Option(
    "--class", "K",
    "of a run that was trained with --labels: the class, by number from 0 on or by name (default: all)"
  )
  /// The classes that data are scored as samples of.
  static let labelOfData = Option(
    "--class", "K",
    "of a run that was trained with --labels: the class, by number from 0 on or by name, data for that which each sample comes with, or a file, or other data, of classes, one a sample (default: all)"
  )
  /// The classes that samples are drawn of.
  static let labels = Option(
    "--class", "K,…",
    "of a run that was trained with --labels: classes by number from 0 on, as 3, 0,7 or 0-9, or by name, as cat,dog, or a file, or data that have them, with one for each --count samples (default: all as one)"
  )
  /// How far samples are led to what they are under.
  static let guidance = Option(
    "--guidance", "W",
    "with --class or --given: how far samples are led to it, from 0 to \(Int(Arguments.mostGuidance)); 0 leaves it out, 1 (default) takes it as it is, 2 to 4 lead beyond, at two evaluations each"
  )
  /// The process to train under.
  static let process = Option("--sde", "SDE", processes)
  /// The time at which sampling stops.
  static let lastTime = Option("--epsilon", "X", "the last time (default: the process's)")
  /// The seed of commands that need one alone.
  static let seed = Option("--seed", "N", "seed of everything random (default 0)")

  /// What samplers do with the operands of matrix products.
  static let matrixProducts = Option(
    "--matrix-products", "P",
    "of a trained model in sampling: full (default), or bf16: operands rounded to bfloat16")

  /// How networks are trained, and where the run is kept.
  static func optimizer(learningRate: Double) -> [Option] {
    [
      Option("--steps", "N", "optimiser steps (default 2000)"),
      Option("--batch-size", "N", "samples a step (default 256)"),
      Option("--learning-rate", "X", "Adam's learning rate (default \(Spec.text(learningRate)))"),
      Option("--schedule", "NAME", "cosine (default) or constant"),
      Option("--warm-up", "N", "steps over which the learning rate rises (default 200)"),
      Option("--clip", "X", "largest norm of the gradient (default 1)"),
      Option("--average-decay", "X", "decay of the parameters' moving average (default 0.999)"),
      Option(
        "--checkpoint-every", "N",
        "steps between checkpoints, in tens (default 500, or those of a run that goes on)"),
      seed,
      Option("--out", "RUN", "the run's folder (required)"),
      Option("--resume", nil, "go on with the run in --out"),
    ]
  }

  static let processes = "\(ProcessSpec.names.joined(separator: ", ")) (default vp)"

  /// The options that every command takes.
  static let common = [
    Option("--json", nil, "print one JSON object on standard output, last"),
    Option("--threads", "N", "threads to use (default: the machine's processors)"),
    Option(
      "--scalar", "TYPE",
      "float32 (default, but for --model that was trained in float64) or float64"),
    Option("--quiet", nil, "no progress; remarks stay"),
    Option("--help", nil, "print this help"),
  ]
}

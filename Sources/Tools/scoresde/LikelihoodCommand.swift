import Foundation
import ScoreSDE

/// `scoresde likelihood`: log densities of data under a model.
enum LikelihoodCommand: Command {
  static let name = "likelihood"
  static let summary =
    "gives log densities by the probability-flow ODE, in nats and bits per dimension"
  static let options = [
    Option("--model", "MODEL", "a run folder, gaussian:mean=0,std=1,dim=1 or mixture:FILE.json"),
    Option(
      "--sde", "SDE",
      "the process of an exact model: \(ProcessSpec.names.joined(separator: ", ")) (default vp)"),
    Option("--data", "DATA", "digits:test, moons, …, or a file (required)"),
    Option("--count", "N", "the first N samples only"),
    Option("--divergence", "KIND", "exact or hutchinson (default)"),
    Option("--probes", "N", "probes of hutchinson (default 1)"),
    Option("--distribution", "NAME", "of the probes: rademacher (default) or gaussian"),
    Option("--rtol", "X", "relative tolerance (default 1e-5)"),
    Option("--atol", "X", "absolute tolerance (default 1e-5)"),
    Option("--epsilon", "X", "the first time (default: the process's)"),
    Option("--seed", "N", "seed of probes and of the noise within bins (default 0)"),
    Option("--out", "FILE.npy", "nats a sample, float64"),
  ]

  static func run(_ session: Session) throws {
    if try session.arguments.isDouble {
      try run(session, Double.self)
    } else {
      try run(session, Float.self)
    }
  }

  private static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let arguments = session.arguments
    let divergence = try divergence(arguments)
    let rtol = try arguments.positive("--rtol") ?? 1e-5
    let atol = try arguments.positive("--atol") ?? 1e-5
    let epsilon = try arguments.positive("--epsilon")
    let key = RandomKey(try arguments.seed).folded("likelihood")
    let out = try session.checkWritable("--out", extensions: ["npy"])
    let text = try arguments.required("--data")
    let source = try asUsage(of: "--data") { try DataSource(text) }
    let count = try arguments.integer("--count", atLeast: 1)
    let model = try LoadedModel<Scalar>(session)

    var data: Dataset<Scalar> = try source.load()
    if let count { data = data.prefix(count) }
    try data.checkSampleShape(model.field.sampleShape)
    let (points, scale) = try model.inModelSpace(data, key: key.folded("bins"))
    let likelihood = try FlowLikelihood(
      model.field, divergence: divergence, method: .adaptive(rtol: rtol, atol: atol),
      epsilon: epsilon)
    let bar = session.progress("likelihood")
    let start = ContinuousClock.now
    let result = try likelihood.logDensity(of: points, key: key.folded("probes")) { progress in
      bar.update(min(0.999, progress.fraction))
      return true
    }
    let seconds = start.duration(to: .now).seconds
    bar.update(1, "NFE \(NumberText.significant(result.meanEvaluations))")
    if let bad = result.status.firstIndex(where: { !$0.isFinished }) {
      throw CommandError.failure("the solve of sample \(bad) did not finish: \(result.status[bad])")
    }
    // Densities are those of the data's own units, whatever affine map the model sees them through.
    let dimensions = data.dimensions
    let shift = Double(dimensions) * log(abs(model.scale?.factor ?? 1))
    let nats = result.logDensity.map { $0 + shift }
    if let out { try NPY.write(Tensor<Double>([nats.count], nats), to: out) }
    let mean = result.mean + shift
    let standardError = result.standardError ?? .nan
    var members: [(String, JSON)] = [
      ("count", .integer(nats.count)), ("dimensions", .integer(dimensions)),
      ("nfe", .number(result.meanEvaluations)), ("seconds", .number(seconds)),
      (
        "logDensity",
        .object([("mean", .number(mean)), ("standardError", .number(standardError))])
      ),
    ]
    var lines = [
      "\(nats.count) samples of \(dimensions) dimensions, NFE \(NumberText.significant(result.meanEvaluations)), \(NumberText.significant(seconds, digits: 3)) s",
      "log density  \(NumberText.plusMinus(mean, standardError)) nats",
    ]
    if nats.count == 1 { lines[1] = "log density  \(nats[0]) nats" }
    if let scale {
      let bits = scale.bitsPerDimension(
        meanLogDensity: result.mean, standardError: standardError, dimensions: dimensions)
      members.append(
        (
          "bitsPerDimension",
          .object([("mean", .number(bits.mean)), ("standardError", .number(bits.standardError))])
        ))
      lines.append(
        "             \(NumberText.plusMinus(bits.mean, bits.standardError)) bits per dimension")
    }
    if let out {
      members.append(("out", .string(out)))
      lines.append("nats a sample: \(out)")
    }
    session.finish(.object(members), lines.joined(separator: "\n"))
  }

  private static func divergence(_ arguments: Arguments) throws -> Divergence {
    let kind = arguments.text("--divergence") ?? "hutchinson"
    let probes = try arguments.integer("--probes", atLeast: 1, atMost: 1 << 16)
    let distribution = arguments.text("--distribution") ?? "rademacher"
    switch kind {
    case "exact":
      for option in ["--probes", "--distribution"] where arguments.has(option) {
        throw CommandError.usage("\(option) goes with --divergence hutchinson; found exact")
      }
      return .exact
    case "hutchinson":
      guard let distribution = Divergence.Probe(rawValue: distribution) else {
        throw CommandError.usage(
          "--distribution is \(distribution); expected rademacher or gaussian")
      }
      return .hutchinson(distribution, probes: probes ?? 1)
    default:
      throw CommandError.usage("--divergence is \(kind); expected exact or hutchinson")
    }
  }
}

extension LoadedModel {
  /// Data as the model sees them, with the scale by which bits per dimension follow where they are quantised.
  ///
  /// Data in a file that are levels of the model's scale count as quantised; others are points of the data's own space.
  func inModelSpace(
    _ data: Dataset<Scalar>, key: RandomKey
  ) throws -> (points: Tensor<Scalar>, scale: DataScale?) {
    let shape = Shape([data.count] + field.sampleShape.extents)
    guard let scale else {
      return (data.samples.reshaped(shape), nil)
    }
    if let levels = try? data.scaled(by: scale) {
      return (levels.modelSamples(key: key).reshaped(shape), scale)
    }
    let points = data.samples.map { Scalar(scale.offset + scale.factor * Double($0)) }
    return (points.reshaped(shape), nil)
  }
}

import Foundation
import ScoreSDE

/// `scoresde inspect`: says what is in a run folder or a file.
enum InspectCommand: Command {
  static let name = "inspect"
  static let summary = "says what is in a run folder, a data set or a file"
  static let options: [Option] = []
  static let positionalLimit = 1

  static func run(_ session: Session) throws {
    guard let path = session.arguments.positional.first else {
      throw CommandError.usage("scoresde inspect needs a run folder, a data set or a file")
    }
    if RunFolder(path).exists {
      try inspect(run: RunFolder(path), session)
    } else if path.hasSuffix(".safetensors") {
      try inspect(tensors: Safetensors<Double>(contentsOf: path), path, session)
    } else {
      try inspect(data: DataSource(path).load(as: Double.self), path, session)
    }
  }

  private static func inspect(run folder: RunFolder, _ session: Session) throws {
    let description = try folder.description()
    let options = description.options
    var facts = [
      ("sde", description.sde), ("network", description.network),
      ("sample shape", "\(Shape(description.sampleShape))"), ("data", description.data),
      ("scalar", description.scalar), ("steps asked for", "\(options.steps)"),
      ("batch size", "\(options.batchSize)"), ("seed", "\(options.seed)"),
      ("learning rate", "\(options.learningRate), \(options.schedule.rawValue)"),
      ("parametrisation", description.parametrization),
      (
        "loss",
        "\(options.objective.rawValue), \(options.weighting.rawValue) weighting, "
          + (options.noiseLevel.map { "noise level \($0)" }
            ?? "\(options.times.rawValue) times\(options.stratifiesTimes ? "" : ", independent")")
      ),
    ]
    if FilePlace.exists(folder.checkpointPath) {
      let checkpoint: Safetensors<Double> = try folder.checkpoint()
      let count = checkpoint.parameters.names.indices
        .filter { checkpoint.parameters.names[$0].hasPrefix("parameters/") }
        .reduce(0) { $0 + checkpoint.parameters.tensors[$1].count }
      facts.append(("steps done", checkpoint.metadata["step"] ?? "unknown"))
      facts.append(("parameters", NumberText.grouped(count)))
      let text = try? String(contentsOfFile: folder.lossPath, encoding: .utf8)
      if let text,
        let last = try LossLog(text: text, name: folder.lossPath, upTo: .max).entries.last
      {
        facts.append(("loss at step \(last.step)", NumberText.significant(last.loss)))
      }
    } else {
      facts.append(("steps done", "0 (no checkpoint yet)"))
    }
    show(facts, session)
  }

  private static func inspect(
    tensors file: Safetensors<Double>, _ path: String, _ session: Session
  ) throws {
    var table = Table(columns: ["tensor", "shape", "mean", "least", "greatest"])
    for (name, tensor) in zip(file.parameters.names, file.parameters.tensors) {
      let entries = tensor.scalars
      table.append([
        name, "\(tensor.shape)", NumberText.significant(tensor.mean),
        NumberText.significant(entries.min() ?? .nan),
        NumberText.significant(entries.max() ?? .nan),
      ])
    }
    let metadata = file.metadata.sorted { $0.key < $1.key }
    session.finish(
      .object([
        ("tensors", .integer(file.parameters.names.count)),
        ("entries", .integer(file.parameters.count)),
        ("metadata", .object(metadata.map { ($0.key, .string($0.value)) })),
      ]),
      table.text
        + (metadata.isEmpty
          ? "" : "\n" + metadata.map { "\($0.key): \($0.value)" }.joined(separator: "\n"))
    )
  }

  private static func inspect(data: Dataset<Double>, _ path: String, _ session: Session) {
    let entries = data.samples.scalars
    let mean = data.samples.mean
    let variance = entries.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(entries.count)
    var facts = [
      ("samples", "\(data.count)"), ("sample shape", "\(data.sampleShape)"),
      ("mean", NumberText.significant(mean)),
      ("standard deviation", NumberText.significant(variance.squareRoot())),
      ("least, greatest", "\(entries.min() ?? .nan), \(entries.max() ?? .nan)"),
      ("quantised", data.scale.map { "\($0.levels) levels" } ?? "no"),
    ]
    if let labels = data.labels { facts.append(("classes", "\(Set(labels).count)")) }
    if let advice = try? ProcessAdvice(data.samples) {
      facts += advice.all.map {
        ("suggested \($0.name)", "\(NumberText.significant($0.value)): \($0.reason)")
      }
    }
    show(facts, session)
  }

  private static func show(_ facts: [(String, String)], _ session: Session) {
    session.finish(
      .object(facts.map { ($0.0, .string($0.1)) }),
      Table(columns: ["what", "value"], rows: facts.map { [$0.0, $0.1] }).text)
  }
}

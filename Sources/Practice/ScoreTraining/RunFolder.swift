import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// A folder that holds a training run.
///
/// ```
/// run.json                 what is trained, on what and how: RunDescription
/// checkpoint.safetensors   parameters/NAME, average/NAME, adam.first/NAME, adam.second/NAME; metadata: step, format
/// loss.csv                 step, loss, gradient norm, learning rate
/// loss.svg                 a figure of the losses, of programs that draw one
/// validation.csv           the losses of held-out and training samples, ValidationLog, of runs that have held-out ones
/// validation.safetensors   the loss of each held-out sample where their mean was least: step N
/// ```
///
/// Every file is written under a temporary name and renamed. The checkpoint is written last, so the files of a run that
/// was killed at any moment agree with it.
public struct RunFolder: Sendable {
  /// The folder's path.
  public let path: String

  public init(_ path: String) { self.path = path }

  public var descriptionPath: String { path + "/run.json" }
  public var checkpointPath: String { path + "/checkpoint.safetensors" }
  public var lossPath: String { path + "/loss.csv" }
  /// A figure of the losses.
  public var figurePath: String { path + "/loss.svg" }

  /// The files beside the description and the checkpoint.
  private var records: [String] {
    [lossPath, figurePath, validationPath, validationLossesPath]
  }

  /// Whether the folder holds a run.
  public var exists: Bool { FileManager.default.fileExists(atPath: descriptionPath) }

  /// A file in the folder that is named as a run's own, though there may be no run; nil where a new run would overwrite nothing.
  public var file: String? {
    ([descriptionPath, checkpointPath] + records).first {
      FileManager.default.fileExists(atPath: $0)
    }
  }

  /// Removes what a run has left, the checkpoint first, so that what is left of it agrees at any moment.
  public func clear() {
    for file in [checkpointPath] + records + [descriptionPath] {
      try? FileManager.default.removeItem(atPath: file)
    }
  }

  /// Makes the folder of a new run and writes `run.json`.
  /// - Throws: `FileError` where it cannot be written, and where the folder holds a run, or a file of one: `clear` removes these,
  ///   and `update` says of a run that goes on what is new.
  public func create(_ description: RunDescription) throws {
    if let file {
      throw FileError(
        "\(path) holds the file of another run, \(file); expected a folder without one, or one that is cleared"
      )
    }
    try write(description)
  }

  /// Writes `run.json` anew for the run that the folder holds, whose checkpoint and logs stay as they are.
  /// - Throws: `FileError` where there is no run, or it cannot be written.
  public func update(_ description: RunDescription) throws {
    guard exists else {
      throw FileError("\(path): not a run folder, as there is no run.json; expected one to update")
    }
    try write(description)
  }

  private func write(_ description: RunDescription) throws {
    let isNew = !FileManager.default.fileExists(atPath: path)
    try AtomicFile.makeFolder(path)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(description), as: UTF8.self) + "\n"
    do {
      try AtomicFile.write(text, to: descriptionPath)
    } catch {
      if isNew { try? FileManager.default.removeItem(atPath: path) }
      throw error
    }
  }

  /// Reads `run.json`.
  /// - Throws: `FileError` where it is missing, not a description, or of another version.
  public func description() throws(FileError) -> RunDescription {
    guard let data = FileManager.default.contents(atPath: descriptionPath) else {
      throw FileError("\(path): not a run folder; run.json is missing or cannot be read")
    }
    struct Version: Decodable { var format: Int }
    let decoder = JSONDecoder()
    guard let version = try? decoder.decode(Version.self, from: data) else {
      throw FileError(
        "\(descriptionPath): not a run's description; expected a JSON object with a format")
    }
    let (first, last) = (RunDescription.earliestFormat, RunDescription.currentFormat)
    guard (first...last).contains(version.format) else {
      throw FileError(
        "\(descriptionPath): the run has format \(version.format); this version reads formats \(first) to \(last)"
      )
    }
    let description: RunDescription
    do {
      description = try decoder.decode(RunDescription.self, from: data)
    } catch {
      throw FileError("\(descriptionPath): not a run's description: \(Self.sentence(error))")
    }
    guard description.isUnderstood else {
      throw FileError(
        "\(descriptionPath): the run has format \(version.format), before networks were given classes and numbers as they are now; expected one that is trained anew"
      )
    }
    return description
  }

  // What is wrong with a description that is JSON.
  private static func sentence(_ error: any Error) -> String {
    func place(_ context: DecodingError.Context, _ key: String? = nil) -> String {
      let keys = context.codingPath.map(\.stringValue) + (key.map { [$0] } ?? [])
      // Foundation does not say where a number is no whole one, or out of range.
      return keys.isEmpty ? "a number" : keys.joined(separator: ".")
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): return "\(place(context, key.stringValue)) is missing"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(place(context)) is something else than the expected \(type)"
    case .dataCorrupted(let context):
      return "\(place(context)) has a value that cannot be read"
    default: return "it cannot be read"
    }
  }

  /// What is trained and on which process, as a description says, unless the process or the network is given.
  /// - Throws: `FileError` where it makes no sense, and where another process or network is given than the run was trained with.
  public func parts(
    of description: RunDescription, _ process: (any LinearProcess)? = nil,
    network: NetworkSpec? = nil
  ) throws(FileError) -> (model: ModelConfiguration, process: any LinearProcess) {
    do {
      let model = try description.modelConfiguration(network: network)
      if let process {
        try description.check(process)
        return (model, process)
      }
      guard !description.sde.hasPrefix(RunDescription.ownPrefix) else {
        throw TrainingError(
          "the run's SDE is one's own, \(description.sde.dropFirst(RunDescription.ownPrefix.count)); expected it to be given, as to RunFolder.model(process:network:pool:)"
        )
      }
      return (model, try ProcessSpec.process(description.sde))
    } catch {
      throw FileError("\(descriptionPath): \(error)")
    }
  }

  /// Writes a trainer's state and its logs; the checkpoint last.
  /// - Parameters:
  ///   - validation: the losses of held-out samples, where there are some.
  ///   - figure: a figure of the losses as SVG, where one is kept.
  /// - Throws: `FileError` where they cannot be written, and, before anything is written, where an entry of the state is not finite.
  public func save<Scalar>(
    _ trainer: Trainer<Scalar>, log: LossLog, validation: ValidationLog? = nil,
    figure: String? = nil
  ) throws(FileError) {
    let checkpoint = trainer.checkpoint
    try checkpoint.checkFinite(at: trainer.step, for: checkpointPath)
    try AtomicFile.write(log.text, to: lossPath)
    if let validation { try save(validation) }
    if let figure { try AtomicFile.write(figure, to: figurePath) }
    try checkpoint.write(to: checkpointPath)
  }

  /// Writes the averaged parameters of a model that was not trained here, without a state to go on from.
  /// - Throws: `FileError` where they cannot be written.
  public func save<Scalar>(_ parameters: Parameters<Scalar>) throws(FileError) {
    try Safetensors(
      Parameters(names: parameters.names.map { "average/\($0)" }, tensors: parameters.tensors),
      metadata: ["step": "0", "format": "\(RunDescription.currentFormat)"]
    ).write(to: checkpointPath)
  }

  /// Removes the description and the logs of a run that has no checkpoint, and the folder where nothing else is in it.
  public func removeIfWithoutCheckpoint() {
    let files = FileManager.default
    guard !files.fileExists(atPath: checkpointPath) else { return }
    for file in [descriptionPath] + records { try? files.removeItem(atPath: file) }
    if let rest = try? files.contentsOfDirectory(atPath: path), rest.isEmpty {
      try? files.removeItem(atPath: path)
    }
  }

  /// Reads the checkpoint.
  /// - Throws: `FileError` where it is missing or damaged.
  public func checkpoint<Scalar>(as type: Scalar.Type = Scalar.self) throws(FileError)
    -> Safetensors<Scalar>
  {
    guard !exists || FileManager.default.fileExists(atPath: checkpointPath) else {
      throw FileError(
        "\(path) holds a run without a checkpoint, which training writes; expected \(checkpointPath)"
      )
    }
    return try Safetensors(contentsOf: checkpointPath)
  }

  /// The averaged model of the run's checkpoint.
  ///
  /// - Parameters:
  ///   - process: the process that it was trained on, where that is one's own.
  ///   - network: the network that was trained, where that is one's own.
  /// - Throws: `FileError` where a file is missing or damaged, and where process or network is another: another SDE or other
  ///   parameters than those of a built-in one, another name than that of one's own; for a consistency model, too.
  public func model<Scalar: TensorScalar>(
    process: (any LinearProcess)? = nil, network: NetworkSpec? = nil, pool: ThreadPool
  ) throws -> ScoreModel<Scalar> {
    let description = try description()
    if let teacher = description.teacher {
      throw FileError(
        "\(path): the run holds a consistency model, distilled from \(teacher), which has samples and no scores; expected a score model, such as that"
      )
    }
    return try averaged(description, process, network, pool)
  }

  /// The averaged consistency model of the run's checkpoint.
  /// - Throws: as `model`, and `FileError` for the run of a score model.
  public func consistencyModel<Scalar: TensorScalar>(
    process: (any LinearProcess)? = nil, network: NetworkSpec? = nil, pool: ThreadPool
  ) throws -> ConsistencyModel<ScoreModel<Scalar>> {
    let description = try description()
    guard description.teacher != nil else {
      throw FileError(
        "\(path): the run holds a score model; expected a consistency model, as distillation makes it"
      )
    }
    return ConsistencyModel(try averaged(description, process, network, pool))
  }

  private func averaged<Scalar: TensorScalar>(
    _ description: RunDescription, _ process: (any LinearProcess)?, _ network: NetworkSpec?,
    _ pool: ThreadPool
  ) throws -> ScoreModel<Scalar> {
    let (configuration, own) = try parts(of: description, process, network: network)
    let checkpoint: Safetensors<Scalar> = try checkpoint()
    let names = configuration.parameters.map(\.name)
    let tensors = try names.map { try checkpoint.tensor("average/\($0)", in: checkpointPath) }
    do {
      return try ScoreModel(
        configuration, process: own, parameters: Parameters(names: names, tensors: tensors),
        pool: pool)
    } catch {
      throw FileError("\(checkpointPath): \(error)")
    }
  }
}

extension Trainer {
  /// The whole state: parameters, their average, and the optimiser's moments.
  public var checkpoint: Safetensors<Scalar> { optimizer.checkpoint(of: parameters) }

  /// Takes up the state of a checkpoint; the next step is the one after the checkpoint's.
  /// - Throws: `FileError` where a tensor is missing or has another shape.
  public mutating func restore(_ checkpoint: Safetensors<Scalar>, from path: String)
    throws(FileError)
  {
    parameters = try optimizer.restore(checkpoint, of: parameters.names, from: path)
  }
}

import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// What `run.json` in a run folder holds: all that it takes to read the checkpoint and to go on training.
public struct RunDescription: Sendable, Equatable, Codable {
  /// The version of run folders that this library writes.
  public static let currentFormat = 4
  /// The earliest version that it reads, but for built-in networks of classes or covariates, which saw these otherwise before 4.
  public static let earliestFormat = 2

  /// The version of the folder's format.
  public var format = RunDescription.currentFormat
  /// The process, as text; one that is no built-in is `own: ` and its name.
  public var sde: String
  /// The network, as text; one of one's own is `own: `, its name and how it sees the time.
  public var network: String
  /// The extents of one sample.
  public var sampleShape: [Int]
  /// What the network's output stands for, as text.
  public var parametrization: String
  /// How many classes the model knows; nil where it was trained without labels.
  public var classes: Int?
  /// How many numbers samples are conditioned on; nil where it was trained without.
  public var covariates: Int?
  /// The scalar type of the parameters.
  public var scalar: String
  /// The data set, as text.
  public var data: String
  /// Of a consistency model, what it was distilled from, as text; nil for score models.
  public var teacher: String?
  /// How the model was trained.
  public var options: TrainingOptions
  /// More that a program wants to keep with a run.
  public var notes: [String: String]

  /// What stands before the name of a process of one's own, which may be that of another.
  static let ownPrefix = "own: "

  public init(
    model: ModelConfiguration, process: any LinearProcess, scalar: String, data: String,
    teacher: String? = nil, options: TrainingOptions, notes: [String: String] = [:]
  ) {
    sde = Self.text(of: process)
    network = model.network.text
    sampleShape = model.sampleShape.extents
    parametrization = model.preconditioning.text
    classes = model.classes > 0 ? model.classes : nil
    covariates = model.covariates > 0 ? model.covariates : nil
    self.scalar = scalar
    self.data = data
    self.teacher = teacher
    self.options = options
    self.notes = notes
  }

  private static func text(of process: any LinearProcess) -> String {
    (ProcessSpec.isBuiltIn(process) ? "" : ownPrefix) + ProcessSpec.text(of: process)
  }

  /// Refuses a process that the run was not trained on; one of one's own is known by its name alone.
  /// - Throws: `TrainingError`, and `SpecError` or `ProcessError` where the description makes no sense.
  func check(_ process: any LinearProcess) throws {
    let own: String
    if sde.hasPrefix(Self.ownPrefix) {
      own = sde
    } else if ProcessSpec.names.contains(try Spec(path: sde, kind: "SDE").name) {
      own = ProcessSpec.text(of: try ProcessSpec.process(sde))
    } else {
      // Earlier versions wrote the name alone.
      own = Self.ownPrefix + sde
    }
    let given = Self.text(of: process)
    guard given == own else {
      func words(_ text: String) -> String {
        text.hasPrefix(Self.ownPrefix)
          ? "\(text.dropFirst(Self.ownPrefix.count)), one's own," : "\(text)"
      }
      throw TrainingError(
        "the run's SDE is \(words(own)) and the process given is \(words(given)) where the run's is expected"
      )
    }
  }

  /// The shape of one sample.
  /// - Throws: `TrainingError` where an extent is not positive, or they are too large.
  public func checkedSampleShape() throws(TrainingError) -> Shape {
    let most = ModelConfiguration.mostEntries
    guard !sampleShape.isEmpty, sampleShape.allSatisfy({ $0 > 0 && $0 <= most }),
      sampleShape.reduce(1.0, { $0 * Double($1) }) <= Double(most)
    else {
      throw TrainingError(
        "the run's sampleShape is \(sampleShape); expected positive extents, of no more than \(most) entries"
      )
    }
    return Shape(sampleShape)
  }

  /// Whether the network sees classes and covariates as those of this version do.
  var isUnderstood: Bool {
    format == Self.currentFormat || hasOwnNetwork || (classes == nil && covariates == nil)
  }

  /// Whether the network is one's own, so that it must be given to whoever reads the run.
  public var hasOwnNetwork: Bool { network.hasPrefix(NetworkSpec.ownPrefix) }

  /// The model's configuration.
  /// - Parameter given: the network, where it is one's own.
  /// - Throws: where the description makes no sense, and where another network is given than the run's; one of one's own is known
  ///   by its name and by how it sees the time.
  public func modelConfiguration(network given: NetworkSpec? = nil) throws -> ModelConfiguration {
    let shape = try checkedSampleShape()
    let own: NetworkSpec
    if let given {
      own = given
      guard own.text == (hasOwnNetwork ? network : try NetworkSpec(network).text) else {
        throw TrainingError(
          "the run's network is \(network) and the network given is \(own.text) where the run's is expected"
        )
      }
    } else if hasOwnNetwork {
      throw TrainingError(
        "the run's network is one's own, \(network.dropFirst(NetworkSpec.ownPrefix.count)); expected it to be given, as to RunFolder.model(process:network:pool:)"
      )
    } else {
      own = try NetworkSpec(network)
    }
    let configuration = ModelConfiguration(
      sampleShape: shape, network: own,
      preconditioning: try Preconditioning(parametrization), classes: classes ?? 0,
      covariates: covariates ?? 0)
    try configuration.check()
    return configuration
  }
}

import Foundation
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// A model as it is published for PyTorch's library diffusers: a `UNet2DModel` with its scheduler, which is that of a DDPM or, of
/// NCSN++, that of the VE SDE of Song et al. 2021.
///
/// ```
/// FOLDER/config.json                                or  FOLDER/unet/config.json
/// FOLDER/diffusion_pytorch_model.safetensors            FOLDER/unet/diffusion_pytorch_model.safetensors
/// FOLDER/scheduler_config.json                          FOLDER/scheduler/scheduler_config.json
/// ```
///
/// Images have `[height, width, channels]` where the published network has channels first, and values from −1 to 1 likewise, or
/// under the VE SDE from 0 to 1. A DDPM is given the chain's step i at the time (i + 1)/N; between these it sees a fraction of a
/// step. Where a network knows classes it has no score of all samples together: it was never asked for one. Of networks that give
/// variances of steps too the means alone are taken. Where weights are there rounded to half precision alone, as `….fp16.safetensors`
/// or `….bf16.safetensors`, they are taken as they are. Other blocks than DDPM's and NCSN++'s are refused.
public struct PublishedModel: Sendable {
  /// The network, its images and what it gives.
  public let configuration: ModelConfiguration
  /// The process that it was trained on, and how it is sampled from.
  public let scheduler: PublishedScheduler
  /// Whether the published network gives variances of steps too, which are left unused.
  public let hasLearnedVariances: Bool
  /// The file of its weights.
  public let weightsPath: String
  let configPath: String
  let cosinesFirst: Bool

  /// Whether a folder holds what describes a published model.
  public static func isFolder(_ folder: String) -> Bool {
    place(of: "scheduler_config.json", in: schedulerFolders(of: folder)) != nil
      && place(of: "config.json", in: networkFolders(of: folder)) != nil
  }

  /// Reads what the folder says of its model, and not yet the weights.
  /// - Parameter sides: the height and width of images, in place of those that the file says; nil takes these.
  /// - Throws: `FileError` that names the file, what is in it and what is expected.
  public init(_ folder: String, sides: [Int]? = nil) throws(FileError) {
    guard FileManager.default.fileExists(atPath: folder) else {
      throw FileError("\(folder): there is no such folder; expected one with a published model")
    }
    let chainPath = try Self.found(
      "scheduler_config.json", in: Self.schedulerFolders(of: folder), "description of a process",
      folder)
    configPath = try Self.found(
      "config.json", in: Self.networkFolders(of: folder), "description of a network", folder)
    weightsPath = try Self.weights(beside: configPath)

    let network = try PublishedObject(contentsOf: configPath)
    let unet = try PublishedUNet(network, sides: sides)
    scheduler = try PublishedScheduler(PublishedObject(contentsOf: chainPath))
    cosinesFirst = unet.cosinesFirst
    hasLearnedVariances = unet.givesVariances
    try scheduler.checkVariances(areLearned: hasLearnedVariances, by: network)

    var spec = unet.network
    if spec.condition == .step { spec.chainSteps = scheduler.steps }
    let preconditioning = try scheduler.preconditioning(of: unet, by: network)
    configuration = ModelConfiguration(
      sampleShape: unet.sampleShape, network: spec, preconditioning: preconditioning,
      classes: unet.classes)
    do {
      try configuration.check()
    } catch {
      throw network.failure(error)
    }
  }

  /// The process that it was trained on.
  public var process: any LinearProcess { scheduler.process }

  // Of the folder that pipelines are saved in, or of `unet` in it.
  private static func schedulerFolders(of folder: String) -> [String] {
    [folder, "\(folder)/scheduler", "\(folder)/../scheduler"]
  }

  private static func networkFolders(of folder: String) -> [String] { [folder, "\(folder)/unet"] }

  private static func place(of name: String, in folders: [String]) -> String? {
    folders.map { "\($0)/\(name)" }.first(where: FileManager.default.fileExists)
  }

  private static func found(
    _ name: String, in folders: [String], _ what: String, _ folder: String
  ) throws(FileError) -> String {
    guard let path = place(of: name, in: folders) else {
      let places = folders.prefix(2).map { "\($0)/\(name)" }
      throw FileError(
        "\(folder): there is no \(what); expected \(places.joined(separator: " or "))")
    }
    return path
  }

  private static func weights(beside config: String) throws(FileError) -> String {
    let folder = AtomicFile.folder(of: config)
    let name = "diffusion_pytorch_model"
    let names = ([""] + roundings.map { ".\($0)" }).map { "\(name)\($0).safetensors" }
    if let found = names.first(where: {
      FileManager.default.fileExists(atPath: "\(folder)/\($0)")
    }) {
      return "\(folder)/\(found)"
    }
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let others = files.filter { $0.hasPrefix("\(name).") && $0.hasSuffix(".safetensors") }
    let remark =
      others.first.map {
        ", but \($0), which is another set of weights and is taken under the name \(name).safetensors alone"
      }
      ?? (files.contains("\(name).bin")
        ? ", but a .bin, which is a program for Python to run" : "")
    throw FileError(
      "\(folder): there is no \(names[0])\(remark); expected the weights as safetensors")
  }

  /// What files of the same weights in half precision are called by, the one that rounds less first.
  private static let roundings = ["fp16", "bf16"]

  /// Whether the weights are those of a file in half precision.
  public var hasRoundedWeights: Bool {
    Self.roundings.contains { weightsPath.hasSuffix(".\($0).safetensors") }
  }

  /// The model.
  /// - Throws: as `parameters`.
  public func model<Scalar: TensorScalar>(pool: ThreadPool) throws -> ScoreModel<Scalar> {
    try ScoreModel(configuration, process: process, parameters: parameters(), pool: pool)
  }
}

import Foundation
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// A DDPM as it is published for PyTorch's library diffusers: a `UNet2DModel` with the chain of its scheduler.
///
/// ```
/// FOLDER/config.json                                or  FOLDER/unet/config.json
/// FOLDER/diffusion_pytorch_model.safetensors            FOLDER/unet/diffusion_pytorch_model.safetensors
/// FOLDER/scheduler_config.json                          FOLDER/scheduler/scheduler_config.json
/// ```
///
/// Images have `[height, width, channels]` where the published network has channels first, and values from −1 to 1 likewise.
/// The network is given the chain's step i at the time (i + 1)/N; between these it sees a fraction of a step. Learned variances,
/// classes and blocks other than DDPM's are refused.
public struct PublishedModel: Sendable {
  /// The network, its images and what it gives.
  public let configuration: ModelConfiguration
  /// The chain that it was trained on, and how it is sampled from.
  public let scheduler: PublishedScheduler
  private let weightsPath: String
  private let configPath: String
  private let cosinesFirst: Bool

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
      "scheduler_config.json", in: Self.schedulerFolders(of: folder), "description of a chain",
      folder)
    configPath = try Self.found(
      "config.json", in: Self.networkFolders(of: folder), "description of a network", folder)
    weightsPath = try Self.weights(beside: configPath)

    let network = try PublishedObject(contentsOf: configPath)
    let unet = try PublishedUNet(network, sides: sides)
    scheduler = try PublishedScheduler(PublishedObject(contentsOf: chainPath))
    cosinesFirst = unet.cosinesFirst

    var spec = NetworkSpec(
      .ddpmUNet(unet.sizes), condition: .step, features: unet.features,
      frequencies: unet.sizes.widths[0] / 2)
    spec.chainSteps = scheduler.process.count
    configuration = ModelConfiguration(
      sampleShape: unet.sampleShape, network: spec, preconditioning: scheduler.preconditioning)
    do {
      try configuration.check()
    } catch {
      throw network.failure(error)
    }
  }

  /// The chain that it was trained on.
  public var process: DDPMChain { scheduler.process }

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
    let path = "\(folder)/\(name).safetensors"
    guard FileManager.default.fileExists(atPath: path) else {
      let isPickled = FileManager.default.fileExists(atPath: "\(folder)/\(name).bin")
      throw FileError(
        "\(folder): there is no \(name).safetensors\(isPickled ? ", but a .bin, which is a program for Python to run" : ""); expected the weights as safetensors"
      )
    }
    return path
  }

  /// Reads the weights.
  /// - Throws: `FileError` where the file is damaged, lacks a tensor, has one too many or one of another shape.
  public func parameters<Scalar: TensorScalar>(
    as type: Scalar.Type = Scalar.self
  ) throws(FileError) -> Parameters<Scalar> {
    let file = try Safetensors<Scalar>(contentsOf: weightsPath)
    let places = Dictionary(
      uniqueKeysWithValues: zip(file.parameters.names, file.parameters.names.indices))
    var used: Set<Int> = []
    var tensors: [Tensor<Scalar>] = []
    let expected = configuration.parameters
    for parameter in expected {
      let names = publishedNames(of: parameter.name)
      guard let name = names.first(where: { places[$0] != nil }), let place = places[name] else {
        throw FileError(
          "\(weightsPath): there is no \(names.joined(separator: " or ")); expected it of the network that \(configPath) describes"
        )
      }
      used.insert(place)
      tensors.append(
        try converted(file.parameters.tensors[place], to: parameter, named: name))
    }
    if let other = file.parameters.names.indices.first(where: { !used.contains($0) }) {
      throw FileError(
        "\(weightsPath): there is a \(file.parameters.names[other]), of which the network that \(configPath) describes has none"
      )
    }
    return Parameters(names: expected.map(\.name), tensors: tensors)
  }

  /// The model.
  /// - Throws: as `parameters`.
  public func model<Scalar: TensorScalar>(pool: ThreadPool) throws -> ScoreModel<Scalar> {
    try ScoreModel(configuration, process: process, parameters: parameters(), pool: pool)
  }

  /// A tensor as our networks have it: filters with their results last, sines before cosines.
  private func converted<Scalar: TensorScalar>(
    _ tensor: Tensor<Scalar>, to parameter: Parameter, named name: String
  ) throws(FileError) -> Tensor<Scalar> {
    let wanted = parameter.shape.extents
    let isFilter = wanted.count == 4
    let published = isFilter ? [wanted[3], wanted[2], wanted[0], wanted[1]] : wanted
    guard tensor.shape.extents == published else {
      throw FileError(
        "\(weightsPath): \(name) has shape \(tensor.shape); expected \(Shape(published))")
    }
    // Sums of squares of results are to be finite numbers too.
    let most = Double(Scalar.greatestFiniteMagnitude).squareRoot() / 1e4
    if let bad = tensor.scalars.first(where: { !(abs(Double($0)) <= most) }) {
      throw FileError(
        "\(weightsPath): \(name) has an entry of \(bad) in \(Scalar.typeName); expected finite numbers of up to \(Spec.text(most.rounded()))"
      )
    }
    if isFilter {
      let (results, inputs, taps) = (wanted[3], wanted[2], wanted[0] * wanted[1])
      return tensor.withUnsafeBuffer { from in
        Tensor(parameter.shape) { out in
          for tap in 0..<taps {
            for input in 0..<inputs {
              for result in 0..<results {
                out[(tap * inputs + input) * results + result] =
                  from[(result * inputs + input) * taps + tap]
              }
            }
          }
        }
      }
    }
    guard cosinesFirst, parameter.name == "embedding.0.weight" else { return tensor }
    let (rows, width) = (wanted[0], wanted[1])
    return tensor.withUnsafeBuffer { from in
      Tensor(parameter.shape) { out in
        for row in 0..<rows {
          for column in 0..<width {
            out[row * width + column] = from[row * width + (column + width / 2) % width]
          }
        }
      }
    }
  }

  /// The names that a parameter of ours has had in published files: `down.0.1.conv1.weight` is
  /// `down_blocks.0.resnets.1.conv1.weight`.
  private func publishedNames(of name: String) -> [String] {
    var parts = name.split(separator: ".").map(String.init)
    let kind = parts.removeLast()
    let levels = DDPMUNet.levels(of: configuration.network)
    func inside(_ part: String) -> String {
      ["embedding": "time_emb_proj", "skip": "conv_shortcut"][part] ?? part
    }
    switch parts[0] {
    case "input": return ["conv_in.\(kind)"]
    case "norm": return ["conv_norm_out.\(kind)"]
    case "output": return ["conv_out.\(kind)"]
    case "embedding": return ["time_embedding.linear_\(parts[1] == "0" ? 1 : 2).\(kind)"]
    case "middle": parts[0] = "mid_block"
    case "down": parts.replaceSubrange(0...1, with: ["down_blocks.\(parts[1])"])
    default:
      let level = levels - 1 - (Int(parts[1]) ?? 0)
      parts.replaceSubrange(0...1, with: ["up_blocks.\(level)"])
    }
    // Now the level, then the block's place in it, or what changes the sides.
    let (level, place) = (parts[0], parts[1])
    if place == "half" { return ["\(level).downsamplers.0.conv.\(kind)"] }
    if place == "double" { return ["\(level).upsamplers.0.conv.\(kind)"] }
    guard parts[2] == "attention" else {
      return ["\(level).resnets.\(place).\(inside(parts[2])).\(kind)"]
    }
    let names =
      [
        "norm": ["group_norm"], "query": ["to_q", "query"], "key": ["to_k", "key"],
        "value": ["to_v", "value"], "output": ["to_out.0", "proj_attn"],
      ][parts[3]] ?? []
    return names.map { "\(level).attentions.\(place).\($0).\(kind)" }
  }
}

extension DDPMUNet {
  /// The levels of a spec's network.
  fileprivate static func levels(of network: NetworkSpec) -> Int {
    guard case .ddpmUNet(let sizes) = network.architecture else { return 0 }
    return sizes.widths.count
  }
}

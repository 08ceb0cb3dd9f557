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
  /// The chain that it was trained on.
  public let process: DDPMChain
  private let weightsPath: String
  private let configPath: String
  private let cosinesFirst: Bool

  /// Reads what the folder says of its model, and not yet the weights.
  /// - Throws: `FileError` that names the file, what is in it and what is expected.
  public init(_ folder: String) throws(FileError) {
    let files = FileManager.default
    func first(_ places: [String], _ what: String) throws(FileError) -> String {
      let paths = places.map { "\(folder)/\($0)" }
      guard let path = paths.first(where: files.fileExists) else {
        throw FileError(
          "\(folder): there is no \(what); expected \(paths.joined(separator: " or "))")
      }
      return path
    }
    guard files.fileExists(atPath: folder) else {
      throw FileError("\(folder): there is no such folder; expected one with a published model")
    }
    let chainPath = try first(
      ["scheduler_config.json", "scheduler/scheduler_config.json"], "description of a chain")
    let parts = ["", "unet/"]
    configPath = try first(parts.map { $0 + "config.json" }, "description of a network")
    let name = "diffusion_pytorch_model"
    let beside = AtomicFile.folder(of: configPath)
    weightsPath = "\(beside)/\(name).safetensors"
    guard files.fileExists(atPath: weightsPath) else {
      let isPickled = files.fileExists(atPath: "\(beside)/\(name).bin")
      throw FileError(
        "\(beside): there is no \(name).safetensors\(isPickled ? ", but a .bin, which is a program for Python to run" : ""); expected the weights as safetensors"
      )
    }

    let (path, chainText) = (configPath, chainPath)
    func failure(_ path: String) -> (String, String, String) -> FileError {
      { key, found, expected in FileError("\(path): \(key) is \(found); expected \(expected)") }
    }
    let unet: PublishedUNet = try Self.read(path)
    try unet.check(failure(path))
    let chain: PublishedChain = try Self.read(chainText)
    process = try chain.process(failure(chainText))
    cosinesFirst = unet.flipSinToCos ?? true

    let sizes = unet.sizes(hasHeadWidth: try Self.has("attention_head_dim", path))
    var network = NetworkSpec(
      .ddpmUNet(sizes), condition: .step,
      features: (unet.freqShift ?? 0) == 1 ? .positional : .positionalOpen,
      frequencies: sizes.widths[0] / 2)
    network.chainSteps = process.count
    let sides = unet.sampleSize.map { [$0.height, $0.width] } ?? []
    configuration = ModelConfiguration(
      sampleShape: Shape(sides + [unet.inChannels ?? 3]), network: network,
      preconditioning: try chain.preconditioning(failure(chainText)))
    do {
      try configuration.check()
    } catch {
      throw FileError("\(path): \(error)")
    }
  }

  private static func read<Value: Decodable>(_ path: String) throws(FileError) -> Value {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError("\(path): the file cannot be read")
    }
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch DecodingError.typeMismatch(let type, let context),
      DecodingError.valueNotFound(let type, let context)
    {
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw FileError(
        "\(path): \(place.isEmpty ? "it" : place) is something else than the expected \(place.isEmpty ? "object" : "\(type)")"
      )
    } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw FileError("\(path): \(place) has a value that cannot be read")
    } catch {
      throw FileError("\(path): not a JSON object")
    }
  }

  /// Whether the object in a file has a key, null as its value too.
  private static func has(_ key: String, _ path: String) throws(FileError) -> Bool {
    let object: [String: Anything] = try read(path)
    return object.keys.contains(key)
  }

  /// What is there, whatever it is.
  private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
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
    guard tensor.isFinite else {
      throw FileError(
        "\(weightsPath): \(name) has entries that are not finite numbers in \(Scalar.self)")
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

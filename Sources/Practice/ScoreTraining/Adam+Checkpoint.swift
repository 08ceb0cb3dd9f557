import ScoreNetworks
import ScoreTensors

// What all trainers keep: the file is the same, whatever was trained.
extension Adam {
  /// The whole state of a training whose parameters are these: `parameters/NAME`, `average/NAME`, `adam.first/NAME`,
  /// `adam.second/NAME`; the step is in the metadata.
  func checkpoint(of parameters: Parameters<Scalar>) -> Safetensors<Scalar> {
    let parts = [
      ("parameters", parameters.tensors),
      ("average", average.isEmpty ? parameters.tensors : average), ("adam.first", first),
      ("adam.second", second),
    ]
    let names = parameters.names
    return Safetensors(
      Parameters(
        names: parts.flatMap { part in names.map { "\(part.0)/\($0)" } },
        tensors: parts.flatMap(\.1)),
      metadata: ["step": "\(steps)", "format": "\(RunDescription.currentFormat)"])
  }

  /// Takes up the state of a checkpoint, and gives its parameters; the next step is the one after the checkpoint's.
  /// - Throws: `FileError` where a tensor is missing or has another shape; nothing is changed then.
  mutating func restore(
    _ checkpoint: Safetensors<Scalar>, of names: [String], from path: String
  ) throws(FileError) -> Parameters<Scalar> {
    guard let text = checkpoint.metadata["step"], let step = Int(text), (0..<Int.max).contains(step)
    else {
      throw FileError("\(path): the metadata name no step")
    }
    func part(_ prefix: String) throws(FileError) -> [Tensor<Scalar>] {
      var tensors: [Tensor<Scalar>] = []
      for (name, like) in zip(names, first) {
        let tensor = try checkpoint.tensor("\(prefix)/\(name)", in: path)
        guard tensor.shape == like.shape else {
          throw FileError(
            "\(path): \(prefix)/\(name) has shape \(tensor.shape); expected \(like.shape)")
        }
        tensors.append(tensor)
      }
      return tensors
    }
    let values = try part("parameters")
    var restored = self
    if !average.isEmpty { restored.average = try part("average") }
    restored.first = try part("adam.first")
    restored.second = try part("adam.second")
    restored.steps = step
    self = restored
    return Parameters(names: names, tensors: values)
  }
}

extension Safetensors {
  func tensor(_ name: String, in path: String) throws(FileError) -> Tensor<Scalar> {
    guard let tensor = parameters[name] else {
      throw FileError("\(path): the tensor \(name) is missing")
    }
    guard tensor.isFinite else {
      throw FileError(
        "\(path): the tensor \(name) has entries that are not finite numbers in \(Scalar.self)")
    }
    return tensor
  }

  /// Refuses to write what a training left that diverged.
  func checkFinite(at step: Int, for path: String) throws(FileError) {
    for (name, tensor) in zip(parameters.names, parameters.tensors) where !tensor.isFinite {
      throw FileError(
        "\(path): not written, since training diverged at step \(step) and left entries of \(name) that are not finite numbers; a lower learning rate may help"
      )
    }
  }
}

import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// A folder with a published model, removed with the last of its users.
final class PublishedFiles {
  let path = FileManager.default.temporaryDirectory.path + "/published-\(UUID().uuidString)"

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    try AtomicFile.makeFolder(AtomicFile.folder(of: "\(path)/\(name)"))
    try AtomicFile.write(text, to: "\(path)/\(name)")
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: "\(path)/\(name)")
  }
}

/// A model as it is published: what its files say, and the names and shapes of its weights.
struct PublishedCase {
  var config: String
  var chain: String
  var tensors: String
  var isNested = false
  /// What names are written with instead.
  var renamed: [String: String] = [:]

  /// The weights that the reference has too, and the folder that holds them.
  func folder() throws -> PublishedFiles {
    let folder = PublishedFiles()
    let unet = isNested ? "unet/" : ""
    try folder.write(config, to: unet + "config.json")
    try folder.write(
      chain, to: (isNested ? "scheduler/" : "") + "scheduler_config.json")
    var names: [String] = []
    var tensors: [Tensor<Float>] = []
    for (i, line) in self.tensors.split(separator: "\n").enumerated() {
      let parts = line.split(separator: " ")
      let shape = Shape(parts[1].split(separator: ",").compactMap { Int($0) })
      let isFlat = shape.rank == 1
      let isNorm = isFlat && parts[0].hasSuffix("weight")
      let wave = (0..<shape.count).map { sin(1 + 0.7 * Double($0) + 1.3 * Double(i)) }
      tensors.append(
        Tensor(
          shape, wave.map { Float(isNorm ? 1 + 0.3 * $0 : (isFlat ? 0.3 : 0.4) * $0) }))
      names.append(
        renamed.reduce(String(parts[0])) {
          $0.replacingOccurrences(of: ".\($1.key).", with: ".\($1.value).")
        })
    }
    try Safetensors(Parameters(names: names, tensors: tensors))
      .write(to: "\(folder.path)/\(unet)diffusion_pytorch_model.safetensors")
    return folder
  }
}

extension PublishedModel {
  /// The sample of the reference, so many times.
  func wave(rows: Int) -> Tensor<Double> {
    let shape = configuration.sampleShape
    let row = (0..<shape.count).map { Double(Float(sin(0.3 * Double($0)))) }
    return Tensor(Shape([rows] + shape.extents), (0..<rows).flatMap { _ in row })
  }

  /// The chain of a DDPM.
  var chain: DDPMChain { get throws { try scheduler.chain } }
}

extension PublishedScheduler {
  /// The chain of a DDPM.
  var chain: DDPMChain { get throws { try #require(process as? DDPMChain) } }
}

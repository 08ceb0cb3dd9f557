import Foundation
import ScoreNetworks
import ScoreTensors

extension RunFolder {
  /// The losses of held-out samples, one line an evaluation.
  public var validationPath: String { path + "/validation.csv" }
  /// The loss of each held-out sample where their mean was least.
  public var validationLossesPath: String { path + "/validation.safetensors" }

  private static func name(ofStep step: Int) -> String { "step \(step)" }

  /// Writes the log and the losses that it keeps.
  package func save(_ log: ValidationLog) throws(FileError) {
    // The losses before the lines that need them.
    let kept = log.kept.sorted { $0.key < $1.key }
    try Safetensors(
      Parameters<Double>(
        names: kept.map { Self.name(ofStep: $0.key) },
        tensors: kept.map { Tensor([$0.value.count], $0.value) })
    ).write(to: validationLossesPath)
    try AtomicFile.write(log.text, to: validationPath)
  }

  /// Reads the validation log up to the step of the checkpoint, to go on with.
  /// - Throws: `FileError` where a file is missing or damaged.
  public func validationLog(upTo step: Int) throws(FileError) -> ValidationLog {
    guard let text = try? String(contentsOfFile: validationPath, encoding: .utf8) else {
      throw FileError("\(validationPath): the validation log is missing")
    }
    let log: ValidationLog
    do {
      log = try ValidationLog(text: text, name: validationPath, upTo: step)
    } catch {
      throw FileError(error.description)
    }
    guard let least = log.least else { return log }
    let file = try Safetensors<Double>(contentsOf: validationLossesPath)
    let steps = log.entries.map(\.step)
    let kept = steps.compactMap { step in
      file.parameters[Self.name(ofStep: step)].map { (step, $0.scalars) }
    }
    guard kept.contains(where: { $0.0 == least.step }) else {
      throw FileError(
        "\(validationLossesPath): the losses at step \(least.step) are missing, where \(validationPath) has the least"
      )
    }
    return log.keeping(Dictionary(uniqueKeysWithValues: kept))
  }
}

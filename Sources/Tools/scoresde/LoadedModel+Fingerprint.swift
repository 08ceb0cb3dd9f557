import Foundation
import ScoreSDE

extension LoadedModel {
  /// A text that tells the model from others: of its parameters, or of its words.
  var fingerprint: String {
    get throws {
      if let network = field as? ScoreModel<Scalar> {
        let all = network.parameters.tensors.map { $0.reshaped([$0.count, 1]) }
        return Dataset(name: "", samples: .concatenated(all)).fingerprint
      }
      let text = try session.arguments.required("--model")
      let prefix = "mixture:"
      let words =
        text.hasPrefix(prefix)
        ? try String(contentsOfFile: String(text.dropFirst(prefix.count)), encoding: .utf8) : text
      let bytes = words.utf8.map { Double($0) }
      return Dataset(name: "", samples: Tensor([bytes.count, 1], bytes)).fingerprint
    }
  }
}

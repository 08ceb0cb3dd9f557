import ScoreNetworks
import ScoreProcesses

/// DDPM's network as text.
extension NetworkSpec {
  static let ddpmUNetKeys = [
    "channels", "blocks", "groups", "attention", "head", "middle-attention", "padding", "epsilon",
  ]

  /// Where zeros stand about images that are halved.
  private enum Padding: String, CaseIterable {
    case after, around
  }

  /// Reads the sizes; what is not said is as in DDPM's network for CIFAR-10, with attention at the second level.
  static func ddpmUNet(_ spec: Spec) throws(SpecError) -> DDPMUNet.Configuration {
    var sizes = DDPMUNet.Configuration()
    try readLevels(spec, &sizes.widths, &sizes.attention, attended: 1)
    sizes.blocks = try spec.integer(
      "blocks", default: sizes.blocks, in: .between(1, Double(mostDepth)))
    sizes.groups = try spec.integer(
      "groups", default: mostGroups(of: sizes.widths), in: .between(1, Double(mostWidth)))
    sizes.headWidth = try headWidth(spec)
    sizes.attendsInMiddle = try spec.flag("middle-attention", default: true)
    sizes.padsAllSides = try spec.choice("padding", default: Padding.after) == .around
    sizes.epsilon = try spec.number("epsilon", default: sizes.epsilon, in: .positive)
    return sizes
  }

  /// The most groups, up to DDPM's 32, that divide the channels of all levels.
  private static func mostGroups(of widths: [Int]) -> Int {
    (1...32).last { groups in widths.allSatisfy { $0 % groups == 0 } } ?? 1
  }

  /// The text that reads back as these sizes.
  static func text(of sizes: DDPMUNet.Configuration) -> String {
    let padding: Padding = sizes.padsAllSides ? .around : .after
    return "channels=\(text(of: sizes.widths)),blocks=\(sizes.blocks),groups=\(sizes.groups),"
      + "attention=\(text(of: sizes.attention.map { $0 ? 1 : 0 })),"
      + "head=\(sizes.headWidth.map(String.init) ?? "all"),"
      + "middle-attention=\(sizes.attendsInMiddle),padding=\(padding.rawValue),"
      + "epsilon=\(Spec.text(sizes.epsilon))"
  }

  /// Checks the sizes.
  /// - Throws: `ProcessError` that says which is out of range, or what does not divide the channels.
  static func check(_ sizes: DDPMUNet.Configuration) throws(ProcessError) {
    let name = Architecture.ddpmUNetName
    try checkLevels(name, sizes.widths, sizes.attention, blocks: sizes.blocks)
    let widths = sizes.widths
    guard sizes.groups >= 1, widths.allSatisfy({ $0 % sizes.groups == 0 }) else {
      throw ProcessError(
        "the \(name) has \(sizes.groups) groups; expected a divisor of the channels of each level, \(text(of: widths))"
      )
    }
    try checkLayers(name, head: sizes.headWidth, of: sizes.attendedWidths, epsilon: sizes.epsilon)
  }
}

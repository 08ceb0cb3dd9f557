import ScoreNetworks
import ScoreProcesses

/// The network NCSN++ as text.
extension NetworkSpec {
  static let ncsnPlusPlusKeys = ["channels", "blocks", "attention", "head", "epsilon"]

  /// Reads the sizes; what is not said is as for images of 256 pixels a side, with attention at the fifth level.
  static func ncsnPlusPlus(_ spec: Spec) throws(SpecError) -> NCSNPlusPlus.Configuration {
    var sizes = NCSNPlusPlus.Configuration()
    try readLevels(spec, &sizes.widths, &sizes.attention, attended: 4)
    sizes.blocks = try spec.integer(
      "blocks", default: sizes.blocks, in: .between(1, Double(mostDepth)))
    sizes.headWidth = try headWidth(spec)
    sizes.epsilon = try spec.number("epsilon", default: sizes.epsilon, in: .positive)
    return sizes
  }

  /// The text that reads back as these sizes.
  static func text(of sizes: NCSNPlusPlus.Configuration) -> String {
    text(of: sizes.widths, attention: sizes.attention, head: sizes.headWidth)
      + ",blocks=\(sizes.blocks),epsilon=\(Spec.text(sizes.epsilon))"
  }

  /// Checks the sizes.
  /// - Throws: `ProcessError` that says which is out of range, or which channels cannot be normalised in groups.
  static func check(_ sizes: NCSNPlusPlus.Configuration) throws(ProcessError) {
    let name = Architecture.ncsnPlusPlusName
    try checkLevels(name, sizes.widths, sizes.attention, blocks: sizes.blocks)
    let bad = sizes.normalizedWidths.first {
      $0 < 4 || $0 % NCSNPlusPlus.Configuration.groups(of: $0) != 0
    }
    if let bad {
      throw ProcessError(
        "the \(name) of channels \(text(of: sizes.widths)) normalises \(bad) channels; expected 4 or more, of one level or two together, in a quarter as many groups up to 32, such as multiples of 32"
      )
    }
    try checkLayers(name, head: sizes.headWidth, of: sizes.attendedWidths, epsilon: sizes.epsilon)
  }
}

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
    if let widths = try numbers(spec, "channels", 1...mostWidth, such: "128-256-256-256") {
      sizes.widths = widths
    }
    let levels = sizes.widths.count
    sizes.attention = (0..<levels).map { $0 == 1 }
    if let flags = try numbers(spec, "attention", 0...1, such: "0-1-0-0") {
      guard flags.count == levels else {
        throw spec.wrong(
          "attention", text(of: flags), "0 or 1 for each of the \(levels) levels, such as 0-1-0-0")
      }
      sizes.attention = flags.map { $0 == 1 }
    }
    sizes.blocks = try spec.integer(
      "blocks", default: sizes.blocks, in: .between(1, Double(mostDepth)))
    sizes.groups = try spec.integer(
      "groups", default: mostGroups(of: sizes.widths), in: .between(1, Double(mostWidth)))
    if let head = spec.string("head"), head != "all" {
      guard let width = Int(head), (1...mostWidth).contains(width) else {
        throw spec.wrong(
          "head", head, "all, or a whole number of channels from 1 to \(mostWidth)")
      }
      sizes.headWidth = width
    }
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
    let widths = sizes.widths
    guard (1...mostLevels).contains(widths.count),
      widths.allSatisfy({ (1...mostWidth).contains($0) })
    else {
      throw ProcessError(
        "the \(name) has channels \(widths); expected 1 to \(mostLevels) levels, each of 1 to \(mostWidth)"
      )
    }
    guard sizes.attention.count == widths.count else {
      throw ProcessError(
        "the \(name) says of \(sizes.attention.count) levels whether they have attention; expected as many as there are, \(widths.count)"
      )
    }
    guard (1...mostDepth).contains(sizes.blocks) else {
      throw ProcessError(
        "the \(name) has blocks \(sizes.blocks); expected from 1 to \(mostDepth)")
    }
    guard sizes.groups >= 1, widths.allSatisfy({ $0 % sizes.groups == 0 }) else {
      throw ProcessError(
        "the \(name) has \(sizes.groups) groups; expected a divisor of the channels of each level, \(text(of: widths))"
      )
    }
    if let head = sizes.headWidth,
      head < 1 || sizes.attendedWidths.contains(where: { $0 % head != 0 })
    {
      throw ProcessError(
        "the \(name) has heads of \(head) channels; expected a divisor of those of each level with attention, \(Set(sizes.attendedWidths).sorted().map(String.init).joined(separator: " and ")), or all of them in one head"
      )
    }
    guard sizes.epsilon > 0, sizes.epsilon.isFinite else {
      throw ProcessError(
        "the \(name) has epsilon \(sizes.epsilon); expected a finite number above 0")
    }
  }
}

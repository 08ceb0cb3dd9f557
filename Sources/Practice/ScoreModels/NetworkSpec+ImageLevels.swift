import ScoreProcesses

/// What networks of images in levels have in their texts: channels and attention of each level, blocks, and heads.
extension NetworkSpec {
  /// Reads the channels of each level and which have attention, where either is said.
  /// - Parameter attended: the level that has it where channels alone are said.
  static func readLevels(
    _ spec: Spec, _ widths: inout [Int], _ attention: inout [Bool], attended: Int
  ) throws(SpecError) {
    if let numbers = try numbers(spec, "channels", 1...mostWidth, such: "128-256-256-256") {
      widths = numbers
    }
    let levels = widths.count
    attention = (0..<levels).map { $0 == attended }
    guard let flags = try numbers(spec, "attention", 0...1, such: "0-1-0-0") else { return }
    guard flags.count == levels else {
      throw spec.wrong(
        "attention", text(of: flags), "0 or 1 for each of the \(levels) levels, such as 0-1-0-0")
    }
    attention = flags.map { $0 == 1 }
  }

  /// Reads the channels of a head; nil for one head of all.
  static func headWidth(_ spec: Spec) throws(SpecError) -> Int? {
    guard let head = spec.string("head"), head != "all" else { return nil }
    guard let width = Int(head), (1...mostWidth).contains(width) else {
      throw spec.wrong("head", head, "all, or a whole number of channels from 1 to \(mostWidth)")
    }
    return width
  }

  /// The text of channels of each level, which have attention, and heads.
  static func text(of widths: [Int], attention: [Bool], head: Int?) -> String {
    "channels=\(text(of: widths)),attention=\(text(of: attention.map { $0 ? 1 : 0 })),head=\(head.map(String.init) ?? "all")"
  }

  /// Checks channels, attention and blocks.
  static func checkLevels(
    _ name: String, _ widths: [Int], _ attention: [Bool], blocks: Int
  ) throws(ProcessError) {
    guard (1...mostLevels).contains(widths.count),
      widths.allSatisfy({ (1...mostWidth).contains($0) })
    else {
      throw ProcessError(
        "the \(name) has channels \(widths); expected 1 to \(mostLevels) levels, each of 1 to \(mostWidth)"
      )
    }
    guard attention.count == widths.count else {
      throw ProcessError(
        "the \(name) says of \(attention.count) levels whether they have attention; expected as many as there are, \(widths.count)"
      )
    }
    guard (1...mostDepth).contains(blocks) else {
      throw ProcessError("the \(name) has blocks \(blocks); expected from 1 to \(mostDepth)")
    }
  }

  /// Checks heads and what is added to variances.
  static func checkLayers(
    _ name: String, head: Int?, of attended: [Int], epsilon: Double
  ) throws(ProcessError) {
    if let head, head < 1 || attended.contains(where: { $0 % head != 0 }) {
      throw ProcessError(
        "the \(name) has heads of \(head) channels; expected a divisor of those of each level with attention, \(Set(attended).sorted().map(String.init).joined(separator: " and ")), or all of them in one head"
      )
    }
    guard epsilon > 0, epsilon.isFinite else {
      throw ProcessError("the \(name) has epsilon \(epsilon); expected a finite number above 0")
    }
  }
}

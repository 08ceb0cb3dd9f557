import ScoreAutodiff

/// A residual block of a U-Net, with attention after it where there is some.
struct ImageStage: Sendable {
  let block: ResidualBlock
  let attention: ImageAttention?

  var parameters: [Parameter] { block.parameters + (attention?.parameters ?? []) }

  func callAsFunction(_ h: Formula, _ e: Formula) -> Formula {
    let h = block(h, e)
    return attention?(h) ?? h
  }

  /// The channels that blocks take on the way up, by levels: what comes from below, and what was kept on the way down, which is
  /// the first convolution's result, each block's, and each image's of half the sides.
  static func joinedWidths(_ widths: [Int], blocks: Int) -> [[Int]] {
    var kept = widths.prefix(1) + []
    for (level, own) in widths.enumerated() {
      kept += [Int](repeating: own, count: blocks + (level < widths.count - 1 ? 1 : 0))
    }
    var last = widths.last ?? 0
    var joined = [[Int]](repeating: [], count: widths.count)
    for (level, own) in widths.enumerated().reversed() {
      for _ in 0...blocks {
        joined[level].append(last + kept.removeLast())
        last = own
      }
    }
    return joined
  }
}

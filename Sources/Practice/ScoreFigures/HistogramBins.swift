import Foundation

/// The bins that histograms of several sets of numbers share.
///
/// The range is that of the numbers within the middle nine tenths of each set and as far again on either side, so that single
/// numbers far off do not make one bar of the rest. Bins are as wide as the rule of Freedman and Diaconis has it for the set
/// that it gives the narrowest ones, and from 5 to 50:
///
/// ```
/// width  2 (q₀.₇₅ − q₀.₂₅)/∛n
/// ```
///
/// Bins of whole numbers are whole numbers wide, with these in their middle.
public struct HistogramBins: Hashable, Sendable {
  /// From the first bin's lower edge to the last one's upper edge.
  public let range: ClosedRange<Double>
  /// The number of bins.
  public let count: Int
  /// Whether all numbers are whole ones.
  public let isWhole: Bool

  private static let (fewest, most) = (5.0, 50.0)

  /// Chooses bins; nil where all numbers are one, or there are none.
  public init?(_ sets: [[Double]]) {
    let sets = sets.map { $0.filter { abs($0) < 1e250 }.sorted() }.filter { !$0.isEmpty }
    guard let least = sets.map({ $0[0] }).min(),
      let greatest = sets.map({ $0[$0.count - 1] }).max(),
      greatest - least > 1e-12 * max(abs(least), abs(greatest)), greatest - least > 1e-300
    else { return nil }
    let spans = sets.map(Self.span)
    var (low, high) = (spans.map(\.0).min() ?? least, spans.map(\.1).max() ?? greatest)
    // Numbers that are nearly all one leave no range but that of the others.
    if !(high - low > 1e-12 * max(abs(low), abs(high))) { (low, high) = (least, greatest) }
    let width = sets.map(Self.width).filter { $0 > 0 }.min() ?? 0
    isWhole = sets.allSatisfy { $0.allSatisfy { abs($0) < 1e15 && $0 == $0.rounded() } }
    if isWhole {
      let numbers = high - low + 1
      let wide = max(
        1, min(width, numbers / Self.fewest).rounded(), (numbers / Self.most).rounded(.up))
      count = Int((numbers / wide).rounded(.up))
      range = low - 0.5...low - 0.5 + Double(count) * wide
    } else {
      count = Int(min(Self.most, max(Self.fewest, ((high - low) / width).rounded(.up))))
      range = low...high
    }
  }

  /// What is shown of sorted numbers.
  private static func span(_ sorted: [Double]) -> (Double, Double) {
    let (first, last) = (sorted[0], sorted[sorted.count - 1])
    let left = max(1, (sorted.count + 19) / 20)
    guard sorted.count > 2 * left else { return (first, last) }
    let (low, high) = (sorted[left], sorted[sorted.count - 1 - left])
    let reach = low - (high - low)...high + (high - low)
    return (
      sorted.first(where: reach.contains) ?? first, sorted.last(where: reach.contains) ?? last
    )
  }

  /// The rule's width for sorted numbers.
  private static func width(_ sorted: [Double]) -> Double {
    func quantile(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
    return 2 * (quantile(0.75) - quantile(0.25)) / cbrt(Double(sorted.count))
  }
}

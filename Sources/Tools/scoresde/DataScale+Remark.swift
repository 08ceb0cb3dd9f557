import ScoreSDE

extension DataScale {
  /// What is said of numbers that are to be of the scale of a run's levels and seem to be of another: one lies further beyond
  /// the levels than it may, or none is beyond 1, as of levels over the largest, though the levels go beyond 2.
  ///
  /// - Parameters:
  ///   - option: what names the numbers.
  ///   - slack: how far beyond the levels numbers may lie.
  func remark(
    on numbers: some Collection<Double>, of option: String, slack: Double = 0
  ) -> String? {
    let last = Double(levels - 1) * binWidth
    let levels = "where the run was trained on levels from 0 to \(Spec.text(last))"
    if let far = numbers.first(where: { !(-slack...last + slack).contains($0) }) {
      return "\(option) has a number of \(Spec.text(far)), \(levels)"
    }
    let largest = numbers.reduce(0) { max($0, abs($1)) }
    return largest > 0 && largest <= 1 && last > 2
      ? "\(option) has no number beyond 1, \(levels); numbers on another scale say something else"
      : nil
  }
}

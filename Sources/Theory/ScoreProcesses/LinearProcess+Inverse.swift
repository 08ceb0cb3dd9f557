import Foundation

extension LinearProcess {
  /// The time at which log(α/σ) is `lambda`, by Newton's method in log t within a bracket.
  ///
  /// λ falls with t, dλ/dt = −g²/(2σ²), and is nearly linear in log t near 0, so some six steps reach rounding.
  public func time(halfLogSNR lambda: Double) -> Double {
    // Times below e⁻⁶⁹⁰ T ≈ 10⁻³⁰⁰ T count as 0.
    let last = log(endTime)
    var (low, high) = (last - 690, last)
    if lambda <= marginal(at: endTime).halfLogSNR { return endTime }
    // Not below is not the same as above: at the smallest times σ may underflow, which leaves λ infinite.
    if lambda > marginal(at: exp(low)).halfLogSNR { return 0 }
    var guess = high - 1
    for _ in 0..<200 {
      let t = exp(guess)
      let kernel = marginal(at: t)
      let excess = kernel.halfLogSNR - lambda
      if excess == 0 { return t }
      if excess > 0 { low = guess } else { high = guess }
      let slope = t * rates(at: t).noiseGain / kernel.sigma
      var next = guess + excess / slope
      if !(next > low && next < high) { next = 0.5 * (low + high) }
      if abs(next - guess) <= 2 * max(abs(guess), 1).ulp { return min(exp(next), endTime) }
      guess = next
    }
    return exp(guess)
  }
}

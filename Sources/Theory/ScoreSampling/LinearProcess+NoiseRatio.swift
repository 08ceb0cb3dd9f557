import Foundation
import ScoreProcesses

extension LinearProcess {
  /// log(σ/α) at t, which rises with t.
  func logNoiseRatio(at t: Double) -> Double { -marginal(at: t).halfLogSNR }

  /// The time in `lower`…`upper` at which log(σ/α) is `target`, to rounding.
  ///
  /// Newton's method, held inside a bracket by bisection. d log(σ/α)/dt = g²/(2σ²).
  func time(
    logNoiseRatio target: Double, between lower: Double, and upper: Double
  ) -> Double {
    var (low, high) = (lower, upper)
    if target <= logNoiseRatio(at: low) { return low }
    if target >= logNoiseRatio(at: high) { return high }
    var t = 0.5 * (low + high)
    for _ in 0..<200 {
      let value = logNoiseRatio(at: t) - target
      if value == 0 { return t }
      if value < 0 { low = t } else { high = t }
      let slope = rates(at: t).noiseGain / marginal(at: t).sigma
      var guess = t - value / slope
      if !(guess > low && guess < high) { guess = 0.5 * (low + high) }
      if abs(guess - t) <= t.ulp { return guess }
      t = guess
    }
    return t
  }
}

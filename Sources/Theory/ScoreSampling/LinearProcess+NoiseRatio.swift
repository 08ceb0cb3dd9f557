import Foundation
import ScoreProcesses

extension LinearProcess {
  /// log(σ/α) at t, which rises with t.
  func logNoiseRatio(at t: Double) -> Double { -marginal(at: t).halfLogSNR }

  /// Whether steps even in t suit the process: the last of fifty starts where σ/α is a tenth or less, a noise below the
  /// detail of data of deviation 1. Where t is σ itself, most of fifty steps are spent above all data.
  var suitsEvenTimes: Bool {
    let epsilon = cutoffs.sampling
    return logNoiseRatio(at: epsilon + (endTime - epsilon) / 50) <= log(0.1)
  }

  /// Whether that holds in σ/α as well: the first of fifty such steps divides it by e or less.
  var suitsEvenTimesInNoise: Bool {
    let step = (endTime - cutoffs.sampling) / 50
    return suitsEvenTimes && logNoiseRatio(at: endTime) - logNoiseRatio(at: endTime - step) <= 1
  }

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

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
  func time(
    logNoiseRatio target: Double, between lower: Double, and upper: Double
  ) -> Double {
    min(max(time(halfLogSNR: -target), lower), upper)
  }
}

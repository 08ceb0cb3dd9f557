import Foundation
import ScoreProcesses

extension LinearProcess {
  /// log(σ/α) at t, which rises with t.
  func logNoiseRatio(at t: Double) -> Double { -marginal(at: t).halfLogSNR }

  /// Where grids start unless they are told: at T, or where α/σ is the rounding of Float, beyond which there is noise alone, if σ
  /// is the same from there on.
  ///
  /// The published betas over ten times as many steps, say, leave log α(T) at −50. From T most steps would lead through noise, and
  /// x̂₀ be rounding over α. In what is left out the flow keeps states of data of size 1 as they are, to rounding.
  package var solveStart: Double {
    let least = log(Double(Float.ulpOfOne))
    guard logNoiseRatio(at: endTime) > -least else { return endTime }
    let start = time(halfLogSNR: least)
    let sigma = marginal(at: endTime).sigma
    return abs(marginal(at: start).sigma - sigma) <= 1e-6 * sigma ? start : endTime
  }

  /// Whether steps even in t suit the process: the last of fifty starts where σ/α is a tenth or less, a noise below the
  /// detail of data of deviation 1, and the first divides σ/α by 20 or less. Where t is σ itself, most of fifty steps are spent
  /// above all data; where noise ends all at once, as in the cosine chain, the first is so stiff that many methods diverge.
  var suitsEvenTimes: Bool {
    let step = (solveStart - cutoffs.sampling) / 50
    return logNoiseRatio(at: cutoffs.sampling + step) <= log(0.1) && firstOfEvenTimes <= log(20)
  }

  /// Whether that holds in σ/α as well: the first of fifty such steps divides it by e or less.
  var suitsEvenTimesInNoise: Bool { suitsEvenTimes && firstOfEvenTimes <= 1 }

  /// By what log(σ/α) falls in the first of fifty even steps.
  private var firstOfEvenTimes: Double {
    let start = solveStart
    return logNoiseRatio(at: start) - logNoiseRatio(at: start - (start - cutoffs.sampling) / 50)
  }

  /// The time in `lower`…`upper` at which log(σ/α) is `target`, to rounding.
  func time(
    logNoiseRatio target: Double, between lower: Double, and upper: Double
  ) -> Double {
    min(max(time(halfLogSNR: -target), lower), upper)
  }
}

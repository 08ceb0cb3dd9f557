/// Times drawn in proportion to g²/σ², which gives every draw the same weight in the likelihood-weighted loss.
///
/// ```
/// g²/σ² = −2 dλ/dt,   λ = log(α/σ),   Z(ε) = ∫_ε^T g²/σ² dt = 2 (λ(ε) − λ(T))
/// ```
///
/// So for every linear process the mass is in closed form and the draw is uniform in λ: t(u) solves
/// λ(t) = λ(ε) + u (λ(T) − λ(ε)). The inverse is in closed form for the processes here, but for DDPM's chain and for one's
/// own, which search for it (Song et al. 2021, "Maximum Likelihood Training of Score-Based Diffusion Models", §5.1).
public struct LikelihoodWeightedTimes: Sendable {
  /// The process.
  public let process: any LinearProcess
  /// The first time ε.
  public let start: Double
  private let (first, last): (Double, Double)

  /// Creates the distribution on ε … T; ε is the cutoff for training unless given.
  /// - Throws: `ProcessError` unless 0 < ε < T and λ falls between them.
  public init(_ process: any LinearProcess, from start: Double? = nil) throws(ProcessError) {
    let start = start ?? process.cutoffs.training
    guard start > 0, start < process.endTime else {
      throw ProcessError(
        "the first time is \(start); expected one between 0 and T = \(process.endTime)")
    }
    self.process = process
    self.start = start
    first = process.marginal(at: start).halfLogSNR
    last = process.marginal(at: process.endTime).halfLogSNR
    guard first > last, first.isFinite, last.isFinite else {
      throw ProcessError(
        "the process \"\(process.name)\" has log(α/σ) = \(first) at t = \(start) and \(last) at T; expected finite numbers, the second lower"
      )
    }
  }

  /// The mass Z(ε) = ∫ g²/σ² dt.
  public var mass: Double { 2 * (first - last) }

  /// The density of t: g²/(σ² Z).
  public func density(at t: Double) -> Double {
    2 * process.rates(at: t).noiseGain / process.marginal(at: t).sigma / mass
  }

  /// The time below which a share u of the draws lies; u from 0 (ε) to 1 (T).
  public func time(at u: Double) -> Double {
    let t = process.time(halfLogSNR: first + u * (last - first))
    return min(max(t, start), process.endTime)
  }

  /// The share of the draws below time t.
  public func quantile(of t: Double) -> Double {
    (first - process.marginal(at: t).halfLogSNR) / (first - last)
  }
}

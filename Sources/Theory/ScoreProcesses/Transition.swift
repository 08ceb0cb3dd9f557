import Foundation

/// The Gaussian step of a linear process between two times s < t, which discretisations are written in.
///
/// ```
/// p(x_t | x_s) = N(a x_s, v I),   a = α_t/α_s,   v = σ_t² − a² σ_s²
/// p(x_s | x_t, x_0) has the variance ṽ = v σ_s²/σ_t²
/// ```
public struct Transition: Sendable, Equatable {
  /// The factor a.
  public var scale: Double
  /// The variance v.
  public var variance: Double
  /// The variance ṽ of x_s where both x_t and x_0 are known.
  public var posteriorVariance: Double

  public init(scale: Double, variance: Double, posteriorVariance: Double) {
    self.scale = scale
    self.variance = variance
    self.posteriorVariance = posteriorVariance
  }
}

extension LinearProcess {
  /// The exact Gaussian step from the earlier time s to the later time t.
  public func step(from s: Double, to t: Double) -> Transition {
    let (from, to) = (marginal(at: s), marginal(at: t))
    let scale = exp(to.logAlpha - from.logAlpha)
    let carried = scale * from.sigma
    let variance = max(0, (to.sigma - carried) * (to.sigma + carried))
    let ratio = from.sigma / to.sigma
    return Transition(
      scale: scale, variance: variance, posteriorVariance: variance * ratio * ratio)
  }
}

import Foundation

/// The sub-variance-preserving process (Song et al. 2021, eq. 13): the kernel's variance stays below VP's.
///
/// ```
/// f = −½ β(t),   g² = β(t) (1 − α⁴),   T = 1
/// log α = −¼ t² (β₁ − β₀) − ½ t β₀,   σ = 1 − α²
/// ```
public struct SubVariancePreserving: LinearProcess {
  private let vp: VariancePreserving
  public var cutoffs = Self.standardCutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless 0 ≤ βmin ≤ βmax, both finite, and βmax > 0.
  public init(betaMin: Double = 0.1, betaMax: Double = 20) throws(ProcessError) {
    try VariancePreserving.check(betaMin, betaMax, "sub-VP")
    vp = try VariancePreserving(betaMin: betaMin, betaMax: betaMax)
  }

  private static let standardCutoffs = Cutoffs(sampling: 1e-3)

  public var name: String { "subvp" }
  public var endTime: Double { 1 }
  public var priorDeviation: Double { 1 }
  /// β at t = 0.
  public var betaMin: Double { vp.betaMin }
  /// β at t = 1.
  public var betaMax: Double { vp.betaMax }

  public func marginal(at t: Double) -> Marginal {
    let logAlpha = vp.logAlpha(at: t)
    return Marginal(logAlpha: logAlpha, sigma: -expm1(2 * logAlpha))
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    // α/(1 − α²) = 1/(2 sinh(−log α)); far out the hyperbolic sine is half an exponential, which would overflow.
    vp.time(negativeLogAlpha: lambda < -40 ? -lambda : asinh(0.5 * exp(-lambda)))
  }

  /// Rates at t; g²/(2σ) = β (1 + α²)/2 is finite at t = 0, where the quotient is 0/0.
  public func rates(at t: Double) -> Rates {
    let beta = vp.beta(at: t)
    let logAlpha = vp.logAlpha(at: t)
    return Rates(
      drift: -0.5 * beta, squaredDiffusion: beta * -expm1(4 * logAlpha),
      noiseGain: 0.5 * beta * (1 + exp(2 * logAlpha)))
  }
}

extension SubVariancePreserving: SpelledProcess {
  static let specNames = ["subvp"]
  static func keys(of _: String) -> [String] { ["beta-min", "beta-max"] }

  init(_ spec: Spec) throws {
    try self.init(
      betaMin: try spec.number("beta-min", default: 0.1),
      betaMax: try spec.number("beta-max", default: 20))
  }

  var parameters: [Spec.Parameter] { Spec.numbers(["beta-min": betaMin, "beta-max": betaMax]) }
  var standardCutoffs: Cutoffs { Self.standardCutoffs }
}

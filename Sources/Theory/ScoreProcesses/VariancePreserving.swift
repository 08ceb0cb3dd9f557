import Foundation

/// The variance-preserving process with linear β(t), the continuous limit of DDPM (Song et al. 2021, eq. 11).
///
/// ```
/// f = −½ β(t),   g² = β(t),   β(t) = β₀ + t (β₁ − β₀),   T = 1
/// log α = −¼ t² (β₁ − β₀) − ½ t β₀,   σ² = 1 − α²
/// ```
public struct VariancePreserving: LinearProcess {
  /// β at t = 0.
  public let betaMin: Double
  /// β at t = 1.
  public let betaMax: Double
  public var cutoffs = Self.standardCutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless 0 ≤ βmin ≤ βmax, both finite, and βmax > 0.
  public init(betaMin: Double = 0.1, betaMax: Double = 20) throws(ProcessError) {
    try Self.check(betaMin, betaMax, "VP")
    self.betaMin = betaMin
    self.betaMax = betaMax
  }

  static func check(
    _ betaMin: Double, _ betaMax: Double, _ name: String
  ) throws(ProcessError) {
    guard betaMin >= 0, betaMin <= betaMax, betaMax > 0, betaMax.isFinite else {
      throw ProcessError(
        "the \(name) process has beta-min \(betaMin) and beta-max \(betaMax); expected 0 <= beta-min <= beta-max, finite, and beta-max > 0"
      )
    }
  }

  private static let standardCutoffs = Cutoffs(sampling: 1e-3)

  public var name: String { "vp" }
  public var endTime: Double { 1 }
  public var priorDeviation: Double { 1 }

  /// β(t).
  public func beta(at t: Double) -> Double { betaMin + t * (betaMax - betaMin) }

  /// log α(t).
  public func logAlpha(at t: Double) -> Double {
    -0.25 * t * t * (betaMax - betaMin) - 0.5 * t * betaMin
  }

  public func marginal(at t: Double) -> Marginal {
    let logAlpha = logAlpha(at: t)
    return Marginal(logAlpha: logAlpha, sigma: sqrt(-expm1(2 * logAlpha)))
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    // σ² = 1 − α² makes α² the logistic function of 2 λ: −log α = ½ log(1 + e^(−2λ)).
    let x = -2 * lambda
    return time(negativeLogAlpha: 0.5 * (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))))
  }

  // The root of ¼ t² (β₁ − β₀) + ½ t β₀ = a, in the form that does not cancel.
  func time(negativeLogAlpha a: Double) -> Double {
    if a <= 0 { return 0 }
    if a >= -logAlpha(at: endTime) { return endTime }
    let half = 0.5 * betaMin
    return min(endTime, 2 * a / (half + sqrt(half * half + (betaMax - betaMin) * a)))
  }

  /// Rates at t; g²/(2σ) grows like t^(−½) as t → 0, and has the limit √(β₁/2) where β₀ = 0.
  public func rates(at t: Double) -> Rates {
    let (beta, sigma) = (beta(at: t), marginal(at: t).sigma)
    return Rates(
      drift: -0.5 * beta, squaredDiffusion: beta,
      noiseGain: betaMin == 0 && sigma == 0 ? sqrt(0.5 * betaMax) : beta / (2 * sigma))
  }
}

extension VariancePreserving: SpelledProcess {
  static let specNames = ["vp"]
  static func keys(of _: String) -> [String] { ["beta-min", "beta-max"] }

  init(_ spec: Spec) throws {
    try self.init(
      betaMin: try spec.number("beta-min", default: 0.1),
      betaMax: try spec.number("beta-max", default: 20))
  }

  var parameters: [Spec.Parameter] { Spec.numbers(["beta-min": betaMin, "beta-max": betaMax]) }
  var standardCutoffs: Cutoffs { Self.standardCutoffs }
}

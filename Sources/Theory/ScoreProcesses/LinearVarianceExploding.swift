import Foundation

/// The variance-exploding process whose σ grows linearly.
///
/// ```
/// f = 0,   g² = 2 σ σ′,   σ = σmin + t (σmax − σmin),   α = 1,   T = 1
/// ```
///
/// With σmin = 0 and σ for time it is `ElucidatedDiffusion`.
public struct LinearVarianceExploding: LinearProcess {
  /// σ at t = 0.
  public let sigmaMin: Double
  /// σ at t = 1, also the prior's standard deviation.
  public let sigmaMax: Double
  public var cutoffs: Cutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless 0 ≤ σmin < σmax, both finite.
  public init(sigmaMin: Double = 0.01, sigmaMax: Double = 50) throws(ProcessError) {
    guard sigmaMin >= 0, sigmaMin < sigmaMax, sigmaMax.isFinite else {
      throw ProcessError(
        "the linear VE process has sigma-min \(sigmaMin) and sigma-max \(sigmaMax); expected 0 <= sigma-min < sigma-max, finite"
      )
    }
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    cutoffs = Self.standardCutoffs
  }

  private static let standardCutoffs = Cutoffs(sampling: 1e-5)

  public var name: String { "ve-linear" }
  public var endTime: Double { 1 }
  public var priorDeviation: Double { sigmaMax }

  public func marginal(at t: Double) -> Marginal {
    Marginal(logAlpha: 0, sigma: sigmaMin + t * (sigmaMax - sigmaMin))
  }

  /// Rates at t; g²/(2σ) = σmax − σmin at every t, 0 included.
  public func rates(at t: Double) -> Rates {
    let slope = sigmaMax - sigmaMin
    return Rates(
      drift: 0, squaredDiffusion: 2 * marginal(at: t).sigma * slope, noiseGain: slope)
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    min(endTime, max(0, (exp(-lambda) - sigmaMin) / (sigmaMax - sigmaMin)))
  }
}

extension LinearVarianceExploding: SpelledProcess {
  static let specNames = ["ve-linear"]
  static func keys(of _: String) -> [String] { ["sigma-min", "sigma-max"] }

  init(_ spec: Spec) throws {
    try self.init(
      sigmaMin: try spec.number("sigma-min", default: 0.01),
      sigmaMax: try spec.number("sigma-max", default: 50))
  }

  var parameters: [Spec.Parameter] { Spec.numbers(["sigma-min": sigmaMin, "sigma-max": sigmaMax]) }
  var standardCutoffs: Cutoffs { Self.standardCutoffs }
}

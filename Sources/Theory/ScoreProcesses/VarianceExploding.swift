import Foundation

/// The variance-exploding process with geometric σ(t), the continuous limit of SMLD (Song et al. 2021, eq. 9).
///
/// ```
/// f = 0,   g² = 2 σ² ln(σmax/σmin),   σ = σmin (σmax/σmin)^t,   α = 1,   T = 1
/// ```
public struct VarianceExploding: LinearProcess {
  /// σ at t = 0.
  public let sigmaMin: Double
  /// σ at t = 1, also the prior's standard deviation.
  public let sigmaMax: Double
  public var cutoffs = Self.standardCutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless 0 < σmin < σmax, both finite.
  public init(sigmaMin: Double = 0.01, sigmaMax: Double = 50) throws(ProcessError) {
    guard sigmaMin > 0, sigmaMin < sigmaMax, sigmaMax.isFinite else {
      throw ProcessError(
        "the VE process has sigma-min \(sigmaMin) and sigma-max \(sigmaMax); expected 0 < sigma-min < sigma-max, finite"
      )
    }
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
  }

  private static let standardCutoffs = Cutoffs(sampling: 1e-5)

  public var name: String { "ve" }
  public var endTime: Double { 1 }
  public var priorDeviation: Double { sigmaMax }

  private var logRatio: Double { log(sigmaMax / sigmaMin) }

  public func marginal(at t: Double) -> Marginal {
    Marginal(logAlpha: 0, sigma: sigmaMin * exp(t * logRatio))
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    min(endTime, max(0, (-lambda - log(sigmaMin)) / logRatio))
  }

  public func rates(at t: Double) -> Rates {
    let sigma = marginal(at: t).sigma
    return Rates(
      drift: 0, squaredDiffusion: 2 * sigma * sigma * logRatio, noiseGain: sigma * logRatio)
  }
}

extension VarianceExploding: SpelledProcess {
  static let specNames = ["ve"]
  static func keys(of _: String) -> [String] { ["sigma-min", "sigma-max"] }

  init(_ spec: Spec) throws {
    try self.init(
      sigmaMin: try spec.number("sigma-min", default: 0.01),
      sigmaMax: try spec.number("sigma-max", default: 50))
  }

  var parameters: [Spec.Parameter] { Spec.numbers(["sigma-min": sigmaMin, "sigma-max": sigmaMax]) }
  var standardCutoffs: Cutoffs { Self.standardCutoffs }
}

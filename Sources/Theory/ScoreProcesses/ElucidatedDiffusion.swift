import Foundation

/// The process of EDM: variance exploding with σ for time (Karras et al. 2022, "Elucidating the Design Space").
///
/// ```
/// f = 0,   g² = 2 t,   σ = t,   α = 1,   T = σmax,   ε = σmin
/// ```
///
/// The cutoffs are all σmin unless set. Even steps in t waste nearly all of them on large σ: sample along the Karras or
/// log-SNR grid, and draw training times in log σ.
public struct ElucidatedDiffusion: LinearProcess {
  /// The smallest σ of use, which is where sampling, training and likelihoods stop.
  public let sigmaMin: Double
  /// σ at T, which is T; also the prior's standard deviation.
  public let sigmaMax: Double
  public var cutoffs: Cutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless 0 < σmin < σmax, both finite.
  public init(sigmaMin: Double = 0.002, sigmaMax: Double = 80) throws(ProcessError) {
    guard sigmaMin > 0, sigmaMin < sigmaMax, sigmaMax.isFinite else {
      throw ProcessError(
        "the EDM process has sigma-min \(sigmaMin) and sigma-max \(sigmaMax); expected 0 < sigma-min < sigma-max, finite"
      )
    }
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    cutoffs = Self.standardCutoffs(sigmaMin)
  }

  private static func standardCutoffs(_ sigmaMin: Double) -> Cutoffs {
    Cutoffs(sampling: sigmaMin, training: sigmaMin, likelihood: sigmaMin)
  }

  public var name: String { "edm" }
  public var endTime: Double { sigmaMax }
  public var priorDeviation: Double { sigmaMax }

  public func marginal(at t: Double) -> Marginal { Marginal(logAlpha: 0, sigma: t) }

  /// Rates at t; g²/(2σ) = 1 at every t, 0 included.
  public func rates(at t: Double) -> Rates {
    Rates(drift: 0, squaredDiffusion: 2 * t, noiseGain: 1)
  }

  public func time(halfLogSNR lambda: Double) -> Double { min(endTime, exp(-lambda)) }
}

extension ElucidatedDiffusion: SpelledProcess {
  static let specNames = ["edm"]
  static func keys(of _: String) -> [String] { ["sigma-min", "sigma-max"] }

  init(_ spec: Spec) throws {
    try self.init(
      sigmaMin: try spec.number("sigma-min", default: 0.002),
      sigmaMax: try spec.number("sigma-max", default: 80))
  }

  var parameters: [Spec.Parameter] { Spec.numbers(["sigma-min": sigmaMin, "sigma-max": sigmaMax]) }
  var standardCutoffs: Cutoffs { Self.standardCutoffs(sigmaMin) }
}

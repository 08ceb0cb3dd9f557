import Foundation

/// The linear interpolant of data and noise, seen as a process (Liu et al. 2023, Lipman et al. 2023).
///
/// ```
/// x_t = (1 − t) x₀ + t z,   α = 1 − t,   σ = t
/// f = −1/(1 − t),   g² = 2t/(1 − t),   g²/(2σ) = 1/(1 − t)
/// ```
///
/// Its probability-flow ODE is dx/dt = (ε̂ − x)/(1 − t) = ε̂ − x̂₀, the velocity that flow matching learns. ε̂ says
/// nothing of the data at t = 1, where it is x itself, so the time axis ends at T < 1: 0.995 by default, where
/// α = 0.005, as small as that of VP. The prior is N(0, T² I).
public struct RectifiedFlow: LinearProcess {
  public let endTime: Double
  public var cutoffs: Cutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless 0 < T < 1.
  public init(endTime: Double = 0.995) throws(ProcessError) {
    guard endTime > 0, endTime < 1 else {
      throw ProcessError("the flow process has end \(endTime); expected 0 < end < 1")
    }
    self.endTime = endTime
    cutoffs = .standard(until: endTime)
  }

  public var name: String { "flow" }
  public var priorDeviation: Double { endTime }

  public func marginal(at t: Double) -> Marginal { Marginal(logAlpha: log1p(-t), sigma: t) }

  /// Rates at t; g²/(2σ) = 1 at t = 0.
  public func rates(at t: Double) -> Rates {
    let inverse = 1 / (1 - t)
    return Rates(drift: -inverse, squaredDiffusion: 2 * t * inverse, noiseGain: inverse)
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    // (1 − t)/t = e^λ
    min(endTime, 1 / (1 + exp(lambda)))
  }
}

extension RectifiedFlow: SpelledProcess {
  static let specNames = ["flow"]
  static func keys(of _: String) -> [String] { ["end"] }

  init(_ spec: Spec) throws {
    try self.init(endTime: try spec.number("end", default: 0.995))
  }

  var parameters: [Spec.Parameter] { Spec.numbers(["end": endTime]) }
  var standardCutoffs: Cutoffs { .standard(until: endTime) }
}

import Foundation

/// The Ornstein–Uhlenbeck process: a constant pull towards 0, with N(0, s² I) at rest.
///
/// ```
/// dx = −θ x dt + s √(2θ) dw
/// log α = −θ t,   σ² = s² (1 − e^(−2θt))
/// ```
///
/// It forgets data at the rate θ: α(T) = e^(−θT), 0.0067 for the defaults θ = 5 and T = 1.
public struct OrnsteinUhlenbeck: LinearProcess {
  /// The rate θ.
  public let rate: Double
  /// The standard deviation s at rest, also the prior's.
  public let deviation: Double
  public let endTime: Double
  public var cutoffs: Cutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless θ, s and T are positive and finite.
  public init(
    rate: Double = 5, deviation: Double = 1, endTime: Double = 1
  ) throws(ProcessError) {
    for (name, value) in [("theta", rate), ("std", deviation), ("end", endTime)] {
      guard value > 0, value.isFinite else {
        throw ProcessError("the OU process has \(name) \(value); expected a number above 0")
      }
    }
    self.rate = rate
    self.deviation = deviation
    self.endTime = endTime
    cutoffs = Self.standardCutoffs(rate, endTime)
  }

  // Where σ is a hundredth and a thousandth of s, as it is at VP's cutoffs: noise comes at full rate from the start.
  private static func standardCutoffs(_ rate: Double, _ end: Double) -> Cutoffs {
    let (sampling, other) = (min(5e-5 / rate, 1e-3 * end), min(5e-7 / rate, 1e-5 * end))
    return Cutoffs(sampling: sampling, training: other, likelihood: other)
  }

  public var name: String { "ou" }
  public var priorDeviation: Double { deviation }

  public func marginal(at t: Double) -> Marginal {
    Marginal(logAlpha: -rate * t, sigma: deviation * sqrt(-expm1(-2 * rate * t)))
  }

  /// Rates at t; g²/(2σ) grows like t^(−½) as t → 0.
  public func rates(at t: Double) -> Rates {
    let squared = 2 * rate * deviation * deviation
    return Rates(
      drift: -rate, squaredDiffusion: squared, noiseGain: squared / (2 * marginal(at: t).sigma))
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    // e^(2θt) = 1 + e^(−2λ)/s², with the exponential kept in range.
    let x = -2 * (lambda + log(deviation))
    return min(endTime, (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))) / (2 * rate))
  }
}

extension OrnsteinUhlenbeck: SpelledProcess {
  static let specNames = ["ou"]
  static func keys(of _: String) -> [String] { ["theta", "std", "end"] }

  init(_ spec: Spec) throws {
    try self.init(
      rate: try spec.number("theta", default: 5), deviation: try spec.number("std", default: 1),
      endTime: try spec.number("end", default: 1))
  }

  var parameters: [Spec.Parameter] {
    Spec.numbers(["theta": rate, "std": deviation, "end": endTime])
  }
  var standardCutoffs: Cutoffs { Self.standardCutoffs(rate, endTime) }
}

import Foundation

/// The variance-preserving process with the cosine schedule (Nichol & Dhariwal 2021, eq. 17, in continuous time).
///
/// ```
/// α = cos u(t)/cos u(0),   u = ½π (t + s)/(1 + s),   σ² = 1 − α²
/// f = −½ β,   g² = β = π/(1 + s) tan u
/// ```
///
/// β grows like 2/(1 − t), so the time axis ends at T < 1: 0.9946 by default, where α = 0.0084 and β = 370. That is
/// the clip that keeps drift and diffusion finite; the published chain clips β_i at 0.999 for the same reason, see
/// `DDPMChain`.
public struct CosineVariancePreserving: LinearProcess {
  /// The offset s, which keeps β(0) above 0.
  public let offset: Double
  public let endTime: Double
  public var cutoffs: Cutoffs

  /// Creates the process.
  /// - Throws: `ProcessError` unless 0 ≤ s, finite, and 0 < T < 1.
  public init(offset: Double = 0.008, endTime: Double = 0.9946) throws(ProcessError) {
    guard offset >= 0, offset.isFinite, endTime > 0, endTime < 1 else {
      throw ProcessError(
        "the cosine process has offset \(offset) and end \(endTime); expected an offset of at least 0, finite, and 0 < end < 1"
      )
    }
    self.offset = offset
    self.endTime = endTime
    cutoffs = .standard(until: endTime)
  }

  public var name: String { "cosine" }
  public var priorDeviation: Double { 1 }

  private var speed: Double { 0.5 * .pi / (1 + offset) }
  private var start: Double { speed * offset }

  /// β(t).
  public func beta(at t: Double) -> Double { 2 * speed * tan(start + speed * t) }

  /// log α(t).
  public func logAlpha(at t: Double) -> Double {
    // 1 − α = 2 sin²(δ/2) + tan u(0) sin δ with δ = u − u(0), which does not cancel near t = 0; cos u as the sine of
    // what is left to ½π, which does not near t = 1.
    let (angle, half) = (speed * t, sin(0.5 * speed * t))
    let lost = 2 * half * half + tan(start) * sin(angle)
    return lost < 0.5 ? log1p(-lost) : log(sin(speed * (1 - t)) / cos(start))
  }

  public func marginal(at t: Double) -> Marginal {
    let logAlpha = logAlpha(at: t)
    return Marginal(logAlpha: logAlpha, sigma: sqrt(-expm1(2 * logAlpha)))
  }

  /// Rates at t; g²/(2σ) grows like t^(−½) as t → 0 and has the limit ½π/(1 + s) where s = 0.
  public func rates(at t: Double) -> Rates {
    let (beta, sigma) = (beta(at: t), marginal(at: t).sigma)
    return Rates(
      drift: -0.5 * beta, squaredDiffusion: beta,
      noiseGain: offset == 0 && sigma == 0 ? speed : beta / (2 * sigma))
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    // −log α = ½ log(1 + e^(−2λ)), then 1 − α = 2 sin²(δ/2) + tan u(0) sin δ solved for tan(δ/2).
    let x = -2 * lambda
    let logAlpha = -0.5 * (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)))
    if logAlpha >= 0 { return 0 }
    if logAlpha <= self.logAlpha(at: endTime) { return endTime }
    let (lost, slope) = (-expm1(logAlpha), tan(start))
    let tangent = lost / (slope + sqrt(slope * slope + lost * (2 - lost)))
    return min(endTime, 2 * atan(tangent) / speed)
  }
}

extension CosineVariancePreserving: SpelledProcess {
  static let specNames = ["cosine"]
  static func keys(of _: String) -> [String] { ["offset", "end"] }

  init(_ spec: Spec) throws {
    try self.init(
      offset: try spec.number("offset", default: 0.008),
      endTime: try spec.number("end", default: 0.9946))
  }

  var parameters: [Spec.Parameter] { Spec.numbers(["offset": offset, "end": endTime]) }
  var standardCutoffs: Cutoffs { .standard(until: endTime) }
}

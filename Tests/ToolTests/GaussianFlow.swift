import Foundation

/// The probability-flow ODE of one-dimensional data N(m, s²) under `vp` from its prior N(0, 1) at T = 1:
///
/// ```
/// α(t) = exp(−½ β₀ t − ¼ (β₁ − β₀) t²)     σ(t)² = 1 − α(t)²
/// (x_t − α m) / √(α² s² + σ²)              is the same at all t
/// ```
struct GaussianFlow {
  var mean: Double
  var deviation: Double
  /// Where it stops short of t = 0.
  var epsilon: Double

  static func alpha(_ t: Double) -> Double { exp(-0.05 * t - 0.25 * 19.9 * t * t) }
  static func sigma(_ t: Double) -> Double { (1 - alpha(t) * alpha(t)).squareRoot() }

  private func spread(_ t: Double) -> Double {
    hypot(Self.alpha(t) * deviation, Self.sigma(t))
  }

  /// Where the flow takes noise.
  func sample(_ noise: Double) -> Double {
    Self.alpha(epsilon) * mean + spread(epsilon) / spread(1) * (noise - Self.alpha(1) * mean)
  }

  /// The log density of what the flow makes of the prior.
  func logDensity(_ x: Double) -> Double {
    let noise =
      Self.alpha(1) * mean + spread(1) / spread(epsilon) * (x - Self.alpha(epsilon) * mean)
    return -0.5 * noise * noise - 0.5 * log(2 * .pi) + log(spread(1) / spread(epsilon))
  }
}

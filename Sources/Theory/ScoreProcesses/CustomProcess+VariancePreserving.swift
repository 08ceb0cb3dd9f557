import Foundation

extension CustomProcess {
  /// Creates the variance-preserving process of one's own β(t).
  ///
  /// ```
  /// f = −½ β,   g² = β,   log α = −½ ∫₀ᵗ β,   σ² = 1 − α²
  /// ```
  ///
  /// The integral is taken by quadrature, to about 10⁻¹⁴ relative, unless `integral` gives it; then the two are held
  /// against one another. β is called at t > 0 only and may have jumps. Rates at t = 0 are those just above it.
  /// - Throws: `ProcessError` where β is negative, not finite or too rough, or the integral is not its own.
  public init(
    name: String, beta: @escaping @Sendable (Double) -> Double,
    integral: (@Sendable (Double) -> Double)? = nil, endTime: Double = 1, cutoffs: Cutoffs? = nil
  ) throws(ProcessError) {
    try Self.check(name, endTime)
    let logAlpha: @Sendable (Double) -> Double
    if let integral {
      logAlpha = { -0.5 * integral($0) }
    } else {
      let table = try KernelTable(
        name: name, drift: { -0.5 * beta($0) }, squaredDiffusion: beta, end: endTime,
        initialDeviation: 0)
      // Near t = 0 there is nothing but rounding, of either sign.
      logAlpha = { min(0, table.marginal(at: $0).logAlpha) }
    }
    let sigma: @Sendable (Double) -> Double = { (0 - expm1(2 * logAlpha($0))).squareRoot() }
    try self.init(
      name: name, endTime: endTime, cutoffs: cutoffs, priorDeviation: 1,
      kernel: { Marginal(logAlpha: logAlpha($0), sigma: sigma($0)) },
      slopes: { t in
        let near = max(t.value, 1e-12 * endTime)
        let rate = beta(near)
        return Rates(
          drift: -0.5 * rate, squaredDiffusion: rate, noiseGain: rate / (2 * sigma(near)))
      })
  }
}

import ScoreProcesses

/// How a network's output becomes the noise prediction ε̂.
///
/// ```
/// none           ε̂ = F(x, c)
/// standardized   ε̂ = σ (x − αμ)/v + (α s/√v) F((x − αμ)/√v, c),   v = α² s² + σ²
/// ```
///
/// `standardized` is the preconditioning of Karras et al. 2022 (EDM, eq. 7) written for ε̂ and any α: the first term is
/// the exact answer for data N(μ, s² I), so the network has only the rest to learn, and inputs have variance 1.
public enum Preconditioning: Sendable, Equatable {
  case none
  case standardized(mean: Double, deviation: Double)

  /// The columns by which a formula applies the preconditioning: shift, input scale, skip, output scale.
  func columns(_ marginal: Marginal) -> (Double, Double, Double, Double) {
    switch self {
    case .none:
      return (0, 1, 0, 1)
    case .standardized(let mean, let deviation):
      let (alpha, sigma) = (marginal.alpha, marginal.sigma)
      let spread = alpha * deviation
      let variance = spread * spread + sigma * sigma
      let root = variance.squareRoot()
      return (alpha * mean, 1 / root, sigma / variance, spread / root)
    }
  }
}

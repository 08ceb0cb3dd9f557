import Foundation

/// Drift and diffusion of one of the processes that run back in time with the marginals of a linear process.
///
/// ```
/// dx = (drift · x + noiseGain · ε̂(x, t)) dt + diffusion · dw̄
/// ```
public struct ReverseRates: Sendable, Equatable {
  /// f(t), which multiplies x.
  public var drift: Double
  /// (1 + λ²) g²/(2σ), which multiplies ε̂.
  public var noiseGain: Double
  /// λ g, which multiplies the noise.
  public var diffusion: Double

  public init(drift: Double, noiseGain: Double, diffusion: Double) {
    self.drift = drift
    self.noiseGain = noiseGain
    self.diffusion = diffusion
  }
}

extension LinearProcess {
  /// Drift and diffusion of the reverse process of stochasticity λ at t.
  ///
  /// ```
  /// dx = [f x − ½ (1 + λ²) g² ∇log p_t(x)] dt + λ g dw̄
  /// ```
  ///
  /// λ = 0 is the probability-flow ODE, λ = 1 the reverse SDE; each λ ≥ 0 has the marginals p_t at every t. More noise
  /// forgets more of an imperfect score's past errors and takes finer steps (Zhang & Chen 2023, eq. 6; Karras et al.
  /// 2022, eq. 6).
  public func reverseRates(at t: Double, stochasticity: Double = 1) -> ReverseRates {
    let rates = rates(at: t)
    return ReverseRates(
      drift: rates.drift, noiseGain: (1 + stochasticity * stochasticity) * rates.noiseGain,
      // Rounding may leave a g² of 0 just below it.
      diffusion: stochasticity * max(0, rates.squaredDiffusion).squareRoot())
  }
}

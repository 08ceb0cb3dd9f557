import Foundation
import ScoreTensors

extension GaussianOracle {
  /// The divergence KL(p_T ‖ prior) in nats: what the log density loses by starting from the prior.
  ///
  /// ```
  /// ½ Σₖ (ρₖ − 1 − log ρₖ) + ½ α² |μ|²/s²,   ρₖ = (α² λₖ + σ²)/s²   at T
  /// ```
  public var priorDivergence: Double {
    let kernel = process.marginal(at: process.endTime)
    let s = process.priorDeviation
    let alpha = kernel.alpha / s
    let square = mean.reduce(0) { $0 + $1 * $1 }
    return principalVariances.reduce(0.5 * alpha * alpha * square) {
      let excess =
        alpha * alpha * $1 + (kernel.sigma - s) * (kernel.sigma + s) / (s * s)
      return $0 + 0.5 * excessOverLogarithm(excess)
    }
  }

  /// The least value that any model can give the denoising loss, per dimension: what the best one, this field, gives.
  ///
  /// ```
  /// 1/(T − ε) ∫_ε^T w(t) E‖z − ε̂(x_t, t)‖²/D dt = 1/(T − ε) ∫_ε^T w(t)/D Σₖ α² λₖ/(α² λₖ + σ²) dt
  /// ```
  ///
  /// w is 1 by default, which is the σ²-weighted loss of score matching; ε is the cutoff for training unless given. By
  /// quadrature to about 10⁻¹² relative.
  /// - Precondition: 0 ≤ ε < T.
  public func denoisingLossFloor(
    from start: Double? = nil, weight: (Double) -> Double = { _ in 1 }
  ) -> Double {
    let (start, end) = (start ?? process.cutoffs.training, process.endTime)
    precondition(start >= 0 && start < end, "the loss starts at \(start), before T = \(end)")
    let variances = principalVariances
    let sum = integral(from: start, to: end, tolerance: 1e-12) { t in
      let kernel = process.marginal(at: t)
      let (signal, noise) = (kernel.alpha * kernel.alpha, kernel.sigma * kernel.sigma)
      return weight(t) * variances.reduce(0) { $0 + signal * $1 / (signal * $1 + noise) }
    }
    return sum.value / ((end - start) * Double(variances.count))
  }
}

/// x − log(1 + x), without the cancellation near 0.
private func excessOverLogarithm(_ x: Double) -> Double {
  guard abs(x) < 0.05 else { return x - log1p(x) }
  // x²/2 − x³/3 + x⁴/4 − …
  var (sum, power) = (0.0, x)
  for k in 2..<14 {
    power *= -x
    sum -= power / Double(k)
  }
  return sum
}

import ScoreAutodiff
import ScoreModels
import ScoreProcesses
import ScoreTensors

/// The denoising score matching loss of a process, one for all of them (Vincent 2011; Song et al. 2021, eq. 7).
///
/// ```
/// L = E_t,x₀,z  w(t) ‖ε̂(α x₀ + σ z, t) − z‖² / D,    w = λ(t)/q(t)
/// ```
///
/// λ is the weighting and q the density of the drawn times, both scaled to integrate to 1 over [ε, T], so that the
/// loss is a mean over times for every choice.
public struct DenoisingScoreMatching: Sendable {
  /// The process that makes the noise.
  public let process: any LinearProcess
  /// λ(t).
  public let weighting: LossWeighting
  /// q(t).
  public let times: TimeSampling
  private let importance: LikelihoodWeightedTimes

  public init(process: any LinearProcess, weighting: LossWeighting, times: TimeSampling)
    throws
  {
    self.process = process
    self.weighting = weighting
    self.times = times
    importance = try LikelihoodWeightedTimes(process)
  }

  /// The time at quantile `u` of q.
  public func time(at u: Double) -> Double {
    switch times {
    case .uniform:
      process.cutoffs.training + u * (process.endTime - process.cutoffs.training)
    case .importance: importance.time(at: u)
    }
  }

  /// w(t) = λ(t)/q(t).
  public func weight(at t: Double) -> Double {
    switch (weighting, times) {
    case (.noise, .uniform), (.likelihood, .importance): return 1
    case (.likelihood, .uniform): return relativeDensity(at: t)
    case (.noise, .importance): return 1 / relativeDensity(at: t)
    }
  }

  /// The density ∝ g²/σ² at t over the uniform one.
  private func relativeDensity(at t: Double) -> Double {
    importance.density(at: t) * (process.endTime - process.cutoffs.training)
  }

  /// What one evaluation of the loss takes: noised samples, the noise, time columns and weights.
  package struct Batch<Scalar: TensorScalar> {
    package var noised: Tensor<Scalar>
    package var noise: Tensor<Scalar>
    package var timeColumns: Tensor<Scalar>
    package var weights: Tensor<Scalar>
  }

  /// Draws times and noise for clean samples `[n, D]`, times in strata: sample i's quantile lies in [i/n, (i+1)/n).
  package func batch<Scalar: TensorScalar>(
    _ clean: Tensor<Scalar>, model: ModelConfiguration, key: RandomKey
  ) -> Batch<Scalar> {
    let count = clean.rows
    let noise: Tensor<Scalar> = key.folded("noise").normal(clean.shape)
    let draws: Tensor<Double> = key.folded("times").uniform([count, 1])
    let columns = ModelConfiguration.timeColumns
    var timeColumns = Tensor<Scalar>([count, columns])
    var weights = Tensor<Scalar>([count, 1])
    var alphas = [Scalar](repeating: 0, count: count)
    var sigmas = alphas
    draws.withUnsafeBuffer { draws in
      timeColumns.withUnsafeMutableBuffer { out in
        weights.withUnsafeMutableBuffer { weights in
          for i in 0..<count {
            let t = time(at: (Double(i) + draws[i]) / Double(count))
            let marginal = process.marginal(at: t)
            alphas[i] = Scalar(marginal.alpha)
            sigmas[i] = Scalar(marginal.sigma)
            weights[i] = Scalar(weight(at: t))
            if let base = out.baseAddress {
              model.fillTimeColumns(marginal, at: t, base + i * columns)
            }
          }
        }
      }
    }
    return Batch(
      noised: .combinedRows(alphas, clean, sigmas, noise), noise: noise, timeColumns: timeColumns,
      weights: weights)
  }

  /// The loss of a prediction as a formula: `prediction` and `noise` are `[n, D]`, `weights` is `[n, 1]`.
  package static func loss(_ prediction: Formula, noise: Formula, weights: Formula) -> Formula {
    (weights * square(prediction - noise)).sum() / Double(max(1, noise.shape.count))
  }
}

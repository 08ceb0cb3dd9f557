import Foundation
import ScoreTensors

/// A process whose drift is linear in the state, so that its transition kernel is Gaussian.
///
/// ```
/// dx = f(t) x dt + g(t) dw,   p(x_t | x_0) = N(α(t) x_0, σ(t)² I)
/// α′ = f α,   (σ²)′ = 2 f σ² + g²
/// ```
public protocol LinearProcess: DiffusionProcess {
  /// The Gaussian kernel from 0 to t.
  func marginal(at t: Double) -> Marginal

  /// Drift and diffusion at t.
  func rates(at t: Double) -> Rates

  /// The time in 0 … T at which half the log signal-to-noise ratio, log(α/σ), is `lambda`; the nearer end where there
  /// is none. By default by Newton's method.
  func time(halfLogSNR lambda: Double) -> Double

  /// The time below which a share u of the draws lies where training draws times evenly.
  ///
  /// By default even between the cutoff for training and T; a chain has the times of its steps alone.
  func trainingTime(at u: Double) -> Double
}

/// The Gaussian kernel p(x_t | x_0) = N(α x_0, σ² I).
public struct Marginal: Sendable, Equatable {
  /// The logarithm of α: kept because α underflows where its ratio to another α does not.
  public var logAlpha: Double
  /// The standard deviation σ, accurate to rounding near t = 0 as well.
  public var sigma: Double

  /// The factor α.
  public var alpha: Double { exp(logAlpha) }

  /// Half the log signal-to-noise ratio, λ = log(α/σ).
  public var halfLogSNR: Double { logAlpha - log(sigma) }

  public init(logAlpha: Double, sigma: Double) {
    self.logAlpha = logAlpha
    self.sigma = sigma
  }
}

/// Drift and diffusion of a linear process at one time.
public struct Rates: Sendable, Equatable {
  /// f(t), the rate of α: α′ = f α.
  public var drift: Double
  /// g(t)².
  public var squaredDiffusion: Double
  /// g²/(2σ): what multiplies ε̂ in the probability-flow ODE. Given apart because σ may vanish as t → 0 where the ratio
  /// stays finite (sub-VP) or its quotient form loses digits.
  public var noiseGain: Double

  public init(drift: Double, squaredDiffusion: Double, noiseGain: Double) {
    self.drift = drift
    self.squaredDiffusion = squaredDiffusion
    self.noiseGain = noiseGain
  }
}

extension LinearProcess {
  public func trainingTime(at u: Double) -> Double {
    cutoffs.training + u * (endTime - cutoffs.training)
  }

  /// The drift f(t) x.
  public func drift<Scalar: TensorScalar>(_ x: Tensor<Scalar>, at t: Times) -> Tensor<Scalar> {
    switch t {
    case .shared(let t): Scalar(rates(at: t).drift) * x
    case .perSample(let times): .combinedRows(times.map { Scalar(rates(at: $0).drift) }, x)
    }
  }

  /// The squared diffusion g(t)² in every entry.
  public func squaredDiffusion<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) -> Tensor<Scalar> {
    let ones = Tensor<Scalar>(x.shape, repeating: 1)
    switch t {
    case .shared(let t): return Scalar(rates(at: t).squaredDiffusion) * ones
    case .perSample(let times):
      return .combinedRows(times.map { Scalar(rates(at: $0).squaredDiffusion) }, ones)
    }
  }
}

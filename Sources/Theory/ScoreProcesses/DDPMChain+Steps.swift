import Foundation
import ScoreTensors

/// The Gaussian q(x_j | x_i, x_0) of an earlier state, given a later one and the data.
///
/// ```
/// N(dataFactor · x_0 + stateFactor · x_i, variance · I)
/// ```
public struct ChainPosterior: Sendable, Equatable {
  /// What multiplies x_0.
  public var dataFactor: Double
  /// What multiplies x_i.
  public var stateFactor: Double
  /// The variance; β̃_i for neighbours.
  public var variance: Double

  public init(dataFactor: Double, stateFactor: Double, variance: Double) {
    self.dataFactor = dataFactor
    self.stateFactor = stateFactor
    self.variance = variance
  }
}

extension DDPMChain {
  /// The forward step q(x_i | x_j) for j < i, from the data where j is nil; with j = i − 1 the chain's own.
  ///
  /// ```
  /// a = √(ᾱ_i/ᾱ_j),   v = 1 − ᾱ_i/ᾱ_j   (β_i for neighbours),   ṽ = v (1 − ᾱ_j)/(1 − ᾱ_i)
  /// ```
  public func transition(from j: Int?, to i: Int) -> Transition {
    let j = j ?? -1
    precondition(j >= -1 && j < i && i < count, "no step from \(j) to \(i) in 0..<\(count)")
    let before = j < 0 ? Marginal(logAlpha: 0, sigma: 0) : marginal(at: time(ofStep: j))
    let after = marginal(at: time(ofStep: i))
    let isNeighbour = j == i - 1
    let logScale = after.logAlpha - before.logAlpha
    let variance = isNeighbour ? betas[i] : -expm1(2 * logScale)
    let ratio = after.sigma > 0 ? before.sigma / after.sigma : 0
    return Transition(
      scale: isNeighbour ? (1 - betas[i]).squareRoot() : exp(logScale), variance: variance,
      posteriorVariance: variance * ratio * ratio)
  }

  /// The posterior q(x_j | x_i, x_0) for j < i, of the data themselves where j is nil (Ho et al. 2020, eqs. 6 and 7).
  ///
  /// ```
  /// μ̃ = √ᾱ_j v/(1 − ᾱ_i) x_0 + a (1 − ᾱ_j)/(1 − ᾱ_i) x_i,   β̃ = v (1 − ᾱ_j)/(1 − ᾱ_i)
  /// ```
  public func posterior(of j: Int?, given i: Int) -> ChainPosterior {
    let step = transition(from: j, to: i)
    let after = marginal(at: time(ofStep: i)).sigma
    let before = j.map { marginal(at: time(ofStep: $0)) } ?? Marginal(logAlpha: 0, sigma: 0)
    guard after > 0 else { return ChainPosterior(dataFactor: 1, stateFactor: 0, variance: 0) }
    let ratio = before.sigma / after
    return ChainPosterior(
      dataFactor: before.alpha * step.variance / (after * after),
      stateFactor: step.scale * ratio * ratio, variance: step.posteriorVariance)
  }

  /// `count` steps, from 1 to all of them, spread evenly over the chain, the first and the last included, rising; one step is
  /// the last (Nichol & Dhariwal 2021, §4).
  /// - Precondition: there are so many.
  public func strided(_ count: Int) -> [Int] {
    precondition(count >= 1 && count <= self.count, "\(count) of \(self.count) steps")
    guard count > 1 else { return [self.count - 1] }
    return (0..<count).map {
      Int((Double($0) * Double(self.count - 1) / Double(count - 1)).rounded())
    }
  }

  /// Steps drawn evenly for training; that of row i depends on (key, the sample that row i is) alone.
  /// - Precondition: there is memory for 0 steps or more.
  public func drawnSteps(
    _ count: Int, key: RandomKey, samples: SampleIndices = .consecutive(first: 0)
  ) -> [Int] {
    key.uniform([count, 1], of: Double.self, samples: samples).scalars.map {
      min(Int($0 * Double(self.count)), self.count - 1)
    }
  }

  /// DDPM's loss of a field on data, ‖z − ε̂(√ᾱ_i x_0 + √(1 − ᾱ_i) z, i)‖²/D with i drawn evenly, one number a row.
  ///
  /// The field should be one of this chain, or of a process with the same kernel at the steps' times. One evaluation.
  /// - Throws: what the field throws.
  public func noiseLoss<Scalar: TensorScalar>(
    of field: some ScoreField<Scalar>, on data: Tensor<Scalar>, key: RandomKey,
    samples: SampleIndices = .consecutive(first: 0)
  ) throws -> [Double] {
    let steps = drawnSteps(data.rows, key: key.folded("steps"), samples: samples)
    let times = Times.perSample(steps.map { time(ofStep: $0) })
    let z = key.folded("noise").normal(data.shape, of: Scalar.self, samples: samples)
    let error = try field.noise(perturb(data, noise: z, at: times), at: times) - z
    let width = Double(data.shape.rowCount)
    return error.rowDots(error).map { Double($0) / width }
  }
}

extension GaussianOracle {
  /// The least value of DDPM's loss that any model can reach on these data, which is this field's own.
  ///
  /// ```
  /// 1/N Σ_i 1/D Σₖ ᾱ_i λₖ/(ᾱ_i λₖ + 1 − ᾱ_i)
  /// ```
  public func noiseLossFloor(of chain: DDPMChain) -> Double {
    let sum = (0..<chain.count).reduce(0.0) { sum, step in
      let kernel = chain.marginal(at: chain.time(ofStep: step))
      let (signal, noise) = (kernel.alpha * kernel.alpha, kernel.sigma * kernel.sigma)
      return principalVariances.reduce(sum) { $0 + signal * $1 / (signal * $1 + noise) }
    }
    return sum / Double(chain.count * principalVariances.count)
  }
}

import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// The likelihood ψ that weights particles where they start, against its closed form.
@Suite struct TwistTests {
  private static let process = try? VariancePreserving()
  /// Where σ/α is about 1, so that ψ is neither flat nor narrow.
  private static let times = [0.35, 0.3]

  /// The first effective sample size of particles of a field, and that by a closed form of log ψ at their states.
  private func effectiveSizes(
    _ posterior: PosteriorField<Double>, _ logLikelihood: ([Double]) throws -> Double
  ) throws -> (found: Double, expected: Double) {
    let sampler = try ParticleSampler(
      posterior, particles: 40, grid: TimeGrid(times: Self.times))
    let found = try sampler.sample(sets: 1, key: RandomKey(3)).sets[0].effectiveSizes[0]
    // Stopped at once, a run has the states that it starts from.
    let start = try sampler.sample(sets: 1, key: RandomKey(3)) { _ in false }.samples
    var weights = ParticleWeights(count: 40)
    _ = weights.multiply(by: try (0..<40).map { try logLikelihood(start.row($0)) })
    return (found, weights.effectiveSize)
  }

  /// Derivatives of a learnt field are not quite symmetric, as a covariance is: what they have beside a symmetric part counts for
  /// nothing in ψ.
  @Test func symmetricPartsOfDerivativesCount() throws {
    let process = try #require(Self.process)
    let kernel = process.marginal(at: Self.times[0])
    let covariance = randomCovariance(3, RandomKey(2))
    let prior = try GaussianOracle<Double>(
      process: process, mean: [0.3, -0.2, 0.1], covariance: covariance)
    let y = [0.5, 1, -0.5]
    let posterior = try PosteriorField(
      ChangedField.skew(prior), of: .entries([true, true, true], of: [3]),
      observed: Tensor([1, 3], y), noiseDeviation: 0.2)
    let seen = try LinearObservation.matrix(
      (0..<3).map { i in (0..<3).map { i == $0 ? kernel.alpha : 0 } }, of: [3])
    let (found, expected) = try effectiveSizes(posterior) { x in
      // p(x_0 | x_t): x_t is an observation of x_0 itself.
      let data = try #require(
        try GaussianPosterior(
          mean: prior.mean, covariance: covariance, observation: seen, observed: x,
          noise: [Double](repeating: kernel.sigma, count: 3)))
      var matrix = data.covariance.flatMap { $0 }
      for i in 0..<3 { matrix[4 * i] += 0.2 * 0.2 }
      let factor = try #require(Cholesky(matrix, order: 3))
      let residual = zip(y, data.mean).map { $0 - $1 }
      let products = zip(residual, factor.solve(residual)).map { $0 * $1 }
      return -0.5 * products.reduce(0, +)
    }
    #expect(abs(found - expected) < 1e-8 * expected, "\(found), \(expected)")
    #expect(expected < 35)
  }

  /// Of a variance that is nearly or wholly lost w is halved until a hundredth of the coarse one is there, and not further.
  @Test(arguments: zip([0.5, 0.02, 0.005, 0, -0.4, -2], [0, 0, 1, 1, 1, 2]))
  func weightsAreHalvedUntilAHundredthIsLeft(_ share: Double, _ halvings: Int) throws {
    let process = try #require(Self.process)
    let kernel = process.marginal(at: Self.times[0])
    let prior = try GaussianOracle<Double>(
      process: process, mean: [0, 0], covariance: [[1, 0], [0, 1]])
    // The coarse variance of x_0, w at this time, and V of which w V + (1 − w) V' is the share of V'.
    let ratio = kernel.sigma * kernel.sigma / (kernel.alpha * kernel.alpha)
    let coarse: Double = ratio / (1 + ratio)
    let error: Double = 0.15 * (1 + ratio)
    let weight: Double = 1 / (1 + error * error)
    let own: Double = coarse * (share - 1 + weight) / weight
    let field = ChangedField(base: prior) { _, v, _, sigma in
      ((1 - own / ratio) / sigma) * v
    }
    let posterior = try PosteriorField(
      field, of: .entries([true, false], of: [2]), observed: Tensor([1, 1], [1]),
      noiseDeviation: 0.1, coarse: prior)
    let taken: Double = weight / Double(1 << halvings)
    // A hundredth of σ²/α² is what a learnt x̂₀ is off by.
    let variance: Double = 0.01 + taken * own + (1 - taken) * coarse + 0.01 * ratio
    let (found, expected) = try effectiveSizes(posterior) { x in
      // The share of x/α that is data.
      let data: Double = x[0] / kernel.alpha / (1 + ratio)
      return -0.5 * (1 - data) * (1 - data) / variance
    }
    #expect(abs(found - expected) < 1e-8 * expected, "\(found), \(expected)")
  }
}

import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreTensors
import Testing

/// The exact posterior of a mixture of Gaussians: that of each component, weighted by what it gives the observation.
struct MixturePosterior {
  /// The posterior.
  var oracle: MixtureOracle<Double>
  /// log p(y).
  var evidence: Double
  private let parts: [GaussianPosterior]
  private let shares: [Double]

  init(
    of prior: MixtureParameters, observation: LinearObservation, observed: [Double],
    noise: Double, process: any LinearProcess
  ) throws {
    parts = try prior.means.indices.map { k in
      try #require(
        try GaussianPosterior(
          mean: prior.means[k], covariance: prior.covariances[k], observation: observation,
          observed: observed, noise: observed.map { _ in noise }))
    }
    let masses = zip(prior.weights, parts).map { $0 * exp($1.evidence) }
    let sum = masses.reduce(0, +)
    evidence = log(sum)
    shares = masses.map { $0 / sum }
    oracle = try MixtureOracle(
      process: process, weights: shares, means: parts.map(\.mean),
      covariances: parts.map(\.covariance))
  }

  /// The probability that the second number is above 0.2, where the rarer mode is.
  var rareShare: Double {
    zip(shares, parts).reduce(0) { sum, part in
      let (share, gaussian) = part
      let deviations = (gaussian.mean[1] - 0.2) / gaussian.covariance[1][1].squareRoot()
      return sum + share * 0.5 * erfc(-deviations / 2.0.squareRoot())
    }
  }

  /// Three well-parted modes in the plane.
  static let modes = MixtureParameters(
    weights: [0.5, 0.3, 0.2], means: [[-2, 0], [1, 1.5], [1.5, -1]],
    covariances: [
      [[0.3, 0.1], [0.1, 0.2]], [[0.2, -0.1], [-0.1, 0.3]], [[0.1, 0], [0, 0.1]],
    ])

  /// The exact posterior of the modes given x₁ + x₂/2 = 1 to 0.3, which leaves two of them, and the field that comes near to it.
  static func fields<Scalar: TensorScalar>(
    _ process: any LinearProcess
  ) throws -> (exact: MixturePosterior, field: PosteriorField<Scalar>) {
    let observation = try LinearObservation.matrix([[1, 0.5]], of: [2])
    return (
      try MixturePosterior(
        of: modes, observation: observation, observed: [1], noise: 0.3, process: process),
      try PosteriorField(
        MixtureOracle(process: process, parameters: modes), of: observation,
        observed: Tensor([1, 1], [1]), noiseDeviation: 0.3)
    )
  }

  /// As `fields`, of VP in Double.
  static func fields() throws -> (exact: MixtureOracle<Double>, field: PosteriorField<Double>) {
    let (exact, field): (MixturePosterior, PosteriorField<Double>) = try fields(
      VariancePreserving())
    return (exact.oracle, field)
  }
}

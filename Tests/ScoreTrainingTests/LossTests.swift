import Foundation
import ScoreModels
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

@Suite struct LossTests {
  private static let model = ModelConfiguration(
    sampleShape: [1], network: NetworkSpec(width: 4, depth: 1, frequencies: 2),
    preconditioning: .standardized(mean: 0, deviation: 1))

  /// The losses of single draws under the exact field of data N(0, 1): the posterior's variance is what is left.
  private static func losses(
    _ process: any LinearProcess, _ weighting: LossWeighting, _ times: TimeSampling
  ) throws -> (mean: Double, error: Double) {
    let loss = try DenoisingScoreMatching(process: process, weighting: weighting, times: times)
    let oracle = try GaussianOracle<Double>(
      process: process, mean: 0, deviation: 1, sampleShape: [1])
    let count = 200_000
    let clean: Tensor<Double> = RandomKey(3).normal([count, 1])
    let batch = loss.batch(clean, model: model, key: RandomKey(4))
    let draws: Tensor<Double> = RandomKey(4).folded("times").uniform([count, 1])
    let t = draws.scalars.enumerated().map { loss.time(at: (Double($0) + $1) / Double(count)) }
    let prediction = try oracle.noise(batch.noised, at: .perSample(t))
    let values = (0..<count).map {
      let miss = prediction[$0, 0] - batch.noise[$0, 0]
      return batch.weights[$0, 0] * miss * miss
    }
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
    return (mean, (variance / Double(count)).squareRoot())
  }

  /// Floors of the σ²-weighted loss for data of deviation 1, over uniform times. False alarms: 5 standard errors, 6e-7.
  @Test func theExactFieldsLossIsTheKnownFloor() throws {
    let cases: [(any LinearProcess, Double)] = [
      (try VariancePreserving(), 0.275988151), (try SubVariancePreserving(), 0.321174334),
      (try VarianceExploding(), 0.540668857),
    ]
    for (process, floor) in cases {
      for times in [TimeSampling.uniform, .importance] {
        let (mean, error) = try Self.losses(process, .noise, times)
        #expect(abs(mean - floor) < 5 * error, "\(process.name), \(times): \(mean) ± \(error)")
      }
    }
  }

  /// Two densities of times estimate one integral. False alarms: 5 standard errors, 6e-7.
  @Test func theDensityOfTimesDoesNotChangeTheMean() throws {
    for process: any LinearProcess in [try VariancePreserving(), try SubVariancePreserving()] {
      let uniform = try Self.losses(process, .likelihood, .uniform)
      let importance = try Self.losses(process, .likelihood, .importance)
      let error = (uniform.error * uniform.error + importance.error * importance.error).squareRoot()
      #expect(
        abs(uniform.mean - importance.mean) < 5 * error,
        "\(process.name): \(uniform), \(importance)")
      #expect(importance.error < uniform.error)
    }
  }
}

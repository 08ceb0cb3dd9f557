import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// What each part of an error budget is made of, where closed forms say it.
@Suite struct ErrorBudgetPartsTests {
  /// A normal with noise of a tenth of its variance at ε and of four times it at T, so that the first order of the truncation
  /// and of the mismatch is off by some per cent, and what corrects it by a small part of itself.
  private static func coarse() throws -> (FlowLikelihood<Double>, GaussianOracle<Double>) {
    let oracle = try GaussianOracle<Double>(
      process: VarianceExploding(sigmaMin: 0.01, sigmaMax: 2), mean: 0, deviation: 0.7,
      sampleShape: [1])
    let epsilon = oracle.process.time(halfLogSNR: -log(0.22))
    return (try FlowLikelihood(oracle, divergence: .exact, epsilon: epsilon), oracle)
  }

  @Test func correctionsLeaveASmallPartOfThemselves() throws {
    let (likelihood, oracle) = try Self.coarse()
    let x = Tensor<Double>([2, 1], [0.1, 0.3])
    let result = try likelihood.logDensity(of: x)
    let exact = try likelihood.budget(of: result, for: x, by: oracle)
    let found = try likelihood.budget(of: result, for: x)
    // What the estimates are off by is told by what they were corrected by.
    let constant = Tensor<Double>([2, 1])
    let byData = try likelihood.budget(of: result, for: x, endMarginal: .data(constant))
    for row in 0..<2 {
      let (ofStart, all) = (byData.estimation[row], found.estimation[row])
      #expect(ofStart > 1e-4 && all > ofStart + 1e-4)
      #expect(abs(found.truncation[row] - exact.truncation[row]) < 0.4 * ofStart)
      #expect(abs(found.priorMismatch[row] - exact.priorMismatch[row]) < 0.3 * (all - ofStart))
    }
  }

  /// The density at T is a mean over data, whose logarithm has the mean's error over the mean.
  @Test func theErrorOfTheEndsDensityIsThatOfAMean() throws {
    let (likelihood, oracle) = try Self.coarse()
    let x = Tensor<Double>([1, 1], [0.1])
    let result = try likelihood.logDensity(of: x)
    let data = oracle.sample(50, key: RandomKey(1))
    let found = try likelihood.budget(of: result, for: x, endMarginal: .data(data))
    let constant = Tensor<Double>([2, 1])
    let known = try likelihood.budget(of: result, for: x, endMarginal: .data(constant))
    let sigma = oracle.process.marginal(at: 1).sigma
    let densities = data.scalars.map { point in
      exp(-0.5 * pow((result.latent.scalars[0] - point) / sigma, 2))
    }
    let mean = densities.reduce(0, +) / 50
    let square = densities.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (square / (50 * 49)).squareRoot() / mean
    #expect(abs(found.estimation[0] - known.estimation[0] - error) < 1e-9)
  }

  /// Steps of the first order leave half of their error when they are twice as many.
  @Test func firstOrdersErrorIsTwiceTheDifference() throws {
    let (likelihood, oracle) = try Self.coarse()
    let x = Tensor<Double>([1, 1], [0.4])
    func solved(_ steps: Int) throws -> FlowLikelihood<Double> {
      try FlowLikelihood(
        oracle, divergence: .exact, method: .fixed(.euler, steps: steps),
        epsilon: likelihood.epsilon)
    }
    let results = try [100, 200].map { try solved($0).logDensity(of: x) }
    let difference = abs(results[0].logDensity[0] - results[1].logDensity[0])
    let found = try solved(100).budget(of: results[0], for: x).solver[0]
    #expect(abs(found - 2 * difference) < 1e-12)
  }

  /// A pilot that is off by little leaves three times what the steps say of themselves.
  @Test func threeConsequencesAreTheLeast() throws {
    let (likelihood, oracle) = try Self.coarse()
    let x = Tensor<Double>([1, 1], [0.4])
    let result = try likelihood.logDensity(of: x)
    let finer = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-6, atol: 1e-6),
      epsilon: likelihood.epsilon
    ).logDensity(of: x)
    let local = try #require(result.solverError)[0]
    #expect(abs(result.logDensity[0] - finer.logDensity[0]) < 3 * local)
    #expect(try likelihood.budget(of: result, for: x).solver == [3 * local])
  }

  /// Which samples are pilots hangs on their numbers: those with the least of the numbers that their keys draw.
  @Test func pilotsAreDrawnByTheirNumbers() throws {
    let field = RippledField(
      oracle: try MixtureDensityTests.oracle(try OrnsteinUhlenbeck(), Double.self))
    let x = field.oracle.sample(9, key: RandomKey(3))
    let result = try FlowLikelihood(field, divergence: .exact).logDensity(of: x, first: 100)
    let finer = try FlowLikelihood(
      field, divergence: .exact, method: .adaptive(rtol: 1e-6, atol: 1e-6)
    ).logDensity(of: x, first: 100)
    let local = try #require(result.solverError)
    let mean = local.reduce(0, +) / 9
    let factors = (0..<9).map {
      abs(result.logDensity[$0] - finer.logDensity[$0]) / (local[$0] + mean)
    }
    let draws = RandomKey(0).folded("pilots").uniform(
      [9, 1], of: Double.self, samples: .consecutive(first: 100)
    ).scalars
    let pilots = draws.indices.sorted { draws[$0] < draws[$1] }.prefix(2)
    let factor = try #require(pilots.map { factors[$0] }.max())
    #expect(factor > 3)
    let found = try FlowLikelihood(field, divergence: .exact)
      .budget(of: result, for: x, first: 100, pilots: 2).solver
    for row in 0..<9 {
      let expected = max(3 * local[row], factor * (local[row] + mean))
      #expect(abs(found[row] - expected) < 1e-9 * expected)
    }
  }
}

import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Mistakes of existing code that lie in adaptive solves and likelihoods.
@Suite struct LikelihoodMistakes {
  /// 6: one error norm over the whole batch and the log-density entries.
  @Test func mistake6ErrorNormsAreEachSamplesOwn() throws {
    let field = try mixture(try VariancePreserving())
    let easy = RandomKey(1).normal([4, 2], of: Double.self)
    let crowd = Tensor<Double>.concatenated([easy, Tensor([1, 2], [40, -40])])
    let solver = try AdaptiveFlow(rtol: 1e-6, atol: 1e-6)
    let grid = try TimeGrid.uniform(from: 1, to: 1e-3, steps: 1)
    let sampler = Sampler(field, solver: solver, grid: grid)
    let alone = try sampler.sample(from: easy, key: RandomKey(1))
    let crowded = try sampler.sample(from: crowd, key: RandomKey(1))
    #expect(crowded.samples.rows(0..<4) == alone.samples)
    #expect(Array(crowded.evaluations[0..<4]) == alone.evaluations)
    #expect(Set(crowded.evaluations).count > 1)
    let likelihood = try FlowLikelihood(field, divergence: .exact)
    let (a, b) = (try likelihood.logDensity(of: easy), try likelihood.logDensity(of: crowd))
    #expect(Array(b.logDensity[0..<4]) == a.logDensity)
    #expect(Array(b.evaluations[0..<4]) == a.evaluations)
  }

  /// 9: several Hutchinson probes summed, never averaged; no error bar.
  @Test func mistake9ProbesAreAveragedAndHaveAnErrorBar() throws {
    let field = try GaussianOracle<Double>(
      process: try VariancePreserving(), mean: [0.5, -0.5], covariance: [[1, 0.8], [0.8, 1]])
    let x = Tensor<Double>([200, 2], repeating: 0.3)
    let exact = try FlowLikelihood(field, divergence: .exact).logDensity(of: x).logDensity[0]
    for probes in [2, 16] {
      let result = try FlowLikelihood(field, divergence: .hutchinson(probes: probes))
        .logDensity(of: x, key: RandomKey(4))
      let errors = try #require(result.probeStandardError)
      let typical = (errors.reduce(0) { $0 + $1 * $1 } / 200).squareRoot()
      let spread =
        (result.logDensity.reduce(0) { $0 + ($1 - exact) * ($1 - exact) } / 200).squareRoot()
      // The mean of 200 has a fourteenth of the error; five times that.
      #expect(abs(result.mean - exact) < 5 * spread / 200.0.squareRoot())
      #expect(abs(typical / spread - 1) < 0.35, "\(probes) probes: \(typical), \(spread)")
    }
  }
}

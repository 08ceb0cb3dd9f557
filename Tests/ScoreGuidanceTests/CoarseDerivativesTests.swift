import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreTensors
import Testing

/// A posterior's field with a coarse one beside the prior, which has derivatives where the prior's are not to be trusted.
@Suite struct CoarseDerivativesTests {
  /// Of two normal fields of deviations a and b, x̂₀ answers x by a mean of both answers, whose weights are 1 and e² with
  /// e = 0.15 (1 + σ²/(α² b²)).
  @Test(arguments: [0.05, 0.3, 0.7])
  func derivativesAreAMeanOfBoth(t: Double) throws {
    let process = try VariancePreserving()
    let (a, b, deviation, y) = (0.5, 0.8, 0.1, 0.7)
    func normal(_ deviation: Double) throws -> GaussianOracle<Double> {
      try GaussianOracle(process: process, mean: 0, deviation: deviation, sampleShape: [2])
    }
    let field = try PosteriorField(
      normal(a), of: .entries([true, false], of: [2]), observed: Tensor<Double>([1, 1], [y]),
      noiseDeviation: deviation, coarse: normal(b), iterations: 30, tolerance: 1e-13)
    let kernel = process.marginal(at: t)
    let (alpha, sigma) = (kernel.alpha, kernel.sigma)
    func answer(_ deviation: Double) -> Double {
      alpha * deviation * deviation / (pow(alpha * deviation, 2) + sigma * sigma)
    }
    let error = 0.15 * (1 + pow(sigma / (alpha * b), 2))
    let mixed = (answer(a) + error * error * answer(b)) / (1 + error * error)
    let x = [0.3, -0.4]
    let miss = y - answer(a) * x[0]
    // x̂₀ is off by a tenth of the deviation that p(x_0 | x_t) has by the coarse field.
    let off = 0.01 / (pow(alpha / sigma, 2) + 1 / (b * b))
    let pull = mixed * miss / (sigma * sigma / alpha * mixed + off + deviation * deviation)
    let own = x.map { ($0 - alpha * answer(a) * $0) / sigma }
    let found = try field.noise(Tensor([1, 2], x), at: .shared(t)).scalars
    #expect(abs(found[0] - (own[0] - sigma * pull)) < 1e-12)
    #expect(abs(found[1] - own[1]) < 1e-12)
  }
}

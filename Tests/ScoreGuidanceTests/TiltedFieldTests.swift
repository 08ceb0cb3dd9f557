import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// A field tilted by a gradient of one's own.
@Suite struct TiltedFieldTests {
  /// With the exact log p(y | x_t) of an observation, the field is that of the posterior.
  @Test func aLikelihoodTiltsToThePosterior() throws {
    for process in try ProcessSpec.standardNames.map(ProcessSpec.process) {
      let (y, deviation) = (1.2, 0.5)
      let prior = try GaussianOracle<Double>(
        process: process, mean: [0.3], covariance: [[2]])
      let field = try TiltedField(prior) { x, t in
        Tensor(x.shape) { out in
          for row in 0..<x.rows {
            // p(x_0 | x_t) is a Gaussian of slope k, and y is that and noise.
            let kernel = process.marginal(at: t[row])
            let variance = 2 * kernel.alpha * kernel.alpha + kernel.sigma * kernel.sigma
            let k = 2 * kernel.alpha / variance
            let mean = 0.3 + k * (x[row, 0] - kernel.alpha * 0.3)
            out[row] =
              k * (y - mean) / (2 - k * 2 * kernel.alpha + deviation * deviation)
          }
        }
      }
      let precision = 1 / 2.0 + 1 / (deviation * deviation)
      let exact = try GaussianOracle<Double>(
        process: process,
        mean: [(0.3 / 2 + y / (deviation * deviation)) / precision], covariance: [[1 / precision]])
      let x = Tensor<Double>([4, 1], [-1, 0, 0.5, 2])
      let times = Times.perSample([0.02, 0.3, 0.6, 1].map { $0 * process.endTime })
      let difference = try field.noise(x, at: times) - exact.noise(x, at: times)
      #expect(difference.scalars.allSatisfy { abs($0) < 1e-9 }, "\(process.name): \(difference)")
      let none = try TiltedField(prior, scale: 0) { x, _ in x }
      #expect(try none.noise(x, at: times) == prior.noise(x, at: times))
    }
  }

  @Test func wrongTiltsAreRefused() throws {
    let prior = try GaussianOracle<Float>(
      process: VariancePreserving(), mean: 0, deviation: 1, sampleShape: [2])
    #expect(throws: SamplingError("the scale of the tilt is nan; expected a finite number")) {
      try TiltedField(prior, scale: .nan) { x, _ in x }
    }
    let field = try TiltedField(prior) { x, _ in x.reshaped([x.count]) }
    #expect(
      throws: SamplingError(
        "the gradient of the tilt has shape [4]; expected that of x, [2, 2]")
    ) { try field.noise(Tensor([2, 2]), at: .shared(0.5)) }
  }
}

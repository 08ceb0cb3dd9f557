import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// The field of a posterior against closed forms: data that are Gaussian, where it is exact.
@Suite struct PosteriorFieldTests {
  /// Images of 4 × 4 pixels with a random mean and covariance.
  static let shape: Shape = [4, 4]
  static let mean = RandomKey(1).normal([1, 16], of: Double.self).scalars
  static let covariance = randomCovariance(16, RandomKey(2))

  func prior<Scalar: TensorScalar>(
    _ process: any LinearProcess
  ) throws -> GaussianOracle<Scalar> {
    try GaussianOracle(
      process: process, mean: Self.mean, covariance: Self.covariance, sampleShape: Self.shape)
  }

  static func observations() throws -> [LinearObservation] {
    let matrix = RandomKey(3).normal([5, 16], of: Double.self)
    return [
      try .entries((0..<16).map { $0 % 3 == 0 }, of: shape),
      try .blockMeans(of: shape, size: 2),
      try .matrix((0..<5).map { matrix.row($0) }, of: shape),
    ]
  }

  func observed<Scalar: TensorScalar>(_ observation: LinearObservation) -> Tensor<Scalar> {
    RandomKey(4).normal(Shape([1] + observation.shape.extents))
  }

  /// ε̂ is that of the exact posterior under every process, without noise and with a deviation of each entry's own.
  @Test(arguments: ProcessSpec.standardNames)
  func gaussianDataAreExact(_ name: String) throws {
    let process = try ProcessSpec.process(name)
    var worst = 0.0
    for observation in try Self.observations() {
      let count = observation.shape.count
      for noise in [
        [Double](repeating: 0, count: count), [Double](repeating: 0.3, count: count),
        (0..<count).map { 0.02 * Double(1 + $0) },
      ] {
        let y: Tensor<Double> = observed(observation)
        let field = try PosteriorField(
          prior(process), of: observation, observed: y, noiseDeviations: noise, iterations: 30,
          tolerance: 1e-13)
        let exact = try #require(
          try GaussianPosterior(
            mean: Self.mean, covariance: Self.covariance, observation: observation,
            observed: y.scalars, noise: noise))
        for share in [0.01, 0.1, 0.4, 0.7, 1] {
          let t = share * process.endTime
          let kernel = process.marginal(at: t)
          // States that come about: the posterior's mean, moved by a deviation of the marginal.
          let z: Tensor<Double> = RandomKey(5).normal([3, 4, 4])
          let x = Tensor<Double>([3, 4, 4]) { out in
            for place in out.indices {
              out[place] =
                kernel.alpha * exact.mean[place % 16]
                + (kernel.alpha * kernel.alpha * exact.covariance[place % 16][place % 16]
                + kernel.sigma * kernel.sigma).squareRoot() * z.scalars[place]
            }
          }
          let found = try field.noise(x, at: .shared(t))
          for row in 0..<3 {
            let expected = try #require(exact.noise(x.row(row), kernel))
            let size = expected.map(abs).max() ?? 0
            let error = zip(found.row(row), expected).map { abs($0 - $1) }.max() ?? 0
            worst = max(worst, error / max(1, size))
          }
        }
      }
    }
    print("posterior of a Gaussian under \(name): ε̂ is off by \(worst)")
    #expect(worst < 1e-7)
  }

  /// Float is near Double; what it is off by is the rounding of x − σ ε̂ and of v − σ vᵀ ∂ε̂/∂x, times σ/α.
  @Test func floatAgrees() throws {
    let process = try VariancePreserving()
    for observation in try Self.observations() {
      for t in [0.01, 0.1, 0.5, 1] {
        let x: Tensor<Float> = RandomKey(6).normal([4, 4, 4])
        func field<Scalar: TensorScalar>(_ type: Scalar.Type) throws -> PosteriorField<Scalar> {
          try PosteriorField(
            prior(process), of: observation,
            observed: Tensor(observed(observation) as Tensor<Float>),
            noiseDeviation: 0.1, iterations: 20, tolerance: 1e-6)
        }
        let single = try field(Float.self).noise(x, at: .shared(t))
        let double = try field(Double.self).noise(Tensor<Double>(x), at: .shared(t))
        let kernel = process.marginal(at: t)
        let error = (Tensor<Double>(single) - double).scalars.map(abs).max() ?? 0
        print("float of a posterior at t = \(t): off by \(error)")
        #expect(error < 1e-4 * max(1, kernel.sigma / kernel.alpha))
      }
    }
  }

  /// Row i's bits depend on row i and its time alone, though rows converge after unequal numbers of iterations.
  @Test func rowsAreIndependent() throws {
    let process = try VariancePreserving()
    let times = [0.02, 0.9, 0.3, 1, 0.001, 0.5, 0.1, 0.7]
    for observation in try Self.observations() {
      let field = try PosteriorField<Float>(
        prior(process), of: observation, observed: observed(observation), noiseDeviation: 0.2,
        iterations: 2, tolerance: 0.05)
      let x: Tensor<Float> = RandomKey(7).normal([8, 4, 4])
      let (all, residuals) = try field.noiseAndResiduals(x, at: .perSample(times))
      #expect(residuals.contains { $0 > 0.05 } && residuals.contains { $0 < 0.05 })
      for row in 0..<8 {
        let alone = try field.noise(x.rows(row..<row + 1), at: .shared(times[row]))
        #expect(alone == all.rows(row..<row + 1), "row \(row)")
      }
      let order = [5, 1, 7]
      #expect(
        try field.noise(x.rows(order), at: .perSample(order.map { times[$0] }))
          == all.rows(order))
    }
  }

  /// Of m observed numbers the system is solved after m iterations; fewer leave what they say they leave.
  @Test func residualsAreWhatIsLeft() throws {
    let process = try VariancePreserving()
    let observation = try LinearObservation.entries((0..<16).map { $0 < 3 }, of: Self.shape)
    let x: Tensor<Double> = RandomKey(8).normal([5, 4, 4])
    let left = try (1...3).map { iterations in
      try PosteriorField<Double>(
        prior(process), of: observation, observed: observed(observation), noiseDeviation: 0,
        iterations: iterations, tolerance: 0
      ).noiseAndResiduals(x, at: .shared(0.3)).residuals
    }
    #expect(left[0].allSatisfy { $0 > 1e-4 && $0 < 1 })
    #expect(left[2].allSatisfy { $0 < 1e-12 })
    #expect(zip(left[0], left[1]).allSatisfy { $0 > $1 })
  }

  /// By default an exact prior's system is solved, of series whose numbers hang together closely too; four iterations leave much
  /// of it, and are what a learnt prior beside a coarse one takes.
  @Test func systemsOfExactPriorsAreSolved() throws {
    let process = try VariancePreserving()
    let covariance: [[Double]] = (0..<20).map { i in
      (0..<20).map { j in
        let gap = Double(i - j) / 3
        return exp(-0.5 * gap * gap) + (i == j ? 1e-3 : 0)
      }
    }
    let prior = try GaussianOracle<Double>(
      process: process, mean: [Double](repeating: 0, count: 20), covariance: covariance)
    let observation = try LinearObservation.entries((0..<20).map { $0 < 10 }, of: [20])
    let y: Tensor<Double> = RandomKey(4).normal([1, 10])
    let x: Tensor<Double> = RandomKey(8).normal([5, 20])
    func worst(_ iterations: Int?, coarse: GaussianOracle<Double>? = nil) throws -> Double {
      let field = try PosteriorField<Double>(
        prior, of: observation, observed: y, noiseDeviation: 0.02, coarse: coarse,
        iterations: iterations)
      let residuals = try [0.02, 0.1, 0.3].flatMap { t in
        try field.noiseAndResiduals(x, at: Times.shared(t)).residuals
      }
      return residuals.max() ?? 0
    }
    #expect(try worst(nil) < 0.01)
    #expect(try worst(4) > 0.05)
    #expect(try worst(nil, coarse: prior) == worst(4, coarse: prior))
  }

  /// Derivatives that are not symmetric, as a network's, do no harm: more iterations never leave more of the residual.
  @Test func derivativesOfImperfectFieldsDoNoHarm() throws {
    let process = try VariancePreserving()
    let x: Tensor<Double> = RandomKey(11).normal([6, 4, 4])
    for observation in try Self.observations() {
      var last = [Double](repeating: 1, count: 6)
      for iterations in 1...12 {
        let residuals = try PosteriorField<Double>(
          ChangedField.skew(try prior(process)), of: observation, observed: observed(observation),
          noiseDeviation: 0.01, iterations: iterations, tolerance: 0
        ).noiseAndResiduals(x, at: .shared(0.5)).residuals
        #expect(zip(residuals, last).allSatisfy { $0 <= $1 }, "\(iterations): \(residuals)")
        last = residuals
      }
    }
  }

  /// Without noise there is nothing to correct, and nothing breaks: VP at t = 0.
  @Test func theStartIsFinite() throws {
    let process = try VariancePreserving()
    let observation = try Self.observations()[0]
    let x: Tensor<Double> = RandomKey(9).normal([2, 4, 4])
    for noise in [0, 0.1] {
      let field = try PosteriorField<Double>(
        prior(process), of: observation, observed: observed(observation), noiseDeviation: noise)
      #expect(try field.noise(x, at: .shared(0)).scalars.allSatisfy { $0 == 0 })
    }
  }

  /// A row that is no number is none in the result, and the others are as they were; the sampler says so.
  @Test func brokenRowsShow() throws {
    let process = try VariancePreserving()
    let observation = try Self.observations()[1]
    let field = try PosteriorField<Double>(
      prior(process), of: observation, observed: observed(observation), noiseDeviation: 0.1)
    var x: Tensor<Double> = RandomKey(10).normal([3, 4, 4])
    let whole = try field.noise(x, at: .shared(0.5))
    x[1, 2, 2] = .nan
    let broken = try field.noise(x, at: .shared(0.5))
    #expect((0..<3).map { broken.rows($0..<$0 + 1).isFinite } == [true, false, true])
    #expect(broken.rows([0, 2]) == whole.rows([0, 2]))
    // A pullback that fails where ε̂ does not must not leave the sample as if nothing were observed.
    let torn = try PosteriorField<Double>(
      ChangedField.torn(try prior(process)), of: observation, observed: observed(observation),
      noiseDeviation: 0.1)
    let result = try Sampler(torn, solver: DDIM(), steps: 3).sample(2, key: RandomKey(1))
    #expect(result.status.allSatisfy { !$0.isFinished })
  }

  @Test func wrongInputIsRefused() throws {
    let field: GaussianOracle<Double> = try prior(try VariancePreserving())
    let observation = try LinearObservation.entries([true, false], of: [2])
    func refused(
      _ sentence: String, _ observation: LinearObservation, _ y: Tensor<Double>,
      _ noise: [Double] = [0.1], iterations: Int = 3, tolerance: Double = 1e-3
    ) {
      #expect(throws: SamplingError(sentence)) {
        try PosteriorField(
          field, of: observation, observed: y, noiseDeviations: noise, iterations: iterations,
          tolerance: tolerance)
      }
    }
    refused(
      "the observation is of samples of shape [2]; expected [4, 4], as the field has",
      observation, Tensor([1, 1]))
    let means = try Self.observations()[1]
    refused(
      "what is observed has shape [2, 2]; expected [1, 2, 2], one for all samples, or one each",
      means,
      Tensor([2, 2]))
    refused(
      "entry 2 of what is observed is nan; expected a finite number", means,
      Tensor([1, 2, 2], [0, 1, .nan, 2]))
    refused(
      "there are 2 deviations of the noise; expected 1, or 4, one for each observed entry", means,
      Tensor([1, 2, 2]), [1, 2])
    refused(
      "a deviation of the noise is -1.0; expected 0 or above, with a finite square", means,
      Tensor([1, 2, 2]), [-1])
    for (process, shape): (any LinearProcess, Shape) in [
      (field.process, Shape([2])), (try VariancePreserving(betaMin: 0.2), Self.shape),
      (try SubVariancePreserving(), Self.shape),
    ] {
      let pair = try GaussianOracle<Double>(
        process: process, mean: 0, deviation: 1, sampleShape: shape)
      #expect(throws: SamplingError.self) {
        try PosteriorField(
          field, of: means, observed: Tensor([1, 2, 2]), noiseDeviation: 0, coarse: pair)
      }
    }
    let sentence = "conjugate gradients to a tolerance of"
    refused(
      "an evaluation takes 0 \(sentence) 0.001; expected 1 or more, to 0 or more and below 1",
      means, Tensor([1, 2, 2]), iterations: 0)
    refused(
      "an evaluation takes 3 \(sentence) 1.0; expected 1 or more, to 0 or more and below 1",
      means, Tensor([1, 2, 2]), tolerance: 1)
  }
}

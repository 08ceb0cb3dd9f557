import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// The field of a posterior against closed forms: data that are Gaussian, where it is exact.
@Suite struct PosteriorFieldTests {
  /// Images of 4 × 4 pixels with a random mean and covariance.
  private static let shape: Shape = [4, 4]
  private static let mean = RandomKey(1).normal([1, 16], of: Double.self).scalars
  private static let covariance = randomCovariance(16, RandomKey(2))

  private func prior<Scalar: TensorScalar>(
    _ process: any LinearProcess
  ) throws -> GaussianOracle<Scalar> {
    try GaussianOracle(
      process: process, mean: Self.mean, covariance: Self.covariance, sampleShape: Self.shape)
  }

  private static func observations() throws -> [LinearObservation] {
    let matrix = RandomKey(3).normal([5, 16], of: Double.self)
    return [
      try .entries((0..<16).map { $0 % 3 == 0 }, of: shape),
      try .blockMeans(of: shape, size: 2),
      try .matrix((0..<5).map { matrix.row($0) }, of: shape),
    ]
  }

  private func observed<Scalar: TensorScalar>(_ observation: LinearObservation) -> Tensor<Scalar> {
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

  /// A coarse field changes nothing where the data are Gaussian: it says the same, even where directions are far narrower
  /// than the data.
  @Test(arguments: ProcessSpec.standardNames)
  func coarseFieldsLeaveGaussiansAsTheyAre(_ name: String) throws {
    let process = try ProcessSpec.process(name)
    let field: GaussianOracle<Double> = try prior(process)
    for observation in try Self.observations() {
      func noise(_ coarse: GaussianOracle<Double>?, _ t: Double) throws -> Tensor<Double> {
        try PosteriorField(
          field, of: observation, observed: observed(observation), noiseDeviation: 0.1,
          coarse: coarse, iterations: 30, tolerance: 1e-13
        ).noise(RandomKey(6).normal([3, 4, 4]), at: .shared(t * process.endTime))
      }
      for t in [0.01, 0.3, 1] {
        let (alone, held) = (try noise(nil, t), try noise(field, t))
        let size = alone.scalars.map(abs).max() ?? 0
        #expect(((held - alone).scalars.map(abs).max() ?? 1) < 1e-6 * size, "\(name), \(t)")
      }
    }
  }

  /// Errors of derivatives as a network has them grow as σ²/α² in V and throw samples far off; a coarse field holds them.
  @Test func coarseFieldsHoldLearntOnes() throws {
    let process = try VariancePreserving()
    let pair = try GaussianOracle<Double>(
      process: process, mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]])
    let observation = try LinearObservation.entries([true, false], of: [2])
    func second(_ coarse: GaussianOracle<Double>?) throws -> [Double] {
      let field = try PosteriorField(
        ChangedField.wavy(pair), of: observation, observed: Tensor([1, 1], [1]), noiseDeviation: 0,
        coarse: coarse)
      let result = try Sampler(field, SolverSpec("unipc"), steps: 30).sample(
        1000, key: RandomKey(1))
      return (0..<1000).map { result.samples[$0, 1] }
    }
    func far(_ values: [Double]) -> Int { values.filter { !(abs($0 - 0.8) < 6 * 0.6) }.count }
    let (alone, held) = (try second(nil), try second(pair))
    let mean = held.reduce(0, +) / 1000
    print("of 1000 samples off by six deviations: \(far(alone)), with a coarse field \(far(held))")
    #expect(far(alone) > 10 && far(held) == 0)
    // The ripples themselves, 0.0025 in ε̂, move the mean by a tenth of a deviation at most.
    #expect(abs(mean - 0.8) < 0.06, "\(mean)")
  }

  /// Where a derivative says that nothing can vary, or less, a hundredth of the coarse field's variance is left, and the system
  /// has a solution.
  @Test func variancesStayPositive() throws {
    let process = try VariancePreserving()
    let base: GaussianOracle<Double> = try prior(process)
    let observation = try LinearObservation.entries((0..<16).map { $0 == 3 }, of: Self.shape)
    let x: Tensor<Double> = RandomKey(8).normal([5, 4, 4])
    func left(_ coarse: GaussianOracle<Double>?) throws -> [Double] {
      try PosteriorField(
        ChangedField.rigid(base), of: observation, observed: observed(observation),
        noiseDeviation: 0,
        coarse: coarse
      ).noiseAndResiduals(x, at: .shared(0.1)).residuals
    }
    #expect(try left(nil) == [1, 1, 1, 1, 1])
    #expect(try left(base).allSatisfy { $0 < 1e-12 })
  }

  /// Of one observed number the field is in closed form: V is between the prior's own and the coarse field's, as the noise
  /// says, and a hundredth of the coarse one at the least.
  @Test(arguments: [0.03, 0.3, 0.6, 1], [0.2, -0.1])
  func variancesAreBetweenTheTwo(_ t: Double, _ own: Double) throws {
    let process = try VariancePreserving()
    let base = try GaussianOracle<Double>(
      process: process, mean: [0, 0], covariance: [[1.5, 0], [0, 0.5]])
    let (alpha, sigma) = (process.marginal(at: t).alpha, process.marginal(at: t).sigma)
    // V of the prior, and of the coarse field, of the first number.
    let ratio = sigma * sigma / (alpha * alpha)
    let coarse: Double = 1.5 * ratio / (1.5 + ratio)
    let field = ChangedField(base: base) { _, v, _, sigma in ((1 - own) / sigma) * v }
    let error: Double = 0.15 * (1 + ratio)
    let weight: Double = 1 / (1 + error * error)
    let variance: Double = max(0.01 * coarse, weight * own * ratio + (1 - weight) * coarse)
    let posterior = try PosteriorField(
      field, of: .entries([true, false], of: [2]), observed: Tensor([1, 1], [1]),
      noiseDeviation: 0.2, coarse: base)
    let x: Tensor<Double> = RandomKey(5).normal([4, 2])
    let (found, alone) = (try posterior.noise(x, at: .shared(t)), try base.noise(x, at: .shared(t)))
    for row in 0..<4 {
      let residual = 1 - (x[row, 0] - sigma * alone[row, 0]) / alpha
      let gain: Double = variance / (0.2 * 0.2 + variance)
      let expected = alone[row, 0] - alpha / sigma * gain * residual
      #expect(abs(found[row, 0] - expected) < 1e-9, "\(found[row, 0]), \(expected)")
      #expect(abs(found[row, 1] - alone[row, 1]) < 1e-9)
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

/// A Gaussian's field, changed: `added` is added to ε̂ of x, and `change` gives what becomes of the pullback of v at x and σ.
struct ChangedField: DifferentiableScoreField {
  let base: GaussianOracle<Double>
  var added: @Sendable (Tensor<Double>) -> Tensor<Double> = { 0 * $0 }
  let change:
    @Sendable (
      _ pullback: Tensor<Double>, _ v: Tensor<Double>, _ x: Tensor<Double>, _ sigma: Double
    )
      -> Tensor<Double>
  var process: any LinearProcess { base.process }
  var sampleShape: Shape { base.sampleShape }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    try base.noise(x, at: t) + added(x)
  }

  func noiseAndPullback(
    _ x: Tensor<Double>, at t: Times, cotangent v: Tensor<Double>
  ) throws -> (noise: Tensor<Double>, pullback: Tensor<Double>) {
    let pullback = try base.noiseAndPullback(x, at: t, cotangent: v).pullback
    return (try noise(x, at: t), change(pullback, v, x, process.marginal(at: t[0]).sigma))
  }

  /// Pullbacks are no numbers.
  static func torn(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(base: base) { _, v, _, _ in v.map { _ in .nan } }
  }

  /// Derivatives are those of the base and a rotation of neighbours.
  static func skew(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(base: base) { pullback, v, _, _ in
      let (entries, width) = (v.scalars, v.shape.rowCount)
      let rotated = entries.indices.map { place in
        let row = place - place % width
        return entries[row + (place + 1) % width] - entries[row + (place + width - 1) % width]
      }
      return pullback + 0.2 * Tensor(v.shape, rotated)
    }
  }

  /// Ripples in space, whose derivatives are off by what a network's are.
  static func wavy(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(
      base: base, added: { $0.map { 0.0025 * sin(20 * $0) } },
      change: { pullback, v, x, _ in pullback + v * x.map { 0.05 * cos(20 * $0) } })
  }

  /// Derivatives say that x₀ is lower where x is higher.
  static func rigid(_ base: GaussianOracle<Double>) -> ChangedField {
    ChangedField(base: base) { _, v, _, sigma in (1.2 / sigma) * v }
  }
}

import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// A learnt field's derivatives beside the Gaussian of the data's moments.
extension PosteriorFieldTests {
  /// A tenth of the deviation of p(x_0 | x_t), squared, for data of mean variance d²: what a learnt x̂₀ is taken to be off by.
  private static func valueVariance(_ process: any LinearProcess, _ t: Double, _ square: Double)
    -> Double
  {
    let kernel = process.marginal(at: t)
    let precision = kernel.alpha * kernel.alpha / (kernel.sigma * kernel.sigma)
    return 0.01 / (precision + 1 / square)
  }

  /// A coarse field changes nothing where the data are Gaussian but for the noise that a learnt x̂₀ is seen with: it says the same,
  /// even where directions are far narrower than the data.
  @Test(arguments: ProcessSpec.standardNames)
  func coarseFieldsLeaveGaussiansAsTheyAre(_ name: String) throws {
    let process = try ProcessSpec.process(name)
    let field: GaussianOracle<Double> = try prior(process)
    let square = (0..<16).reduce(0) { $0 + Self.covariance[$1][$1] } / 16
    // The rows of entries have length 1, those of means of four ½.
    for (observation, length) in zip(try Self.observations(), [1, 0.5]) {
      func noise(
        _ coarse: GaussianOracle<Double>?, _ t: Double, deviation: Double
      ) throws -> Tensor<Double> {
        try PosteriorField(
          field, of: observation, observed: observed(observation), noiseDeviation: deviation,
          coarse: coarse, iterations: 30, tolerance: 1e-13
        ).noise(RandomKey(6).normal([3, 4, 4]), at: .shared(t))
      }
      for t in [0.01, 0.3, 1].map({ $0 * process.endTime }) {
        let more = length * length * Self.valueVariance(process, t, square)
        let (alone, held) = (
          try noise(nil, t, deviation: (0.01 + more).squareRoot()),
          try noise(field, t, deviation: 0.1)
        )
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
    try expectField(field, at: t, variance: variance, pull: 0)
  }

  /// A V of the first number that moves the second one by more than a covariance could, |Vp|² > λ pᵀVp, is weighed with a half
  /// as often as it is: λ = σ²/α² is 1.5236 here, V' is 0.7558, w 0.8747, and the second number is moved by w 0.5, w 1, w 2.
  @Test(arguments: [(0.5, 0), (1, 1), (2, 2)])
  func pullsAreThoseOfCovariances(_ pull: Double, _ halvings: Int) throws {
    let process = try VariancePreserving()
    let (t, own) = (0.3, 0.2)
    let base = try GaussianOracle<Double>(
      process: process, mean: [0, 0], covariance: [[1.5, 0], [0, 0.5]])
    let (alpha, sigma) = (process.marginal(at: t).alpha, process.marginal(at: t).sigma)
    let ratio = sigma * sigma / (alpha * alpha)
    let field = ChangedField(base: base) { _, v, _, sigma in
      let swapped = Tensor(v.shape, v.scalars.indices.map { v.scalars[$0 ^ 1] })
      return ((1 - own) / sigma) * v - (pull / ratio / sigma) * swapped
    }
    let error: Double = 0.15 * (1 + ratio)
    let weight: Double = 1 / (1 + error * error) / Double(1 << halvings)
    let variance: Double = weight * own * ratio + (1 - weight) * 1.5 * ratio / (1.5 + ratio)
    try expectField(field, at: t, variance: variance, pull: weight * pull)
  }

  /// Holds the posterior of two numbers, of which the first is seen to be 1 ± 0.2, to its closed form: V of the first number is
  /// `variance`, and with the second `pull`.
  private func expectField(
    _ field: ChangedField, at t: Double, variance: Double, pull: Double
  ) throws {
    let kernel = field.process.marginal(at: t)
    let (alpha, sigma) = (kernel.alpha, kernel.sigma)
    let posterior = try PosteriorField(
      field, of: .entries([true, false], of: [2]), observed: Tensor([1, 1], [1]),
      noiseDeviation: 0.2, coarse: field.base)
    let x: Tensor<Double> = RandomKey(5).normal([4, 2])
    let found = try posterior.noise(x, at: .shared(t))
    let alone = try field.base.noise(x, at: .shared(t))
    for row in 0..<4 {
      let residual = 1 - (x[row, 0] - sigma * alone[row, 0]) / alpha
      let seen = 0.2 * 0.2 + variance + Self.valueVariance(field.process, t, 1)
      let step: Double = alpha / sigma * residual / seen
      for (place, moved) in [variance, pull].enumerated() {
        let expected: Double = alone[row, place] - moved * step
        #expect(
          abs(found[row, place] - expected) < 1e-9, "\(place): \(found[row, place]), \(expected)")
      }
    }
  }
}

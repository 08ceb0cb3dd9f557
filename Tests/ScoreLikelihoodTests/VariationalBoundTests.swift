import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// The variational bound on data N(0.5, 0.3²) against its closed form.
///
/// With c = α² λ + σ² and y = x − μ: z − ε̂ = (α² λ/c) z − (σα/c) y, so E|z − ε̂|² = Σ (α² λ/c)² + (σα/c)² y².
@Suite struct VariationalBoundTests {
  private static let processes = GaussianDensityTests.cases.map(\.0)

  private static func miss(_ kernel: Marginal, square: Double) -> Double {
    let (alpha, sigma) = (kernel.alpha, kernel.sigma)
    let c = alpha * alpha * 0.09 + sigma * sigma
    return pow(alpha * alpha * 0.09 / c, 2) + pow(sigma * alpha / c, 2) * square
  }

  /// The bound in closed form, with `square` for (x − μ)² and `norm` for x²; their means give the mean.
  private static func bound(_ process: any LinearProcess, square: Double, norm: Double) -> Double {
    let (start, end) = (
      process.marginal(at: process.cutoffs.likelihood), process.marginal(at: process.endTime)
    )
    // g²/σ² dt = −2 dλ, by the midpoint rule in λ.
    let count = 20_000
    let step = (start.halfLogSNR - end.halfLogSNR) / Double(count)
    var diffusion = 0.0
    for i in 0..<count {
      let t = process.time(halfLogSNR: end.halfLogSNR + (Double(i) + 0.5) * step)
      diffusion += step * miss(process.marginal(at: t), square: square)
    }
    let tau = start.sigma / start.alpha
    let reconstruction = -0.5 * log(2 * .pi * tau * tau) - 0.5 * miss(start, square: square)
    let s = process.priorDeviation
    let ratio = end.sigma * end.sigma / (s * s)
    let prior = 0.5 * (ratio - 1 - log(ratio) + end.alpha * end.alpha * norm / (s * s))
    return reconstruction - prior - diffusion
  }

  @Test(arguments: processes.indices)
  func boundsAreTheClosedForm(_ index: Int) throws {
    // Five standard errors: a false alarm in two millions a value.
    let process = Self.processes[index]
    let oracle = try GaussianDensityTests.oracle(process, Double.self)
    let x = Tensor<Double>([3, 1], [-0.2, 0.5, 0.8])
    let found = try VariationalBound(oracle, strata: 4000, dataDeviation: 0.3)(x, key: RandomKey(2))
    for row in 0..<3 {
      let expected = Self.bound(
        process, square: pow(x[row, 0] - 0.5, 2), norm: x[row, 0] * x[row, 0])
      let error = found.standardError[row]
      #expect(error > 0 && error < 0.1, "\(error)")
      #expect(
        abs(found.bound[row] - expected) < 5 * error,
        "\(process.name): \(found.bound[row]) ± \(error), \(expected)")
    }
  }

  @Test(arguments: processes.indices)
  func onAverageTheyLieBelowTheLogDensity(_ index: Int) throws {
    let process = Self.processes[index]
    let entropy = -0.5 * log(2 * .pi * 0.09) - 0.5
    let closed = Self.bound(process, square: 0.09, norm: 0.34)
    // The gap is the KL at T and what the decoder at ε loses: small and not negative.
    #expect(closed < entropy && entropy - closed < 0.01, "\(process.name): \(closed), \(entropy)")
    let oracle = try GaussianDensityTests.oracle(process, Double.self)
    let x = oracle.sample(4000, key: RandomKey(9))
    let found = try VariationalBound(oracle, strata: 8, dataDeviation: 0.3)(x, key: RandomKey(3))
    let truth = try oracle.logDataDensity(x)
    let differences = zip(found.bound, truth).map { $0 - $1 }
    let mean = differences.reduce(0, +) / 4000
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3999
    #expect(abs(mean - (closed - entropy)) < 5 * (variance / 4000).squareRoot())
    #expect(try #require(found.meanStandardError) > 0)
  }

  /// On a mixture too, with the data's own density as the ceiling: 5 standard errors, a false alarm in two millions.
  @Test func noFieldsBoundExceedsTheDataOnAverage() throws {
    let oracle = try MixtureDensityTests.oracle(try VariancePreserving(), Double.self)
    let x = oracle.sample(3000, key: RandomKey(11))
    let truth = try oracle.logDataDensity(x)
    // The exact field, and one that is of other data: the bound holds for both and the second is far below.
    let other = try GaussianOracle<Double>(
      process: oracle.process, mean: [0.5, -0.5], covariance: [[1, 0.3], [0.3, 1]])
    let fields: [any ScoreField<Double>] = [oracle, other]
    let means = try fields.map { field in
      let bound = try VariationalBound(field, strata: 8)(x, key: RandomKey(12))
      let differences = zip(bound.bound, truth).map { $0 - $1 }
      let mean = differences.reduce(0, +) / 3000
      let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2999
      #expect(mean < 5 * (variance / 3000).squareRoot())
      return mean
    }
    #expect(means[0] > -0.1 && means[1] < -0.2, "\(means)")
  }

  /// Over random mixtures in 1 to 16 dimensions, on their own draws: below the log density in the mean, within 5 standard
  /// errors, a false alarm in two millions each.
  @Test func overRandomMixturesTheyLieBelow() throws {
    let processes = try ErrorBudgetTests.processes()
    var (above, gaps) = (0, [Double]())
    for number in 0..<42 {
      let oracle = try ErrorBudgetTests.mixture(number, processes[number % processes.count])
      let x = oracle.sample(200, key: RandomKey(21))
      let truth = try oracle.logDataDensity(x)
      let found = try VariationalBound(oracle, strata: 4)(x, key: RandomKey(22))
      let differences = zip(found.bound, truth).map { $0 - $1 }
      let mean = differences.reduce(0, +) / 200
      let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 199
      let error = (variance / 200).squareRoot()
      if mean > 0 { above += 1 }
      gaps.append(mean / error)
      #expect(mean < 5 * error, "mixture \(number) on \(oracle.process.name): \(mean) ± \(error)")
    }
    print(
      "variational bounds of 42 mixtures: \(above) above the log density, at most",
      gaps.max() ?? 0, "standard errors")
  }

  @Test func standardErrorsAreThoseOfTheDraws() throws {
    // One point under 3000 numbers: the mean of the squared errors is the variance of the bounds, both within some 4 %.
    let oracle = try MixtureDensityTests.oracle(try VariancePreserving(), Double.self)
    let x = Tensor<Double>([3000, 2], (0..<6000).map { $0 % 2 == 0 ? 0.5 : -0.2 })
    // From almost T on the errors are those of the reconstruction alone.
    for epsilon in [nil, 0.999] {
      let found = try VariationalBound(oracle, strata: 4, epsilon: epsilon)(x, key: RandomKey(4))
      let mean = found.mean
      let variance = found.bound.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2999
      let stated = found.standardError.reduce(0) { $0 + $1 * $1 } / 3000
      #expect(abs(stated / variance - 1) < 0.2, "\(stated), \(variance)")
    }
  }

  /// In the middle of normal data the miss is share · z with share = α²d²/(α²d² + σ²), whose square share²(|z|² − D) takes away
  /// but for the time: what is left shrinks as strata are more, and the noise has no part in it.
  @Test func inTheMiddleOfNormalDataNoiseHasNoPart() throws {
    let oracle = try GaussianDensityTests.oracle(try VariancePreserving(), Double.self)
    let bound = try VariationalBound(oracle, strata: 256, dataDeviation: 0.3)
    let errors = try bound(Tensor([20, 1], repeating: 0.5), key: RandomKey(4)).standardError
    #expect(errors.allSatisfy { $0 < 2e-3 }, "\(errors)")
  }

  @Test func aSampleDependsOnItsNumberAlone() throws {
    let oracle = try MixtureDensityTests.oracle(try VarianceExploding(), Float.self)
    let x = oracle.sample(9, key: RandomKey(1))
    let bound = try VariationalBound(oracle, strata: 3)
    let whole = try bound(x, key: RandomKey(2))
    let tail = try bound(x.rows(4..<9), key: RandomKey(2), first: 4)
    #expect(tail.bound == Array(whole.bound[4..<9]))
    #expect(tail.standardError == Array(whole.standardError[4..<9]))
    // Samples of so many entries are taken sixteen at a time.
    let large = try GaussianOracle<Float>(
      process: VariancePreserving(), mean: 0, deviation: 1, sampleShape: [4096])
    let many = large.sample(17, key: RandomKey(1))
    let ofLarge = try VariationalBound(large, strata: 1)
    #expect(
      try ofLarge(many.rows(16..<17), key: RandomKey(2), first: 16).bound
        == Array(ofLarge(many, key: RandomKey(2)).bound[16...]))
  }

  @Test func wrongRequestsAreRefused() throws {
    let oracle = try GaussianDensityTests.oracle(try VariancePreserving(), Double.self)
    #expect(throws: SamplingError("the number of strata is 0; expected 1 or more")) {
      try VariationalBound(oracle, strata: 0)
    }
    #expect(throws: (any Error).self) { try VariationalBound(oracle, epsilon: 2) }
    let bound = try VariationalBound(oracle, strata: 1)
    #expect(throws: SamplingError.self) { try bound(Tensor([2, 2])) }
  }

  @Test func aStoppedBoundIsCancelled() async throws {
    let oracle = try GaussianDensityTests.oracle(try VariancePreserving(), Double.self)
    let bound = try VariationalBound(oracle, strata: 1)
    #expect(throws: CancellationError.self) { try bound(Tensor([2, 1])) { _ in false } }
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try bound(Tensor([2, 1]))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Traces of the Jacobian J of a Gaussian's field, J = σ (α² Σ + σ²)⁻¹, against closed forms.
@Suite struct DivergenceTests {
  private static let dimensions = 5
  private static let time = Times.shared(0.2)

  private static func oracle() throws -> GaussianOracle<Double> {
    let a = RandomKey(8).normal([dimensions, dimensions], of: Double.self)
    let square = a.matmul(a, transposeOther: true)
    return try GaussianOracle(
      process: try VariancePreserving(), mean: [0.1, -0.3, 0.2, 0, 1],
      covariance: (0..<dimensions).map { i in
        (0..<dimensions).map { 0.1 * square[i, $0] + (i == $0 ? 0.02 : 0) }
      })
  }

  /// J, by one pullback a unit vector.
  private static func jacobian(_ oracle: GaussianOracle<Double>) throws -> Tensor<Double> {
    let units = Tensor<Double>(
      rows: (0..<dimensions).map { i in (0..<dimensions).map { i == $0 ? 1 : 0 } })
    return try oracle.noiseAndPullback(
      Tensor([dimensions, dimensions]), at: time, cotangent: units
    ).pullback
  }

  private static func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, squares / Double(values.count - 1))
  }

  /// The mean within 5 standard errors (a false alarm in two millions); the sample variance of n = 40,000 values of
  /// kurtosis κ ≤ 12 is off by √((κ − 1)/n) = 1.7 %, 5 of these are 8.5 %.
  @Test(arguments: Divergence.Probe.allCases)
  func oneProbesVarianceIsTheClosedForm(_ probe: Divergence.Probe) throws {
    let oracle = try Self.oracle()
    let j = try Self.jacobian(oracle)
    let entries = (0..<25).map { j[$0 / 5, $0 % 5] }
    let diagonal = (0..<5).map { j[$0, $0] }
    let trace = diagonal.reduce(0, +)
    let all = entries.reduce(0) { $0 + $1 * $1 }
    let expected: Double
    switch probe {
    case .rademacher: expected = 2 * (all - diagonal.reduce(0) { $0 + $1 * $1 })
    case .gaussian: expected = 2 * all
    case .sphere: expected = 10.0 / 7 * (all - trace * trace / 5)
    }
    let count = 40_000
    let x = Tensor<Double>([count, 5], repeating: 0.3)
    let found = try oracle.trace(
      at: x, Self.time, by: .hutchinson(probe, probes: 1), key: RandomKey(2))
    #expect(found.standardError == nil)
    let (mean, variance) = Self.moments(found.trace)
    #expect(abs(mean - trace) < 5 * (variance / Double(count)).squareRoot())
    #expect(abs(variance / expected - 1) < 0.085, "\(probe): \(variance), \(expected)")

    // The standard error over K probes estimates the spread of their mean: its square has that mean.
    let several = try oracle.trace(
      at: x.rows(0..<4000), Self.time, by: .hutchinson(probe, probes: 6), key: RandomKey(3))
    let squares = try #require(several.standardError).map { $0 * $0 }
    #expect(abs(Self.moments(squares).mean / (expected / 6) - 1) < 0.1)
    #expect(abs(Self.moments(several.trace).variance / (expected / 6) - 1) < 0.15)
  }

  @Test func hutchPlusPlusIsExactWhereTheSketchSpansAll() throws {
    let oracle = try Self.oracle()
    let exact = try oracle.trace(at: Tensor([3, 5]), Self.time, by: .exact)
    #expect(exact.standardError == [0, 0, 0])
    for sketch in [5, 9] {
      let found = try oracle.trace(
        at: Tensor([3, 5]), Self.time, by: .hutchPlusPlus(sketch: sketch, probes: 2))
      for row in 0..<3 {
        #expect(abs(found.trace[row] - exact.trace[row]) < 1e-10 * abs(exact.trace[row]))
        #expect(try #require(found.standardError)[row] < 1e-10 * abs(exact.trace[row]))
      }
    }
  }

  /// Data on a plane but for 1e-3: the denoiser's Jacobian has rank 2, which a sketch of 3 catches.
  @Test func hutchPlusPlusLeavesNothingOfLowRankData() throws {
    let width = 12
    let directions = RandomKey(4).normal([width, 2], of: Double.self)
    let oracle = try GaussianOracle<Double>(
      process: try VariancePreserving(), mean: [Double](repeating: 0, count: width),
      covariance: (0..<width).map { i in
        (0..<width).map { j in
          (0..<2).reduce(i == j ? 1e-6 : 0) { $0 + directions[i, $1] * directions[j, $1] }
        }
      })
    let x = Tensor<Double>([200, width], repeating: 0.1)
    let t = Times.shared(0.1)
    let exact = try oracle.trace(at: x, t, by: .exact).trace[0]
    let sketched = try oracle.trace(at: x, t, by: .hutchPlusPlus(sketch: 3, probes: 2))
    let plain = try oracle.trace(at: x, t, by: .hutchinson(.rademacher, probes: 8))
    let spread = Self.moments(sketched.trace).variance.squareRoot()
    #expect(spread < 1e-3 * Self.moments(plain.trace).variance.squareRoot())
    #expect(abs(Self.moments(sketched.trace).mean - exact) < 1e-4 * exact)
  }

  /// With a sketch that is too small the mean over 20,000 is within 5 standard errors, and the standard error over
  /// probes is that of the values: the squares of both agree within 10 %.
  @Test func hutchPlusPlusIsUnbiasedAndKnowsItsSpread() throws {
    let oracle = try Self.oracle()
    let count = 20_000
    let x = Tensor<Double>([count, 5])
    let exact = try oracle.trace(at: x.rows(0..<1), Self.time, by: .exact).trace[0]
    let found = try oracle.trace(
      at: x, Self.time, by: .hutchPlusPlus(sketch: 1, probes: 4), key: RandomKey(6))
    let (mean, variance) = Self.moments(found.trace)
    #expect(abs(mean - exact) < 5 * (variance / Double(count)).squareRoot())
    let squares = try #require(found.standardError).map { $0 * $0 }
    #expect(abs(Self.moments(squares).mean / variance - 1) < 0.1)
    let plain = try oracle.trace(
      at: x, Self.time, by: .hutchinson(.rademacher, probes: 4), key: RandomKey(6))
    #expect(variance < Self.moments(plain.trace).variance)
  }

  @Test func alongASolveHutchPlusPlusAgreesWithTheExactDensity() throws {
    let oracle = try MixtureDensityTests.oracle(try VariancePreserving(), Double.self)
    let x = Tensor<Double>([3, 2], MixtureDensityTests.points)
    let exact = try FlowLikelihood(oracle, divergence: .exact).logDensity(of: x)
    let spanned = try FlowLikelihood(oracle, divergence: .hutchPlusPlus(sketch: 2, probes: 1))
      .logDensity(of: x)
    let sketched = try FlowLikelihood(oracle, divergence: .hutchPlusPlus(sketch: 1, probes: 30))
      .logDensity(of: x, key: RandomKey(5))
    for row in 0..<3 {
      #expect(abs(spanned.logDensity[row] - exact.logDensity[row]) < 1e-4)
      let error = try #require(sketched.probeStandardError)[row]
      #expect(abs(sketched.logDensity[row] - exact.logDensity[row]) < 5 * error + 1e-4)
    }
  }

  /// Several pullbacks in a single precision field are those of one after another.
  @Test func severalPullbacksAreThoseOfEach() throws {
    let oracle = try MixtureDensityTests.oracle(try VariancePreserving(), Float.self)
    let x: Tensor<Float> = RandomKey(1).normal([7, 2])
    let cotangents: [Tensor<Float>] = (0..<3).map { RandomKey(2 + $0).normal([7, 2]) }
    let together = try oracle.noiseAndPullbacks(x, at: .shared(0.3), cotangents: cotangents)
    for (cotangent, pullback) in zip(cotangents, together.pullbacks) {
      let single = try oracle.noiseAndPullback(x, at: .shared(0.3), cotangent: cotangent)
      #expect(single.pullback == pullback && single.noise == together.noise)
    }
  }
}

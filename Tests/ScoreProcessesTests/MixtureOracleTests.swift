import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// Mixtures of two and more dimensions that the tests share.
enum Mixtures {
  static let plane = MixtureParameters(
    weights: [0.5, 0.3, 0.2], means: [[-1, 0.5], [1.5, 0], [0, -2]],
    covariances: [
      [[0.2, 0.1], [0.1, 0.3]], [[0.1, 0], [0, 0.4]], [[0.5, -0.2], [-0.2, 0.15]],
    ])

  /// K components in D dimensions with random means and covariances, or diagonal ones.
  static func random(_ count: Int, _ width: Int, isDiagonal: Bool = false) -> MixtureParameters {
    let means = RandomKey(21).normal([count, width], of: Double.self)
    return MixtureParameters(
      weights: (0..<count).map { Double(2 * ($0 + 1)) / Double(count * (count + 1)) },
      means: (0..<count).map { means.row($0) },
      covariances: (0..<count).map { k in
        let a = LinearAlgebraTests.positive(width, UInt64(30 + k), shift: 0.2)
        return (0..<width).map { i in
          (0..<width).map { j in
            isDiagonal && i != j ? 0 : a[i * width + j] / Double(width)
          }
        }
      })
  }
}

/// The mixture oracle against finite differences, brute force and its own samples.
@Suite struct MixtureOracleTests {
  @Test(arguments: [0.001, 0.05, 0.5, 1.0]) func derivativesAgree(_ t: Double) throws {
    let cases = [
      Mixtures.plane, Mixtures.random(4, 3), Mixtures.random(5, 2, isDiagonal: true),
      Mixtures.random(3, 7),
    ]
    for process in try standardProcesses() {
      for parameters in cases {
        let oracle = try MixtureOracle<Double>(process: process, parameters: parameters)
        let x = oracle.sample(6, at: .shared(t), key: RandomKey(1))
        try OracleChecks.derivativesAgree(oracle, x, at: t)
        try OracleChecks.traceIsThatOfPullbacks(oracle, x, at: .shared(t))
      }
    }
  }

  /// Density and score from the sum over components with Cholesky factors, without logarithms.
  @Test func agreesWithTheSumWrittenOut() throws {
    let parameters = Mixtures.random(4, 6)
    for process in try standardProcesses() {
      let oracle = try MixtureOracle<Double>(process: process, parameters: parameters)
      for t in [0.05, 0.4, 0.9] {
        let kernel = process.marginal(at: t)
        let x = oracle.sample(5, at: .shared(t), key: RandomKey(8))
        let density = try oracle.logDensity(x, at: .shared(t))
        let noise = try oracle.noise(x, at: .shared(t))
        for row in 0..<5 {
          let (p, slope) = try Self.writtenOut(parameters, x.row(row), kernel)
          #expect(abs(density[row] - log(p)) < 1e-12 * max(1, abs(log(p))))
          for j in 0..<6 {
            #expect(
              abs(noise[row, j] + kernel.sigma * slope[j] / p) < 1e-12 * (1 + abs(noise[row, j])))
          }
        }
      }
    }
  }

  static func writtenOut(
    _ parameters: MixtureParameters, _ x: [Double], _ kernel: Marginal
  ) throws -> (density: Double, slope: [Double]) {
    let width = x.count
    var (density, slope) = (0.0, [Double](repeating: 0, count: width))
    for k in parameters.weights.indices {
      var matrix = parameters.covariances[k].joined().map { kernel.alpha * kernel.alpha * $0 }
      for i in 0..<width { matrix[i * width + i] += kernel.sigma * kernel.sigma }
      let factor = try #require(Cholesky(matrix, order: width))
      let residual = (0..<width).map { x[$0] - kernel.alpha * parameters.means[k][$0] }
      let solved = factor.solve(residual)
      let quadratic = zip(residual, solved).reduce(0.0) { $0 + $1.0 * $1.1 }
      let root = (0..<width).reduce(1.0) { $0 * factor.lower[$1 * width + $1] }
      let p =
        parameters.weights[k] * exp(-0.5 * quadratic)
        / (root * pow(2 * .pi, Double(width) / 2))
      density += p
      for j in 0..<width { slope[j] -= p * solved[j] }
    }
    return (density, slope)
  }

  /// p_t is the data's density carried by the kernel: the integral by the trapezoidal rule, exact to rounding here.
  @Test func marginalByQuadrature() throws {
    let parameters = MixtureParameters(
      weights: [0.4, 0.6], means: [[-1], [0.8]], covariances: [[[0.04]], [[0.09]]])
    for process in try standardProcesses() {
      let oracle = try MixtureOracle<Double>(process: process, parameters: parameters)
      for t in [0.2, 0.6] {
        let kernel = process.marginal(at: t)
        for x in [-1.5, 0.1, 2] {
          let (low, step, count) = (-4.0, 1e-3, 8001)
          let grid = Tensor<Double>([count, 1], (0..<count).map { low + Double($0) * step })
          let data = try oracle.logDataDensity(grid)
          let integral = (0..<count).reduce(0.0) {
            let z = (x - kernel.alpha * grid[$1, 0]) / kernel.sigma
            return $0 + step
              * exp(data[$1] - 0.5 * z * z - log(kernel.sigma) - 0.5 * log(2 * .pi))
          }
          let density = try oracle.logDensity(Tensor([1, 1], [x]), at: .shared(t))[0]
          #expect(abs(density - log(integral)) < 1e-11)
        }
      }
    }
  }

  /// One component, and several equal ones, are the Gaussian.
  @Test func oneComponentIsTheGaussian() throws {
    let (mean, covariance) = (GaussianOracleTests.mean, GaussianOracleTests.covariance)
    for process in try standardProcesses() {
      let gaussian = try GaussianOracleTests.full(process)
      let x = RandomKey(3).normal([9, 3], of: Double.self)
      let times = Times.perSample((1...9).map { Double($0) / 9 })
      let v = RandomKey(4).normal(x.shape, of: Double.self)
      let expected = try gaussian.noiseAndPullback(x, at: times, cotangent: v)
      let trace = try gaussian.noiseAndTrace(x, at: times).trace
      let density = try gaussian.logDensity(x, at: times)
      for weights in [[1.0], [0.25, 0.75]] {
        let mixture = try MixtureOracle<Double>(
          process: process, weights: weights, means: weights.map { _ in mean },
          covariances: weights.map { _ in covariance })
        let found = try mixture.noiseAndPullback(x, at: times, cotangent: v)
        #expect(Self.distance(found.noise, expected.noise) < 1e-13)
        #expect(Self.distance(found.pullback, expected.pullback) < 1e-13)
        for (a, b) in zip(try mixture.noiseAndTrace(x, at: times).trace, trace) {
          #expect(abs(a - b) < 1e-13 * abs(b))
        }
        for (a, b) in zip(try mixture.logDensity(x, at: times), density) {
          #expect(abs(a - b) < 1e-13 * max(1, abs(b)))
        }
      }
    }
  }

  static func distance(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
    zip(a.scalars, b.scalars).reduce(0) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
  }

  /// A component of weight 0 changes nothing, not even far out where it would win.
  @Test func weightZeroIsAbsent() throws {
    let process = try VariancePreserving()
    let one = try MixtureOracle<Double>(
      process: process, weights: [1], means: [[0]], covariances: [[[1]]])
    let two = try MixtureOracle<Double>(
      process: process, weights: [0, 1], means: [[9], [0]], covariances: [[[1]], [[1]]])
    let x = Tensor<Double>([2, 1], [0.5, 9])
    #expect(try one.noise(x, at: .shared(0.1)) == two.noise(x, at: .shared(0.1)))
  }

  /// Far from every component, where each density underflows, the score is the nearest component's.
  @Test func farRowsKeepTheirSlope() throws {
    let process = try VariancePreserving()
    let oracle = try MixtureOracle<Double>(process: process, parameters: Mixtures.plane)
    let single = try GaussianOracle<Double>(
      process: process, mean: [1.5, 0], covariance: Mixtures.plane.covariances[1])
    let x = Tensor<Double>([1, 2], [10, 300])
    let (a, b) = (try oracle.noise(x, at: .shared(0.01)), try single.noise(x, at: .shared(0.01)))
    #expect(Self.distance(a, b) < 1e-12)
    let density = try oracle.logDensity(x, at: .shared(0.01))[0]
    #expect(abs(density - (try single.logDensity(x, at: .shared(0.01))[0] + log(0.3))) < 1e-9)
  }

  @Test func limitAtZero() throws {
    for process in [try VariancePreserving(), try SubVariancePreserving()] as [any LinearProcess] {
      let oracle = try MixtureOracle<Double>(process: process, parameters: Mixtures.plane)
      let x = oracle.sample(5, key: RandomKey(4))
      #expect(try oracle.noise(x, at: .shared(0)).scalars.allSatisfy { $0 == 0 })
      #expect(try oracle.logDensity(x, at: .shared(0)) == oracle.logDataDensity(x))
    }
  }

  @Test func rowsAreIndependent() throws {
    let times = (0..<11).map { 0.001 + Double($0 * 7 % 11) * 0.09 }
    for parameters in [Mixtures.plane, Mixtures.random(3, 7), Mixtures.random(300, 2)] {
      let process = try VariancePreserving()
      let double = try MixtureOracle<Double>(process: process, parameters: parameters)
      let single = try MixtureOracle<Float>(process: process, parameters: parameters)
      try OracleChecks.rowsAreIndependent(
        double, double.sample(11, key: RandomKey(2)), times: times)
      try OracleChecks.rowsAreIndependent(
        single, single.sample(11, key: RandomKey(2)), times: times)
    }
  }

  @Test func threadsChangeNothing() throws {
    var oracle = try MixtureOracle<Float>(
      process: try VariancePreserving(), parameters: Mixtures.plane)
    let x = oracle.sample(1003, key: RandomKey(6))
    let v = RandomKey(7).rademacher(x.shape, of: Float.self)
    let times = Times.perSample((0..<1003).map { Double($0 + 1) / 1003 })
    let alone = try oracle.noiseAndPullback(x, at: times, cotangent: v)
    let trace = try oracle.noiseAndTrace(x, at: times).trace
    let density = try oracle.logDensity(x, at: times)
    oracle.pool = ThreadPool(threads: 3)
    let together = try oracle.noiseAndPullback(x, at: times, cotangent: v)
    #expect(alone.noise == together.noise && alone.pullback == together.pullback)
    #expect(try oracle.noiseAndTrace(x, at: times).trace == trace)
    #expect(try oracle.logDensity(x, at: times) == density)
  }

  @Test func floatAgreesWithDouble() throws {
    let process = try VarianceExploding()
    let x = RandomKey(9).normal([6, 2], of: Float.self)
    try OracleChecks.floatAgrees(
      try MixtureOracle<Float>(process: process, parameters: Mixtures.plane),
      try MixtureOracle<Double>(process: process, parameters: Mixtures.plane), x,
      at: .perSample([0.1, 0.2, 0.5, 0.7, 0.9, 1]))
  }

  /// Each component's share, mean and covariance in 40,000 samples from components that do not overlap; each of the
  /// 18 numbers fails by chance once in 10⁷ runs.
  @Test func samplesHaveTheirMoments() throws {
    var parameters = Mixtures.plane
    parameters.means = [[-100, 0.5], [100, 0], [0, 200]]
    let oracle = try MixtureOracle<Double>(
      process: try VariancePreserving(), parameters: parameters)
    let count = 40_000
    let x = oracle.sample(count, key: RandomKey(12))
    let rows = (0..<count).map { x.row($0) }
    for k in 0..<3 {
      let (centre, covariance) = (parameters.means[k], parameters.covariances[k])
      let own = rows.filter { hypot($0[0] - centre[0], $0[1] - centre[1]) < 20 }
      let (share, n) = (parameters.weights[k], Double(own.count))
      #expect(abs(n / Double(count) - share) < 5.33 * sqrt(share * (1 - share) / Double(count)))
      for i in 0..<2 {
        let mean = own.reduce(0.0) { $0 + $1[i] - centre[i] } / n
        #expect(abs(mean) < 5.33 * sqrt(covariance[i][i] / n))
        for j in 0...i {
          let product = own.reduce(0.0) { $0 + ($1[i] - centre[i]) * ($1[j] - centre[j]) } / n
          let error = covariance[i][i] * covariance[j][j] + covariance[i][j] * covariance[i][j]
          #expect(abs(product - covariance[i][j]) < 5.33 * sqrt(error / n))
        }
      }
    }
  }

  @Test func samplesDependOnKeyAndIndexAlone() throws {
    let oracle = try MixtureOracle<Float>(
      process: try VarianceExploding(), parameters: Mixtures.plane)
    let all = oracle.sample(50, key: RandomKey(5))
    #expect(oracle.sample(3, key: RandomKey(5), samples: .consecutive(first: 4)) == all.rows(4..<7))
    #expect(oracle.sample(2, key: RandomKey(5), samples: .explicit([48, 1])) == all.rows([48, 1]))
    #expect(oracle.sample(0, key: RandomKey(5)).shape == [0, 2])
  }

  @Test func batchesMayBeEmpty() throws {
    let oracle = try MixtureOracle<Float>(
      process: try VariancePreserving(), parameters: Mixtures.plane)
    #expect(try oracle.noise(Tensor([0, 2]), at: .shared(0.5)).shape == [0, 2])
    #expect(try oracle.logDensity(Tensor([0, 2]), at: .perSample([])).isEmpty)
  }

  @Test func refusesBadInput() throws {
    let vp = try VariancePreserving()
    func sentence(_ change: (inout MixtureParameters) -> Void) -> String {
      var parameters = Mixtures.plane
      change(&parameters)
      do {
        _ = try MixtureOracle<Float>(process: vp, parameters: parameters)
        return "no error"
      } catch { return error.description }
    }
    #expect(
      sentence { $0.weights = [1] }
        == "the mixture has 1 weights, 3 means and 3 covariances; expected the same number of each, at least 1"
    )
    #expect(
      sentence { $0 = MixtureParameters(weights: [], means: [], covariances: []) } != "no error")
    #expect(
      sentence { $0.weights[1] = -0.3 }
        == "the mixture's weights[1] is -0.3; expected a number of at least 0")
    #expect(
      sentence { $0.weights[1] = .nan }
        == "the mixture's weights[1] is nan; expected a number of at least 0")
    #expect(
      sentence { $0.weights = [0.5, 0.25, 0.125] }
        == "the mixture's weights sum to 0.875; expected 1 within 1e-6")
    #expect(sentence { $0.weights[0] += 9e-7 } == "no error")
    #expect(
      sentence { $0.means[2] = [1] }
        == "the mixture's means[2] has 1 entries; expected 2, as in means[0]")
    #expect(
      sentence { $0.covariances[1][0][1] = 0.1 }
        == "the mixture's covariances[1][1][0] is 0.0 and the mixture's covariances[1][0][1] is 0.1; expected a symmetric matrix"
    )
    #expect(
      sentence { $0.covariances[2] = [[1, 2], [2, 1]] }
        == "the mixture's covariances[2] has the eigenvalue -1.0; expected a positive definite matrix"
    )
    #expect(
      sentence { $0.covariances[0] = [[1]] }
        == "the mixture's covariances[0] has 1 rows; expected 2, the length of the mixture's means[0]"
    )
    OracleChecks.refusesBadBatches(
      try MixtureOracle<Double>(process: vp, parameters: Mixtures.plane))
  }
}

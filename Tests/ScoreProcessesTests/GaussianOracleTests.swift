import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// The Gaussian oracle against finite differences, closed forms and its own samples.
@Suite struct GaussianOracleTests {
  static let mean = [0.3, -1, 0.7]
  static let covariance = [[1.0, 0.6, -0.2], [0.6, 0.8, 0.1], [-0.2, 0.1, 0.5]]

  static func full<Scalar: TensorScalar>(
    _ process: any LinearProcess, as type: Scalar.Type = Double.self
  ) throws -> GaussianOracle<Scalar> {
    try GaussianOracle(process: process, mean: mean, covariance: covariance)
  }

  @Test(arguments: [0.001, 0.1, 0.5, 1.0]) func derivativesAgree(_ t: Double) throws {
    for process in try standardProcesses() {
      let oracle = try Self.full(process)
      let x = oracle.sample(5, at: .shared(t), key: RandomKey(1))
      try OracleChecks.derivativesAgree(oracle, x, at: t)
      try OracleChecks.traceIsThatOfPullbacks(oracle, x, at: .shared(t))
      let diagonal = try GaussianOracle<Double>(
        process: process, mean: 0.5, deviation: 0.3, sampleShape: [3])
      try OracleChecks.derivativesAgree(diagonal, x, at: t)
    }
  }

  /// One dimension against the formula, at every time scale.
  @Test func oneDimensionInClosedForm() throws {
    for process in try standardProcesses() {
      let oracle = try GaussianOracle<Double>(
        process: process, mean: 0.5, deviation: 0.3, sampleShape: [1])
      for t in [1e-5, 0.01, 0.3, 1] {
        let kernel = process.marginal(at: t)
        let variance = kernel.alpha * kernel.alpha * 0.09 + kernel.sigma * kernel.sigma
        let residual = 0.8 - kernel.alpha * 0.5
        let x = Tensor<Double>([1, 1], [0.8])
        let noise = try oracle.noise(x, at: .shared(t))[0, 0]
        #expect(abs(noise / (kernel.sigma * residual / variance) - 1) < 1e-14)
        let density = try oracle.logDensity(x, at: .shared(t))[0]
        let expected = -0.5 * (residual * residual / variance + log(2 * .pi * variance))
        #expect(abs(density - expected) < 1e-13)
        let trace = try oracle.noiseAndTrace(x, at: .shared(t)).trace[0]
        #expect(abs(trace / (kernel.sigma / variance) - 1) < 1e-14)
      }
      let data = try oracle.logDataDensity(Tensor([1, 1], [0.8]))[0]
      #expect(abs(data + 0.2149657) < 1e-7)
    }
  }

  /// As t → 0, ε̂ goes to 0 with σ and stays finite at 0 itself.
  @Test func limitAtZero() throws {
    let oracle = try Self.full(try VariancePreserving())
    let x = RandomKey(4).normal([4, 3], of: Double.self)
    #expect(try oracle.noise(x, at: .shared(0)).scalars.allSatisfy { $0 == 0 })
    #expect(try oracle.noiseAndTrace(x, at: .shared(0)).trace == [0, 0, 0, 0])
    let (a, b) = (try oracle.logDensity(x, at: .shared(0)), try oracle.logDataDensity(x))
    #expect(a == b)
    let near = try oracle.score(x, at: .shared(1e-9))
    let further = try oracle.score(x, at: .shared(1e-8))
    for (p, q) in zip(near.scalars, further.scalars) { #expect(abs(p - q) < 1e-6 * (1 + abs(p))) }
  }

  /// At T under VP the marginal is the prior but for KL 1e-5, so ε̂ ≈ x.
  @Test func limitAtTheEnd() throws {
    let oracle = try Self.full(try VariancePreserving())
    let x = RandomKey(4).normal([4, 3], of: Double.self)
    let noise = try oracle.noise(x, at: .shared(1))
    for (a, b) in zip(noise.scalars, x.scalars) { #expect(abs(a - b) < 0.01) }
  }

  @Test func rowsAreIndependent() throws {
    let times = [0.9, 0.001, 0.3, 0.3, 0.5, 1, 0.02]
    for process in try standardProcesses() {
      let double = try Self.full(process)
      let single = try Self.full(process, as: Float.self)
      try OracleChecks.rowsAreIndependent(
        double, double.sample(7, key: RandomKey(2)), times: times)
      try OracleChecks.rowsAreIndependent(
        single, single.sample(7, key: RandomKey(2)), times: times)
    }
  }

  @Test func floatAgreesWithDouble() throws {
    let process = try SubVariancePreserving()
    let x = RandomKey(9).normal([6, 3], of: Float.self)
    try OracleChecks.floatAgrees(
      try Self.full(process, as: Float.self), try Self.full(process), x,
      at: .perSample([0.1, 0.2, 0.5, 0.7, 0.9, 1]))
  }

  /// Mean and covariance of 20,000 samples; each of the 9 numbers fails by chance once in 10⁷ runs.
  @Test func samplesHaveTheirMoments() throws {
    let count = 20_000
    let process = try VariancePreserving()
    let oracle = try Self.full(process)
    let kernel = process.marginal(at: 0.2)
    let cases = [
      (oracle.sample(count, key: RandomKey(3)), 1.0, 0.0),
      (oracle.sample(count, at: .shared(0.2), key: RandomKey(3)), kernel.alpha, kernel.sigma),
    ]
    for (sample, alpha, sigma) in cases {
      let x = sample.scalars
      for i in 0..<3 {
        let mean = (0..<count).reduce(0.0) { $0 + x[$1 * 3 + i] } / Double(count)
        let variance = alpha * alpha * Self.covariance[i][i] + sigma * sigma
        #expect(abs(mean - alpha * Self.mean[i]) < 5.33 * sqrt(variance / Double(count)))
        for j in 0...i {
          let product = (0..<count).reduce(0.0) {
            $0 + (x[$1 * 3 + i] - alpha * Self.mean[i]) * (x[$1 * 3 + j] - alpha * Self.mean[j])
          }
          let expected =
            alpha * alpha * Self.covariance[i][j] + (i == j ? sigma * sigma : 0)
          let other = alpha * alpha * Self.covariance[j][j] + sigma * sigma
          let error = sqrt((variance * other + expected * expected) / Double(count))
          #expect(abs(product / Double(count) - expected) < 5.33 * error)
        }
      }
    }
  }

  @Test func samplesDependOnKeyAndIndexAlone() throws {
    let oracle = try Self.full(try VarianceExploding(), as: Float.self)
    let all = oracle.sample(9, key: RandomKey(5))
    #expect(oracle.sample(3, key: RandomKey(5), samples: .consecutive(first: 4)) == all.rows(4..<7))
    #expect(oracle.sample(2, key: RandomKey(5), samples: .explicit([8, 1])) == all.rows([8, 1]))
    let noisy = oracle.sample(9, at: .shared(0.4), key: RandomKey(5))
    #expect(
      oracle.sample(2, at: .shared(0.4), key: RandomKey(5), samples: .explicit([3, 0]))
        == noisy.rows([3, 0]))
  }

  @Test func samplesMayHaveMoreAxes() throws {
    let process = try VariancePreserving()
    let flat = try GaussianOracle<Float>(
      process: process, mean: [1, 2, 3, 4],
      covariance: (0..<4).map { i in
        (0..<4).map { i == $0 ? 1 : 0.1 }
      })
    let image = try GaussianOracle<Float>(
      process: process, mean: [1, 2, 3, 4],
      covariance: (0..<4).map { i in
        (0..<4).map { i == $0 ? 1 : 0.1 }
      }, sampleShape: [1, 2, 2])
    let x = image.sample(3, key: RandomKey(1))
    #expect(x.shape == [3, 1, 2, 2])
    let noise = try image.noise(x, at: .shared(0.3))
    #expect(noise.shape == x.shape)
    #expect(
      try flat.noise(x.reshaped([3, 4]), at: .shared(0.3)) == noise.reshaped([3, 4]))
  }

  /// Views that divide by what is 0 there, or no number, say so.
  @Test func viewsNameTheTimesAtWhichTheyAreNone() throws {
    func oracle<Scalar: TensorScalar>(_ process: any LinearProcess) throws -> GaussianOracle<Scalar>
    {
      try GaussianOracle(process: process, mean: 0, deviation: 1, sampleShape: [2])
    }
    let vp: GaussianOracle<Double> = try oracle(VariancePreserving())
    let x = Tensor<Double>([2, 2], [0.1, 0.2, 0.3, 0.4])
    #expect(
      throws: ProcessError(
        "the score is −ε̂/σ, and σ is 0.0 at t = 0.0; expected a time at which it is a number above 0"
      )
    ) { try vp.score(x, at: .shared(0)) }
    #expect(throws: ProcessError.self) { try vp.score(x, at: .perSample([0.5, 0])) }
    #expect(throws: ProcessError.self) { try vp.denoised(x, at: .shared(.nan)) }
    #expect(try vp.denoised(x, at: .shared(0)) == x)
    let long = try OrnsteinUhlenbeck(rate: 5, deviation: 1, endTime: 400)
    let late: GaussianOracle<Double> = try oracle(long)
    #expect(throws: ProcessError.self) { try late.denoised(x, at: .shared(400)) }
    #expect(throws: ProcessError.self) { try late.velocity(x, at: .shared(400)) }
    #expect(try late.score(x, at: .shared(400)).isFinite)
    // In Float 1/α is not finite sooner.
    let single: GaussianOracle<Float> = try oracle(long)
    #expect(throws: ProcessError.self) { try single.denoised(Tensor<Float>(x), at: .shared(20)) }
    #expect(try late.denoised(x, at: .shared(20)).isFinite)
  }

  /// The moments of four points far from 0, by hand; a variance that is added makes room for entries that do not vary.
  @Test func dataGiveTheirMoments() throws {
    let vp = try VariancePreserving()
    let data = Tensor<Float>([4, 1, 2], [4097, 3, 4095, 1, 4097, 1, 4095, 3])
    let oracle = try GaussianOracle<Float>(process: vp, momentsOf: data, addedVariance: 0.5)
    #expect(oracle.mean == [4096, 2] && oracle.principalVariances == [1.5, 1.5])
    #expect(oracle.sampleShape == [1, 2])
    let skewed = try GaussianOracle<Double>(
      process: vp, momentsOf: Tensor([3, 2], [0, 0, 1, 2, 2, 1]))
    // The covariance is [[2, 1], [1, 2]]/3.
    let variances = skewed.principalVariances
    #expect(abs(variances[0] - 1.0 / 3) < 1e-12 && abs(variances[1] - 1) < 1e-12)
    for bad in [Tensor<Float>([0, 2]), Tensor<Float>([3]), data.map { _ in .nan }, 0 * data] {
      #expect(throws: ProcessError.self) {
        try GaussianOracle<Float>(process: vp, momentsOf: bad)
      }
    }
  }

  /// The axes of many entries take long: how far they are is told, and they can be stopped.
  @Test func theSearchForAxesIsReportedAndCanBeStopped() throws {
    let vp = try VariancePreserving()
    let data: Tensor<Float> = RandomKey(4).normal([80, 40])
    var parts: [Double] = []
    let watched = try GaussianOracle<Float>(process: vp, momentsOf: data) {
      parts.append($0)
      return true
    }
    #expect(parts.count > 80 && parts.first == 0 && parts == parts.sorted())
    #expect((parts.last ?? 2) <= 1)
    let alone = try GaussianOracle<Float>(process: vp, momentsOf: data)
    #expect(watched.principalVariances == alone.principalVariances)
    var calls = 0
    #expect(throws: ProcessError("the search for the axes of covariance was cancelled")) {
      try GaussianOracle<Float>(process: vp, momentsOf: data) { _ in
        calls += 1
        return calls < 7
      }
    }
    #expect(calls == 7)
  }

  @Test func refusesBadInput() throws {
    let vp = try VariancePreserving()
    func sentence(_ mean: [Double], _ covariance: [[Double]], _ shape: Shape? = nil) -> String {
      do {
        _ = try GaussianOracle<Float>(
          process: vp, mean: mean, covariance: covariance, sampleShape: shape)
        return "no error"
      } catch { return error.description }
    }
    #expect(sentence([], []) == "mean is empty; expected one number a dimension")
    #expect(sentence([.nan], [[1]]) == "mean[0] is nan; expected a finite number")
    #expect(
      sentence([0, 0], [[1, 0]])
        == "covariance has 1 rows; expected 2, the length of mean")
    #expect(
      sentence([0, 0], [[1, 0], [1]])
        == "covariance[1] has 1 entries; expected 2, the length of mean")
    #expect(
      sentence([0, 0], [[1, 0], [0, .infinity]])
        == "covariance[1][1] is inf; expected a finite number")
    #expect(
      sentence([0, 0], [[1, 0.5], [0.25, 1]])
        == "covariance[1][0] is 0.25 and covariance[0][1] is 0.5; expected a symmetric matrix")
    #expect(
      sentence([0, 0], [[1, 2], [2, 1]])
        == "covariance has the eigenvalue -1.0; expected a positive definite matrix")
    #expect(sentence([0, 0], [[1, 1], [1, 1]]).hasSuffix("expected a positive definite matrix"))
    #expect(
      sentence([0, 0], [[1, 0], [0, 0]])
        == "covariance has the eigenvalue 0.0; expected a positive definite matrix")
    #expect(
      sentence([0, 0], [[1, 0], [0, 1]], [3])
        == "the sample shape [3] has 3 entries; expected 2, the length of mean")
    #expect(throws: ProcessError.self) {
      try GaussianOracle<Float>(process: vp, mean: 0, deviation: 0, sampleShape: [2])
    }
    OracleChecks.refusesBadBatches(try Self.full(vp))
  }
}

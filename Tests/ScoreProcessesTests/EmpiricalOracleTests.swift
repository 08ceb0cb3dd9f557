import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// The field of a finite data set against finite differences and the mixture that it is.
@Suite struct EmpiricalOracleTests {
  static func data(_ count: Int, _ width: Int) -> Tensor<Double> {
    RandomKey(51).normal([count, width], of: Double.self)
  }

  static func oracle<Scalar: TensorScalar>(
    _ process: any LinearProcess, _ count: Int = 5, _ width: Int = 3, bandwidth: Double = 0,
    as type: Scalar.Type = Double.self
  ) throws -> EmpiricalOracle<Scalar> {
    try EmpiricalOracle(
      process: process, data: Tensor<Scalar>(data(count, width)), bandwidth: bandwidth)
  }

  @Test(arguments: [0.001, 0.05, 0.4, 1.0]) func derivativesAgree(_ t: Double) throws {
    for process in try standardProcesses() {
      for bandwidth in [0, 0.3] {
        let oracle = try Self.oracle(process, bandwidth: bandwidth)
        let x = oracle.sample(6, at: .shared(t), key: RandomKey(1))
        try OracleChecks.derivativesAgree(oracle, x, at: t, tolerance: 1e-7)
      }
    }
  }

  /// With a bandwidth it is the mixture of equal Gaussians around the data, over several chunks of data too.
  @Test(arguments: [7, 700]) func isTheMixture(_ count: Int) throws {
    let points = Self.data(count, 2)
    for process in try standardProcesses() {
      let empirical = try Self.oracle(process, count, 2, bandwidth: 0.2)
      let mixture = try MixtureOracle<Double>(
        process: process, weights: [Double](repeating: 1 / Double(count), count: count),
        means: (0..<count).map { points.row($0) },
        covariances: [[[Double]]](repeating: [[0.04, 0], [0, 0.04]], count: count))
      let x = empirical.sample(40, at: .shared(0.3), key: RandomKey(2))
      let times = Times.perSample((0..<40).map { 0.001 + Double($0) / 40 })
      let v = RandomKey(3).normal(x.shape, of: Double.self)
      let a = try empirical.noiseAndPullback(x, at: times, cotangent: v)
      let b = try mixture.noiseAndPullback(x, at: times, cotangent: v)
      #expect(MixtureOracleTests.distance(a.noise, b.noise) < 1e-9)
      #expect(MixtureOracleTests.distance(a.pullback, b.pullback) < 1e-8)
      let traces = (
        try empirical.noiseAndTrace(x, at: times).trace,
        try mixture.noiseAndTrace(x, at: times).trace
      )
      for (p, q) in zip(traces.0, traces.1) { #expect(abs(p - q) < 1e-8 * (1 + abs(q))) }
      let densities = (try empirical.logDensity(x, at: times), try mixture.logDensity(x, at: times))
      for (p, q) in zip(densities.0, densities.1) { #expect(abs(p - q) < 1e-9 * (1 + abs(q))) }
      let direct = (try empirical.logDataDensity(x), try mixture.logDataDensity(x))
      for (p, q) in zip(direct.0, direct.1) { #expect(abs(p - q) < 1e-9 * (1 + abs(q))) }
    }
  }

  /// As t → 0 a row near a datum sees that datum alone, with all its digits: ε̂ = (x − α xᵢ)/σ.
  @Test func nearTheData() throws {
    for process in try standardProcesses() {
      let oracle = try Self.oracle(process, 50, 4)
      let (kernel, points) = (process.marginal(at: 1e-5), Self.data(50, 4))
      let z = RandomKey(5).normal([50, 4], of: Double.self)
      let x = process.perturb(points, noise: z, at: .shared(1e-5))
      let noise = try oracle.noise(x, at: .shared(1e-5))
      for (p, q) in zip(noise.scalars, z.scalars) { #expect(abs(p - q) < 1e-14 / kernel.sigma) }
      let trace = try oracle.noiseAndTrace(x, at: .shared(1e-5)).trace
      for value in trace { #expect(abs(value * kernel.sigma / 4 - 1) < 1e-8) }
    }
  }

  @Test func rowsAreIndependent() throws {
    let times = (0..<35).map { 1e-4 + Double($0 * 11 % 35) / 35 }
    let process = try VariancePreserving()
    let double = try Self.oracle(process, 600, 3)
    let single = try Self.oracle(process, 600, 3, as: Float.self)
    try OracleChecks.rowsAreIndependent(
      double, double.sample(35, at: .perSample(times), key: RandomKey(2)), times: times)
    try OracleChecks.rowsAreIndependent(
      single, single.sample(35, at: .perSample(times), key: RandomKey(2)), times: times)
  }

  @Test func floatAgreesWithDouble() throws {
    let process = try VarianceExploding()
    let single = try Self.oracle(process, 20, 3, as: Float.self)
    let double = try EmpiricalOracle<Double>(
      process: process, data: Tensor<Double>(Tensor<Float>(Self.data(20, 3))))
    try OracleChecks.floatAgrees(
      single, double, RandomKey(9).normal([4, 3], of: Float.self),
      at: .perSample([0.1, 0.3, 0.6, 1]))
  }

  /// Samples are the data, in equal shares: of 20,000 draws each of 10 points fails by chance once in 10⁷ runs.
  @Test func samplesAreTheData() throws {
    let oracle = try Self.oracle(try VariancePreserving(), 10, 2)
    let points = Self.data(10, 2)
    let drawn = oracle.sample(20_000, key: RandomKey(4))
    var counts = [Int](repeating: 0, count: 10)
    for i in 0..<20_000 {
      let place = try #require((0..<10).first { points[$0, 0] == drawn[i, 0] })
      counts[place] += 1
    }
    for count in counts { #expect(abs(Double(count) - 2000) < 5.33 * (2000 * 0.9).squareRoot()) }
    #expect(
      oracle.sample(2, key: RandomKey(4), samples: .explicit([7, 3])) == drawn.rows([7, 3]))
  }

  @Test func refusesBadInput() throws {
    let vp = try VariancePreserving()
    #expect(
      throws: ProcessError(
        "the data have shape [0, 2]; expected [N] + sample shape with at least one sample")
    ) { try EmpiricalOracle<Float>(process: vp, data: Tensor([0, 2])) }
    #expect(
      throws: ProcessError("the data hold an entry that is not finite; expected finite numbers")
    ) { try EmpiricalOracle<Float>(process: vp, data: Tensor([1, 1], [.nan])) }
    #expect(
      throws: ProcessError("the bandwidth is -1.0; expected a finite number of at least 0")
    ) { try EmpiricalOracle<Float>(process: vp, data: Tensor([1, 1]), bandwidth: -1) }
    let points = try Self.oracle(vp)
    #expect(throws: ProcessError.self) { try points.noise(Tensor([1, 3]), at: .shared(0)) }
    #expect(throws: ProcessError.self) { try points.logDataDensity(Tensor([1, 3])) }
    let smooth = try Self.oracle(vp, bandwidth: 0.1)
    #expect(try smooth.noise(Tensor([1, 3]), at: .shared(0)).scalars == [0, 0, 0])
    OracleChecks.refusesBadBatches(smooth)
  }
}

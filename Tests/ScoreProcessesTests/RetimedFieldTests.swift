import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// A field of one process is that of every other with the same signal-to-noise ratios.
@Suite struct RetimedFieldTests {
  private func mixture(_ process: any LinearProcess) throws -> MixtureOracle<Double> {
    try MixtureOracle(
      process: process,
      parameters: MixtureParameters(
        weights: [0.5, 0.3, 0.2], means: [[0, 0], [-1, 1], [1, 0.5]],
        covariances: [
          [[0.3, 0.1], [0.1, 0.2]], [[0.1, 0], [0, 0.1]], [[0.2, -0.15], [-0.15, 0.4]],
        ]))
  }

  private static func targets() throws -> [any LinearProcess] {
    try LinearFamilyTests.family() + [
      try SubVariancePreserving(), try VarianceExploding(), try VariancePreserving(betaMax: 9),
    ]
  }

  /// The oracle of VP, re-timed, is the other process's own oracle: values, pullbacks and traces.
  @Test func anOracleReTimedIsTheOthersOracle() throws {
    let field = RetimedField(
      try mixture(try VariancePreserving()), onto: try ElucidatedDiffusion())
    #expect(field.exactTimes.lowerBound < 1e-12 && field.exactTimes.upperBound == 80)
    for process in try Self.targets() {
      let retimed = RetimedField(try mixture(try VariancePreserving()), onto: process)
      let own = try mixture(process)
      let (low, high) = (retimed.exactTimes.lowerBound, retimed.exactTimes.upperBound)
      let times = [1e-4, 0.01, 0.2, 0.5, 0.9, 1].map { max(low, $0 * high) }
      let x = own.sample(times.count, at: .perSample(times), key: RandomKey(3))
      let v = RandomKey(4).normal(x.shape, of: Double.self)
      let t = Times.perSample(times)
      let (a, b) = (
        try retimed.noiseAndPullback(x, at: t, cotangent: v),
        try own.noiseAndPullback(x, at: t, cotangent: v)
      )
      let (c, d) = (try retimed.noiseAndTrace(x, at: t), try own.noiseAndTrace(x, at: t))
      for i in 0..<times.count {
        // Derivatives grow like 1/σ.
        let sigma = process.marginal(at: times[i]).sigma
        for j in 0..<2 {
          #expect(abs(a.noise[i, j] - b.noise[i, j]) < 1e-10, "\(process.name), t = \(times[i])")
          #expect(sigma * abs(a.pullback[i, j] - b.pullback[i, j]) < 1e-10, "\(process.name)")
        }
        #expect(sigma * abs(c.trace[i] - d.trace[i]) < 1e-10, "\(process.name)")
        let one = try retimed.noise(x.rows(i..<i + 1), at: .shared(times[i]))
        #expect(one == a.noise.rows(i..<i + 1) && c.noise == a.noise)
      }
    }
  }

  /// Through any field, and there and back again.
  @Test func thereAndBack() throws {
    let vp = try VariancePreserving()
    let field: any DifferentiableScoreField<Double> = try mixture(vp)
    let back = field.retimed(onto: try RectifiedFlow()).retimed(onto: vp)
    let x = RandomKey(5).normal([4, 2], of: Double.self)
    for t in [0.01, 0.3, 0.9] {
      let (a, b) = (try field.noise(x, at: .shared(t)), try back.noise(x, at: .shared(t)))
      for (p, q) in zip(a.scalars, b.scalars) { #expect(abs(p - q) < 1e-11) }
    }
  }

  /// Past the noisiest time of the base, states are scaled to its end.
  @Test func beyondTheBase() throws {
    let base = try GaussianOracle<Double>(
      process: try VariancePreserving(betaMax: 4), mean: 0, deviation: 1, sampleShape: [1])
    let edm = try ElucidatedDiffusion()
    let field = RetimedField(base, onto: edm)
    #expect(field.exactTimes.upperBound < 3)
    // Noise of deviation 80 is nearly all noise: ε̂ ≈ x/σ.
    let found = try field.noise(Tensor([1, 1], [80]), at: .shared(80))[0, 0]
    let end = base.process.marginal(at: 1)
    #expect(abs(found - end.sigma * end.sigma) < 1e-12)
  }
}

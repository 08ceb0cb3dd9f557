import ScoreProcesses
import ScoreTensors
import Testing

/// Exact fields answer for the times of their process, 0 and T included, and for no others.
@Suite struct TimeRangeTests {
  private static let x = Tensor<Double>([2, 2], [0.1, -0.4, 1.2, 0.3])

  private static func oracles(
    _ process: any LinearProcess
  ) throws -> [any ScoreOracle<Double>] {
    [
      try GaussianOracle(process: process, mean: 0.5, deviation: 0.3, sampleShape: [2]),
      try MixtureOracle(
        process: process, weights: [0.4, 0.6], means: [[0, 1], [1, 0]],
        covariances: [[[1, 0.2], [0.2, 1]], [[0.5, 0], [0, 0.3]]]),
      try EmpiricalOracle(process: process, data: Tensor([2, 2], [0, 1, 1, 0]), bandwidth: 0.1),
    ]
  }

  private static func outside(_ end: Double) -> [Double] {
    [end.nextUp, 2 * end, -Double.leastNonzeroMagnitude, -1, .nan, .infinity, -.infinity]
  }

  private func isRefused(_ t: Double, _ end: Double, _ what: String, _ run: () throws -> Void) {
    let words = "the time is \(t); expected one from 0 to T = \(end), the process's end"
    #expect(throws: ProcessError(words), "\(what) at \(t)") { try run() }
  }

  /// Views of a field take one time, or one for each row.
  @Test func timesAreAsManyAsRows() throws {
    for oracle in try Self.oracles(VariancePreserving()) {
      for count in [0, 1, 3] {
        let times = Times.perSample([Double](repeating: 0.5, count: count))
        let error = ProcessError(
          "there are \(count) times for 2 rows; expected one of each, or one for all")
        #expect(throws: error) { try oracle.denoised(Self.x, at: times) }
        #expect(throws: error) { try oracle.score(Self.x, at: times) }
        #expect(throws: error) { try oracle.velocity(Self.x, at: times) }
      }
    }
  }

  @Test func oraclesRefuseOtherTimes() throws {
    for process in [try VariancePreserving(), try ElucidatedDiffusion()] as [any LinearProcess] {
      let end = process.endTime
      for oracle in try Self.oracles(process) {
        for t in Self.outside(end) {
          for times in [Times.shared(t), .perSample([0.5, t])] {
            isRefused(t, end, "noise") { _ = try oracle.noise(Self.x, at: times) }
            isRefused(t, end, "trace") { _ = try oracle.noiseAndTrace(Self.x, at: times) }
            isRefused(t, end, "pullback") {
              _ = try oracle.noiseAndPullback(Self.x, at: times, cotangent: Self.x)
            }
            isRefused(t, end, "log density") { _ = try oracle.logDensity(Self.x, at: times) }
          }
        }
        for t in [0, end] {
          #expect(try oracle.noise(Self.x, at: .shared(t)).isFinite)
          #expect(try oracle.noiseAndTrace(Self.x, at: .perSample([t, t])).noise.isFinite)
        }
      }
    }
  }

  /// The times of the field that is re-timed are held to its range, so that it would see nothing wrong.
  @Test func retimedFieldsRefuseOtherTimes() throws {
    let process = try ElucidatedDiffusion()
    for oracle in try Self.oracles(VariancePreserving()) {
      let field = oracle.retimed(onto: process)
      for t in Self.outside(process.endTime) {
        isRefused(t, process.endTime, "noise") { _ = try field.noise(Self.x, at: .shared(t)) }
        isRefused(t, process.endTime, "pullback") {
          _ = try field.noiseAndPullback(Self.x, at: .perSample([1, t]), cotangent: Self.x)
        }
      }
    }
  }

  @Test func phaseOraclesRefuseOtherTimes() throws {
    let process = try CriticallyDampedLangevin(endTime: 2)
    let field = try PhaseOracle<Double>(
      process: process, mean: [0, 1], covariance: [[1, 0], [0, 2]])
    let state = PhaseState(position: Self.x, velocity: Self.x)
    for t in Self.outside(2) {
      for times in [Times.shared(t), .perSample([0.5, t])] {
        isRefused(t, 2, "noise") { _ = try field.noise(state, at: times) }
        isRefused(t, 2, "log density") { _ = try field.logDensity(state, at: times) }
      }
    }
    #expect(try field.noise(state, at: .shared(2)).isFinite)
  }
}

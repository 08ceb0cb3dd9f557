import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Error budgets without an oracle, held to the oracle's.
@Suite struct ErrorBudgetTests {
  static func processes() throws -> [any LinearProcess] {
    [
      try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding(),
      try CustomProcess(
        name: "cosine", alpha: { cos(0.49 * .pi * $0) }, sigma: { sin(0.49 * .pi * $0) }),
      try ElucidatedDiffusion(), try RectifiedFlow(), try OrnsteinUhlenbeck(),
    ]
  }

  /// A mixture of 1 to 4 components in 1 to 16 dimensions, means of deviation 1, deviations from about 0.15 to 1.5.
  static func mixture(
    _ number: Int, _ process: any LinearProcess
  ) throws -> MixtureOracle<Double> {
    let key = RandomKey(77).folded(UInt64(number))
    let choices = key.folded("sizes").uniform([2, 1], of: Double.self)
    let dimensions = 1 + Int(16 * choices[0, 0])
    let count = 1 + Int(4 * choices[1, 0])
    let weights = key.folded("weights").uniform([count, 1], of: Double.self).scalars.map {
      $0 + 0.1
    }
    let means = key.folded("means").normal([count, dimensions], of: Double.self)
    let scales = key.folded("scales").uniform([count, 1], of: Double.self)
    let covariances = (0..<count).map { k in
      let a = key.folded("shapes").folded(UInt64(k)).normal(
        [dimensions, dimensions], of: Double.self)
      let square = a.matmul(a, transposeOther: true)
      let scale = 0.02 + 0.5 * scales[k, 0]
      return (0..<dimensions).map { i in
        (0..<dimensions).map {
          scale * (0.7 * square[i, $0] / Double(dimensions) + (i == $0 ? 0.3 : 0))
        }
      }
    }
    return try MixtureOracle(
      process: process, weights: weights.map { $0 / weights.reduce(0, +) },
      means: (0..<count).map { means.row($0) }, covariances: covariances)
  }

  /// How often |found − truth| exceeds three times the error, and the median of error over miss.
  private static func coverage(
    _ found: [Double], _ truth: [Double], _ errors: [Double]
  ) -> (misses: Int, ratios: [Double]) {
    let wrong = zip(found, truth).map { abs($0 - $1) }
    let ratios = zip(errors, wrong).map { $0 / max($1, 1e-300) }
    return (ratios.filter { !($0 >= 1.0 / 3) }.count, ratios)
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  /// 240 mixtures with two points each, one a draw and one off the data. Of 480 values at most 4 may lie outside value
  /// ± 3 × total; the seeds are fixed, so the test never fails by chance.
  @Test func trueDensitiesLieWithinThreeTotals() throws {
    var (plain, corrected) = ((misses: 0, ratios: [Double]()), (misses: 0, ratios: [Double]()))
    let processes = try Self.processes()
    for number in 0..<240 {
      let oracle = try Self.mixture(number, processes[number % processes.count])
      let x = Tensor.concatenated([
        oracle.sample(1, key: RandomKey(1)),
        RandomKey(UInt64(number)).normal(Shape([1] + oracle.sampleShape.extents)),
      ])
      let truth = try oracle.logDataDensity(x)
      let likelihood = try FlowLikelihood(oracle, divergence: .exact)
      let result = try likelihood.logDensity(of: x)
      let budget = try likelihood.budget(of: result, for: x)
      let a = Self.coverage(result.logDensity, truth, try #require(budget.total))
      let b = Self.coverage(
        budget.correctedLogDensity, truth, try #require(budget.correctedTotal))
      plain = (plain.misses + a.misses, plain.ratios + a.ratios)
      corrected = (corrected.misses + b.misses, corrected.ratios + b.ratios)
    }
    print(
      "of \(plain.ratios.count) log densities of 240 mixtures in 1 to 16 dimensions, outside value ± 3 × total:",
      "\(plain.misses), corrected \(corrected.misses);", "total over miss, median",
      Self.median(plain.ratios), "and", Self.median(corrected.ratios))
    #expect(plain.misses == 0 && corrected.misses == 0, "\(plain.misses), \(corrected.misses)")
    // Honest, and not idle: an error that is stated is within a factor of 100 of the miss, half of the time.
    #expect(Self.median(plain.ratios) < 100 && Self.median(corrected.ratios) < 100)
  }

  /// With four probes the standard errors themselves are rough; six samples learn from one another. In one to sixteen
  /// dimensions, so that signs often agree.
  @Test func withFewProbesTheyStillDo() throws {
    for divergence in [Divergence.hutchinson(probes: 4), .hutchPlusPlus(sketch: 2, probes: 4)] {
      var (misses, count) = (0, 0)
      let processes = try Self.processes()
      for number in 0..<64 {
        let oracle = try Self.mixture(number, processes[number % processes.count])
        let x = oracle.sample(6, key: RandomKey(2))
        let likelihood = try FlowLikelihood(
          oracle, divergence: divergence, method: .adaptive(rtol: 1e-4, atol: 1e-4))
        let key = RandomKey(UInt64(number))
        let result = try likelihood.logDensity(of: x, key: key)
        let budget = try likelihood.budget(of: result, for: x, key: key)
        count += 6
        misses +=
          Self.coverage(
            budget.correctedLogDensity, try oracle.logDataDensity(x),
            try #require(budget.correctedTotal)
          ).misses
      }
      print("of \(count) log densities by \(divergence), outside value ± 3 × total: \(misses)")
      #expect(misses <= 4, "\(divergence): \(misses) of \(count)")
    }
  }

  @Test func thePartsAreTheOracles() throws {
    for process in try Self.processes() {
      let oracle = try Self.mixture(3, process)
      let x = oracle.sample(10, key: RandomKey(5))
      let likelihood = try FlowLikelihood(
        oracle, divergence: .exact, method: .adaptive(rtol: 1e-9, atol: 1e-9))
      let result = try likelihood.logDensity(of: x)
      let exact = try likelihood.budget(of: result, for: x, by: oracle)
      let found = try likelihood.budget(of: result, for: x)
      let data = oracle.sample(4000, key: RandomKey(6))
      let byData = try likelihood.budget(of: result, for: x, endMarginal: .data(data))
      for row in 0..<10 {
        #expect(
          abs(found.truncation[row] - exact.truncation[row])
            < 2e-3 * abs(exact.truncation[row]) + 1e-9,
          "\(process.name): \(found.truncation[row]), \(exact.truncation[row])")
        #expect(
          abs(found.priorMismatch[row] - exact.priorMismatch[row])
            < 2e-4 * abs(exact.priorMismatch[row]) + 1e-6,
          "\(process.name): \(found.priorMismatch[row]), \(exact.priorMismatch[row])")
        // Five standard errors of the mean over the data: a false alarm in two millions.
        #expect(
          abs(byData.priorMismatch[row] - exact.priorMismatch[row])
            < 5 * byData.estimation[row] + 1e-9)
      }
    }
  }

  /// Where nothing of the data is left at T, α² is no number any more and the mismatch is 0 all the same.
  @Test func aPriorThatIsMetHasNoMismatch() throws {
    let process = try OrnsteinUhlenbeck(rate: 5, deviation: 1, endTime: 100)
    let oracle = try GaussianOracle<Double>(
      process: process, mean: 0.5, deviation: 0.3, sampleShape: [2])
    let x = oracle.sample(3, key: RandomKey(7))
    let likelihood = try FlowLikelihood(oracle, divergence: .exact)
    let budget = try likelihood.budget(of: likelihood.logDensity(of: x), for: x)
    #expect(budget.priorMismatch.allSatisfy { abs($0) < 1e-12 })
    #expect(budget.total?.allSatisfy { $0 < 0.01 } == true)
  }

  @Test func fixedStepsTakeTheirErrorFromTwiceAsMany() throws {
    let oracle = try GaussianDensityTests.oracle(try VariancePreserving(), Double.self)
    let x = Tensor<Double>([1, 1], [0.8])
    let likelihood = try FlowLikelihood(
      oracle, divergence: .exact, method: .fixed(.rk4, steps: 200), epsilon: 0.1)
    let result = try likelihood.logDensity(of: x)
    let fine = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-13, atol: 1e-13), epsilon: 0.1
    ).logDensity(of: x)
    let budget = try likelihood.budget(of: result, for: x)
    let error = abs(result.logDensity[0] - fine.logDensity[0])
    #expect(abs(budget.solver[0] / error - 1) < 0.1, "\(budget.solver[0]), \(error)")
  }

  /// On a field with ripples in log t, local errors fall short; 32 pilots bound what the others are off by.
  /// A pilot's error may be exceeded by one in 33 of the others, five of 168; the seeds are fixed.
  @Test func pilotsShowTheErrorThatLocalOnesHide() throws {
    let field = RippledField(
      oracle: try MixtureDensityTests.oracle(try OrnsteinUhlenbeck(), Double.self))
    let x = field.oracle.sample(200, key: RandomKey(3))
    let likelihood = try FlowLikelihood(field, divergence: .exact)
    let result = try likelihood.logDensity(of: x)
    let fine = try FlowLikelihood(
      field, divergence: .exact, method: .adaptive(rtol: 1e-10, atol: 1e-10)
    ).logDensity(of: x).logDensity
    let errors = zip(result.logDensity, fine).map { abs($0 - $1) }
    func misses(pilots: Int) throws -> Int {
      let found = try likelihood.budget(of: result, for: x, pilots: pilots).solver
      return zip(found, errors).filter { $0 < $1 }.count
    }
    let counts = try [0, 32, 200].map(misses)
    print(
      "of 200 log densities on a rippled field off by more, with 0, 32 and 200 pilots: \(counts)")
    #expect(counts[0] > 100 && counts[1] <= 12 && counts[2] <= 4, "\(counts)")
    // A bound, and not an idle one.
    let found = try likelihood.budget(of: result, for: x).solver
    #expect(Self.median(zip(found, errors).map { $0 / $1 }) < 20)
  }

  /// Of a field that is no score of its flow's densities the equation's truncation is mostly the square of its error; pilots say
  /// what is not there. Those of a true score change nothing.
  @Test func truncationOfAFieldThatIsNoScoreIsThatOfSolves() throws {
    for process in [try VariancePreserving(), try RectifiedFlow()] as [any LinearProcess] {
      let oracle = try MixtureDensityTests.oracle(process, Double.self)
      let x = oracle.sample(60, key: RandomKey(3))
      let method = FlowMethod.adaptive(rtol: 1e-9, atol: 1e-9)
      func likelihood(
        _ field: some DifferentiableScoreField<Double>, _ epsilon: Double? = nil
      ) throws -> FlowLikelihood<Double> {
        try FlowLikelihood(field, divergence: .exact, method: method, epsilon: epsilon)
      }
      let field = RippledField(oracle: oracle, size: 0.1, turns: 0, waves: 1)
      let own = try likelihood(field)
      let result = try own.logDensity(of: x)
      let closer = try likelihood(field, own.epsilon * 1e-3).logDensity(of: x).logDensity
      let truth = zip(result.logDensity, closer).map { $0 - $1 }
      let held = try own.budget(of: result, for: x)
      let alone = try own.budget(of: result, for: x, pilots: 0)
      func misses(_ budget: ErrorBudget) -> Int {
        truth.indices.count {
          abs(budget.truncation[$0] - truth[$0]) > 3 * budget.estimation[$0] + 1e-6
        }
      }
      func miss(_ budget: ErrorBudget) -> Double {
        truth.indices.reduce(0) { $0 + abs(budget.truncation[$1] - truth[$1]) } / 60
      }
      print(
        "truncation of a field that is no score under \(process.name), off by \(miss(alone)) by the equation, \(miss(held)) with pilots; beyond three errors \(misses(alone)) and \(misses(held)) of 60"
      )
      #expect(misses(held) <= 1)
      #expect(miss(held) < 0.2 * miss(alone))
      let exact = try likelihood(oracle)
      let scored = try exact.logDensity(of: x)
      let truncation = try exact.budget(of: scored, for: x).truncation
      #expect(try truncation == exact.budget(of: scored, for: x, pilots: 0).truncation)
    }
  }

  /// By hand: estimates of 1 and 2 where solves have a half of them leave nothing; where they have 0.5 and 0.6, the share is
  /// 1.7/5, and 0.16 and −0.08 are left.
  @Test func sharesAreThoseReckonedByHand() {
    func held(_ found: [Double], error: Double) -> HeldTruncation {
      HeldTruncation(
        zip(found, [1.0, 2]).map { .init(found: $0, estimate: $1, error: error) })
    }
    let half = held([0.5, 1], error: 1e-3)
    #expect(half.share == 0.5 && half.rest == 0)
    let other = held([0.5, 0.6], error: 1e-3)
    #expect(abs(other.share - 0.34) < 1e-15)
    #expect(abs(other.rest - ((0.16 * 0.16 + 0.08 * 0.08) / 2).squareRoot()) < 1e-15)
    #expect(held([-1, -2], error: 0).share == 0 && held([2, 4], error: 0).share == 1)
    let close = held([0.5, 1], error: 0.8)
    #expect(close.share == 1 && close.rest == 0)
    #expect(HeldTruncation([]).share == 1)
  }

  @Test func pilotsAreOfTheResultsOwnSamplesAndProbes() throws {
    let oracle = try Self.mixture(8, try VariancePreserving())
    let x = oracle.sample(9, key: RandomKey(3))
    let likelihood = try FlowLikelihood(
      oracle, divergence: .hutchinson(probes: 8), method: .adaptive(rtol: 1e-4, atol: 1e-4))
    let result = try likelihood.logDensity(of: x, key: RandomKey(5), first: 100)
    let finer = try FlowLikelihood(
      oracle, divergence: .hutchinson(probes: 8), method: .adaptive(rtol: 1e-5, atol: 1e-5)
    ).logDensity(of: x, key: RandomKey(5), first: 100)
    let local = try #require(result.solverError)
    let mean = local.reduce(0, +) / 9
    let factor = try #require(
      (0..<9).map {
        abs(result.logDensity[$0] - finer.logDensity[$0]) / (local[$0] + mean)
      }.max())
    let found = try likelihood.budget(of: result, for: x, key: RandomKey(5), first: 100).solver
    for row in 0..<9 {
      let expected = max(3 * local[row], factor * (local[row] + mean))
      #expect(abs(found[row] - expected) < 1e-12 * expected)
    }
    let alone = try likelihood.budget(
      of: result, for: x, key: RandomKey(5), first: 100, pilots: 0
    ).solver
    #expect(alone == local.map { 3 * $0 })
    #expect(throws: SamplingError.self) {
      try likelihood.budget(of: result, for: x, pilots: -1)
    }
    // A second solve that is stopped tells nothing.
    let stopped = try likelihood.budget(of: result, for: x, progress: { _ in false }).solver
    #expect(stopped.allSatisfy { $0 == .infinity })
  }

  @Test func aSingleProbeLeavesTheTotalOpen() throws {
    let oracle = try MixtureDensityTests.oracle(try VariancePreserving(), Double.self)
    let x = oracle.sample(2, key: RandomKey(1))
    let likelihood = try FlowLikelihood(oracle)
    let result = try likelihood.logDensity(of: x)
    let budget = try likelihood.budget(of: result, for: x)
    #expect(budget.total == nil && budget.correctedTotal == nil && budget.probes == nil)
    #expect(throws: SamplingError.self) { try likelihood.budget(of: result, for: x.rows(0..<1)) }
    #expect(throws: SamplingError.self) {
      try likelihood.budget(of: result, for: x, endMarginal: .data(x.rows(0..<1)))
    }
    #expect(throws: SamplingError.self) {
      try likelihood.budget(of: result, for: x.rows(0..<1), by: oracle)
    }
  }

  /// Four signs of a sample may all agree, and those of a few samples too; over many they do not.
  @Test func signsThatMayAllAgreeLeaveTheTotalOpen() throws {
    let oracle = try MixtureDensityTests.oracle(try VariancePreserving(), Double.self)
    #expect(oracle.sampleShape == [2])
    for (divergence, count, isKnown) in [
      (Divergence.hutchinson(probes: 4), 5, false), (.hutchinson(probes: 4), 6, true),
      (.hutchinson(probes: 16), 1, false), (.hutchinson(probes: 17), 1, true),
      (.hutchPlusPlus(sketch: 1, probes: 4), 5, false),
      (.hutchPlusPlus(sketch: 1, probes: 4), 6, true),
      (.hutchPlusPlus(sketch: 2, probes: 2), 1, true), (.hutchinson(.gaussian, probes: 4), 1, true),
      (.hutchinson(.sphere, probes: 2), 1, true), (.exact, 1, true),
    ] {
      let x = oracle.sample(count, key: RandomKey(1))
      let likelihood = try FlowLikelihood(
        oracle, divergence: divergence, method: .adaptive(rtol: 1e-3, atol: 1e-3))
      let result = try likelihood.logDensity(of: x)
      let budget = try likelihood.budget(of: result, for: x)
      #expect((budget.total != nil) == isKnown, "\(divergence), \(count)")
      #expect((budget.correctedTotal != nil) == isKnown && (budget.probes != nil) == isKnown)
    }
    // In one dimension a sign is exact.
    let line = try GaussianDensityTests.oracle(try VariancePreserving(), Double.self)
    let point = Tensor<Double>([1, 1], [0.4])
    let likelihood = try FlowLikelihood(line, divergence: .hutchinson(probes: 2))
    #expect(
      try likelihood.budget(of: try likelihood.logDensity(of: point), for: point).total != nil)
  }

  /// Of entries that move together many signs give one value: (Σv)² takes six in ten dimensions. What a sample's own probes do
  /// not show those of the others do.
  @Test func probesLearnFromOneAnother() throws {
    for (dimensions, probes) in [(5, 4), (10, 2), (20, 2)] {
      let oracle = try GaussianOracle<Double>(
        process: VariancePreserving(), mean: [Double](repeating: 0, count: dimensions),
        covariance: (0..<dimensions).map { i in
          (0..<dimensions).map { i == $0 ? 1 : 0.8 }
        })
      let x = oracle.sample(300, key: RandomKey(4))
      let likelihood = try FlowLikelihood(
        oracle, divergence: .hutchinson(probes: probes), method: .adaptive(rtol: 1e-4, atol: 1e-4))
      let result = try likelihood.logDensity(of: x, key: RandomKey(5))
      let budget = try likelihood.budget(of: result, for: x, key: RandomKey(5))
      let truth = try oracle.logDataDensity(x)
      let own = try #require(budget.probes)
      let alone = Self.coverage(
        budget.correctedLogDensity, truth,
        own.map { $0 * studentWidening(probes - 1) + 1e-3 })
      let together = Self.coverage(
        budget.correctedLogDensity, truth, try #require(budget.correctedTotal))
      let errors = zip(budget.correctedLogDensity, truth).map { $0 - $1 }
      let rms = (errors.reduce(0) { $0 + $1 * $1 } / 300).squareRoot()
      let stated = try #require(budget.widenedProbes)
      let mean = stated.reduce(0, +) / 300
      print(
        "\(dimensions) dimensions that move together, \(probes) probes: of 300 outside three totals \(together.misses), by own errors \(alone.misses); errors \(rms), stated \(mean)"
      )
      #expect(alone.misses > 15 && together.misses <= 1)
      // And the errors that are stated are of the size of those that are made.
      #expect(mean > rms && mean < 3 * rms)
    }
  }

  @Test func fewDegreesOfFreedomAreWidened() {
    // Student's quantiles at the level of 3 standard deviations, over 3.
    for (freedom, expected, tolerance) in [
      (1, 78.6005, 1e-4), (2, 6.4023, 1e-3), (3, 3.0728, 0.04), (5, 1.8356, 0.01),
      (7, 1.5102, 0.002), (15, 1.1955, 1e-3), (63, 1.0412, 1e-3),
    ] {
      #expect(
        abs(studentWidening(freedom) / expected - 1) < tolerance,
        "\(freedom): \(studentWidening(freedom))")
    }
  }
}

/// A mixture's field with ripples, as networks have them whose features are those of log t: steps jump over some.
struct RippledField: DifferentiableScoreField {
  let oracle: MixtureOracle<Double>
  var size = 0.03
  var turns = 2.0
  var waves = 10.0
  var process: any LinearProcess { oracle.process }
  var sampleShape: Shape { oracle.sampleShape }

  /// size sin(turns log t + waves x), and its derivative in x.
  private func ripple(_ t: Times, _ row: Int, _ x: Double) -> (value: Double, slope: Double) {
    let phase = turns * log(t[row]) + waves * x
    return (size * sin(phase), waves * size * cos(phase))
  }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    var noise = try oracle.noise(x, at: t)
    for row in 0..<x.rows {
      for j in 0..<x.shape.rowCount { noise[row, j] += ripple(t, row, x[row, j]).value }
    }
    return noise
  }

  func noiseAndPullback(
    _ x: Tensor<Double>, at t: Times, cotangent v: Tensor<Double>
  ) throws -> (noise: Tensor<Double>, pullback: Tensor<Double>) {
    var pullback = try oracle.noiseAndPullback(x, at: t, cotangent: v).pullback
    for row in 0..<x.rows {
      for j in 0..<x.shape.rowCount {
        pullback[row, j] += ripple(t, row, x[row, j]).slope * v[row, j]
      }
    }
    return (try noise(x, at: t), pullback)
  }
}

import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct CalibrationTests {
  /// True values N(μ_i, 1) of rows with means far apart, and m draws N(μ_i + shift, deviation²) for each.
  private static func rows(
    _ n: Int, draws m: Int, shift: Double = 0, deviation: Double = 1, key: RandomKey
  ) -> (truths: Tensor<Double>, draws: Tensor<Double>) {
    let means = (0..<n).map { 100 * sin(Double($0)) }
    let truths = normal(n, mean: [0], deviation: [1], key: key.folded("truths"))
    let draws = normal(n * m, mean: [shift], deviation: [deviation], key: key.folded("draws"))
    return (
      Tensor([n, 1], truths.scalars.enumerated().map { means[$0] + $1 }),
      Tensor([n * m, 1], draws.scalars.enumerated().map { means[$0 / m] + $1 })
    )
  }

  /// The share of N(0, 1) below z.
  private static func normalShare(_ z: Double) -> Double { 0.5 * erfc(-z * 0.5.squareRoot()) }

  /// Where densities are right, p values are even: their mean over 200 trials is within 5 standard errors of ½, and so is the
  /// share below 0.1. A false alarm in 10⁶ each.
  @Test func ranksOfRightDensitiesAreEven() throws {
    let values = try (0..<200).map { trial -> Double in
      let (truths, draws) = Self.rows(200, draws: 19, key: RandomKey(1).folded(UInt64(trial)))
      return try Calibration(of: truths, among: draws).evenness(of: 0)
    }
    let mean = values.reduce(0, +) / 200
    #expect(abs(mean - 0.5) < 5 / (12.0 * 200).squareRoot(), "\(mean)")
    let low = Double(values.count { $0 < 0.1 }) / 200
    #expect(abs(low - 0.1) < 5 * (0.09 / 200).squareRoot(), "\(low)")
  }

  /// Draws of another mean or deviation have ranks whose law is known for many draws: coverages from Φ, and p values near 0.
  /// False alarms: 5 standard errors, 6e-7 each.
  @Test(arguments: [(0.0, 0.7), (0.0, 1.5), (0.6, 1.0)])
  func coveragesOfWrongDensitiesAreTheClosedForm(shift: Double, deviation: Double) throws {
    let n = 2000
    let (truths, draws) = Self.rows(
      n, draws: 399, shift: shift, deviation: deviation, key: RandomKey(2))
    let calibration = try Calibration(of: truths, among: draws)
    #expect(calibration.evenness(of: 0) < 1e-6)
    for (level, z) in [(0.5, 0.67449), (0.8, 1.28155), (0.95, 1.95996)] {
      let coverage = calibration.coverage(of: 0, level: level)
      #expect(coverage.nominal == level)
      let share =
        Self.normalShare(shift + deviation * z) - Self.normalShare(shift - deviation * z)
      let error = (share * (1 - share) / Double(n)).squareRoot()
      // The quantiles of 399 draws are off by some hundredths of a deviation, which adds up to little.
      #expect(abs(coverage.found.value - share) < 5 * error + 0.005, "\(level)")
    }
  }

  @Test func ranksCountDrawsAndTiesAreEven() throws {
    let calibration = try Calibration(
      of: Tensor<Float>([2, 2], [0.5, 3, 2, -1]),
      among: Tensor<Float>([6, 2], [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 3, 3]))
    #expect(calibration.draws == 3 && calibration.count == 2)
    #expect(calibration.ranks == [[1, 2], [3, 0]])
    // A hundred rows of nothing but ties have every rank about as often: 5 standard errors, 6e-7 each.
    let tied = try Calibration(
      of: Tensor<Double>([2000, 1]), among: Tensor<Double>([6000, 1]), key: RandomKey(4))
    for rank in 0...3 {
      let share = Double(tied.ranks[0].count { $0 == rank }) / 2000
      #expect(abs(share - 0.25) < 5 * (0.1875 / 2000).squareRoot())
    }
  }

  @Test func binsShareRanksAndCoveragesKnowTheirNominal() throws {
    let (truths, draws) = Self.rows(60, draws: 9, key: RandomKey(5))
    let calibration = try Calibration(of: truths, among: draws)
    let (counts, expected) = calibration.histogram(of: 0, bins: 4)
    // Ten ranks in four bins: 3, 2, 3 and 2 of them.
    #expect(expected == [18, 12, 18, 12])
    #expect(counts.reduce(0, +) == 60)
    #expect(calibration.coverage(of: 0, level: 0.5).nominal == 0.4)
    #expect(calibration.coverage(of: 0, level: 0.8).nominal == 0.8)
    #expect(calibration.coverage(of: 0, level: 0.99).nominal == 0.8)
    #expect(calibration.coverage(of: 0, level: 0.01).nominal == 1 - 8.0 / 10)
    #expect(calibration.usualBins == 6)
    // Of ten rows a bin there are twenty bins at most.
    let (many, drawsOfMany) = Self.rows(300, draws: 29, key: RandomKey(5))
    #expect(try Calibration(of: many, among: drawsOfMany).usualBins == 20)
  }

  /// Ranks by hand: four rows of three draws, and twenty of which five have all draws below.
  @Test func coverageAndEvennessAreThoseReckonedByHand() throws {
    let four = try Calibration(
      of: Tensor<Double>([4, 1], [0, 1, 2, 3]),
      among: Tensor<Double>([12, 1], (0..<12).map { Double($0 % 3) + 0.5 }))
    #expect(four.ranks == [[0, 1, 2, 3]])
    let coverage = four.coverage(of: 0, level: 0.5)
    #expect(coverage.nominal == 0.5 && coverage.found == Estimate(0.5, standardError: 0.25))
    #expect(four.evenness(of: 0) == 1)
    // Two bins of ten expected ranks each, with 15 and 5: χ² is 5, of one degree.
    let twenty = try Calibration(
      of: Tensor<Double>([20, 1], (0..<20).map { $0 < 5 ? 9 : 0 }),
      among: Tensor<Double>([60, 1], (0..<60).map { Double($0 % 3) + 0.5 }))
    #expect(twenty.usualBins == 2)
    #expect(twenty.histogram(of: 0, bins: 2).counts == [15, 5])
    #expect(abs(twenty.evenness(of: 0) - erfc(2.5.squareRoot())) < 1e-12)
  }

  /// Values of χ² tables, and the closed forms of 1 and 2 degrees.
  @Test func theSharesOfChiSquaredAreTheTables() {
    for (value, degrees, share) in [
      (16.918977604620448, 9, 0.05), (30.14352720564616, 19, 0.05), (36.19086912927004, 19, 0.01),
      (10.117013063859044, 19, 0.95),
    ] {
      #expect(abs(ChiSquared.share(above: value, degrees: degrees) / share - 1) < 1e-9)
    }
    for x in [1e-3, 0.5, 2, 4, 9, 40, 300] {
      let two = ChiSquared.share(above: x, degrees: 2)
      #expect(abs(two / exp(-x / 2) - 1) < 1e-12, "\(x)")
      let one = ChiSquared.share(above: x, degrees: 1)
      #expect(abs(one / erfc((x / 2).squareRoot()) - 1) < 1e-12, "\(x)")
    }
    #expect(ChiSquared.share(above: 0, degrees: 5) == 1)
  }

  /// The score of N(μ, s²) for N(0, 1), without bias for three draws: E|X − y| − ½ E|X − X′|, of normal differences.
  @Test(arguments: [(0.0, 1.0), (0.8, 1.0), (0.0, 2.0)])
  func rankedProbabilityScoresOfNormalsAreTheClosedForm(shift: Double, deviation: Double) {
    let spread = (1 + deviation * deviation).squareRoot()
    let expected =
      DistanceTests.meanMagnitude(shift, spread)
      - 0.5 * DistanceTests.meanMagnitude(0, deviation * 2.squareRoot())
    let (mean, width) = calibration(trials: 200, expected: expected) { key in
      let (truths, draws) = Self.rows(
        100, draws: 3, shift: shift, deviation: deviation, key: key)
      return Metrics.rankedProbabilityScores(of: truths, among: draws)[0]
    }
    // 200 trials: within ±0.3 and 0.8 … 1.25 but once in 10,000 runs.
    #expect(abs(mean) < 0.3 && 0.8...1.25 ~= width, "\(mean), \(width)")
  }

  @Test func scoresOfOneColumnAreEnergyScores() {
    let (truths, draws) = Self.rows(40, draws: 7, key: RandomKey(6))
    let ranked = Metrics.rankedProbabilityScores(of: truths, among: draws)[0]
    let energy = Metrics.energyScore(of: truths, among: draws)
    #expect(abs(ranked.value - energy.value) < 1e-12)
    #expect(abs(ranked.standardError - energy.standardError) < 1e-12)
  }

  /// Two columns that are equal are told from two that are not by the energy score alone.
  @Test func energyScoresSeeHowColumnsHangTogether() {
    let (n, m) = (400, 20)
    func rows(_ count: Int, equal: Bool, _ key: RandomKey) -> Tensor<Double> {
      let values = normal(count, mean: [0, 0], deviation: [1, 1], key: key)
      return Tensor(
        [count, 2], (0..<2 * count).map { values.scalars[equal ? $0 - $0 % 2 : $0] })
    }
    let truths = rows(n, equal: true, RandomKey(7))
    let right = Metrics.energyScore(of: truths, among: rows(n * m, equal: true, RandomKey(8)))
    let wrong = Metrics.energyScore(of: truths, among: rows(n * m, equal: false, RandomKey(9)))
    // E|X − y| − ½ E|X − X′| with |X − y| = √2 |N(0, 2)| for equal columns: √2 · 2/√π · ½.
    #expect(abs(right.deviation(from: (2 / Double.pi).squareRoot())) < 5)
    #expect(wrong.value > right.value + 2 * right.standardError)
  }

  /// Of 0, 1 and 3 each is scored by the other two: 1, 0 and 2.
  @Test func rowsAreNotScoredByThemselves() {
    let score = Metrics.rankedProbabilityScores(
      ofTruthsAlone: Tensor<Double>([3, 1], [0, 1, 3]))[0]
    #expect(abs(score.value - 1) < 1e-12 && abs(score.standardError - 1 / 3.0.squareRoot()) < 1e-12)
  }

  /// What the other rows say of a row: √(2/π)·√2·½ deviations for normal rows, five standard errors, 6e-7.
  @Test func rowsAloneScoreTheirSpread() {
    let truths = normal(3000, mean: [5, -1], deviation: [2, 0.5], key: RandomKey(10))
    let scores = Metrics.rankedProbabilityScores(ofTruthsAlone: truths)
    for (score, deviation) in zip(scores, [2, 0.5]) {
      #expect(abs(score.deviation(from: deviation / Double.pi.squareRoot())) < 5)
    }
  }
}

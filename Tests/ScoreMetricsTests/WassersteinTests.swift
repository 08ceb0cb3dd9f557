import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct WassersteinTests {
  func distance(_ x: [Double], _ y: [Double], _ order: Int) -> Double {
    Metrics.wasserstein(x, y, order: order, replicates: 2).value
  }

  @Test func smallSetsHaveTheirExactDistances() {
    #expect(distance([3, 1, 2], [2, 1, 3], 1) == 0)
    #expect(
      distance([0, 1], [5, 2], 1) == 3 && distance([0, 1], [5, 2], 2) == 10.0.squareRoot())
    // Sets of different sizes: one third of the mass moves by 0, 1, 2 … from 0 to (0, 1, 2).
    #expect(abs(distance([0], [2, 0, 1], 1) - 1) < 1e-15)
    // Two against three: sixths of the mass, 0→0, 0→0, 0→6, 6→6, 6→9, 6→9.
    #expect(abs(distance([0, 6], [0, 6, 9], 1) - (6 + 3 + 3) / 6.0) < 1e-15)
    // A sample counted twice changes nothing.
    #expect(distance([1, 4, 1, 4], [1, 4], 2) == 0)
  }

  @Test func shiftsAndScalesHaveTheirClosedForms() {
    let x: [Double] = (RandomKey(1).normal([501]) as Tensor<Double>).scalars
    let meanSquare = x.reduce(0) { $0 + $1 * $1 } / 501
    #expect(abs(distance(x, x.map { $0 + 0.7 }, 1) - 0.7) < 1e-12)
    #expect(abs(distance(x, x.map { $0 - 0.7 }, 2) - 0.7) < 1e-12)
    #expect(abs(distance(x, x.map { 3 * $0 }, 2) - 2 * meanSquare.squareRoot()) < 1e-12)
  }

  @Test func theErrorIsThatOfRepeatedSamples() {
    // W₁ between N(0, 1) and N(1, 1) is 1, between N(0, 1) and N(1, 2²) in order 2 it is √2.
    for (order, scale, expected) in [(1, 1.0, 1.0), (2, 2.0, 2.0.squareRoot())] {
      let (mean, deviation) = calibration(trials: 150, expected: expected) { key in
        Metrics.wasserstein(
          normal(300, mean: [0], deviation: [1], key: key.folded("x")).scalars,
          normal(200, mean: [1], deviation: [scale], key: key.folded("y")).scalars, order: order,
          replicates: 60, key: key)
      }
      #expect(abs(mean) < 0.5 && 0.75...1.3 ~= deviation, "\(order): \(mean), \(deviation)")
    }
  }

  @Test func slicesOfAShiftMeasureItsLength() {
    // Along a unit vector θ, a shift c costs (θ·c)², whose mean over directions is |c|² / d: ±4 errors over directions.
    let x: Tensor<Float> = RandomKey(3).normal([200, 4, 2])
    let y = x.map { $0 + 0.5 }
    let estimate = Metrics.slicedWasserstein(x, y, directions: 400, replicates: 2)
    let alone = Metrics.slicedWasserstein(x, x, directions: 4, replicates: 2)
    #expect(alone.value < 1e-6)
    // |c|² = 8 · 0.25 and d = 8; (θ·c)² has relative variance (2 d − 2)/(d + 2) over directions.
    let spread = 0.25 * (14.0 / 10 / 400).squareRoot()
    #expect(abs(estimate.value * estimate.value - 0.25) < 4 * spread)
  }

  /// One sample a side has an error of its directions alone: (θ·c)² is |c|² cos² of an even angle, of mean |c|²/2 and variance
  /// |c|⁴/8, so that the root of a mean over N is off by |c|/(4 √N). The spread found among 20,000 is off by less than 2 %.
  @Test func theErrorOfDirectionsIsTheClosedForm() {
    let estimate = Metrics.slicedWasserstein(
      Tensor<Double>([1, 2], [0, 0]), Tensor<Double>([1, 2], [3, 4]), directions: 20_000,
      replicates: 2)
    #expect(abs(estimate.standardError / (5 / (4 * 20_000.0.squareRoot())) - 1) < 0.02)
  }

  @Test func slicesOfNormalsAgreeWithTheClosedForm() {
    // Isotropic normals: W₂² is (θ·δ)² + (s₁ − s₂)² along each direction.
    let dimension = 5
    let shift = [Double](repeating: 0.6, count: dimension)
    let expected = (0.36 + 0.49).squareRoot()
    let (mean, deviation) = calibration(trials: 60, expected: expected) { key in
      Metrics.slicedWasserstein(
        normal(
          400, mean: [Double](repeating: 0, count: dimension),
          deviation: [Double](repeating: 1, count: dimension), key: key.folded("x")),
        normal(
          300, mean: shift, deviation: [Double](repeating: 1.7, count: dimension),
          key: key.folded("y")), directions: 40, replicates: 20, key: key)
    }
    // 60 trials: the deviation is within 0.65 … 1.4 but once in 10,000 runs; the bias of finite sets shows in the mean.
    #expect(abs(mean) < 0.7 && 0.65...1.4 ~= deviation, "\(mean), \(deviation)")
  }

  @Test func resultsAreTheSameForTheSameKey() {
    let x: Tensor<Float> = RandomKey(3).normal([50, 3])
    let y: Tensor<Float> = RandomKey(4).normal([60, 3])
    #expect(Metrics.slicedWasserstein(x, y) == Metrics.slicedWasserstein(x, y))
    #expect(Metrics.slicedWasserstein(x, y) != Metrics.slicedWasserstein(x, y, key: RandomKey(1)))
  }

  @Test func theAreaUnderTheCurveCountsPairs() {
    let perfect = Metrics.areaUnderROC(positives: [3, 4], negatives: [1, 2])
    #expect(perfect.value == 1 && perfect.standardError == 0)
    // Pairs: 2>1, 2=2, 2<3, 5>1, 5>2, 5>3: (4 + ½) / 6.
    let mixed = Metrics.areaUnderROC(positives: [2, 5], negatives: [1, 2, 3])
    #expect(abs(mixed.value - 4.5 / 6) < 1e-15)
    #expect(Metrics.areaUnderROC(positives: [3, .nan, 4, 5], negatives: [1, 2]).value.isNaN)
    // Two normals at distance δ: Φ(δ / √2).
    let expected = 0.5 * (1 + erf(1.2 / 2))
    let (mean, deviation) = calibration(trials: 200, expected: expected) { key in
      Metrics.areaUnderROC(
        positives: normal(60, mean: [1.2], deviation: [1], key: key.folded("x")).scalars,
        negatives: normal(80, mean: [0], deviation: [1], key: key.folded("y")).scalars)
    }
    #expect(abs(mean) < 0.35 && 0.8...1.25 ~= deviation, "\(mean), \(deviation)")
  }
}

import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

/// Normal samples `[n, d]` with a mean and a standard deviation a coordinate.
func normal(_ n: Int, mean: [Double], deviation: [Double], key: RandomKey) -> Tensor<Double> {
  var samples: Tensor<Double> = key.normal([n, mean.count])
  samples.withUnsafeMutableBuffer { values in
    for i in 0..<values.count {
      values[i] = mean[i % mean.count] + deviation[i % mean.count] * values[i]
    }
  }
  return samples
}

/// The mean and standard deviation of (estimate − expected) / error over repeated trials.
func calibration(
  trials: Int, expected: Double, _ estimate: (RandomKey) -> Estimate
) -> (mean: Double, deviation: Double) {
  let scores = (0..<trials).map {
    estimate(RandomKey(77).folded(UInt64($0))).deviation(from: expected)
  }
  let mean = scores.reduce(0, +) / Double(trials)
  let square = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(trials - 1)
  return (mean, square.squareRoot())
}

@Suite struct DistanceTests {
  /// E|N(δ, s²)|.
  static func meanMagnitude(_ delta: Double, _ s: Double) -> Double {
    s * (2 / Double.pi).squareRoot() * exp(-delta * delta / (2 * s * s))
      + delta * erf(delta / (s * 2.squareRoot()))
  }

  @Test func energyDistanceOfNormalsAgreesWithTheClosedForm() {
    // 2 E|X − Y| − E|X − X′| − E|Y − Y′| for N(0, 1) and N(0.8, 1.5²).
    let expected =
      2 * Self.meanMagnitude(0.8, 3.25.squareRoot()) - Self.meanMagnitude(0, 2.squareRoot())
      - Self.meanMagnitude(0, 4.5.squareRoot())
    let (mean, deviation) = calibration(trials: 200, expected: expected) { key in
      Metrics.energyDistance(
        normal(80, mean: [0], deviation: [1], key: key.folded("x")),
        normal(120, mean: [0.8], deviation: [1.5], key: key.folded("y")))
    }
    // 200 trials: the mean score is within ±0.3 and the deviation within 0.8 … 1.25 but once in 10,000 runs.
    #expect(abs(mean) < 0.3 && 0.8...1.25 ~= deviation, "\(mean), \(deviation)")
  }

  @Test func energyDistanceHasNoBiasForEqualDistributions() {
    let values = (0..<300).map { trial in
      let key = RandomKey(5).folded(UInt64(trial))
      return Metrics.energyDistance(
        normal(20, mean: [0, 0, 0], deviation: [1, 1, 1], key: key.folded("x")),
        normal(30, mean: [0, 0, 0], deviation: [1, 1, 1], key: key.folded("y")))
    }
    #expect(abs(Estimate(meanOf: values.map(\.value)).deviation(from: 0)) < 4)
    // The error is on the safe side there, by no more than a factor of 2.
    let spread = Metrics.standardDeviations(Tensor<Double>([300, 1], values.map(\.value)))[0].value
    let claimed = values.map(\.standardError).reduce(0, +) / 300
    #expect(0.9...2 ~= claimed / spread, "\(claimed / spread)")
  }

  /// Where distributions are equal no draw's error is far too small: none of 300 estimates lies three errors below 0, as about
  /// five would with the jackknife's error alone.
  @Test func noErrorOfEqualDistributionsIsFarTooSmall() {
    for trial in 0..<300 {
      let key = RandomKey(6).folded(UInt64(trial))
      let found = Metrics.energyDistance(
        normal(60, mean: [0], deviation: [1], key: key.folded("x")),
        normal(60, mean: [0], deviation: [1], key: key.folded("y")))
      #expect(found.value > -3 * found.standardError, "\(found)")
    }
  }

  @Test func energyDistanceBySmallExample() {
    // |x − y|: 1, 3, 0, 2, 2, 0 … worked out by hand.
    let x = Tensor<Float>([3, 1], [0, 1, 3])
    let y = Tensor<Float>([3, 1], [1, 3, 7])
    // Mixed mean (1+3+7 + 0+2+6 + 2+0+4)/9, own means (1+3+2)/3 and (2+6+4)/3.
    let expected = 2 * 25.0 / 9 - 2 - 4
    #expect(abs(Metrics.energyDistance(x, y).value - expected) < 1e-14)
    // The jackknife, the long way.
    func value(_ x: [Float], _ y: [Float]) -> Double {
      func mean(_ a: [Float], _ b: [Float], skip: Bool) -> Double {
        var (sum, count) = (0.0, 0.0)
        for i in a.indices {
          for j in b.indices where !(skip && i == j) {
            sum += Double(abs(a[i] - b[j]))
            count += 1
          }
        }
        return sum / count
      }
      return 2 * mean(x, y, skip: false) - mean(x, x, skip: true) - mean(y, y, skip: true)
    }
    func variance(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / 3
      return 2.0 / 3 * values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
    let (a, b) = (x.scalars, y.scalars)
    let without = { (values: [Float], index: Int) in
      values.indices.filter { $0 != index }.map { values[$0] }
    }
    let square =
      variance((0..<3).map { value(without(a, $0), b) })
      + variance((0..<3).map { value(a, without(b, $0)) })
    #expect(abs(Metrics.energyDistance(x, y).standardError - square.squareRoot()) < 1e-13)
  }

  @Test func kernelDiscrepancyOfNormalsAgreesWithTheClosedForm() {
    // E k(X, Y) = Π h / √(h² + s²) exp(−δ² / 2(h² + s²)) with s² the sum of both variances, per coordinate.
    func overlap(_ delta: [Double], _ s: Double, _ h: Double) -> Double {
      delta.reduce(1) {
        $0 * h / (h * h + s).squareRoot() * exp(-$1 * $1 / (2 * (h * h + s)))
      }
    }
    let h = 0.7
    let expected =
      overlap([0, 0], 2, h) + overlap([0, 0], 0.5, h) - 2 * overlap([1, -0.5], 1.25, h)
    let (mean, deviation) = calibration(trials: 200, expected: expected) { key in
      Metrics.maximumMeanDiscrepancy(
        normal(70, mean: [0, 0], deviation: [1, 1], key: key.folded("x")),
        normal(90, mean: [1, -0.5], deviation: [0.5, 0.5], key: key.folded("y")), bandwidth: h)
    }
    #expect(abs(mean) < 0.3 && 0.8...1.25 ~= deviation, "\(mean), \(deviation)")
  }

  @Test func frechetDistanceHasItsClosedForms() {
    // Covariances that commute: Σ (√a − √b)².
    let a = SampleMoments(mean: [1, 2, 3], covariance: [4, 0, 0, 0, 9, 0, 0, 0, 0])
    let b = SampleMoments(mean: [1, 0, 3], covariance: [1, 0, 0, 0, 1, 0, 0, 0, 16])
    #expect(abs(Metrics.frechetDistance(a, b) - (4 + 1 + 4 + 16)) < 1e-12)
    // Two coordinates that do not commute: tr √M = √(tr M + 2 √det M) for M = Σ₁ Σ₂.
    let c = SampleMoments(mean: [0, 0], covariance: [2, 0.5, 0.5, 1])
    let d = SampleMoments(mean: [0.3, 0.4], covariance: [1, -0.8, -0.8, 3])
    let trace = 2.0 - 0.4 - 0.4 + 3.0
    let determinants = 1.75 * 2.36
    let root: Double = (trace + 2 * determinants.squareRoot()).squareRoot()
    let expected = 0.25 + 7 - 2 * root
    #expect(abs(Metrics.frechetDistance(c, d) - expected) < 1e-12)
    #expect(abs(Metrics.frechetDistance(d, c) - expected) < 1e-12)
    #expect(Metrics.frechetDistance(c, c) < 1e-12)
  }

  @Test func frechetDistanceOfSamplesIsCalibrated() {
    let expected = 1.25 + 0.25 + 0.16
    let (mean, deviation) = calibration(trials: 200, expected: expected) { key in
      Metrics.frechetDistance(
        normal(1000, mean: [0, 0], deviation: [1, 1], key: key.folded("x")),
        normal(800, mean: [1, -0.5], deviation: [1.5, 0.6], key: key.folded("y")))
    }
    // The bias of order 1/n is a part of the error here.
    #expect(abs(mean) < 0.4 && 0.8...1.25 ~= deviation, "\(mean), \(deviation)")
  }

  @Test func frechetDistanceAllowsPixelsThatNeverVary() {
    // A constant third coordinate in one set, a spread one in the other: its variance counts in full.
    var x: Tensor<Double> = RandomKey(1).normal([400, 3])
    for i in 0..<400 { x[i, 2] = 0 }
    let y: Tensor<Double> = RandomKey(2).normal([400, 3])
    let spread = SampleMoments(y).covariance[8]
    let estimate = Metrics.frechetDistance(x, y)
    #expect(estimate.standardError.isFinite && estimate.standardError > 0)
    #expect(abs(estimate.value - spread) < 0.1)
    #expect(Metrics.frechetDistance(x, x).value < 1e-10)
  }
}

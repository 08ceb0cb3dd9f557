import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// Parameters from data, against data whose answer is known.
@Suite struct ProcessAdviceTests {
  @Test func ofFourPoints() throws {
    let advice = try ProcessAdvice(Tensor<Double>([4, 2], [0, 0, 3, 4, 1, 1, -3, -4]))
    #expect(advice.sigmaMax.value == 10)
    #expect(advice.sigmaMax.reason.contains("largest distance between two of the 4 samples"))
    // Mean 0.25, mean square (0 + 25 + 2 + 25)/8 = 6.5.
    #expect(abs(advice.dataDeviation.value - (6.5 - 0.0625).squareRoot()) < 1e-15)
    #expect(advice.snr.value == 0.16)
    #expect(advice.all.map(\.name) == ["sigma-max", "beta-max", "snr", "sigma-data"])
    #expect(advice.all.allSatisfy { $0.reason.count > 40 && !$0.reason.contains("\n") })
  }

  /// The published value for CIFAR-10 follows from its dimension.
  @Test func snrOfManyDimensions() throws {
    let wide = try ProcessAdvice(RandomKey(1).normal([3, 3072], of: Float.self))
    #expect(abs(wide.snr.value - 0.1597) < 1e-4)
    let wider = try ProcessAdvice(RandomKey(1).normal([2, 20_000], of: Float.self))
    #expect(abs(wider.snr.value - 0.1) < 1e-12)
  }

  /// With βmax as advised, the mismatch of Gaussian data is below the bound, and not far below.
  @Test func betaMaxBoundsThePriorsMismatch() throws {
    for (mean, deviation) in [(0.5, 0.3), (3, 1), (0, 10), (0, 0.01)] {
      let data: Tensor<Double> = RandomKey(2).normal([4000, 2])
      let points = data.map { mean + deviation * $0 }
      for mismatch in [1e-2, 1e-4, 1e-6, 1e-9] {
        let beta = try ProcessAdvice(points, mismatch: mismatch).betaMax.value
        let vp = try VariancePreserving(betaMin: 0.1, betaMax: beta)
        let oracle = try GaussianOracle<Double>(
          process: vp, mean: mean, deviation: deviation, sampleShape: [2])
        #expect(oracle.priorDivergence < 1.1 * mismatch, "\(mean), \(deviation), \(mismatch)")
        let other = try SubVariancePreserving(betaMin: 0.1, betaMax: beta)
        let second = try GaussianOracle<Double>(
          process: other, mean: mean, deviation: deviation, sampleShape: [2])
        #expect(second.priorDivergence < 1.1 * mismatch, "\(mean), \(deviation), \(mismatch)")
        // The bound itself: ½ [α² E|x|² + D (σ² − 1 − log σ²)], for sub-VP, which is the larger.
        func bound(_ kernel: Marginal) -> Double {
          let square = points.scalars.reduce(0) { $0 + $1 * $1 } / 4000
          let variance = kernel.sigma * kernel.sigma
          return 0.5 * (exp(2 * kernel.logAlpha) * square + 2 * (variance - 1 - log(variance)))
        }
        #expect(bound(vp.marginal(at: 1)) < 1.001 * mismatch)
        if beta > 0.21 { #expect(abs(bound(other.marginal(at: 1)) / mismatch - 1) < 1e-4) }
        let kept = try #require(
          ProcessAdvice(points, mismatch: mismatch).betaMax.reason.split(separator: " ")
            .drop(while: { $0 != "keep" }).dropFirst().first.flatMap { Double($0) })
        #expect(abs(kept / vp.marginal(at: 1).alpha - 1) < 0.01)
      }
    }
  }

  /// However much mismatch is allowed, β rises, to twice its start at least.
  @Test func betaMaxIsAboveBetaMin() throws {
    let advice = try ProcessAdvice(Tensor<Double>([2, 1], [0, 1]), mismatch: 10)
    #expect(advice.betaMax.value == 0.2)
  }

  @Test func samplesAreThinned() throws {
    let line = Tensor<Double>([100, 1], (0..<100).map { Double($0) })
    let advice = try ProcessAdvice(line, sampleLimit: 10)
    #expect(advice.sigmaMax.value > 80 && advice.sigmaMax.value <= 99)
    #expect(advice.sigmaMax.reason.contains("10 of the 100 samples"))
    // An order with a period is no reason to see one kind alone.
    for period in 2...5 {
      for place in 0..<period {
        let values = (0..<4000).map { $0 % period == place ? Double($0) : 0 }
        let found = try ProcessAdvice(Tensor<Double>([4000, 1], values)).sigmaMax.value
        #expect(found > 3900, "\(place) of \(period): \(found)")
      }
    }
    // The bound holds for data of any size.
    let huge = try ProcessAdvice(Tensor<Double>([2, 1], [1e18, -1e18]))
    #expect(huge.betaMax.value > 160)
  }

  @Test func refusesDataWithoutAnAnswer() {
    #expect(throws: ProcessError.self) { try ProcessAdvice(Tensor<Double>([1, 2])) }
    #expect(throws: ProcessError.self) { try ProcessAdvice(Tensor<Double>([5, 2])) }
    #expect(throws: ProcessError.self) {
      try ProcessAdvice(Tensor<Double>([2, 1], [0, .nan]))
    }
    #expect(throws: ProcessError.self) {
      try ProcessAdvice(Tensor<Double>([2, 1], [0, 1]), mismatch: 0)
    }
  }
}

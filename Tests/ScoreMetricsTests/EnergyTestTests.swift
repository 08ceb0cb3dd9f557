import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct EnergyTestTests {
  private func sets(_ n: Int, _ m: Int, shift: Double = 0, seed: UInt64 = 1) -> (
    Tensor<Double>, Tensor<Double>
  ) {
    let key = RandomKey(seed)
    return (
      normal(n, mean: [0, 3, 0], deviation: [1, 2, 0.5], key: key.folded("x")),
      normal(m, mean: [shift, 3, 0], deviation: [1, 2, 0.5], key: key.folded("y"))
    )
  }

  @Test func theDistanceIsTheEnergyDistance() {
    let (x, y) = sets(70, 95, shift: 0.4)
    let test = Metrics.energyTest(x, y, permutations: 1)
    let expected = Metrics.energyDistance(x, y)
    #expect(abs(test.distance.value / expected.value - 1) < 1e-9)
    #expect(abs(test.distance.standardError / expected.standardError - 1) < 1e-9)
  }

  /// Of the 20 ways to part six numbers into three and three, two are as far apart as the sets: p is 0.1 but for chance.
  ///
  /// False alarms: 5 standard errors of 1999 permutations, 6e-7.
  @Test func theValueIsTheShareOfPartsThatAreAsFarApart() {
    let x = Tensor<Float>([3, 1], [0, 1, 2])
    let y = Tensor<Float>([3, 1], [10, 11, 12])
    let p = Metrics.energyTest(x, y, permutations: 1999).p
    #expect(abs(p.value - 0.1) < 5 * p.standardError, "\(p)")
    #expect(abs(p.standardError - (p.value * (1 - p.value) / 2000).squareRoot()) < 1e-15)
    // Sets that are equal are nowhere farther apart than any parts of them.
    #expect(Metrics.energyTest(x, x, permutations: 99).p.value == 1)
  }

  /// Where both sets are of one distribution p is even over 1/20, 2/20 … 1.
  ///
  /// False alarms: χ² of 20 bins, 1e-4.
  @Test func theValueIsEvenWhereDistributionsAreEqual() {
    var counts = [Int](repeating: 0, count: 20)
    for trial in 0..<600 {
      let (x, y) = sets(6, 9, seed: 1000 + UInt64(trial))
      let test = Metrics.energyTest(x, y, permutations: 19, key: RandomKey(UInt64(trial)))
      counts[Int((test.p.value * 20).rounded()) - 1] += 1
    }
    let square = counts.reduce(0.0) { $0 + (Double($1) - 30) * (Double($1) - 30) / 30 }
    #expect(ChiSquared.share(above: square, degrees: 19) > 1e-4, "\(counts)")
  }

  @Test func sampleSetsThatDifferAreToldApart() {
    let (x, y) = sets(150, 100, shift: 1)
    #expect(Metrics.energyTest(x, y).p.value == 1.0 / 200)
  }

  @Test func resultsDoNotDependOnThreadsButOnTheKey() {
    let (x, y) = sets(150, 130)
    var told: [Double] = []
    let alone = Metrics.energyTest(x, y) { told.append($0) }
    for threads in [1, 3] {
      #expect(Metrics.energyTest(x, y, pool: ThreadPool(threads: threads)) == alone)
    }
    #expect(Metrics.energyTest(x, y, key: RandomKey(1)).p != alone.p)
    #expect(told.last == 1 && told == told.sorted())
  }

  @Test func numbersWithoutFiniteSquaresHaveNoDistance() {
    let x = Tensor<Double>([3, 1], [0, 1, 1e200])
    let test = Metrics.energyTest(x, Tensor<Double>([3, 1], [0, 1, 2]))
    #expect(test.distance.value.isNaN && test.p.value.isNaN)
  }
}

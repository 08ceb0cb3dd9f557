import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct PrecisionTests {
  @Test func samplesWithinTheBallsOfFourNumbers() {
    // Balls of 0, 1, 2, 10 that reach to the next number: 1, 1, 1, 8.
    let y = Tensor<Float>([4, 1], [0, 1, 2, 10])
    for (number, isInside) in [(2.5, true), (18, true), (18.5, false), (-1, true), (-1.5, false)] {
      let x = Tensor<Float>([2, 1], [Float(number), 1])
      let share = Metrics.precision(of: x, within: y, neighbours: 1).value
      #expect(share == (isInside ? 1 : 0.5), "\(number)")
    }
    // Balls that reach to the second number: 2, 1, 2, 9.
    let x = Tensor<Float>([4, 1], [-2, -2.5, 19, 19.5])
    #expect(Metrics.precision(of: x, within: y, neighbours: 2).value == 0.5)
  }

  /// The share of rows of x within balls about rows of y, the long way, without row `left` of y.
  private func share(
    _ x: Tensor<Double>, _ y: Tensor<Double>, _ k: Int, without left: Int? = nil
  ) -> Double {
    func distance(_ a: Tensor<Double>, _ i: Int, _ b: Tensor<Double>, _ j: Int) -> Double {
      zip(a.row(i), b.row(j)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    let rows = (0..<y.rows).filter { $0 != left }
    let radii = rows.map { j in
      rows.filter { $0 != j }.map { distance(y, j, y, $0) }.sorted()[k - 1]
    }
    let inside = (0..<x.rows).count { i in
      zip(rows, radii).contains { distance(x, i, y, $0) <= $1 * (1 + 1e-12) }
    }
    return Double(inside) / Double(x.rows)
  }

  @Test(arguments: [1, 3]) func theErrorIsTheJackknifesTheLongWay(k: Int) {
    let x = normal(40, mean: [0.5, 0], deviation: [1.5, 1], key: RandomKey(3))
    let y = normal(30, mean: [0, 0], deviation: [1, 1], key: RandomKey(4))
    let found = Metrics.precision(of: x, within: y, neighbours: k)
    #expect(found.value == share(x, y, k) && found.value > 0.3 && found.value < 0.95)
    let without = (0..<30).map { share(x, y, k, without: $0) }
    let mean = without.reduce(0, +) / 30
    let ofReference = 29.0 / 30 * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let p = (found.value * 40 + 0.5) / 41
    #expect(
      abs(found.standardError - (p * (1 - p) / 40 + ofReference).squareRoot()) < 1e-12,
      "\(found)")
    #expect(ofReference > 0)
  }

  /// Errors of normal samples are on the safe side, by no more than a factor of 3.
  @Test func errorsCoverWhatRepeatedSamplesDo() {
    let found = (0..<100).map { trial in
      let key = RandomKey(5).folded(UInt64(trial))
      return Metrics.precision(
        of: normal(80, mean: [1, 0], deviation: [1, 1], key: key.folded("x")),
        within: normal(90, mean: [0, 0], deviation: [1, 1], key: key.folded("y")))
    }
    let spread = Metrics.standardDeviations(Tensor<Double>([100, 1], found.map(\.value)))[0].value
    let claimed = found.map(\.standardError).reduce(0, +) / 100
    #expect(1...3 ~= claimed / spread, "\(claimed / spread)")
  }

  @Test func noneAndAllInsideAreNoProof() {
    let y = normal(50, mean: [0, 0], deviation: [1, 1], key: RandomKey(6))
    let far = normal(20, mean: [99, 0], deviation: [1, 1], key: RandomKey(7))
    let none = Metrics.precision(of: far, within: y)
    #expect(none.value == 0 && none.standardError > 0.01)
    #expect(Metrics.precision(of: y, within: y).value == 1)
    // Four samples have three neighbours each, and none to spare.
    #expect(Metrics.precision(of: y.rows(0..<4), within: y.rows(0..<4)).standardError.isFinite)
    #expect(
      Metrics.precision(of: far, within: y, pool: ThreadPool(threads: 3))
        == Metrics.precision(of: far, within: y))
  }
}

import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct CopyingTests {
  private func copying(_ x: Tensor<Double>, _ y: Tensor<Double>, first: Int? = nil) throws
    -> Estimate
  {
    try Metrics.copying(
      NearestNeighbours(of: x, among: y, count: 2),
      NearestNeighbours(within: y, ofTheFirst: first, count: 2), among: y.rows)
  }

  @Test func pairsOfNearestDistancesAreCounted() throws {
    // Nearest distances of the data: 1, 1, 2, 4; of the samples: ½, 0 and 13, and 1, which is a tie with two.
    let y = Tensor<Double>([4, 1], [0, 1, 3, 7])
    #expect(try abs(copying(Tensor([3, 1], [0.5, 3, 20]), y).value - 8.0 / 12) < 1e-15)
    #expect(try abs(copying(Tensor([2, 1], [2, 20]), y).value - 3.0 / 8) < 1e-15)
    // Of the first two of the data alone.
    #expect(try abs(copying(Tensor([2, 1], [2, 20]), y, first: 2).value - 1.0 / 4) < 1e-15)
  }

  /// The area of nearest distances, the long way, without row `left` of the data.
  private func area(
    _ x: Tensor<Double>, _ y: Tensor<Double>, first: Int, without left: Int? = nil
  ) -> Double {
    let rows = (0..<y.rows).filter { $0 != left }
    func nearest(_ row: [Double], _ others: [Int]) -> Double {
      others.map { other in
        zip(row, y.row(other)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }.min() ?? .nan
    }
    let own = rows.filter { $0 < first }.map { j in nearest(y.row(j), rows.filter { $0 != j }) }
    let wins = (0..<x.rows).reduce(0.0) { sum, i in
      let distance = nearest(x.row(i), rows)
      return own.reduce(sum) { $0 + (distance < $1 ? 1 : distance == $1 ? 0.5 : 0) }
    }
    return wins / Double(x.rows * own.count)
  }

  /// Whole numbers have ties, and several samples one neighbour.
  @Test(arguments: [(false, 30), (true, 30), (false, 12), (true, 12)])
  func theErrorIsTheJackknifesTheLongWay(isWhole: Bool, first: Int) throws {
    func set(_ n: Int, _ key: UInt64) -> Tensor<Double> {
      let numbers = normal(n, mean: [0, 0], deviation: [2, 2], key: RandomKey(key))
      return isWhole ? numbers.map { $0.rounded() } : numbers
    }
    let (x, y) = (set(40, 1), set(30, 2))
    let found = try copying(x, y, first: first)
    #expect(abs(found.value - area(x, y, first: first)) < 1e-12)
    let without = (0..<30).map { area(x, y, first: first, without: $0) }
    let mean = without.reduce(0, +) / 30
    let ofData = 29.0 / 30 * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let single = (0..<40).map { area(x.rows($0..<$0 + 1), y, first: first) }
    let ofSamples = Estimate(meanOf: single).standardError
    #expect(
      abs(found.standardError - (ofData + ofSamples * ofSamples).squareRoot()) < 1e-12, "\(found)")
  }

  @Test func copiesAreNearAndOthersAreNot() throws {
    let y = normal(300, mean: [0, 0], deviation: [1, 1], key: RandomKey(1))
    let noise = normal(300, mean: [0, 0], deviation: [1e-3, 1e-3], key: RandomKey(2))
    #expect(try copying(y + noise, y).value > 0.97)
    let far = normal(300, mean: [9, 0], deviation: [1, 1], key: RandomKey(3))
    #expect(try copying(far, y).value < 0.05)
  }

  /// Samples of the data's own distribution are as near to them as these are, and the error covers what repeated samples do.
  ///
  /// False alarms: 4.5 standard errors of the mean, 7e-6.
  @Test(arguments: [1, 5]) func samplesOfTheSameDistributionAreNoCopies(dimensions: Int) throws {
    let zeros = [Double](repeating: 0, count: dimensions)
    let ones = [Double](repeating: 1, count: dimensions)
    let found = try (0..<120).map { trial in
      let key = RandomKey(8).folded(UInt64(trial))
      return try copying(
        normal(100, mean: zeros, deviation: ones, key: key.folded("x")),
        normal(200, mean: zeros, deviation: ones, key: key.folded("y")))
    }
    let mean = Estimate(meanOf: found.map(\.value))
    #expect(abs(mean.deviation(from: 0.5)) < 4.5, "\(mean)")
    let spread = Metrics.standardDeviations(Tensor<Double>([120, 1], found.map(\.value)))[0].value
    let claimed = found.map(\.standardError).reduce(0, +) / 120
    #expect(1...2 ~= claimed / spread, "\(claimed / spread)")
  }
}

import Foundation
import ScoreTensors
import Testing

@Suite struct BinsTests {
  @Test func numbersStayInTheirBins() {
    let bins = Bins(widths: [0.5, 0, 2], isPeaked: [false, false, true])
    let ends = Tensor<Double>([2000, 3], (0..<6000).map { [-1, 4, 7][$0 % 3] })
    let spread = bins.spread(ends, key: RandomKey(1))
    for row in 0..<spread.rows {
      let entries = spread.row(row)
      #expect(-1 < entries[0] && entries[0] < -0.5 && entries[1] == 4)
      #expect(7 < entries[2] && entries[2] < 9)
    }
  }

  /// Means within 5 standard errors, variances within 5 of those that the fourth moments give: false alarms of 2 in 10⁶ each.
  @Test func meansAndVariancesAreThoseOfTheirDensities() {
    let (bins, count) = (Bins(widths: [3, 3], isPeaked: [false, true]), 40_000)
    #expect(bins.variances == [9.0 / 12, 9.0 / 20])
    let spread = bins.spread(Tensor<Float>([count, 2]), key: RandomKey(2))
    // E(u − ½)⁴ = 1/80 of the even density, and 3/560 of Beta(2, 2).
    for (column, fourth) in [1.0 / 80, 3.0 / 560].enumerated() {
      let entries = (0..<count).map { Double(spread.row($0)[column]) / 3 - 0.5 }
      let variance = bins.variances[column] / 9
      let mean = entries.reduce(0, +) / Double(count)
      #expect(abs(mean) < 5 * (variance / Double(count)).squareRoot())
      let square = entries.reduce(0) { $0 + $1 * $1 } / Double(count)
      let error = ((fourth - variance * variance) / Double(count)).squareRoot()
      #expect(abs(square - variance) < 5 * error, "\(square) of column \(column)")
    }
  }

  /// Row i depends on the key and i alone, and even bins of one width are the uniform draws themselves.
  @Test func rowsHaveDrawsOfTheirOwn() {
    let bins = Bins(widths: [1, 1], isPeaked: [false, true])
    let (key, ends) = (RandomKey(3), Tensor<Float>([5, 2]))
    let all = bins.spread(ends, key: key)
    let some = bins.spread(Tensor<Float>([2, 2]), key: key, samples: .explicit([3, 1]))
    #expect(some.row(0) == all.row(3) && some.row(1) == all.row(1))
    #expect(Bins(widths: [1]).spread(ends, key: key) == key.uniform([5, 2]))
  }

  /// The density of what was added is the inverse of the quantile's slope, found from neighbouring draws of the same law: here by its
  /// distribution function 3u² − 2u³, which the draws make uniform.
  @Test func densitiesAreThoseOfTheDraws() {
    let bins = Bins(widths: [2, 0, 0.25], isPeaked: [true, false, false])
    let (ends, key) = (Tensor<Double>([1000, 3], repeating: 1), RandomKey(4))
    let points = bins.spread(ends, key: key)
    let uniform: Tensor<Double> = key.uniform([1000, 3])
    let nats = bins.logDensity(of: points, above: ends)
    for row in 0..<1000 {
      let u = (points.row(row)[0] - 1) / 2
      #expect(abs(3 * u * u - 2 * u * u * u - uniform.row(row)[0]) < 1e-14)
      let density = (6 * u - 6 * u * u) / 2 / 0.25
      #expect(abs(nats[row] - log(density)) < 1e-9 * max(1, abs(nats[row])))
    }
  }

  @Test func unitsDivideWidthsAlone() {
    let bins = Bins(widths: [1, 0], isPeaked: [true, false])
    #expect(bins.divided(by: [4, 5]) == Bins(widths: [0.25, 0], isPeaked: [true, false]))
    #expect(bins.divided(by: [2]) == Bins(widths: [0.5, 0], isPeaked: [true, false]))
  }
}

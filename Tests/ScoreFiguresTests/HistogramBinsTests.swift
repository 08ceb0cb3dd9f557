import Foundation
import ScoreFigures
import Testing

@Suite struct HistogramBinsTests {
  /// The numbers (i + ½)/n, whose quartiles lie ½ (1 − 1/n) apart.
  private func even(_ n: Int) -> [Double] { (0..<n).map { (Double($0) + 0.5) / Double(n) } }

  @Test func widthsAreThoseOfFreedmanAndDiaconis() throws {
    let bins = try #require(HistogramBins([even(1000)]))
    // The width is 0.999/10, and the range as wide as the width times 10.
    #expect(bins.count == 10 && !bins.isWhole)
    #expect(bins.range == 0.0005...0.9995)
    // The narrowest of several sets counts.
    let both = try #require(HistogramBins([even(1000), even(27)]))
    #expect(both.count == 10)
    #expect(try #require(HistogramBins([even(8)])).count == 5)
    #expect(try #require(HistogramBins([even(1_000_000)])).count == 50)
  }

  /// One number far off, on either side and in either set, is left out, and the range ends where others do.
  @Test func singleNumbersFarOffAreOutside() throws {
    for far in [1e6, -1e9, 3] {
      for sets in [[even(100) + [far]], [even(50), even(100) + [far]]] {
        #expect(try #require(HistogramBins(sets)).range == 0.005...0.995)
      }
    }
    // As far as the middle nine tenths are wide, they are within.
    #expect(try #require(HistogramBins([even(100) + [1.8]])).range.upperBound == 1.8)
    #expect(try #require(HistogramBins([[0, 1, 2, 1e6]])).range.upperBound < 4)
  }

  /// A twentieth of the numbers may be far off; one more, and they are part of the range.
  @Test func aTwentiethFarOffIsOutside() throws {
    let far = [Double](repeating: 1e6, count: 5)
    #expect(try #require(HistogramBins([even(95) + far])).range.upperBound < 1)
    #expect(try #require(HistogramBins([even(94) + far + [1e6]])).range.upperBound == 1e6)
  }

  @Test func wholeNumbersLieInTheMiddleOfBins() throws {
    let dice = (0..<600).map { Double($0 % 6 + 1) }
    let bins = try #require(HistogramBins([dice]))
    #expect(bins == HistogramBins([dice, [2, 3]]))
    #expect(bins.isWhole && bins.count == 6 && bins.range == 0.5...6.5)
    let wide = try #require(HistogramBins([(0..<1000).map { Double($0 * 10) }]))
    let width = (wide.range.upperBound - wide.range.lowerBound) / Double(wide.count)
    #expect(wide.isWhole && wide.range.lowerBound == -0.5 && width == 999)
  }

  @Test func oneNumberAloneHasNoBins() throws {
    #expect(HistogramBins([[3.7, 3.7], [3.7]]) == nil)
    #expect(HistogramBins([[], []]) == nil && HistogramBins([[.nan, .infinity]]) == nil)
    // Two constants have, and so have numbers that are nearly all one.
    #expect(try #require(HistogramBins([[1.5, 1.5], [2.5]])).range == 1.5...2.5)
    let zeros = [Double](repeating: 0, count: 99)
    #expect(try #require(HistogramBins([zeros + [0.5]])).range == 0...0.5)
    #expect(HistogramBins([[-1e200, 1e200]]) != nil)
  }
}

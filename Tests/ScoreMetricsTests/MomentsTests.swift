import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct MomentsTests {
  @Test func smallSetsHaveTheirExactMoments() {
    let samples = Tensor<Float>([4, 2, 1], [1, 0, 3, 4, 5, 8, 7, 0])
    let moments = SampleMoments(samples)
    #expect(moments.count == 4 && moments.dimensions == 2 && moments.mean == [4, 3])
    // Sums of squares 20 and 44, of products 4, over 3.
    let expected = [20.0 / 3, 4.0 / 3, 4.0 / 3, 44.0 / 3]
    #expect(zip(moments.covariance, expected).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(Metrics.means(samples).map(\.value) == [4, 3])
    #expect(abs(Metrics.means(samples)[0].standardError - (20.0 / 12).squareRoot()) < 1e-15)
    let deviations = Metrics.standardDeviations(samples).map(\.value)
    #expect(abs(deviations[1] - (44.0 / 3).squareRoot()) < 1e-15)
  }

  /// The error of a root is that of the square over twice the root: of six numbers the squares add up to 22, their squares to 166.
  @Test func theErrorOfADeviationIsHalfThatOfItsSquare() {
    let samples = Tensor<Double>([6, 1], [-3, -1, -1, 1, 1, 3])
    let error = ((166.0 / 6 - 4.4 * 4.4) / 6).squareRoot() / (2 * 4.4.squareRoot())
    let found = Metrics.standardDeviations(samples)[0]
    #expect(abs(found.standardError - error) < 1e-15)
  }

  @Test func estimatesJoinAndScale() {
    let a = Estimate(3, standardError: 0.3)
    let b = Estimate(1, standardError: 0.4)
    #expect((a - b).value == 2 && abs((a - b).standardError - 0.5) < 1e-15)
    #expect((-2 * a).value == -6 && (-2 * a).standardError == 0.6)
    #expect(abs(a.deviation(from: 2.4) - 2) < 1e-12)
  }

  /// Equal numbers have their own mean and no deviation, whatever their sum is rounded to.
  @Test func constantsAreExact() {
    let samples = Tensor<Double>([700, 1], Array(repeating: 3.7, count: 700))
    #expect(Metrics.means(samples) == [Estimate(3.7, standardError: 0)])
    #expect(Metrics.standardDeviations(samples) == [Estimate(0, standardError: 0)])
  }
}

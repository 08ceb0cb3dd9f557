import Foundation
import ScoreSampling
import ScoreTensors
import Testing

/// Axes against those of covariances that are known.
@Suite struct PrincipalAxesTests {
  /// Numbers at which z₁ z₂ is orthogonal to z₁, to z₂ and to 1, of variances 2 and 1/2.
  private static let numbers: [[Double]] = [-3.0.squareRoot(), 0, 3.0.squareRoot()].flatMap { a in
    [-1, 0, 0, 1].map { b in [a, b] }
  }
  private static let start = Tensor(rows: numbers)

  /// The first axis of states at the numbers, `[x, y]` of unit length with x ≥ 0.
  private func leastAxis(_ state: ([Double]) -> [Double]) throws -> [Double] {
    let axes = try PrincipalAxes(
      ofStates: Tensor(rows: Self.numbers.map(state)), fromNormal: Self.start, deviation: 1
    ) { _ in }
    let first = try #require(axes.axes).row(0)
    return first[0] < 0 ? first.map { -$0 } : first
  }

  /// The axis of the least variance of [[a, b], [b, c]].
  private func leastAxis(_ a: Double, _ b: Double, _ c: Double) -> [Double] {
    let angle = 0.5 * atan2(2 * b, a - c) + 0.5 * .pi
    let axis = [cos(angle), sin(angle)]
    return axis[0] < 0 ? axis.map { -$0 } : axis
  }

  /// Of the linear part of a map the covariance is that under normal numbers, though those at hand have another; what is not
  /// linear adds its own.
  @Test(arguments: [0, 0.5, 3])
  func linearPartsAndTheRestAddUp(_ curvature: Double) throws {
    let found = try leastAxis { z in
      let rest = curvature * z[0] * z[1]
      return [2 * z[0] + z[1] + 1 + rest, z[1] - 0.5 * z[0] + rest]
    }
    // M Mᵀ, and the mean square of the rest, 2 · 1/2 for numbers that are independent.
    let expected = leastAxis(
      5 + curvature * curvature, curvature * curvature, 1.25 + curvature * curvature)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(found), \(expected)")
  }
}

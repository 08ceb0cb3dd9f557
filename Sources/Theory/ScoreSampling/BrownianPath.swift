import Foundation
import ScoreTensors

/// A Brownian path from the time T down to ε, known on a fine grid of equal cells: noise as a function of an interval.
///
/// Each cell has its change and its integral, drawn under (key, cell) for every sample, so that steps of any length that
/// begin and end on the cells' borders see the same path: strong orders are measured on such nested grids. A step costs as
/// many draws as it has cells.
package struct BrownianPath: Sendable {
  private let key: RandomKey
  private let (start, end): (Double, Double)
  private let cells: Int

  package init(key: RandomKey, from start: Double, to end: Double, cells: Int) {
    precondition(cells > 0 && start > end, "\(cells) cells from \(start) to \(end)")
    self.key = key
    (self.start, self.end, self.cells) = (start, end, cells)
  }

  /// The path's change W from t to s < t, and the integral over the interval of the path less its value at t.
  func increments<Scalar: TensorScalar>(
    _ shape: Shape, samples: SampleIndices, from t: Double, to s: Double
  ) -> (change: Tensor<Scalar>, integral: Tensor<Scalar>) {
    let width = (start - end) / Double(cells)
    let (first, last) = (((start - t) / width).rounded(), ((start - s) / width).rounded())
    precondition(
      first < last && abs(first * width - (start - t)) < 1e-6 * width
        && abs(last * width - (start - s)) < 1e-6 * width,
      "the step from \(t) to \(s) does not begin and end on the borders of \(cells) cells")
    var change = Tensor<Scalar>(shape)
    var integral = change
    let root = width.squareRoot()
    for cell in Int(first)..<Int(last) {
      let cellKey = key.folded(UInt64(cell))
      let z: Tensor<Scalar> = cellKey.folded(0).normal(shape, samples: samples)
      let other: Tensor<Scalar> = cellKey.folded(1).normal(shape, samples: samples)
      // The integral over a cell is h (W + √(h/3) z′)/2.
      integral = .combined(1, integral, Scalar(width), change)
      integral = .combined(
        1, integral, Scalar(0.5 * width * root), z, Scalar(0.5 * width * root / 3.0.squareRoot()),
        other)
      change = .combined(1, change, Scalar(root), z)
    }
    return (change, integral)
  }
}

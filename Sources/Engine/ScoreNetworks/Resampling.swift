import ScoreAutodiff
import ScoreTensors

/// Images at half or twice their sides, smoothed by the filter (1, 3, 3, 1) along both, with zeros about them (Karras et al. 2020).
///
/// ```
/// half      y_i = (x_2i−1 + 3 x_2i + 3 x_2i+1 + x_2i+2)/8
/// double    y_2i = (x_i−1 + 3 x_i)/4,   y_2i+1 = (3 x_i + x_i+1)/4
/// ```
package enum Resampling: Sendable {
  case none, half, double

  /// `[n, h, w, channels]` to images of these sides; those that are halved are even.
  package func callAsFunction(_ x: Formula) -> Formula {
    switch self {
    case .none: x
    case .half: Self.halved(Self.halved(x, axis: 1), axis: 2)
    case .double: Self.doubled(Self.doubled(x, axis: 1), axis: 2)
    }
  }

  private static func halved(_ x: Formula, axis: Int) -> Formula {
    let count = x.shape[axis] / 2
    let padded = padded(x, axis: axis)
    let pairs = padded.reshaped(shape(padded, axis: axis, [count + 1, 2]))
    func entry(_ place: Int, after first: Int) -> Formula {
      pairs.slice(axis: axis, first..<first + count).slice(axis: axis + 1, place..<place + 1)
    }
    let outer = entry(0, after: 0) + entry(1, after: 1)
    let inner = entry(1, after: 0) + entry(0, after: 1)
    return ((outer + 3 * inner) / 8).reshaped(shape(x, axis: axis, [count]))
  }

  private static func doubled(_ x: Formula, axis: Int) -> Formula {
    let count = x.shape[axis]
    let padded = padded(x, axis: axis)
    let halves = [0, 2].map { first in
      ((padded.slice(axis: axis, first..<first + count) + 3 * x) / 4).expanded(at: axis + 1)
    }
    return .concatenated(halves, axis: axis + 1).reshaped(shape(x, axis: axis, [2 * count]))
  }

  /// One zero before and after an axis.
  private static func padded(_ x: Formula, axis: Int) -> Formula {
    let ends = (0..<4).map { $0 == axis ? 1 : 0 }
    return x.padded(before: ends, after: ends)
  }

  /// The shape with other extents in place of an axis.
  private static func shape(_ x: Formula, axis: Int, _ extents: [Int]) -> Shape {
    Shape(x.shape.extents[..<axis] + extents + x.shape.extents[(axis + 1)...])
  }
}

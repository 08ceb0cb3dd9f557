import Foundation
import ScoreTensors

/// A probability density in the plane that is known: it can be drawn from and evaluated.
public protocol PlanarDensity: Sendable {
  /// Independent points of shape `[count, 2]`; row `i` depends on (key, `samples[i]`) alone.
  func points(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Double>

  /// The class of each of these points, from 0 on, by the part of the density that it was drawn from; nil where there are no
  /// parts.
  func labels(_ count: Int, key: RandomKey, samples: SampleIndices) -> [Int]?

  /// The logarithm of the density at a point; −∞ where the density is 0.
  func logDensity(_ x: Double, _ y: Double) -> Double

  /// A rectangle that holds all of the probability but less than a millionth.
  var bounds: PlanarBounds { get }
}

/// A rectangle in the plane.
public struct PlanarBounds: Hashable, Sendable {
  /// The extent along the first axis.
  public let x: ClosedRange<Double>
  /// The extent along the second axis.
  public let y: ClosedRange<Double>

  /// Creates a rectangle.
  public init(x: ClosedRange<Double>, y: ClosedRange<Double>) { (self.x, self.y) = (x, y) }

  /// The square of a half width around the origin.
  public init(halfWidth: Double) { self.init(x: -halfWidth...halfWidth, y: -halfWidth...halfWidth) }
}

extension PlanarDensity {
  /// Nil: one density without parts.
  public func labels(_ count: Int, key: RandomKey, samples: SampleIndices) -> [Int]? { nil }

  /// The part, of so many equally likely ones, that the first number of each row of `places`, uniform from 0 to 1, falls in.
  func parts(_ parts: Int, places: Tensor<Double>) -> [Int] {
    let width = places.shape.rowCount
    return places.withUnsafeBuffer { places in
      stride(from: 0, to: places.count, by: width).map {
        min(Int(places[$0] * Double(parts)), parts - 1)
      }
    }
  }

  /// Independent points of shape `[count, 2]` in the scalar type asked for.
  public func sample<Scalar: TensorScalar>(
    _ count: Int, key: RandomKey, samples: SampleIndices = .consecutive(first: 0),
    as type: Scalar.Type = Scalar.self
  ) -> Tensor<Scalar> {
    Tensor(points(count, key: key, samples: samples))
  }

  /// The logarithm of the density at each row of a tensor of shape `[n, 2]`.
  public func logDensity<Scalar: TensorScalar>(_ points: Tensor<Scalar>) -> [Double] {
    precondition(
      points.shape.rank == 2 && points.shape[1] == 2, "points of shape \(points.shape), not [n, 2]")
    let values = points.scalars
    return (0..<points.rows).map { logDensity(Double(values[2 * $0]), Double(values[2 * $0 + 1])) }
  }

  /// The density on a grid over `bounds`, at the middles of the cells, row by row from the smallest y: for pictures.
  public func grid(columns: Int, rows: Int) -> [Double] {
    let stepX = (bounds.x.upperBound - bounds.x.lowerBound) / Double(columns)
    let stepY = (bounds.y.upperBound - bounds.y.lowerBound) / Double(rows)
    return (0..<rows * columns).map { cell in
      let x = bounds.x.lowerBound + stepX * (Double(cell % columns) + 0.5)
      let y = bounds.y.lowerBound + stepY * (Double(cell / columns) + 0.5)
      return exp(logDensity(x, y))
    }
  }
}

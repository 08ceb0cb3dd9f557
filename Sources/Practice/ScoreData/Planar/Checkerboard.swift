import Foundation
import ScoreTensors

/// The uniform density on every second square of a board around the origin.
public struct Checkerboard: PlanarDensity {
  /// The number of squares along a side; even.
  public let side: Int
  /// The length of a square's side.
  public let square: Double

  /// Creates a board.
  public init(side: Int = 4, square: Double = 1) {
    precondition(
      side >= 2 && side.isMultiple(of: 2) && square > 0, "\(side) squares of side \(square)")
    (self.side, self.square) = (side, square)
  }

  /// Independent points.
  public func points(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Double> {
    let places: Tensor<Double> = key.folded("place").uniform([count, 3], samples: samples)
    let half = side / 2
    return Tensor([count, 2]) { points in
      places.withUnsafeBuffer { places in
        for i in 0..<count {
          let filled = min(Int(places[3 * i] * Double(side * half)), side * half - 1)
          let row = filled / half
          let column = 2 * (filled % half) + row % 2
          points[2 * i] = square * (Double(column - half) + places[3 * i + 1])
          points[2 * i + 1] = square * (Double(row - half) + places[3 * i + 2])
        }
      }
    }
  }

  /// The logarithm of the density, exact.
  public func logDensity(_ x: Double, _ y: Double) -> Double {
    let half = Double(side) / 2
    let column = (x / square).rounded(.down) + half
    let row = (y / square).rounded(.down) + half
    let board = 0..<Double(side)
    guard board.contains(column), board.contains(row), Int(column + row).isMultiple(of: 2) else {
      return -.infinity
    }
    return -log(Double(side * side) / 2 * square * square)
  }

  /// The board.
  public var bounds: PlanarBounds { PlanarBounds(halfWidth: square * Double(side) / 2) }
}

import Foundation
import ScoreTensors

/// Blades around the origin, twisted by an angle that grows with the distance from it.
///
/// A twist keeps areas, so the density is that of the straight blades at the point twisted back: normal with deviation
/// `lengthDeviation` along a blade around `radius`, and `widthDeviation` across.
public struct Pinwheel: PlanarDensity {
  /// The number of blades.
  public let blades: Int
  /// The distance of a blade's middle from the origin.
  public let radius: Double
  /// The standard deviation along a blade.
  public let lengthDeviation: Double
  /// The standard deviation across a blade.
  public let widthDeviation: Double
  /// The angle, in radians, by which a unit of distance twists.
  public let twist: Double

  /// Creates a pinwheel.
  public init(
    blades: Int = 5, radius: Double = 1.3, lengthDeviation: Double = 0.35,
    widthDeviation: Double = 0.1, twist: Double = 1
  ) {
    precondition(
      blades >= 1 && lengthDeviation > 0 && widthDeviation > 0,
      "\(blades) blades, deviations \(lengthDeviation) and \(widthDeviation)")
    (self.blades, self.radius, self.twist) = (blades, radius, twist)
    (self.lengthDeviation, self.widthDeviation) = (lengthDeviation, widthDeviation)
  }

  private func angle(_ blade: Int, _ distance: Double) -> Double {
    2 * .pi * Double(blade) / Double(blades) + twist * distance
  }

  /// Independent points.
  public func points(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Double> {
    let chosen = chosen(count, key: key, samples: samples)
    var points: Tensor<Double> = key.folded("noise").normal([count, 2], samples: samples)
    points.withUnsafeMutableBuffer { points in
      for i in 0..<count {
        let along = radius + lengthDeviation * points[2 * i]
        let across = widthDeviation * points[2 * i + 1]
        let angle = angle(chosen[i], hypot(along, across))
        points[2 * i] = along * cos(angle) - across * sin(angle)
        points[2 * i + 1] = along * sin(angle) + across * cos(angle)
      }
    }
    return points
  }

  private func chosen(_ count: Int, key: RandomKey, samples: SampleIndices) -> [Int] {
    parts(blades, places: key.folded("place").uniform([count, 1], samples: samples))
  }

  /// The blade that each point lies on; nil where there is one.
  public func labels(_ count: Int, key: RandomKey, samples: SampleIndices) -> [Int]? {
    blades > 1 ? chosen(count, key: key, samples: samples) : nil
  }

  /// The logarithm of the density, exact.
  public func logDensity(_ x: Double, _ y: Double) -> Double {
    let distance = hypot(x, y)
    let exponents = (0..<blades).map { blade in
      let angle = -angle(blade, distance)
      let along = (x * cos(angle) - y * sin(angle) - radius) / lengthDeviation
      let across = (x * sin(angle) + y * cos(angle)) / widthDeviation
      return -0.5 * (along * along + across * across)
    }
    let greatest = exponents.max() ?? 0
    let sum = exponents.reduce(0) { $0 + exp($1 - greatest) }
    return greatest + log(sum)
      - log(2 * .pi * lengthDeviation * widthDeviation * Double(blades))
  }

  /// The square around the blades.
  public var bounds: PlanarBounds {
    PlanarBounds(
      halfWidth: radius + 5.5 * max(lengthDeviation, widthDeviation))
  }
}

import Foundation
import ScoreTensors

/// Normal distributions of one standard deviation around several centres, each equally likely.
public struct PlanarMixture: PlanarDensity {
  /// The centres.
  public let centers: [(x: Double, y: Double)]
  /// The standard deviation along each axis.
  public let deviation: Double
  private let kernel: NormalKernelSum

  /// Creates a mixture; at least one centre, a positive deviation.
  public init(centers: [(x: Double, y: Double)], deviation: Double) {
    precondition(
      !centers.isEmpty && deviation > 0, "\(centers.count) centres, deviation \(deviation)")
    self.centers = centers
    self.deviation = deviation
    kernel = NormalKernelSum(
      nodes: centers.map { .init(x: $0.x, y: $0.y, weight: 1 / Double(centers.count)) },
      deviation: deviation)
  }

  /// Centres at equal angles on a circle.
  public static func ring(count: Int = 8, radius: Double = 1.5, deviation: Double = 0.1)
    -> PlanarMixture
  {
    PlanarMixture(
      centers: (0..<count).map {
        let angle = 2 * Double.pi * Double($0) / Double(count)
        return (radius * cos(angle), radius * sin(angle))
      }, deviation: deviation)
  }

  /// Centres on a square grid around the origin.
  public static func grid(side: Int = 5, spacing: Double = 0.8, deviation: Double = 0.08)
    -> PlanarMixture
  {
    let middle = Double(side - 1) / 2
    return PlanarMixture(
      centers: (0..<side * side).map {
        (spacing * (Double($0 % side) - middle), spacing * (Double($0 / side) - middle))
      }, deviation: deviation)
  }

  /// Independent points.
  public func points(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Double> {
    let chosen = chosen(count, key: key, samples: samples)
    var points: Tensor<Double> = key.folded("noise").normal([count, 2], samples: samples)
    points.withUnsafeMutableBuffer { points in
      for i in 0..<count {
        let center = centers[chosen[i]]
        points[2 * i] = center.x + deviation * points[2 * i]
        points[2 * i + 1] = center.y + deviation * points[2 * i + 1]
      }
    }
    return points
  }

  private func chosen(_ count: Int, key: RandomKey, samples: SampleIndices) -> [Int] {
    parts(centers.count, places: key.folded("place").uniform([count, 1], samples: samples))
  }

  /// The centre that each point is drawn around; nil where there is one.
  public func labels(_ count: Int, key: RandomKey, samples: SampleIndices) -> [Int]? {
    centers.count > 1 ? chosen(count, key: key, samples: samples) : nil
  }

  /// The logarithm of the density, exact.
  public func logDensity(_ x: Double, _ y: Double) -> Double { kernel.logarithm(x, y) }

  /// The rectangle around the centres.
  public var bounds: PlanarBounds { kernel.bounds }
}

/// A weighted sum of isotropic normal densities of one deviation.
struct NormalKernelSum: Sendable {
  struct Node: Sendable {
    let x, y, weight: Double
  }

  let nodes: [Node]
  let deviation: Double

  func logarithm(_ x: Double, _ y: Double) -> Double {
    let factor = -0.5 / (deviation * deviation)
    var nearest = Double.infinity
    for node in nodes {
      nearest = min(nearest, (x - node.x) * (x - node.x) + (y - node.y) * (y - node.y))
    }
    var sum = 0.0
    for node in nodes {
      let excess = (x - node.x) * (x - node.x) + (y - node.y) * (y - node.y) - nearest
      // Terms below 1e-20 of the nearest one's exponential do not change the sum.
      if factor * excess > -46 { sum += node.weight * exp(factor * excess) }
    }
    return log(sum) + factor * nearest - log(2 * .pi * deviation * deviation)
  }

  /// The rectangle around the nodes with a margin of 5.5 deviations, beyond which lies 4e-8 of each.
  var bounds: PlanarBounds {
    let margin = 5.5 * deviation
    let x = nodes.map(\.x)
    let y = nodes.map(\.y)
    return PlanarBounds(
      x: (x.min() ?? 0) - margin...(x.max() ?? 0) + margin,
      y: (y.min() ?? 0) - margin...(y.max() ?? 0) + margin)
  }
}

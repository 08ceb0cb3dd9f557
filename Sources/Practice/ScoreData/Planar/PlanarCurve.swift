import Foundation
import ScoreTensors

/// Curves in the plane blurred by isotropic normal noise: moons, circles, spirals, a Swiss roll.
///
/// ```
/// p(x) = mean over strands of ∫₀¹ q(t) N(x; c(t), σ² I) dt,   q(t) = k tᵏ⁻¹
/// ```
///
/// The integral is a Gauss–Legendre sum of eight points on each piece of at most two deviations' length: log p is good to
/// ten digits where it is above −100, and to 1e-4 far out.
public struct PlanarCurve: PlanarDensity {
  /// One curve, drawn with a parameter `t` from 0 to 1.
  public struct Strand: Sendable {
    /// The power k of the density k tᵏ⁻¹ of the parameter: 1 is uniform, 2 grows in proportion to t.
    public let power: Int
    /// The point at a parameter.
    public let position: @Sendable (_ t: Double) -> (x: Double, y: Double)

    /// Creates a curve.
    public init(
      power: Int = 1, position: @escaping @Sendable (_ t: Double) -> (x: Double, y: Double)
    ) {
      precondition(power >= 1, "power \(power)")
      self.power = power
      self.position = position
    }
  }

  /// The curves, equally likely.
  public let strands: [Strand]
  /// The standard deviation of the noise along each axis.
  public let deviation: Double
  private let kernel: NormalKernelSum

  /// Creates the density of blurred curves; at least one curve, a deviation of 1e-4 or more. Memory and time are in proportion to
  /// the curves' length over the deviation.
  /// - Throws: `badParameter` where there is no curve or the deviation is out of range, `notFinite` where a curve has no place at a
  ///   parameter, `outOfRange` where one is longer than two million deviations.
  public init(strands: [Strand], deviation: Double) throws(DataError) {
    guard !strands.isEmpty, deviation >= 1e-4, deviation.isFinite else {
      throw DataError(
        .badParameter, Self.place,
        "\(strands.count) strands of deviation \(deviation); expected one or more, of a finite deviation of at least 0.0001"
      )
    }
    self.strands = strands
    self.deviation = deviation
    var nodes: [NormalKernelSum.Node] = []
    for (index, strand) in strands.enumerated() {
      nodes += try Self.nodes(
        strand, index, longest: 2 * deviation, share: 1 / Double(strands.count))
    }
    kernel = NormalKernelSum(nodes: nodes, deviation: deviation)
  }

  /// Curves whose places are finite by their formulas.
  private init(known strands: [Strand], deviation: Double) {
    do {
      try self.init(strands: strands, deviation: deviation)
    } catch {
      fatalError("\(error)")
    }
  }

  /// Where errors are.
  private static var place: String { "curves in the plane" }
  /// The most pieces of a curve.
  private static var mostPieces: Double { 1e6 }

  private static func nodes(_ strand: Strand, _ index: Int, longest: Double, share: Double)
    throws(DataError) -> [NormalKernelSum.Node]
  {
    func position(_ t: Double) throws(DataError) -> (x: Double, y: Double) {
      let (x, y) = strand.position(t)
      guard x.isFinite, y.isFinite else {
        throw DataError(
          .notFinite, place,
          "strand \(index) is at (\(x), \(y)) for t = \(t); expected finite numbers for t from 0 to 1"
        )
      }
      return (x, y)
    }
    var fastest = 0.0
    var last = try position(0)
    for probe in 1...256 {
      let next = try position(Double(probe) / 256)
      fastest = max(fastest, hypot(next.x - last.x, next.y - last.y) * 256)
      last = next
    }
    guard fastest / longest <= mostPieces else {
      throw DataError(
        .outOfRange, place,
        "strand \(index) goes \(fastest) a unit of its parameter, \(2 * fastest / longest) deviations; expected at most \(2 * mostPieces)"
      )
    }
    let pieces = max(4, Int((fastest / longest).rounded(.up)))
    var nodes: [NormalKernelSum.Node] = []
    nodes.reserveCapacity(2 * rule.count * pieces)
    for piece in 0..<pieces {
      for point in rule {
        for node in [-point.node, point.node] {
          let t = (Double(piece) + 0.5 + 0.5 * node) / Double(pieces)
          let (x, y) = try position(t)
          let density = Double(strand.power) * pow(t, Double(strand.power - 1))
          nodes.append(
            .init(x: x, y: y, weight: share * density * point.weight / (2 * Double(pieces))))
        }
      }
    }
    return nodes
  }

  /// The positive nodes and the weights of the Gauss–Legendre rule with eight points on −1 … 1.
  private static let rule: [(node: Double, weight: Double)] = [
    (0.183434642495649805, 0.362683783378361983), (0.525532409916328986, 0.313706645877887287),
    (0.796666477413626740, 0.222381034453374471), (0.960289856497536232, 0.101228536290376259),
  ]

  /// Independent points.
  public func points(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Double> {
    let places = places(count, key: key, samples: samples)
    let chosen = parts(strands.count, places: places)
    var points: Tensor<Double> = key.folded("noise").normal([count, 2], samples: samples)
    points.withUnsafeMutableBuffer { points in
      places.withUnsafeBuffer { places in
        for i in 0..<count {
          let strand = strands[chosen[i]]
          let center = strand.position(pow(places[2 * i + 1], 1 / Double(strand.power)))
          points[2 * i] = center.x + deviation * points[2 * i]
          points[2 * i + 1] = center.y + deviation * points[2 * i + 1]
        }
      }
    }
    return points
  }

  private func places(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Double> {
    key.folded("place").uniform([count, 2], samples: samples)
  }

  /// The curve that each point is drawn around; nil where there is one.
  public func labels(_ count: Int, key: RandomKey, samples: SampleIndices) -> [Int]? {
    strands.count > 1
      ? parts(strands.count, places: places(count, key: key, samples: samples)) : nil
  }

  /// The logarithm of the density, by quadrature along the curves.
  public func logDensity(_ x: Double, _ y: Double) -> Double { kernel.logarithm(x, y) }

  /// The rectangle around the curves.
  public var bounds: PlanarBounds { kernel.bounds }
}

extension PlanarCurve {
  /// Two half circles that reach into each other.
  /// - Precondition: the deviation is from 1e-4 to 10.
  public static func moons(deviation: Double = 0.1) -> PlanarCurve {
    PlanarCurve(
      known: [
        Strand { t in (1.3 * (cos(.pi * t) - 0.5), 1.3 * (sin(.pi * t) - 0.25)) },
        Strand { t in (1.3 * (0.5 - cos(.pi * t)), 1.3 * (0.25 - sin(.pi * t))) },
      ], deviation: deviation)
  }

  /// Two circles around the origin.
  /// - Precondition: the deviation is from 1e-4 to 10.
  public static func circles(
    outer: Double = 1.7, inner: Double = 0.8, deviation: Double = 0.1
  ) -> PlanarCurve {
    PlanarCurve(
      known: [outer, inner].map { radius in
        Strand { t in (radius * cos(2 * .pi * t), radius * sin(2 * .pi * t)) }
      }, deviation: deviation)
  }

  /// Arms that wind out from the origin, evenly filled.
  /// - Precondition: the deviation is from 1e-4 to 10.
  public static func spirals(
    arms: Int = 2, turns: Double = 1.25, radius: Double = 2, deviation: Double = 0.07
  ) -> PlanarCurve {
    PlanarCurve(
      known: (0..<arms).map { arm in
        let start = 2 * Double.pi * Double(arm) / Double(arms)
        return Strand(power: 2) { t in
          let angle = start + 2 * .pi * turns * t
          return (radius * t * cos(angle), radius * t * sin(angle))
        }
      }, deviation: deviation)
  }

  /// One spiral of one and a half turns that begins away from the origin, uniform in its angle.
  /// - Precondition: the deviation is from 1e-4 to 10.
  public static func swissRoll(radius: Double = 2, deviation: Double = 0.07) -> PlanarCurve {
    PlanarCurve(
      known: [
        Strand { t in
          let angle = 1.5 * .pi * (1 + 2 * t)
          let length = radius * (1 + 2 * t) / 3
          return (length * cos(angle), length * sin(angle))
        }
      ], deviation: deviation)
  }
}

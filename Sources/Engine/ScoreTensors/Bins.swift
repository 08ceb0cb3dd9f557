import Foundation

/// The bins that stand for whole numbers, levels or texts among real ones: how an entry of a sample is spread above its number.
///
/// ```
/// x = r + w u        u uniform on (0, 1)                      even
///                    u of the density 6 u (1 − u)             peaked, by the quantile ½ − sin(asin(1 − 2p)/3)
/// ```
///
/// Even bins that are neighbours have no edge between them, as counts are to have none. Peaked ones, Beta(2, 2), have their
/// edges where there is next to nothing, so that networks learn alternatives to the end and not the edges of boxes.
public struct Bins: Hashable, Sendable {
  /// The widths: one for all entries of a sample, or one each, 0 where an entry is not spread.
  public let widths: [Double]
  /// Whether each is peaked.
  public let isPeaked: [Bool]

  /// - Parameter isPeaked: one a width; none is where nothing is said.
  /// - Precondition: as many of both.
  public init(widths: [Double], isPeaked: [Bool]? = nil) {
    precondition(
      isPeaked?.count ?? widths.count == widths.count,
      "\(widths.count) widths of bins, \(isPeaked?.count ?? 0) of them peaked or not")
    self.widths = widths
    self.isPeaked = isPeaked ?? widths.map { _ in false }
  }

  /// The variances of what is added.
  public var variances: [Double] {
    zip(widths, isPeaked).map { $0 * $0 / ($1 ? 20 : 12) }
  }

  /// The same bins where entries are divided by units, one for all or one each.
  public func divided(by units: [Double]) -> Bins {
    Bins(
      widths: widths.enumerated().map { $1 / units[$0 % units.count] }, isPeaked: isPeaked)
  }

  /// Rows `[n, …]` of lower ends spread over their bins; row `i` depends on (key, `samples[i]`) alone.
  public func spread<Scalar: TensorScalar>(
    _ lowerEnds: Tensor<Scalar>, key: RandomKey, samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    var places: Tensor<Scalar> = key.uniform(lowerEnds.shape, samples: samples)
    if widths.count == 1, !isPeaked[0] {
      return .combined(1, lowerEnds, Scalar(widths[0]), places)
    }
    places.withUnsafeMutableBuffer { entries in
      for start in stride(from: 0, to: entries.count, by: widths.count) {
        for (column, width) in widths.enumerated() {
          let p = Double(entries[start + column])
          entries[start + column] = Scalar(width * (isPeaked[column] ? Self.peaked(p) : p))
        }
      }
    }
    return lowerEnds + places
  }

  private static func peaked(_ p: Double) -> Double { 0.5 - sin(asin(1 - 2 * p) / 3) }

  /// The log density of what rows `[n, …]` of points were spread by, in nats, one a row: Σ log 6 u (1 − u) − log w over the peaked
  /// bins, and −log w over the even ones.
  ///
  /// - Parameter lowerEnds: of their bins.
  public func logDensity<Scalar: TensorScalar>(
    of points: Tensor<Scalar>, above lowerEnds: Tensor<Scalar>
  ) -> [Double] {
    let width = points.shape.rowCount
    precondition(
      points.shape == lowerEnds.shape && (widths.count == 1 || widths.count == width),
      "points of shape \(points.shape) above ends of shape \(lowerEnds.shape), with \(widths.count) bins"
    )
    return (0..<points.rows).map { row in
      zip(points.row(row), lowerEnds.row(row)).enumerated().reduce(0) { sum, entry in
        let (column, bin) = (entry.offset % widths.count, widths[entry.offset % widths.count])
        guard bin > 0 else { return sum }
        guard isPeaked[column] else { return sum - log(bin) }
        let u = (Double(entry.element.0) - Double(entry.element.1)) / bin
        return sum + log(6 * u * (1 - u) / bin)
      }
    }
  }
}

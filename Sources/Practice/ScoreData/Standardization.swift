import Foundation
import ScoreTensors

/// How data that are not quantised lie in the space that models see: less a mean, over a deviation.
///
/// ```
/// model  x_j = (r_j − mean_j)/deviation_j
/// nats   log p(r) = log p(x) − Σ_j log deviation_j
/// ```
///
/// Noise has one size for all entries of a sample, so columns in units of their own, such as metres beside milligrams, are
/// only learnt where each is brought to the same size.
public struct Standardization: Hashable, Sendable {
  /// Which entries share a mean and a deviation.
  public enum Grouping: String, CaseIterable, Sendable {
    /// Each entry of a sample has its own.
    case columns
    /// All entries have one.
    case whole
    /// Each channel, an index of the last of several axes, has its own.
    case channels
  }

  /// The means, one an entry of a sample, or one for all of them, or one a channel.
  public let means: [Double]
  /// The deviations, as many as means, all above 0.
  public let deviations: [Double]

  /// Creates a map from its numbers.
  /// - Precondition: as many means as deviations, at least one, all finite, deviations above 0.
  public init(means: [Double], deviations: [Double]) {
    precondition(
      Self.isValid(means, deviations),
      "a standardisation by means \(means) and deviations \(deviations)")
    self.means = means
    self.deviations = deviations
  }

  /// Creates the map that gives samples `[n, …]` mean 0 and deviation 1; entries that are constant keep their unit.
  ///
  /// Sums are in Double, in two passes. The name is for messages.
  /// - Parameter bins: what each entry of a sample is spread over above its number; nil where none is.
  /// - Throws: `empty` where there are no entries, `notFinite` where they or their squares are no finite numbers.
  public init<Scalar: TensorScalar>(
    of raw: Tensor<Scalar>, by grouping: Grouping, bins: Bins? = nil,
    name: String = "the data"
  ) throws(DataError) {
    precondition(
      bins.map { $0.widths.count == raw.shape.rowCount } ?? true,
      "\(bins?.widths.count ?? 0) bins for samples of shape \(raw.shape)")
    let samples = bins.map { Self.middles(raw, $0.widths) } ?? raw
    guard samples.count > 0 else {
      throw DataError(
        .empty, name, "there are no entries in samples of shape \(samples.shape); expected some")
    }
    let width =
      switch grouping {
      case .columns: samples.shape.rowCount
      case .whole: 1
      case .channels: samples.shape.rank > 2 ? samples.shape[samples.shape.rank - 1] : 1
      }
    let count = Double(samples.count / width)
    let spreads = bins?.variances ?? []
    let added =
      spreads.isEmpty || grouping == .columns
      ? spreads : [spreads.reduce(0, +) / Double(spreads.count)]
    func columnMeans(_ value: (Scalar, _ column: Int) -> Double) -> [Double] {
      var sums = [Double](repeating: 0, count: width)
      samples.withUnsafeBuffer { entries in
        for start in stride(from: 0, to: entries.count, by: width) {
          for column in 0..<width { sums[column] += value(entries[start + column], column) }
        }
      }
      return sums.map { $0 / count }
    }
    let first = samples.withUnsafeBuffer { $0.prefix(width).map(Double.init) }
    let differing = columnMeans { Double($0) == first[$1] ? 0 : 1 }
    // A constant is its own mean, which its sum may be off by rounding.
    let means = zip(columnMeans { entry, _ in Double(entry) }, zip(first, differing)).map {
      $1.1 > 0 ? $0 : $1.0
    }
    let variances = columnMeans { entry, column in
      (Double(entry) - means[column]) * (Double(entry) - means[column])
    }
    if let bad = variances.indices.first(where: { !variances[$0].isFinite }) {
      let place = width == 1 ? "" : " of \(grouping == .columns ? "column" : "channel") \(bad + 1)"
      let isFinite = samples.withUnsafeBuffer { entries in
        stride(from: bad, to: entries.count, by: width).allSatisfy { entries[$0].isFinite }
      }
      throw DataError(
        .notFinite, name,
        isFinite
          ? "the entries\(place) are so large that their squares are infinite"
          : "some entries\(place) are NaN or infinite; expected finite numbers")
    }
    // What is constant but for rounding keeps its unit, as a constant does.
    let deviations = means.indices.map { column in
      let deviation = (variances[column] + (added.isEmpty ? 0 : added[column])).squareRoot()
      return deviation > 1e-14 * abs(means[column]) ? deviation : 1
    }
    self.init(means: means, deviations: deviations)
  }

  /// The middles of bins of which samples are the lower ends.
  private static func middles<Scalar: TensorScalar>(
    _ samples: Tensor<Scalar>, _ widths: [Double]
  ) -> Tensor<Scalar> {
    var result = samples
    result.withUnsafeMutableBuffer { entries in
      for start in stride(from: 0, to: entries.count, by: widths.count) {
        for column in widths.indices { entries[start + column] += Scalar(0.5 * widths[column]) }
      }
    }
    return result
  }

  private static func isValid(_ means: [Double], _ deviations: [Double]) -> Bool {
    !means.isEmpty && means.count == deviations.count && means.allSatisfy(\.isFinite)
      && deviations.allSatisfy { $0 > 0 && $0.isFinite }
  }

  /// Which entries of samples of this shape share a mean and a deviation.
  public func grouping(of sampleShape: Shape) -> Grouping {
    means.count == 1 ? .whole : means.count == sampleShape.count ? .columns : .channels
  }

  /// Whether there is a mean for all entries of samples of this shape, for each, or for each channel.
  public func fits(_ sampleShape: Shape) -> Bool {
    [1, sampleShape.count, sampleShape.extents.last ?? 1].contains(means.count)
  }

  /// Samples `[n, …]` in the data's own units, in model space.
  public func standardized<Scalar: TensorScalar>(_ raw: Tensor<Scalar>) -> Tensor<Scalar> {
    mapped(raw) { ($0 - $1) / $2 }
  }

  /// Samples `[n, …]` in model space, in the data's own units.
  public func restored<Scalar: TensorScalar>(_ model: Tensor<Scalar>) -> Tensor<Scalar> {
    mapped(model) { $1 + $2 * $0 }
  }

  /// Σ log deviation over the entries of a sample, in nats: what a log density in model space has more than in the data's units.
  public func logVolume(dimensions: Int) -> Double {
    check(dimensions)
    return deviations.reduce(0) { $0 + log($1) } * Double(dimensions / means.count)
  }

  private func check(_ dimensions: Int) {
    precondition(
      dimensions % means.count == 0,
      "\(dimensions) entries a sample, where \(means.count) columns are standardised")
  }

  private func mapped<Scalar: TensorScalar>(
    _ samples: Tensor<Scalar>,
    _ body: (_ entry: Double, _ mean: Double, _ deviation: Double) -> Double
  ) -> Tensor<Scalar> {
    check(samples.shape.rowCount)
    var result = samples
    result.withUnsafeMutableBuffer { entries in
      for start in stride(from: 0, to: entries.count, by: means.count) {
        for column in means.indices {
          entries[start + column] = Scalar(
            body(Double(entries[start + column]), means[column], deviations[column]))
        }
      }
    }
    return result
  }
}

// MARK: - In files

extension Standardization: Codable {
  private enum CodingKeys: String, CodingKey {
    case means, deviations
  }

  /// Decodes a map.
  /// - Throws: where a value makes no sense, instead of trapping.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let means = try values.decode([Double].self, forKey: .means)
    let deviations = try values.decode([Double].self, forKey: .deviations)
    guard Self.isValid(means, deviations) else {
      throw DecodingError.dataCorruptedError(
        forKey: .deviations, in: values,
        debugDescription:
          "\(means.count) means and \(deviations.count) deviations; expected as many finite numbers of each, deviations above 0"
      )
    }
    self.init(means: means, deviations: deviations)
  }
}

import Foundation
import ScoreTensors

/// How quantised data lie in the space that models see: the levels, the width of their bins, and an affine map.
///
/// ```
/// raw    r ∈ {0, w, 2w, …, (levels − 1) w}
/// model  x = offset + factor · (r + w u),   u uniform on (0, 1)
/// ```
///
/// The noise `u` turns probabilities of levels into densities; the density of `x` then bounds the probability from
/// below (Theis, van den Oord & Bethge 2016), and bits per dimension are those of the levels:
///
/// ```
/// bits/dim = −(log p(x) + D log(|factor| w)) / (D log 2)
/// ```
public struct DataScale: Hashable, Sendable {
  /// The number of levels.
  public let levels: Int
  /// The distance between neighbouring levels in raw units.
  public let binWidth: Double

  /// The end of the last bin, where the first begins at 0.
  public var top: Double { Double(levels) * binWidth }
  /// The factor of the affine map from raw to model space.
  public let factor: Double
  /// The offset of the affine map from raw to model space.
  public let offset: Double

  /// Creates a scale from its affine map.
  /// - Precondition: at least one level, a positive bin width, a factor that is not 0, everything finite.
  public init(levels: Int, binWidth: Double = 1, factor: Double, offset: Double) {
    precondition(
      Self.isValid(levels, binWidth, factor, offset),
      "a scale of \(levels) levels of width \(binWidth), factor \(factor), offset \(offset)")
    self.levels = levels
    self.binWidth = binWidth
    self.factor = factor
    self.offset = offset
  }

  /// Creates the scale that maps all bins together onto a range of the model space.
  public init(levels: Int, binWidth: Double = 1, onto range: ClosedRange<Double> = -1...1) {
    self.init(
      levels: levels, binWidth: binWidth,
      factor: (range.upperBound - range.lowerBound) / (Double(levels) * binWidth),
      offset: range.lowerBound)
  }

  /// Bytes, 0 … 255, mapped onto −1 … 1: images of eight bits a channel.
  public static let bytes = DataScale(levels: 256)

  /// The range of model space that the bins fill.
  public var modelRange: ClosedRange<Double> {
    let end = offset + factor * binWidth * Double(levels)
    return min(offset, end)...max(offset, end)
  }

  private static func isValid(
    _ levels: Int, _ binWidth: Double, _ factor: Double, _ offset: Double
  ) -> Bool {
    levels >= 1 && binWidth > 0 && binWidth.isFinite && factor != 0 && factor.isFinite
      && offset.isFinite
  }
}

// MARK: - Between raw and model space

extension DataScale {
  /// Raw levels to model space with uniform noise in each bin; row `i` depends on (key, `samples[i]`) alone.
  ///
  /// Rounding never carries a value out of its bin: `quantised` gives the levels back.
  public func dequantised<Scalar: TensorScalar>(
    _ raw: Tensor<Scalar>, key: RandomKey, samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    let noise: Tensor<Scalar> = key.uniform(raw.shape, samples: samples)
    // With the type known, the loop compiles to straight arithmetic.
    if let raw = raw as? Tensor<Float>, let noise = noise as? Tensor<Float>,
      let result = place(raw, noise) as? Tensor<Scalar>
    {
      return result
    }
    return place(raw, noise)
  }

  private func place<Scalar: TensorScalar>(_ raw: Tensor<Scalar>, _ noise: Tensor<Scalar>)
    -> Tensor<Scalar>
  {
    raw.zip(with: noise) { raw, noise in
      let edge = offset + factor * Double(raw)
      let step = factor * binWidth
      let low = Scalar(min(edge, edge + step)).nextUp
      let high = Scalar(max(edge, edge + step)).nextDown
      return min(max(Scalar(edge + step * Double(noise)), low), high)
    }
  }

  /// Raw levels to the middles of their bins in model space.
  public func centred<Scalar: TensorScalar>(_ raw: Tensor<Scalar>) -> Tensor<Scalar> {
    raw.map { Scalar(offset + factor * (Double($0) + binWidth / 2)) }
  }

  /// Values in model space to the raw levels of their bins; values outside go to the nearest level.
  public func quantised<Scalar: TensorScalar>(_ model: Tensor<Scalar>) -> Tensor<Scalar> {
    let last = Double(levels - 1)
    return model.map { x in
      let level = ((Double(x) - offset) / (factor * binWidth)).rounded(.down)
      return Scalar(binWidth * (level > 0 ? min(level, last) : 0))
    }
  }
}

// MARK: - Levels

extension DataScale {
  /// The first entry that is none of the levels, to two units in the last place; nil where all are.
  func firstBetweenLevels<Scalar: TensorScalar>(of raw: Tensor<Scalar>) -> Int? {
    // With the type known, the loop compiles to straight arithmetic.
    if let raw = raw as? Tensor<Float> { return search(raw) }
    return search(raw)
  }

  private func search<Scalar: TensorScalar>(_ raw: Tensor<Scalar>) -> Int? {
    let last = Double(levels - 1)
    return raw.withUnsafeBuffer { values in
      values.firstIndex {
        let level = (Double($0) / binWidth).rounded()
        return !(0...last ~= level && abs($0 - Scalar(level * binWidth)) <= 2 * $0.ulp)
      }
    }
  }
}

// MARK: - Bits per dimension

extension DataScale {
  /// The bits per dimension of a log density in model space, in nats, over all dimensions of a sample.
  public func bitsPerDimension(logDensity: Double, dimensions: Int) -> Double {
    precondition(dimensions > 0, "\(dimensions) dimensions")
    return -(logDensity / Double(dimensions) + log(abs(factor) * binWidth)) / log(2)
  }

  /// The mean bits per dimension with its standard error, from those of the log density in nats.
  public func bitsPerDimension(
    meanLogDensity: Double, standardError: Double, dimensions: Int
  ) -> (mean: Double, standardError: Double) {
    (
      bitsPerDimension(logDensity: meanLogDensity, dimensions: dimensions),
      standardError / (Double(dimensions) * log(2))
    )
  }
}

// MARK: - In files

extension DataScale: Codable {
  private enum CodingKeys: String, CodingKey {
    case levels, binWidth, factor, offset
  }

  /// Decodes a scale.
  /// - Throws: where a value makes no sense, instead of trapping.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let levels = try values.decode(Int.self, forKey: .levels)
    let binWidth = try values.decode(Double.self, forKey: .binWidth)
    let factor = try values.decode(Double.self, forKey: .factor)
    let offset = try values.decode(Double.self, forKey: .offset)
    guard Self.isValid(levels, binWidth, factor, offset) else {
      throw DecodingError.dataCorruptedError(
        forKey: .levels, in: values,
        debugDescription:
          "a scale of \(levels) levels of width \(binWidth), factor \(factor), offset \(offset)")
    }
    self.init(levels: levels, binWidth: binWidth, factor: factor, offset: offset)
  }
}

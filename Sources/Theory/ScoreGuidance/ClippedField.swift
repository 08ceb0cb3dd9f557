import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// A field whose denoised data x̂₀ = (x − σ ε̂)/α are kept in the range of the data, as published samplers keep them.
///
/// ```
/// clipped       x̂₀' = min(max(x̂₀, lower), upper)                                       the code of Ho et al. 2020
/// thresholded   x̂₀' = middle + half · min(max(r, −s), s)/s,   r = (x̂₀ − middle)/half,
///               s = min(max(1, q(|r|)), limit)                              Saharia et al. 2022, section 2.3
/// ε̂' = ε̂ + (α/σ) (x̂₀ − x̂₀')
/// ```
///
/// middle and half are those of the range. q is the quantile p over the entries of one sample: of their n magnitudes in rising
/// order the one at place (n − 1) p from 0 on, and between two places what is linear between them. Where x̂₀ is kept as it is, ε̂
/// has the same bits. Where σ or α is 0, so that ε̂ or x̂₀ does not count, it is left alone.
///
/// E[x_0 | x_t] of data in a convex range lies in it at all times, so the exact field of such data is not changed by clipping; a
/// learnt one is, and so is one that guidance leads beyond. One evaluation costs one of the field. It has no
/// derivatives, so that no likelihood takes what is no score.
public struct ClippedField<Scalar: TensorScalar>: ScoreField {
  /// Imagen's dynamic thresholding: beyond the range x̂₀ is brought back as a whole.
  public struct Threshold: Sendable, Equatable {
    /// The quantile p of the magnitudes, above 0.5 and up to 1.
    public var quantile: Double
    /// The largest s, at least 1; beyond it x̂₀ is clipped.
    public var limit: Double

    public init(quantile: Double, limit: Double = .infinity) {
      (self.quantile, self.limit) = (quantile, limit)
    }
  }

  /// The field that is clipped.
  public private(set) var base: any ScoreField<Scalar>
  /// The least and the greatest value of each entry of a sample.
  public let lower, upper: [Double]
  /// How a sample beyond the range is brought back as a whole; nil clips each entry on its own.
  public let threshold: Threshold?

  /// Creates the field.
  /// - Parameter range: that of all entries of a sample, where the field's data are.
  /// - Throws: as the other.
  public init(
    _ base: any ScoreField<Scalar>, to range: ClosedRange<Double>, threshold: Threshold? = nil
  ) throws(SamplingError) {
    let count = base.sampleShape.count
    try self.init(
      base, lower: [Double](repeating: range.lowerBound, count: count),
      upper: [Double](repeating: range.upperBound, count: count), threshold: threshold)
  }

  /// Creates the field of entries with a range each.
  /// - Throws: `SamplingError` unless there are as many bounds as a sample has entries, all finite, each lower one below its
  ///   upper one; unless the quantile is above 0.5 and up to 1 and the limit is 1 or more.
  public init(
    _ base: any ScoreField<Scalar>, lower: [Double], upper: [Double], threshold: Threshold? = nil
  ) throws(SamplingError) {
    let count = base.sampleShape.count
    guard lower.count == count, upper.count == count else {
      throw SamplingError(
        "the range has \(lower.count) lower and \(upper.count) upper bounds; expected \(count) of both, one for each entry of a sample"
      )
    }
    for (low, high) in zip(lower, upper) {
      guard low < high, (high - low).isFinite else {
        throw SamplingError(
          "the range is from \(low) to \(high); expected two finite numbers, the first below the second"
        )
      }
    }
    if let threshold {
      guard threshold.quantile > 0.5, threshold.quantile <= 1 else {
        throw SamplingError(
          "the quantile is \(threshold.quantile); expected a number above 0.5 and up to 1")
      }
      guard threshold.limit >= 1 else {
        throw SamplingError(
          "the limit of the threshold is \(threshold.limit); expected 1 or more, 1 being the range's end"
        )
      }
    }
    self.base = base
    (self.lower, self.upper, self.threshold) = (lower, upper, threshold)
  }

  public var process: any LinearProcess { base.process }
  public var sampleShape: Shape { base.sampleShape }
  public var rowCount: Int? { base.rowCount }
  public func rows(_ rows: [Int]) -> ClippedField {
    var field = self
    field.base = base.rows(rows)
    return field
  }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    let noise = try base.checkedNoise(x, at: t)
    guard x.shape.rowCount == lower.count else {
      throw SamplingError("x has shape \(x.shape); expected rows of \(sampleShape)")
    }
    // With the type known, the loops compile to straight arithmetic.
    if let x = x as? Tensor<Float>, let noise = noise as? Tensor<Float>,
      let result = clipped(noise, x, at: t) as? Tensor<Scalar>
    {
      return result
    }
    return clipped(noise, x, at: t)
  }

  private func clipped<Entry: TensorScalar>(
    _ noise: Tensor<Entry>, _ x: Tensor<Entry>, at t: Times
  ) -> Tensor<Entry> {
    let (rows, width) = (x.rows, lower.count)
    var kernel: Marginal?
    if case .shared(let t) = t { kernel = process.marginal(at: t) }
    var noise = noise
    x.withUnsafeBuffer { x in
      noise.withUnsafeMutableBuffer { noise in
        for row in 0..<rows {
          let kernel = kernel ?? process.marginal(at: t[row])
          guard kernel.sigma > 0, kernel.alpha > 0 else { continue }
          let entries = row * width..<(row + 1) * width
          let own = UnsafeMutableBufferPointer(rebasing: noise[entries])
          if let threshold {
            bringBack(own, UnsafeBufferPointer(rebasing: x[entries]), kernel, by: threshold)
          } else {
            clip(own, UnsafeBufferPointer(rebasing: x[entries]), kernel)
          }
        }
      }
    }
    return noise
  }

  // Both compare α x̂₀ = x − σ ε̂ with α times the range, so that nothing is divided by a small α, and add what is too much over σ.

  private func clip<Entry: TensorScalar>(
    _ noise: UnsafeMutableBufferPointer<Entry>, _ x: UnsafeBufferPointer<Entry>, _ kernel: Marginal
  ) {
    let (alpha, sigma) = (kernel.alpha, kernel.sigma)
    for j in noise.indices {
      let data = Double(x[j]) - sigma * Double(noise[j])
      let excess =
        data < alpha * lower[j]
        ? data - alpha * lower[j] : data > alpha * upper[j] ? data - alpha * upper[j] : 0
      if excess != 0 { noise[j] = Entry(Double(noise[j]) + excess / sigma) }
    }
  }

  private func bringBack<Entry: TensorScalar>(
    _ noise: UnsafeMutableBufferPointer<Entry>, _ x: UnsafeBufferPointer<Entry>, _ kernel: Marginal,
    by threshold: Threshold
  ) {
    let (alpha, sigma) = (kernel.alpha, kernel.sigma)
    let halves = lower.indices.map { 0.5 * (upper[$0] - lower[$0]) }
    // α r
    let places = noise.indices.map { j in
      (Double(x[j]) - sigma * Double(noise[j]) - alpha * (lower[j] + halves[j])) / halves[j]
    }
    // What is not finite has no quantile, and shows in the sample's status.
    guard places.allSatisfy(\.isFinite) else { return }
    let end = max(
      alpha, min(Self.quantile(threshold.quantile, of: places.map(abs)), alpha * threshold.limit))
    let scale = alpha / end
    for j in noise.indices {
      let excess = places[j] - min(max(places[j], -end), end) * scale
      if excess != 0 { noise[j] = Entry(Double(noise[j]) + excess * halves[j] / sigma) }
    }
  }

  /// The quantile p, linear between the two numbers that it lies between.
  private static func quantile(_ p: Double, of numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    let place = p * Double(sorted.count - 1)
    let below = min(Int(place), sorted.count - 1)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}

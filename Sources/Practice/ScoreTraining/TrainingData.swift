import ScoreTensors

/// The samples that a model is trained on.
public struct TrainingData<Scalar: TensorScalar>: Sendable {
  /// The samples, `[n, …]`.
  public let samples: Tensor<Scalar>
  /// The width of the bins that quantised samples are spread over, uniformly and anew each step; nil where they are not
  /// quantised. A sample is its bin's lower end.
  public let binWidth: Double?

  /// - Throws: `TrainingError` where there are no samples or an entry is not finite.
  public init(_ samples: Tensor<Scalar>, binWidth: Double? = nil) throws(TrainingError) {
    guard samples.shape.rank >= 2, samples.rows > 0, samples.shape.rowCount > 0 else {
      throw TrainingError(
        "the training data have shape \(samples.shape); expected [samples, …], none of them 0")
    }
    guard samples.isFinite else {
      throw TrainingError("the training data hold entries that are not finite")
    }
    self.samples = samples
    self.binWidth = binWidth
  }

  /// The mean and the standard deviation of all entries, bins' spread included.
  public var moments: (mean: Double, deviation: Double) {
    let width = binWidth ?? 0
    return samples.withUnsafeBuffer { entries in
      let count = Double(entries.count)
      let mean = entries.reduce(0) { $0 + Double($1) } / count
      let squares = entries.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      let variance = squares / count + width * width / 12
      return (mean + width / 2, variance > 0 ? variance.squareRoot() : 1)
    }
  }

  /// A batch of samples drawn with replacement, `[count, entries of a sample]`.
  package func batch(_ count: Int, key: RandomKey) -> Tensor<Scalar> {
    let draws: Tensor<Double> = key.folded("rows").uniform([count, 1])
    let total = samples.rows
    let rows = draws.withUnsafeBuffer { $0.map { min(total - 1, Int($0 * Double(total))) } }
    let chosen = samples.rows(rows).reshaped([count, samples.shape.rowCount])
    guard let binWidth else { return chosen }
    return .combined(1, chosen, Scalar(binWidth), key.folded("bins").uniform(chosen.shape))
  }
}

import ScoreModels
import ScoreTensors

/// The samples that a model is trained on.
public struct TrainingData<Scalar: TensorScalar>: Sendable {
  /// The samples, `[n, …]`.
  public let samples: Tensor<Scalar>
  /// The bins that samples are spread over, anew each step: one for all entries, or one each; nil where none is quantised. An entry
  /// is its bin's lower end.
  public let bins: Bins?
  /// The class of each sample, for models of classes.
  public let labels: [Int]?
  /// The numbers that each sample is conditioned on, `[n, k]`, for models of covariates; best of mean 0 and deviation 1.
  public let covariates: Tensor<Double>?

  /// - Throws: `TrainingError` where there are no samples, an entry is not finite, bins have no widths above 0, labels are not one a sample, from 0 on, or
  ///   covariates are not a row a sample.
  public init(
    _ samples: Tensor<Scalar>, bins: Bins? = nil, labels: [Int]? = nil,
    covariates: Tensor<Double>? = nil
  ) throws(TrainingError) {
    guard samples.shape.rank >= 2, samples.rows > 0, samples.shape.rowCount > 0 else {
      throw TrainingError(
        "the training data have shape \(samples.shape); expected [samples, …], none of them 0")
    }
    guard samples.isFinite else {
      throw TrainingError("the training data hold entries that are not finite")
    }
    if let widths = bins?.widths {
      let width = samples.shape.rowCount
      guard widths.count == 1 || widths.count == width else {
        throw TrainingError(
          "the training data have \(widths.count) widths of bins; expected one, or \(width), one an entry of a sample"
        )
      }
      if let bad = widths.first(where: { !($0 >= 0 && Scalar($0).isFinite) }) {
        throw TrainingError(
          "the training data's bins have width \(bad); expected a finite number above 0")
      }
      guard widths.contains(where: { $0 > 0 }) else {
        throw TrainingError(
          "the training data's bins have width \(widths[0]); expected a finite number above 0, or no bins"
        )
      }
    }
    if let labels {
      guard labels.count == samples.rows else {
        throw TrainingError(
          "there are \(labels.count) labels for \(samples.rows) training samples; expected one a sample"
        )
      }
      let most = ModelConfiguration.mostClasses
      if let bad = labels.firstIndex(where: { !(0..<most).contains($0) }) {
        throw TrainingError(
          "the label of training sample \(bad) is \(labels[bad]); expected a whole number from 0 to \(most - 1)"
        )
      }
    }
    if let covariates {
      guard covariates.shape.rank == 2, covariates.rows == samples.rows, covariates.shape[1] > 0
      else {
        throw TrainingError(
          "the covariates have shape \(covariates.shape); expected [\(samples.rows), k], a row a training sample, k 1 or more"
        )
      }
      guard covariates.isFinite else {
        throw TrainingError("the covariates hold entries that are not finite")
      }
    }
    self.samples = samples
    self.covariates = covariates
    self.bins = bins
    self.labels = labels
  }

  /// How many classes the labels name: one more than the largest; 0 without labels.
  public var classes: Int { (labels?.max() ?? -1) + 1 }

  /// The mean and the standard deviation of all entries, bins' spread included.
  public var moments: (mean: Double, deviation: Double) {
    let widths = bins?.widths ?? [0]
    let width = widths.reduce(0, +) / Double(widths.count)
    // How far the middles of bins are from where those of the mean width would have them.
    let shifts = widths.map { 0.5 * ($0 - width) }
    return samples.withUnsafeBuffer { entries in
      let count = Double(entries.count)
      let mean = entries.reduce(0) { $0 + Double($1) } / count
      let squares = entries.indices.reduce(0.0) {
        let deviation = Double(entries[$1]) + shifts[$1 % shifts.count] - mean
        return $0 + deviation * deviation
      }
      let spread = (bins?.variances.reduce(0, +) ?? 0) / Double(widths.count)
      let variance = squares / count + spread
      return (mean + width / 2, variance > 0 ? variance.squareRoot() : 1)
    }
  }

  /// - Parameter role: what the samples are, for messages.
  /// - Throws: `TrainingError` where the samples have another shape than a model's, or lack its labels or covariates.
  func check(
    for model: ModelConfiguration, as role: String = "training"
  ) throws(TrainingError) {
    guard samples.shape.row == model.sampleShape else {
      throw TrainingError(
        "the \(role) samples have shape \(samples.shape.row); the model takes \(model.sampleShape)"
      )
    }
    guard model.classes == 0 || labels != nil && classes <= model.classes else {
      throw TrainingError(
        "the model has \(model.classes) classes, and the \(role) data \(labels == nil ? "no labels" : "labels up to \(classes - 1)"); expected a label below \(model.classes) for each sample"
      )
    }
    let columns = covariates?.shape[1] ?? 0
    guard model.covariates == 0 || columns == model.covariates else {
      throw TrainingError(
        "the model has \(model.covariates) covariates, and the \(role) data \(columns) a sample; expected as many"
      )
    }
  }

  /// The samples of a batch, drawn with replacement.
  package func rows(_ count: Int, key: RandomKey) -> [Int] {
    let draws: Tensor<Double> = key.folded("rows").uniform([count, 1])
    let total = samples.rows
    return draws.withUnsafeBuffer { $0.map { min(total - 1, Int($0 * Double(total))) } }
  }

  /// The samples of a batch spread over their bins, `[count, entries of a sample]`.
  package func samples(at rows: [Int], key: RandomKey) -> Tensor<Scalar> {
    let chosen = samples.rows(rows).reshaped([rows.count, samples.shape.rowCount])
    return bins?.spread(chosen, key: key.folded("bins")) ?? chosen
  }

  /// The labels and covariates of a batch, both of a sample left out with a probability p: nil, or rows of NaN; nil where there
  /// are none. Of the samples that keep them and have both, a share p loses one of the two.
  ///
  /// What a model does not ask for counts as not there.
  package func conditions(
    at rows: [Int], of model: ModelConfiguration, dropout: Double, key: RandomKey
  ) -> (labels: [Int?]?, covariates: Tensor<Double>?) {
    let labels = model.classes > 0 ? labels : nil
    let covariates = model.covariates > 0 ? covariates : nil
    guard labels != nil || covariates != nil else { return (nil, nil) }
    let draws: Tensor<Double> = key.folded("labels").uniform([rows.count, 1])
    let isHidden = draws.withUnsafeBuffer { $0.map { $0 < dropout } }
    var (losesLabel, losesCovariates) = (isHidden, isHidden)
    if labels != nil, covariates != nil {
      let others: Tensor<Double> = key.folded("one of two").uniform([rows.count, 1])
      for (row, draw) in others.scalars.enumerated() where draw < dropout {
        if draw < 0.5 * dropout { losesLabel[row] = true } else { losesCovariates[row] = true }
      }
    }
    var chosen = covariates?.rows(rows)
    chosen?.withUnsafeMutableBuffer { values in
      let width = values.count / rows.count
      for row in rows.indices where losesCovariates[row] {
        for place in row * width..<(row + 1) * width { values[place] = .nan }
      }
    }
    return (
      labels.map { labels in rows.indices.map { losesLabel[$0] ? nil : labels[rows[$0]] } }, chosen
    )
  }
}

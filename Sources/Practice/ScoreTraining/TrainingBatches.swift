import ScoreModels
import ScoreTensors

/// The batch of each step, a function of the seed's key and of the step's number alone.
struct TrainingBatches<Scalar: TensorScalar>: Sendable {
  /// Where samples come from.
  enum Source: Sendable {
    /// A set, of which batches are drawn with replacement.
    case set(TrainingData<Scalar>)
    /// Samples made for each batch alone.
    case drawn(Trainer<Scalar>.Draw)
    /// Points of a flow made for each batch alone.
    case points(Trainer<Scalar>.DrawPoints)
  }

  let source: Source
  let size: Int
  let loss: ScoreMatchingLoss
  let model: ModelConfiguration
  let labelDropout: Double
  let key: RandomKey

  func callAsFunction(_ step: Int) throws(TrainingError) -> ScoreMatchingLoss.Batch<Scalar> {
    let key = Source.key(of: step, in: key)
    if case .points(let draw) = source {
      return loss.batch(
        try Source.drawn(size, of: step, key: key, by: draw) { points in
          try points.check(for: model, of: loss.process)
          return points.states.rows
        }, model: model)
    }
    let (data, rows) = try source.samples(size, of: step, for: model, key: key)
    let (labels, covariates) = data.conditions(
      at: rows, of: model, dropout: labelDropout, key: key)
    return loss.batch(
      data.samples(at: rows, key: key), labels: labels, covariates: covariates, model: model,
      key: key)
  }

  /// The set of samples, if there is one.
  var set: TrainingData<Scalar>? { if case .set(let data) = source { data } else { nil } }

  /// The batch of a step to come, where samples are those of a set, so that nobody else's code runs; nil otherwise.
  func prepared(_ step: Int) -> ScoreMatchingLoss.Batch<Scalar>? {
    guard case .set = source else { return nil }
    return try? self(step)
  }
}

extension TrainingBatches.Source {
  static func key(of step: Int, in key: RandomKey) -> RandomKey {
    key.folded("step").folded(UInt64(step))
  }

  /// The samples of a step's batch: rows of data.
  func samples(
    _ count: Int, of step: Int, for model: ModelConfiguration, key: RandomKey
  ) throws(TrainingError) -> (TrainingData<Scalar>, rows: [Int]) {
    switch self {
    case .set(let data): return (data, data.rows(count, key: key))
    case .drawn(let draw):
      let data = try Self.drawn(count, of: step, key: key, by: draw) { data in
        try data.check(for: model)
        return data.samples.rows
      }
      return (data, Array(0..<count))
    case .points(let draw):
      let points = try Self.drawn(count, of: step, key: key, by: draw) { $0.states.rows }
      return (try TrainingData(points.origins), Array(0..<count))
    }
  }

  /// What is drawn for a step, of as many rows as a batch has.
  static func drawn<Drawn>(
    _ count: Int, of step: Int, key: RandomKey, by draw: (Int, RandomKey) throws -> Drawn,
    checkedRows: (Drawn) throws -> Int
  ) throws(TrainingError) -> Drawn {
    let (drawn, rows): (Drawn, Int)
    do {
      drawn = try draw(count, key.folded("samples"))
      rows = try checkedRows(drawn)
    } catch {
      throw TrainingError("the samples of step \(step) could not be drawn: \(error)")
    }
    guard rows == count else {
      throw TrainingError(
        "\(rows) samples were drawn for step \(step); expected \(count), as many as a batch has")
    }
    return drawn
  }

  /// The deviation of the data, or of what is drawn for the first step.
  /// - Throws: `TrainingError` where the data do not fit the model, or cannot be drawn.
  func deviation(
    for model: ModelConfiguration, batch: Int, key: RandomKey
  ) throws(TrainingError) -> Double {
    if case .set(let data) = self { try data.check(for: model) }
    let (data, _) = try samples(
      batch, of: 1, for: model, key: Self.key(of: 1, in: key))
    return data.moments.deviation
  }
}

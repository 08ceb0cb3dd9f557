import ScoreSDE

/// What the data of a run were like.
extension LoadedModel {
  /// At most so many of the samples that the model was trained on, as it saw them; nil where they are not where they were.
  func trainingSamples(atMost most: Int) -> Tensor<Scalar>? {
    guard let run, let path = session.arguments.text("--model"),
      let data = try? TrainingJob<Scalar>.data(of: run, in: RunFolder(path)), data.count > 1,
      run.notes[TrainingJob<Scalar>.fingerprintNote] == data.fingerprint
    else { return nil }
    var rows = Array(0..<data.count)
    if labels.count == 1, let label = labels.first {
      guard let all = TrainingJob<Scalar>.labels(of: run, data) else { return nil }
      rows = rows.filter { all[$0] == label }
      guard rows.count > 1 else { return nil }
    }
    let step = max(1, (rows.count + most - 1) / most)
    return data.modelSamples(
      stride(from: 0, to: rows.count, by: step).map { rows[$0] },
      key: RandomKey(0).folded("end marginal"))
  }

  /// The Gaussian with the moments of the data as the model saw them, nil for an exact model.
  ///
  /// The covariance is whole up to 256 entries a sample, whose axes take a fifth of a second, and one number beyond. Where a
  /// run's data are not where they were, it is a standard normal distribution.
  func coarse() throws -> GaussianOracle<Double>? {
    guard run != nil else { return nil }
    let data = trainingSamples(atMost: 10_000)
    let (mean, deviation) = (data?.mean ?? 0, data?.deviation ?? 1)
    guard let data, data.shape.rowCount <= 256 else {
      return try GaussianOracle(
        process: field.process, mean: mean, deviation: deviation, sampleShape: field.sampleShape)
    }
    return try GaussianOracle(
      process: field.process,
      momentsOf: data.reshaped(Shape([data.rows] + field.sampleShape.extents)),
      addedVariance: 1e-4 * deviation * deviation)
  }
}

extension Tensor {
  /// The deviation of all entries from their mean; 1 where they are all the same.
  var deviation: Double {
    let mean = mean
    let squares = withUnsafeBuffer { entries in
      entries.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    }
    let deviation = (squares / Double(count)).squareRoot()
    return deviation > 0 ? deviation : 1
  }
}

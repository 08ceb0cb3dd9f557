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

  /// What is said of numbers of images that lie further beyond those of the run's data than these are apart; nil of others.
  func remark(onRangeOf numbers: some Collection<Double>, of option: String) -> String? {
    guard let range else { return nil }
    let slack = range.upperBound - range.lowerBound
    let (least, most) = (range.lowerBound - slack, range.upperBound + slack)
    return numbers.first { $0 < least || $0 > most }.map {
      "\(option) has a number of \(Spec.text($0)), where the run was trained on numbers from \(NumberText.trimmed(range.lowerBound, digits: 3)) to \(NumberText.trimmed(range.upperBound, digits: 3))"
    }
  }

  /// The Gaussian with the covariance of the data as the model saw them or, under classes or covariates, which leave less of it,
  /// of samples under those of one row of the data, over all rows: the same whichever are asked for. Nil for an exact model.
  ///
  /// The covariance is whole up to 256 entries a sample, whose axes take a fifth of a second, and one number beyond. Where a
  /// run's data are not where they were, it is a standard normal distribution.
  /// - Parameter isGiven: whether samples are under covariates.
  func coarse(isGiven: Bool) throws -> GaussianOracle<Double>? {
    guard run != nil else { return nil }
    let isOfClass = !labels.isEmpty || labelSource != nil
    let points =
      isOfClass || isGiven
      ? try deviations(isOfClass: isOfClass, isGiven: isGiven) : trainingSamples(atMost: 10_000)
    let (mean, deviation) = (points?.mean ?? 0, points?.deviation ?? 1)
    guard let points, points.shape.rowCount <= Self.mostCorrelated else {
      return try GaussianOracle(
        process: field.process, mean: mean, deviation: deviation, sampleShape: field.sampleShape)
    }
    return try GaussianOracle(
      process: field.process,
      momentsOf: points.reshaped(Shape([points.rows] + field.sampleShape.extents)),
      addedVariance: 1e-4 * deviation * deviation)
  }

  /// Samples with more entries have one variance for all.
  private static var mostCorrelated: Int { 256 }

  /// How draws of the model deviate under the class and the covariates of a row of the run's data: differences of two draws, over √2,
  /// so that their covariance is that of a draw; nil where data are not where they were, or a solve did not finish.
  private func deviations(isOfClass: Bool, isGiven: Bool) throws -> Tensor<Scalar>? {
    guard let run, let path = session.arguments.text("--model"),
      let model = (field as? ScoreModel<Scalar>)?.unconditioned,
      let data = try? TrainingJob<Scalar>.data(of: run, in: RunFolder(path)),
      run.notes[TrainingJob<Scalar>.fingerprintNote] == data.fingerprint
    else { return nil }
    let count = field.sampleShape.count <= Self.mostCorrelated ? 256 : 32
    let rows = (0..<count).map { $0 * data.count / count }
    var own = model
    if isOfClass {
      guard let labels = TrainingJob<Scalar>.labels(of: run, data) else { return nil }
      own = try own.conditioned(onRows: rows.map { labels[$0] })
    }
    if isGiven {
      guard let note = givenNote, let covariates = data.covariates else { return nil }
      own = try own.conditioned(
        onRows: note.standardization.standardized(covariates.values.rows(rows)))
    }
    let prior: any DifferentiableScoreField<Scalar> =
      try session.arguments.guidance.map { try own.guided(from: model, scale: $0) } ?? own
    let sampler = try Sampler(prior, SolverSpec("unipc"), steps: 12)
    let bar = session.progress("moments")
    let draws = try (0..<2).map { draw in
      try sampler.sample(count, key: RandomKey(0).folded("moments").folded(UInt64(draw))) {
        bar.update(min(0.999, 0.5 * (Double(draw) + $0.fraction)))
        return true
      }
    }
    bar.update(1)
    guard draws.allSatisfy(\.isFinished) else { return nil }
    let share = Scalar(0.5).squareRoot()
    return .combined(share, draws[0].samples, -share, draws[1].samples)
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

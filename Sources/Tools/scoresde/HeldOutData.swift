import ScoreSDE

/// What `--validation` of `train` names: data that are not trained on, as the run's model takes them.
struct HeldOutData<Scalar: TensorScalar> {
  /// Where they are.
  let place: HeldOutPlace
  /// The samples where training puts its own, with their labels and covariates.
  let samples: TrainingData<Scalar>
  /// A text that tells them from others, with their labels and covariates.
  let fingerprint: String
  /// What the user should know of them, a sentence each.
  let remarks: [String]
  /// The share of them that may be trained on without a remark.
  private static var mostShared: Double { 0.1 }

  /// The note in a run's description that tells them from others.
  static var fingerprintNote: String { "validation fingerprint" }

  /// - Parameters:
  ///   - own: the data that are trained on, with the run's own map to the model.
  ///   - labels: where the labels of these come from, as `--labels` says.
  ///   - note: how what is given of these is standardised.
  ///   - classes: how many the model knows, and those of them that no sample is of.
  /// - Throws: where they cannot be read, have another shape, or lack their labels or what is given.
  init(
    _ place: HeldOutPlace, beside own: Dataset<Scalar>, labels: String?,
    given note: GivenOption.Note?, classes: (count: Int, empty: [Int])
  ) throws {
    self.place = place
    let source = try asUsage(of: "--validation") { try DataSource(place.data) }
    let columns = RunColumns(
      label: TrainingJob<Scalar>.labelColumn(labels), called: own.classNames, given: note,
      samples: own.columns, texts: own.texts)
    let whole: Dataset<Scalar> = try source.load(
      texts: columns.texts, columns: columns.names)
    var (data, unknown) = try columns.arranged(whole, takesLabels: true)
    try data.checkSampleShape(own.sampleShape)
    data = try place.labelled(data, inColumn: columns.label, as: own, classes)
    data = try place.given(data, note)
    fingerprint = [data.fingerprint, data.labelFingerprint, data.covariates?.fingerprint]
      .compactMap { $0 }.joined(separator: ", ")
    var remarks = [
      DataRemarks.remark(onDropped: whole), RunColumns.remark(unknown, of: data.name),
      Self.remark(onShared: data, own),
    ].compactMap { $0 }
    let (points, bins) = try Self.inModelSpace(data, like: own)
    if own.scale != nil || own.discrete != nil, bins == nil {
      remarks.append(
        "\(data.name): not the \(own.scale == nil ? "whole numbers" : "levels") of \(own.name), so taken as points"
      )
    }
    self.remarks = remarks
    samples = try TrainingData(
      points.reshaped(Shape([data.count] + own.sampleShape.extents)), bins: bins,
      labels: data.labels,
      covariates: note.flatMap { note in
        data.covariates.map { note.standardization.standardized($0.values) }
      })
  }

  /// What is said of samples that are trained on as well; nil where they are few.
  private static func remark(onShared data: Dataset<Scalar>, _ own: Dataset<Scalar>) -> String? {
    guard data.fingerprint != own.fingerprint else {
      return "--validation has the samples of --data, so that nothing learnt by heart shows"
    }
    let share = Double(data.sharedCount(with: own)) / Double(data.count)
    // Rows of few kinds are alike by chance, those of --data among each other as well.
    let byChance = Double(own.repeatedCount) / Double(own.count)
    return share > mostShared + byChance
      ? "--validation has samples of --data, \(NumberText.significant(100 * share, digits: 3)) % of its own, number for number, of which nothing learnt by heart shows"
      : nil
  }

  /// Samples where training puts its own, and their bins where they are levels or whole numbers.
  private static func inModelSpace(
    _ data: Dataset<Scalar>, like own: Dataset<Scalar>
  ) throws -> (samples: Tensor<Scalar>, bins: Bins?) {
    guard let scale = own.scale else {
      var data = try data.labelled(nil).given(nil)
      data.standardization = own.standardization
      // A table as text has what the run's has, and no points.
      if let discrete = own.discrete, data.lines != nil {
        _ = try data.discretized(as: discrete)
      }
      data.discrete = own.discrete?.holds(data.samples) == true ? own.discrete : nil
      let samples = try data.trainingData()
      return (samples.samples, samples.bins)
    }
    // Data with levels of their own are refused where these are no levels of the run's.
    let levels = try data.scale == nil ? try? data.scaled(by: scale) : data.scaled(by: scale)
    if let levels = try levels?.labelled(nil).given(nil).trainingData() {
      return (levels.samples, levels.bins)
    }
    return (data.samples.map { Scalar(scale.offset + scale.factor * Double($0)) }, nil)
  }
}

import ScoreSDE

/// What `--validation` of `train` names: data that are not trained on, as the run's model takes them.
struct HeldOutData<Scalar: TensorScalar> {
  /// Where they are, as the option spells it.
  let text: String
  /// The samples where training puts its own, with their labels and covariates.
  let samples: TrainingData<Scalar>
  /// A text that tells them from others, with their labels and covariates.
  let fingerprint: String
  /// What the user should know of them, a sentence each.
  let remarks: [String]

  /// The notes in a run's description that say where they are, and tell them from others.
  static var note: String { "validation" }
  static var fingerprintNote: String { "validation fingerprint" }

  /// - Parameters:
  ///   - own: the data that are trained on, with the run's own map to the model.
  ///   - labels: where the labels of these come from, as `--labels` says.
  ///   - note: how what is given of these is standardised.
  ///   - classes: how many the model knows, and those of them that no sample is of.
  /// - Throws: where they cannot be read, have another shape, or lack their labels or what is given.
  init(
    _ text: String, beside own: Dataset<Scalar>, labels: String?, given note: GivenOption.Note?,
    classes: (count: Int, empty: [Int])
  ) throws {
    self.text = text
    let source = try asUsage(of: "--validation") { try DataSource(text) }
    let columns = RunColumns(
      label: TrainingJob<Scalar>.labelColumn(labels), given: note?.names ?? [],
      samples: own.columns)
    let whole: Dataset<Scalar> = try source.load()
    var (data, unknown) = try columns.arranged(whole, takesLabels: true)
    try data.checkSampleShape(own.sampleShape)
    if classes.count == 0 {
      data = try data.labelled(nil)
    } else if let labels = try data.labelled(as: ClassNames(own.classNames)).labels {
      data = try data.labelled(as: ClassNames(own.classNames))
      if let bad = labels.firstIndex(where: {
        $0 >= classes.count || classes.empty.contains($0)
      }) {
        throw CommandError.failure(
          "\(data.place(of: bad)): the class is \(labels[bad]), of which --data has no sample; expected classes from 0 to \(classes.count - 1) that it has"
        )
      }
    } else {
      let column = columns.label.map { " in a column \(CSV.spelled($0))" } ?? ""
      throw CommandError.usage(
        "--validation is \(text), which comes without labels\(column); expected data that have them, as those of --data are learnt"
      )
    }
    if let note, data.covariates == nil {
      throw CommandError.usage(
        "--validation is \(text), where nothing says what is given of its samples; expected a table with \(note.names.map { "the columns \(CSV.list($0))" } ?? "columns that --given names")"
      )
    }
    fingerprint = [data.fingerprint, data.labelFingerprint, data.covariates?.fingerprint]
      .compactMap { $0 }.joined(separator: ", ")
    var remarks = [RunColumns.remark(unknown, of: data.name)].compactMap { $0 }
    if data.fingerprint == own.fingerprint {
      remarks.append(
        "--validation has the samples of --data, so that nothing learnt by heart shows")
    }
    let (points, binWidth) = try Self.inModelSpace(data, like: own)
    if own.scale != nil, binWidth == nil {
      remarks.append("\(data.name): not the levels of \(own.name), so taken as points")
    }
    self.remarks = remarks
    samples = try TrainingData(
      points.reshaped(Shape([data.count] + own.sampleShape.extents)), binWidth: binWidth,
      labels: data.labels,
      covariates: note.flatMap { note in
        data.covariates.map { note.standardization.standardized($0.values) }
      })
  }

  /// Samples where training puts its own, and the width of their bins where they are levels.
  private static func inModelSpace(
    _ data: Dataset<Scalar>, like own: Dataset<Scalar>
  ) throws -> (samples: Tensor<Scalar>, binWidth: Double?) {
    guard let scale = own.scale else {
      return (own.standardization?.standardized(data.samples) ?? data.samples, nil)
    }
    // Data with levels of their own are refused where these are no levels of the run's.
    let levels = try data.scale == nil ? try? data.scaled(by: scale) : data.scaled(by: scale)
    if let levels = try levels?.labelled(nil).given(nil).trainingData() {
      return (levels.samples, levels.binWidth)
    }
    return (data.samples.map { Scalar(scale.offset + scale.factor * Double($0)) }, nil)
  }
}

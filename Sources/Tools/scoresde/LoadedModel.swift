import Foundation
import ScoreSDE

/// What `--model` names: a run folder or an exact model.
struct LoadedModel<Scalar: TensorScalar> {
  let field: any DifferentiableScoreField<Scalar>
  /// The classes that are asked for; the field is that of the only one, or of all samples together.
  let labels: [Int]
  /// Where each sample's own class comes from, as `--class` says: `data` or a file; nil where samples have none of their own.
  let labelSource: String?
  /// The classes in that file, one a row.
  let labelFile: Dataset<Double>?
  /// The rows of covariates that are asked for, in the units of the run's data; the field is that of the only one, or of all
  /// samples.
  let given: [[Double]]
  /// What a trained model knows of its covariates, if it has any.
  let givenNote: GivenOption.Note?
  /// How the data that a trained model saw are quantised.
  let scale: DataScale?
  /// What the numbers of images without levels were between that a trained model saw.
  let range: ClosedRange<Double>?
  /// Which numbers of the data that a trained model saw were whole.
  let discrete: DiscreteColumns?
  /// The columns of texts in the table that a trained model saw.
  let texts: [TextColumn]
  /// How the data that a trained model saw were standardised.
  let standardization: Standardization?
  /// The names of the columns of the table that a trained model saw.
  let columns: [String]?
  /// What is known of the run of a trained model.
  let run: RunDescription?
  /// The classes that a trained model has seen no sample of.
  let emptyClasses: [Int]
  /// What the classes of a trained model are called.
  let classNames: ClassNames
  let session: Session

  /// Whether it is a consistency model, which has samples and no scores.
  var isConsistency: Bool { run?.teacher != nil }

  /// The column that held the labels of the run, if they were in one.
  var labelColumn: String? { run.flatMap(TrainingJob<Scalar>.labelColumn(of:)) }

  /// Whether classes or covariates are asked for.
  var isConditioned: Bool { !labels.isEmpty || labelSource != nil || !given.isEmpty }

  /// - Parameters:
  ///   - takesSeveral: whether several classes and rows of covariates may be asked for, or a file of classes.
  ///   - takesRows: whether classes and rows of covariates may, each for a sample of data.
  ///   - takesConsistency: whether it may be a consistency model, whose field is its network.
  /// - Throws: where `--model`, `--sde`, `--class` or `--given` make no sense, or the run cannot be read.
  init(
    _ session: Session, takesSeveral: Bool = false, takesRows: Bool = false,
    takesConsistency: Bool = false
  ) throws {
    let text = try session.arguments.required("--model")
    if let field = try ExactModel<Scalar>.field(text, session) {
      self.init(session, exact: field)
    } else if FilePlace.exists(text) {
      try self.init(
        session, run: text, takesSeveral: takesSeveral, takesRows: takesRows,
        takesConsistency: takesConsistency)
    } else {
      let name = String(text.prefix { $0 != ":" })
      throw CommandError.usage(
        "--model is \(text), but there is no such folder\(NearMiss.hint(for: name, among: ["gaussian", "mixture"].filter { $0 != name })); expected a run folder, or an exact model, gaussian:mean=M,std=S,dim=D or mixture:FILE.json"
      )
    }
  }

  private init(_ session: Session, exact field: any DifferentiableScoreField<Scalar>) {
    (self.session, self.field) = (session, field)
    (labels, labelSource, labelFile, given, givenNote) = ([], nil, nil, [], nil)
    (scale, standardization, columns, run, emptyClasses) = (nil, nil, nil, nil, [])
    (range, discrete, texts, classNames) = (nil, nil, [], ClassNames(nil))
  }

  private init(
    _ session: Session, run text: String, takesSeveral: Bool, takesRows: Bool,
    takesConsistency: Bool
  ) throws {
    self.session = session
    let arguments = session.arguments
    let folder = RunFolder(text)
    if !folder.exists { try folder.refuse(as: "--model") }
    let description = try folder.description()
    run = description
    let model = try Self.model(
      of: description, in: folder, session, takesConsistency: takesConsistency)

    if let asked = arguments.text("--class"), description.classes == nil {
      throw CommandError.usage(
        "--class is \(asked), but the run \(text) was trained without labels; expected a run that was trained with --labels"
      )
    }
    classNames = try ClassNames(of: description, in: folder)
    let asked = try ClassOption(
      arguments.text("--class"), of: text, classNames, takesSeveral: takesSeveral,
      takesRows: takesRows)
    (labels, labelSource) = (asked.labels, asked.source)
    if labelSource == "data", classNames.names?.contains("data") == true {
      session.remark(
        "--class data takes each sample under its own class; \(ClassNames.spelled("data")), in quotes, is the class that is called so"
      )
    }
    let names = classNames
    labelFile = try labelSource.flatMap { source in
      try source == "data"
        ? nil
        : asUsage(of: "--class") { try DataSource(source) }.loadClasses(
          column: TrainingJob<Scalar>.labelColumn(of: description), names)
    }
    emptyClasses =
      (try DataNote.emptyClasses.value(in: description, of: folder) ?? [])
      + classNames.beyond(description.classes ?? 0)
    if let label = labels.first(where: emptyClasses.contains) {
      throw CommandError.usage(
        "--class is \(arguments.text("--class") ?? ""), but the run \(text) was trained on no sample of class \(classNames.said(label)); expected classes that it saw"
      )
    }
    let classes = try labels.map { try Self.conditioned(model, on: $0, text) }

    let note = try GivenOption.note(in: description, of: folder)
    given = try Self.given(session, note, of: text)
    guard takesSeveral || takesRows || given.count <= 1 else {
      throw CommandError.usage(
        "--given is \(arguments.text("--given") ?? ""), with \(given.count) rows; expected one")
    }
    givenNote = note
    let classed = classes.count == 1 ? classes[0] : model
    if given.count == 1, let seen = note?.standardized(given[0]) {
      field = try classed.conditioned(on: seen)
    } else {
      field = classed
    }

    scale = try DataNote.scale.value(in: description, of: folder)
    range = try DataNote.range.value(in: description, of: folder)
    discrete = try DataNote.discrete.value(in: description, of: folder)
    texts = try DataNote.texts.value(in: description, of: folder) ?? []
    standardization = try DataNote.standardization.value(in: description, of: folder)
    columns = try DataNote.columns.value(in: description, of: folder)
    try checkColumns(of: folder)
    try Self.checkGuidance(of: description, text, arguments)
    if description.options.labelDropout == 0,
      labels.isEmpty && labelSource == nil && description.classes != nil
        || given.isEmpty && note != nil && !takesRows
        || isConditioned && arguments.has("--guidance")
    {
      session.remark(
        "\(text) was \(description.notes[ImportCommand.note] == nil ? "trained with --label-dropout 0" : "imported with its classes alone"), so that samples without --class or --given, and guidance, take what it has not learnt"
      )
    }
  }

  /// Refuses guidance of an imported model, of which nothing says that it has a score of all classes together.
  private static func checkGuidance(
    of run: RunDescription, _ path: String, _ arguments: Arguments
  ) throws {
    guard run.options.labelDropout == 0, let source = run.notes[ImportCommand.note],
      let scale = arguments.text("--guidance")
    else { return }
    throw CommandError.usage(
      "--guidance is \(scale), but the run \(path) was imported from \(source), which knows each class by itself and not all together; expected no guidance, or a run that train --start \(path) --labels made of it"
    )
  }

  /// The model of a run.
  /// - Throws: where the run has none that the command takes.
  private static func model(
    of run: RunDescription, in folder: RunFolder, _ session: Session, takesConsistency: Bool
  ) throws -> ScoreModel<Scalar> {
    let text = folder.path
    if session.arguments.has("--sde") {
      let given = ProcessSpec.text(of: try session.process())
      guard given == run.sde else {
        throw CommandError.usage(
          "--sde is \(given), but the run \(text) was trained with \(run.sde); leave --sde out")
      }
    }
    try run.checkCheckpoint(in: folder)
    if let level = run.options.noiseLevel {
      throw CommandError.usage(
        "--model is \(text), a run trained with --noise-level \(Spec.text(level)): it knows the score at that one level, and samples and likelihoods take all; expected a run without"
      )
    }
    guard let teacher = run.teacher else { return try folder.model(pool: session.pool) }
    guard takesConsistency else {
      throw CommandError.usage(
        "--model is \(text), a consistency model, distilled from \(teacher): it has samples and no scores; expected a score model, such as that"
      )
    }
    return try folder.consistencyModel(pool: session.pool).network
  }

  /// Checks that what is known of the data's columns goes with the samples' shape.
  private func checkColumns(of folder: RunFolder) throws {
    if let count = columns?.count, field.sampleShape != [count] {
      throw CommandError.failure(
        "\(folder.descriptionPath): \(count) columns have names, where samples have shape \(field.sampleShape)"
      )
    }
    if let count = discrete?.ranges.count, count != field.sampleShape.count {
      throw CommandError.failure(
        "\(folder.descriptionPath): \(count) columns are told whole or not, where samples have \(field.sampleShape.count) entries"
      )
    }
    if let standardization, !standardization.fits(field.sampleShape) {
      throw CommandError.failure(
        "\(folder.descriptionPath): \(standardization.means.count) columns are standardised, where samples have \(field.sampleShape.count) entries"
      )
    }
  }

  private static func conditioned(
    _ model: ScoreModel<Scalar>, on label: Int, _ path: String
  ) throws -> ScoreModel<Scalar> {
    do {
      return try model.conditioned(on: label)
    } catch {
      throw CommandError.usage("--class: of the run \(path), \(error)")
    }
  }

  private static func given(
    _ session: Session, _ note: GivenOption.Note?, of run: String
  ) throws -> [[Double]] {
    guard let text = session.arguments.text("--given") else { return [] }
    guard let note else {
      throw CommandError.usage(
        "--given is \(text), but the run \(run) was trained without; expected a run that was trained with --given"
      )
    }
    let rows = try GivenOption.rows(text, note, of: run)
    if let remark = note.remark(onSizeOf: rows) { session.remark(remark) }
    // A text is one that the run knows, however rare.
    let texts = note.texts ?? []
    let isOfText = (note.names ?? []).map { name in texts.contains { $0.text(of: name) != nil } }
    let far = rows.flatMap { note.standardized($0).enumerated() }.filter { place, _ in
      !isOfText.indices.contains(place) || !isOfText[place]
    }.max {
      abs($0.element) < abs($1.element)
    }
    let name = far.map { far in
      note.extents != nil
        ? "a number"
        : note.names.map { CSV.spelled($0[far.offset]) } ?? "number \(far.offset + 1)"
    }
    if let far, let name, let remark = remark(abs(far.element), on: "--given: \(name)") {
      session.remark(remark)
    }
    return rows
  }

  /// What is said of a number, if it is so many deviations from the mean of the run's data that nothing is learnt there.
  static func remark(_ deviations: Double, on subject: String) -> String? {
    deviations <= mostDeviations
      ? nil
      : "\(subject) is \(NumberText.significant(deviations, digits: 2)) deviations from the mean of what the run was trained on, where it has learnt nothing"
  }

  /// How far what is given or observed may be from the run's data before the user is told, in deviations.
  private static var mostDeviations: Double { 6 }

  /// What is to say of an exact model whose data are far from the prior, which samples start from.
  var priorRemark: String? {
    guard let oracle = field as? any ScoreOracle<Scalar> else { return nil }
    let count = max(1, min(1000, 1_000_000 / oracle.sampleShape.count))
    let square = oracle.sample(count, key: RandomKey(0)).withUnsafeBuffer { entries in
      entries.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(entries.count)
    }
    return DataRemarks.mismatch(square, oracle.process).map {
      "\($0); an SDE with more noise brings them together"
    }
  }

  /// Whether samples are series, [length] or [length, channels], and no images, though these may have two axes as well.
  var isSeries: Bool {
    let network = (field as? ScoreModel<Scalar>)?.configuration.network
    return field.sampleShape.rank == 1
      || field.sampleShape.rank == 2 && network?.architecture == .unet1D
  }

  /// Samples of the model as pictures are drawn of them, and from where to where, black to white: as levels, where the data have
  /// some, and else in the data's own units, from the least number of the run's data to the greatest.
  func picture(_ x: Tensor<Scalar>) -> (samples: Tensor<Scalar>, range: ClosedRange<Double>) {
    guard let scale else { return (inDataUnits(x), range ?? SampleFile.usualRange) }
    return (scale.quantised(x), 0...Double(max(1, scale.levels - 1)) * scale.binWidth)
  }

  /// Samples of the model in the data's own units.
  func inDataUnits(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    guard let scale else { return standardization?.restored(x) ?? x }
    return x.map { Scalar((Double($0) - scale.offset) / scale.factor) }
  }

  /// What a log density in the data's own units has more than in model space, in nats.
  var logVolume: Double {
    let dimensions = field.sampleShape.count
    return scale.map { Double(dimensions) * log(abs($0.factor)) }
      ?? standardization.map { -$0.logVolume(dimensions: dimensions) } ?? 0
  }
}

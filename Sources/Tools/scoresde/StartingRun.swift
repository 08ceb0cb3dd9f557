import ScoreSDE

/// `train --start`: the run whose model a new one begins with.
struct StartingRun<Scalar: TensorScalar> {
  /// The note in a run's description that says which run it began with.
  static var note: String { "start" }
  static var option: Option {
    Option(
      "--start", "RUN",
      "a run, trained here or imported, with whose parameters, network and SDE a new one begins, on other data or by another loss"
    )
  }

  let path: String
  let model: ModelConfiguration
  let process: any LinearProcess
  let parameters: Parameters<Scalar>
  /// What it knows of its covariates.
  let given: GivenOption.Note?
  /// What it calls its classes.
  let classNames: ClassNames
  /// The columns that it knows.
  let columns: RunColumns
  private let run: RunDescription
  private let folder: RunFolder

  /// Reads the run that `--start` names; nil where it is not given.
  /// - Throws: where there is none that a score can be learnt from, or other options speak of what it says already.
  init?(_ arguments: Arguments, pool: ThreadPool) throws {
    guard let path = arguments.text("--start") else { return nil }
    let fixed = ["--network", "--parametrization", "--sde", "--standardize", "--levels", "--whole"]
    if let other = fixed.first(where: arguments.has) {
      throw CommandError.usage(
        "\(other) is given with --start, whose run says it already; expected one of the two")
    }
    try self.init(path, pool: pool)
  }

  /// - Throws: where the folder holds no score model.
  init(_ path: String, pool: ThreadPool) throws {
    self.path = path
    folder = RunFolder(path)
    if !folder.exists { try folder.refuse(as: "--start") }
    run = try folder.description()
    try run.checkCheckpoint(in: folder)
    (model, process) = try folder.parts(of: run)
    let network: ScoreModel<Scalar> = try folder.model(pool: pool)
    parameters = network.parameters
    given = try GivenOption.note(in: run, of: folder)
    classNames = try ClassNames(of: run, in: folder)
    columns = RunColumns(
      label: TrainingJob<Scalar>.labelColumn(of: run), called: classNames.names, given: given,
      samples: try DataNote.columns.value(in: run, of: folder),
      texts: try DataNote.texts.value(in: run, of: folder) ?? [])
  }

  /// Data as the run's model sees its own: its columns, standardised or scaled as those were.
  /// - Throws: where they are of another kind.
  func adapted(_ data: Dataset<Scalar>) throws -> Dataset<Scalar> {
    var data = data
    data = try columns.chosen(of: data)
    if let scale = try DataNote.scale.value(in: run, of: folder) {
      data = try data.scaled(by: scale)
    } else if let levels = data.scale?.levels {
      throw CommandError.failure(
        "\(data.name) has \(levels) levels, and the data of \(path) had none; expected data of one kind"
      )
    }
    if let discrete = try DataNote.discrete.value(in: run, of: folder) {
      data = try data.discretized(as: discrete)
    }
    data.standardization = try DataNote.standardization.value(in: run, of: folder)
    if let names = given?.names, let own = data.covariates,
      own.names.map({ TextColumn.together($0, own.texts) }) == given?.tableNames
    {
      data = try data.given(asIn: names)
    }
    guard data.covariates.map({ $0.values.shape[1] == given?.count ?? 0 }) ?? true else {
      throw otherNumbers
    }
    try data.checkSampleShape(model.sampleShape)
    return data
  }

  private var otherNumbers: CommandError {
    .usage(
      "--start is \(path), which is given \(given?.text ?? "nothing"); expected the same in --given, or nothing"
    )
  }

  /// Checks that samples have classes and covariates as those of the run have.
  func check(_ samples: TrainingData<Scalar>, given names: [String]?) throws {
    guard samples.classes <= model.classes, (samples.labels == nil) == (model.classes == 0) else {
      throw CommandError.usage(
        "--start is \(path), which knows \(model.classes == 0 ? "no classes" : "classes up to \(model.classes - 1)"), and the data have \(samples.labels == nil ? "no --labels" : "classes up to \(samples.classes - 1)"); expected the same, or fewer"
      )
    }
    let count = samples.covariates?.shape[1] ?? 0
    guard count == model.covariates, count == 0 || given?.names == names else {
      throw otherNumbers
    }
  }
}

import Foundation
import ScoreSDE

/// A training run from the shell: data, model, trainer and log.
struct TrainingJob<Scalar: TensorScalar> {
  var description: RunDescription
  var trainer: Trainer<Scalar>
  var log = LossLog()
  /// What the user should know of the data of a new run, a sentence each.
  let remarks: [String]

  /// The note in a run's description that tells its data from others.
  static var fingerprintNote: String { "data" }
  /// The note that says where the labels came from.
  private static var labelsNote: String { "labels" }
  private static var labelFingerprintNote: String { "label fingerprint" }
  /// The notes that say where the covariates came from, and tell them from others.
  private static var givenSourceNote: String { "given source" }
  private static var givenFingerprintNote: String { "given fingerprint" }
  /// Steps between entries of the loss log.
  private static var logEvery: Int { 10 }

  /// Creates a new run from options.
  init(_ arguments: Arguments, process: any LinearProcess, pool: ThreadPool) throws {
    let text = try arguments.required("--data")
    let source = try asUsage(of: "--data") { try DataSource(text) }
    let network = try asUsage(of: "--network") {
      try NetworkSpec(arguments.text("--network") ?? "residual-mlp")
    }
    let options = try Self.options(arguments)
    try self.init(
      data: Self.labelled(
        Self.standardized(
          Self.load(
            source, labels: arguments.text("--labels"), given: arguments.text("--given")),
          arguments),
        by: arguments.text("--labels")),
      labels: arguments.text("--labels"), given: arguments.text("--given"), network: network,
      parametrization: arguments.text("--parametrization") ?? "gaussian", process: process,
      options: options, pool: pool)
  }

  /// Creates a new run on data that are at hand; where they have labels, of a model of their classes.
  init(
    data: Dataset<Scalar>, labels: String? = nil, given: String? = nil, network: NetworkSpec,
    parametrization: String = "gaussian",
    process: any LinearProcess, options: TrainingOptions, pool: ThreadPool
  ) throws {
    let note = try data.covariates.map {
      GivenOption.Note(
        names: $0.names,
        standardization: try Standardization(of: $0.values, by: .columns, name: "--given"))
    }
    let samples = try data.trainingData(given: note)
    let moments = samples.moments
    let model = ModelConfiguration(
      sampleShape: data.sampleShape, network: network,
      preconditioning: try asUsage(of: "--parametrization") {
        try Preconditioning(parametrization, mean: moments.mean, deviation: moments.deviation)
      }, classes: samples.classes, covariates: note?.count ?? 0)
    try asUsage(of: "--network") { try model.check() }
    var notes = [Self.fingerprintNote: data.fingerprint]
    notes[Self.labelsNote] = labels
    notes[Self.labelFingerprintNote] = data.labelFingerprint
    notes[Self.givenSourceNote] = given
    notes[Self.givenFingerprintNote] = data.covariates?.fingerprint
    notes[DataNote.given.name] = try note.map(DataNote.given.text)
    if !samples.emptyClasses.isEmpty {
      notes[DataNote.emptyClasses.name] = try DataNote.emptyClasses.text(of: samples.emptyClasses)
    }
    notes[DataNote.columns.name] = try data.columns.map(DataNote.columns.text)
    notes[DataNote.scale.name] = try data.scale.map(DataNote.scale.text)
    notes[DataNote.standardization.name] =
      try data.standardization.map(DataNote.standardization.text)
    remarks = DataRemarks.of(
      data, as: samples, process: process, hasLevel: options.noiseLevel != nil)
    description = RunDescription(
      model: model, process: process, scalar: Scalar.typeName, data: data.name,
      options: options, notes: notes)
    do {
      trainer = try Trainer(model, process: process, data: samples, options: options, pool: pool)
    } catch let error as TrainingError {
      // The data have been read and checked: what is out of range, or too large for the machine, is an option.
      throw CommandError.usage(error.description)
    }
  }

  /// Data as `--standardize` asks for them; where it does not, tables in files come with their columns standardised.
  private static func standardized(
    _ data: Dataset<Scalar>, _ arguments: Arguments
  ) throws -> Dataset<Scalar> {
    guard let text = arguments.text("--standardize") else { return data }
    guard text != "none" else {
      var plain = data
      plain.standardization = nil
      return plain
    }
    guard let grouping = Standardization.Grouping(rawValue: text) else {
      throw CommandError.usage("--standardize is \(text); expected columns, whole or none")
    }
    return try data.standardized(by: grouping)
  }

  /// The column that `--labels column:NAME` names.
  private static func labelColumn(_ text: String?) -> String? {
    guard let text, text.hasPrefix("column:") else { return nil }
    return String(text.dropFirst("column:".count))
  }

  /// The columns of the data of a run that held its covariates, if they were in some.
  static func givenColumns(of run: RunDescription) -> [String]? {
    run.notes[givenSourceNote].flatMap { text in
      text.hasSuffix(".npy")
        ? nil : text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  /// The column of the data of a run that held its labels, if they were in one.
  static func labelColumn(of run: RunDescription) -> String? { labelColumn(run.notes[labelsNote]) }

  /// Data, with the labels that one of their columns holds where `--labels` names it, and with the covariates of `--given`.
  private static func load(
    _ source: DataSource, labels text: String?, given: String?
  ) throws -> Dataset<Scalar> {
    let data: Dataset<Scalar> = try source.load()
    return try GivenOption.data(
      labelColumn(text).map { try data.labelled(byColumn: $0) } ?? data, by: given)
  }

  /// The data that are where those of a run were.
  static func data(of run: RunDescription) throws -> Dataset<Scalar> {
    try load(
      DataSource(run.data), labels: run.notes[labelsNote], given: run.notes[givenSourceNote])
  }

  /// Data with the labels that `--labels` names, or without any; those of a column they have as they are loaded.
  private static func labelled(
    _ data: Dataset<Scalar>, by text: String?
  ) throws -> Dataset<Scalar> {
    guard let text else { return try data.labelled(nil) }
    var result = data
    let isWithData = text == "data" || labelColumn(text) != nil
    if !isWithData {
      result = try data.labelled(asUsage(of: "--labels") { try DataSource(text) }.labels())
    }
    guard let labels = result.labels else {
      throw CommandError.usage(
        "--labels is data, but \(data.name) comes without labels; expected a file of whole numbers, one a sample"
      )
    }
    let most = ModelConfiguration.mostClasses
    if let bad = labels.firstIndex(where: { $0 >= most }) {
      throw DataError(
        .outOfRange, isWithData ? data.name : text,
        "the label of sample \(bad) is \(labels[bad]); expected a whole number from 0 to \(most - 1)"
      )
    }
    return result
  }

  /// The labels that a run was trained with, in so far as they are where they were.
  static func labels(of run: RunDescription, _ data: Dataset<Scalar>) -> [Int]? {
    guard let data = try? labelled(data, by: run.notes[labelsNote]),
      data.labelFingerprint == run.notes[labelFingerprintNote]
    else { return nil }
    return data.labels
  }

  /// The data of a run, from where it had them or from where they are now.
  private static func data(
    of run: RunDescription, in folder: RunFolder, given arguments: Arguments
  ) throws -> Dataset<Scalar> {
    let text = arguments.text("--data") ?? run.data
    let labels = arguments.text("--labels") ?? run.notes[labelsNote]
    let given = arguments.text("--given") ?? run.notes[givenSourceNote]
    guard given == nil || run.covariates != nil else {
      throw CommandError.usage(
        "--given is \(given ?? ""), but the run in \(folder.path) has no covariates; leave it out or start another run"
      )
    }
    func otherNumbers() -> CommandError {
      .usage(
        "--given is \(given ?? "missing"), which gives other numbers than the run in \(folder.path) was trained on, \(run.notes[givenSourceNote] ?? "none"); leave it out, or give their place now"
      )
    }
    if let given, let own = run.notes[givenSourceNote], given != own,
      !given.hasSuffix(".npy") || !own.hasSuffix(".npy")
    {
      throw otherNumbers()
    }
    var data = try load(
      asUsage(of: "--data") { try DataSource(text) }, labels: labels, given: given)
    // Runs of earlier versions have no fingerprint.
    let isSame = run.notes[fingerprintNote].map { $0 == data.fingerprint } ?? (text == run.data)
    guard isSame else {
      throw CommandError.usage(
        "\(text) holds other data than the run in \(folder.path) was trained on, \(run.data); give --data with their place now, or start another run"
      )
    }
    data.standardization = try DataNote.standardization.value(in: run, of: folder)
    data = try labelled(data, by: run.classes == nil ? arguments.text("--labels") : labels)
    guard data.labelFingerprint == run.notes[labelFingerprintNote] else {
      throw CommandError.usage(
        "--labels is \(labels ?? "missing"), which gives other labels than the run in \(folder.path) was trained with, \(run.notes[labelsNote] ?? "none"); leave it out, or give their place now"
      )
    }
    guard data.covariates?.fingerprint == run.notes[givenFingerprintNote] else {
      throw otherNumbers()
    }
    if let given = arguments.text("--standardize"),
      try standardized(data, arguments).standardization != data.standardization
    {
      throw CommandError.usage(
        "--standardize is \(given), but the run in \(folder.path) has \(data.standardization?.grouping.rawValue ?? "none"); leave it out or start another run"
      )
    }
    return data
  }

  /// Takes up the run in a folder; options that are given must be those of the run, but for more steps.
  init(resuming folder: RunFolder, given arguments: Arguments, pool: ThreadPool) throws {
    var found = try folder.description()
    guard found.scalar == Scalar.typeName else {
      throw CommandError.usage(
        "the run in \(folder.path) is of \(found.scalar); give --scalar \(found.scalar)")
    }
    let keep = [
      ("--sde", found.sde), ("--network", found.network),
      ("--batch-size", "\(found.options.batchSize)"), ("--seed", "\(found.options.seed)"),
      ("--learning-rate", "\(found.options.learningRate)"), ("--clip", "\(found.options.clip)"),
      ("--schedule", found.options.schedule.rawValue), ("--warm-up", "\(found.options.warmUp)"),
      ("--average-decay", "\(found.options.averageDecay)"),
      ("--weighting", found.options.weighting.rawValue), ("--times", found.options.times.rawValue),
      ("--loss", found.options.objective.rawValue), ("--parametrization", found.parametrization),
      ("--noise-level", found.options.noiseLevel.map { "\($0)" } ?? "none"),
      (
        "--label-dropout",
        found.classes == nil && found.covariates == nil
          ? "none" : "\(found.options.labelDropout ?? TrainingOptions.usualLabelDropout)"
      ),
    ]
    guard !arguments.has("--independent-times") || !found.options.stratifiesTimes else {
      throw CommandError.usage(
        "--independent-times is given, but the run in \(folder.path) draws times in strata; leave it out or start another run"
      )
    }
    for (name, value) in keep {
      guard let given = arguments.text(name), given != value else { continue }
      let same: Bool =
        switch name {
        case "--sde": (try? ProcessSpec.text(of: ProcessSpec.process(given))) == value
        case "--network": (try? NetworkSpec(given).text) == value
        case "--parametrization": Self.means(given, value)
        case "--seed", "--batch-size", "--warm-up":
          UInt64(given) != nil && UInt64(given) == UInt64(value)
        default: Double(given) != nil && Double(given) == Double(value)
        }
      guard same else {
        throw CommandError.usage(
          "\(name) is \(given), but the run in \(folder.path) has \(value); leave it out or start another run"
        )
      }
    }
    if let steps = try arguments.integer("--steps", atLeast: 1) { found.options.steps = steps }
    let data = try Self.data(of: found, in: folder, given: arguments)
    remarks = []
    found.data = data.name
    if let labels = arguments.text("--labels") { found.notes[Self.labelsNote] = labels }
    if let given = arguments.text("--given") { found.notes[Self.givenSourceNote] = given }
    let note = try DataNote.given.value(in: found, of: folder)
    let (model, process) = try folder.parts(of: found)
    do {
      trainer = try Trainer(
        model, process: process,
        data: try data.trainingData(given: note), options: found.options, pool: pool)
    } catch let error as TrainingError {
      throw CommandError.failure("\(folder.descriptionPath): \(error)")
    }
    if FilePlace.exists(folder.checkpointPath) {
      try trainer.restore(try folder.checkpoint(), from: folder.checkpointPath)
      guard let text = try? String(contentsOfFile: folder.lossPath, encoding: .utf8) else {
        throw CommandError.failure("\(folder.lossPath): the loss log is missing")
      }
      log = try LossLog(text: text, name: folder.lossPath, upTo: trainer.step)
    } else if FilePlace.exists(folder.lossPath) {
      Console.say(
        "scoresde: there is no \(folder.checkpointPath); training starts from the first step\n")
    }
    guard trainer.step <= found.options.steps else {
      throw CommandError.usage(
        "--steps is \(found.options.steps), but the run in \(folder.path) has done \(trainer.step)")
    }
    // A demo's run that is trained on is no demo's any more.
    found.notes[DemoCommand.note] = nil
    description = found
    try folder.create(found)
  }

  /// Trains to the end, with checkpoints; where training diverges the last one stays.
  ///
  /// - Parameter shouldStop: asked after each step; once it answers true the run ends with a checkpoint at the next entry of
  ///   the log.
  mutating func run(
    in folder: RunFolder?, checkpointEvery every: Int, shouldStop: () -> Bool = { false },
    progress: (_ fraction: Double, _ note: String) -> Void
  ) throws {
    // Checkpoints fall on entries of the log, so that a resumed run logs the same means.
    let every = (every + Self.logEvery - 1) / Self.logEvery * Self.logEvery
    var recent: [Trainer<Scalar>.Report] = []
    var shown = log.entries.last?.loss
    func failure(_ error: any Error) -> CommandError {
      let isKept = folder.map { FilePlace.exists($0.checkpointPath) } == true
      return .failure("\(error)\(isKept ? "; the last checkpoint is kept" : "")")
    }
    while !trainer.isFinished {
      do { recent.append(try trainer.advance()) } catch { throw failure(error) }
      let step = trainer.step
      let isLogged = step % Self.logEvery == 0 || trainer.isFinished
      let isStopping = shouldStop()
      if isLogged {
        log.add(recent)
        recent = []
        shown = log.entries.last?.loss
      }
      let isStopped = isStopping && isLogged
      if let folder, trainer.isFinished || step % every == 0 || isStopped {
        do { try folder.save(trainer, log: log) } catch { throw failure(error) }
      }
      let loss = NumberText.fixed(shown ?? recent.last?.loss ?? 0, decimals: 4)
      progress(
        Double(step) / Double(trainer.options.steps),
        "step \(step), loss \(loss)\(isStopping && !isStopped ? ", stopping" : "")")
      if isStopped { return }
    }
  }

  /// Whether a parametrisation, with its constants or without, is that of a run.
  private static func means(_ given: String, _ own: String) -> Bool {
    guard let own = try? Preconditioning(own) else { return false }
    switch own {
    case .standardized(let mean, let deviation):
      return (try? Preconditioning(given, mean: mean, deviation: deviation)) == own
    case .edm(let deviation): return (try? Preconditioning(given, deviation: deviation)) == own
    default: return (try? Preconditioning(given)) == own
    }
  }

  private static func options(_ arguments: Arguments) throws -> TrainingOptions {
    var options = TrainingOptions()
    options.seed = try arguments.seed
    if let value = try arguments.integer("--steps", atLeast: 1) { options.steps = value }
    if let value = try arguments.integer(
      "--batch-size", atLeast: 1, atMost: TrainingOptions.mostBatchSize)
    {
      options.batchSize = value
    }
    if let value = try arguments.integer("--warm-up", atLeast: 0) { options.warmUp = value }
    if let value = try arguments.positive("--learning-rate") { options.learningRate = value }
    if let value = try arguments.positive("--clip") { options.clip = value }
    if let text = arguments.text("--average-decay") {
      guard let value = Double(text) else {
        throw CommandError.usage("--average-decay is \(text); expected a number")
      }
      options.averageDecay = value
    }
    options.objective = try choice(arguments, "--loss", options.objective)
    options.stratifiesTimes = !arguments.has("--independent-times")
    options.noiseLevel = try arguments.positive("--noise-level")
    if let text = arguments.text("--label-dropout") {
      guard let value = Double(text) else {
        throw CommandError.usage("--label-dropout is \(text); expected a number")
      }
      guard arguments.has("--labels") || arguments.has("--given") else {
        throw CommandError.usage(
          "--label-dropout is given without --labels or --given, which it hides; expected both")
      }
      guard value < 1 else {
        throw CommandError.usage(
          "--label-dropout is \(text), which hides all labels and numbers; expected below 1")
      }
      options.labelDropout = value
    }
    if options.noiseLevel != nil,
      let idle = ["--weighting", "--times", "--independent-times"].first(where: arguments.has)
    {
      throw CommandError.usage(
        "\(idle) is given with --noise-level, which fixes the time and its weight; leave one out")
    }
    options.weighting = try choice(arguments, "--weighting", options.weighting)
    options.times = try choice(arguments, "--times", options.times)
    options.schedule = try choice(arguments, "--schedule", options.schedule)
    do {
      try options.check()
    } catch { throw CommandError.usage("--\(error)") }
    return options
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ arguments: Arguments, _ name: String, _ standard: Choice
  ) throws -> Choice where Choice.RawValue == String {
    guard let text = arguments.text(name) else { return standard }
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue)
      throw CommandError.usage(
        "\(name) is \(text)\(NearMiss.hint(for: text, among: known)); expected one of \(known.joined(separator: ", "))"
      )
    }
    return choice
  }
}

extension TrainingData {
  /// The classes below the last that no sample is of.
  var emptyClasses: [Int] {
    labels.map { Set(0..<classes).subtracting($0).sorted() } ?? []
  }
}

extension Dataset {
  /// The samples in model space for training; those of quantised data are the lower ends of their bins.
  ///
  /// - Parameter note: how their covariates are standardised.
  func trainingData(given note: GivenOption.Note? = nil) throws -> TrainingData<Scalar> {
    let covariates = note.flatMap { note in
      self.covariates.map { note.standardization.standardized($0.values) }
    }
    guard let scale else {
      return try TrainingData(
        standardization?.standardized(samples) ?? samples, labels: labels, covariates: covariates)
    }
    let width = abs(scale.factor) * scale.binWidth
    let offset = scale.factor > 0 ? scale.offset : scale.offset - width
    return try TrainingData(
      samples.map { Scalar(offset + scale.factor * Double($0)) }, binWidth: width, labels: labels,
      covariates: covariates)
  }
}

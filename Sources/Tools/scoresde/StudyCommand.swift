import Foundation
import ScoreSDE

/// `scoresde study`: error against the number of function evaluations, for every solver and time grid.
enum StudyCommand: ScalarCommand {
  static let name = "study"
  static let summary =
    "measures error against NFE for every solver and time grid on one score field"
  static let options: [Option] = [
    .model,
    Option(
      "--sde", "SDE;…", "of an exact model: processes, separated by semicolons: \(Option.processes)"
    ),
    .label, .given,
    Option("--nfe", "N,N,…", "evaluations to compare at (default 5,10,20,50)"),
    Option("--solvers", "SOLVER;…", "separated by semicolons (default: every solver by name)"),
    Option(
      "--grids", "GRID,…", "\(StudyDefaults.grids.joined(separator: ", ")) (default all of them)"),
    Option("--count", "N", "samples of each solve (default 500)"),
    .lastTime, .seed,
    Option("--out", "DIR", "where study.svg, study.json and study.txt go (required)"),
    Option(
      "--resume", nil,
      "go on with the study in --out, and with more --sde, --nfe, --solvers and --grids if such are given"
    ),
  ]

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let folder = try session.arguments.required("--out")
    let lock = FolderLock(folder)
    let earlier = try earlier(session, lock, type)
    let session = earlier?.settings.completing(session) ?? session
    var settings = try settings(session.arguments, type)
    if let earlier { settings = settings.adding(earlier.settings) }
    let models: [LoadedModel<Scalar>] = try models(session, after: earlier?.settings)
    let subjects = models.map { model in
      Study.Subject(
        sde: ProcessSpec.text(of: model.field.process), field: model.field,
        epsilon: settings.epsilon ?? model.field.process.cutoffs.sampling)
    }
    settings.processes = subjects.map { .init(sde: $0.sde, epsilon: $0.epsilon) }
    settings.fingerprint = try models[0].fingerprint
    try earlier?.settings.check(settings, in: folder)
    try session.checkMemory(
      samples: settings.count, numbers: subjects[0].field.sampleShape.count,
      scalarSize: MemoryLayout<Scalar>.size, of: "the samples")
    // Made to see that it can be, and only made to stay once there is something to put there: a study that fails or is ended
    // before leaves none.
    let new = FilePlace.missingFolders(folder)
    defer { FilePlace.removeIfEmpty(new) }
    try session.makeFolder(folder, for: "--out")
    FilePlace.removeIfEmpty(new)

    let study = Study(
      subjects: subjects, budgets: settings.budgets, solvers: settings.solvers,
      grids: settings.grids, count: settings.count,
      key: RandomKey(try session.arguments.seed).folded("study"))
    let report = try measure(study, settings, after: earlier, lock, session)
    guard !report.result.curves.isEmpty else {
      throw CommandError.failure(
        "none of these solvers finished within \(settings.budgets.last ?? 0) evaluations\(report.result.omissions.last.map { " (\($0.solver): \($0.reason))" } ?? ""); ask for more by --nfe, or for other solvers"
      )
    }
    try session.makeFolder(folder, for: "--out")
    try report.write()
    try session.finish(report.json, report.text)
  }

  /// The study that `--resume` goes on with, if it is given.
  private static func earlier<Scalar>(
    _ session: Session, _ lock: FolderLock, _ type: Scalar.Type
  ) throws -> StudyRecord<Scalar>? {
    let folder = lock.path
    if session.arguments.has("--resume") {
      try lock.take()
      return try StudyRecord.read(in: folder)
    }
    guard !FilePlace.exists(StudyRecord<Scalar>.path(in: folder)) else {
      throw CommandError.usage(
        "--out \(folder) holds a study already; give --resume to go on with it, or another folder")
    }
    try lock.take()
    return nil
  }

  /// What options ask for; what takes the model to be known is still to be said.
  private static func settings<Scalar: TensorScalar>(
    _ arguments: Arguments, _ type: Scalar.Type
  ) throws -> StudySettings {
    StudySettings(
      model: arguments.text("--model") ?? "", fingerprint: "", label: arguments.text("--class"),
      given: arguments.text("--given"), scalar: Scalar.typeName,
      epsilon: try arguments.positive("--epsilon"), budgets: try budgets(arguments),
      solvers: try solvers(arguments), grids: try grids(arguments),
      count: try arguments.integer("--count", atLeast: 3, atMost: 1 << 20) ?? 500,
      seed: "\(try arguments.seed)")
  }

  /// Runs a study, whose files are written after each measurement, to the end or until a signal.
  private static func measure<Scalar>(
    _ study: Study<Scalar>, _ settings: StudySettings, after earlier: StudyRecord<Scalar>?,
    _ lock: FolderLock, _ session: Session
  ) throws -> StudyReport<Scalar> {
    let folder = lock.path
    let bar = session.progress("study")
    let start = ContinuousClock.now
    var known: StudyReport<Scalar>?
    func report(_ result: Study<Scalar>.Result) -> StudyReport<Scalar> {
      StudyReport(
        result: result, settings: settings,
        seconds: (earlier?.seconds ?? 0) + start.duration(to: .now).seconds, folder: folder)
    }
    if earlier != nil { Interruption.watch() }
    do {
      let result = try study.run(after: earlier?.result) { fraction, note in
        bar.update(min(0.999, fraction), note)
        return Interruption.received == nil
      } save: { result in
        guard !result.curves.isEmpty else { return }
        // From here on there is a study in the folder, which a signal leaves in good order.
        if known == nil, earlier == nil { Interruption.watch() }
        try session.makeFolder(folder, for: "--out")
        try lock.take()
        known = report(result)
        try known?.write()
      }
      bar.update(1)
      return report(result)
    } catch {
      bar.leave()
      guard error is CancellationError, let signal = Interruption.received else { throw error }
      let remaining = known?.result.remaining ?? earlier?.result.remaining ?? 0
      throw CommandError.stopped(
        by: signal,
        "stopped by \(signal.name) with \(NumberText.counted(remaining, "measurement")) still to be made; scoresde study --out \(folder) --resume goes on from there"
      )
    }
  }

  private static func budgets(_ arguments: Arguments) throws -> [Int] {
    let text = arguments.text("--nfe") ?? "5,10,20,50"
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let budgets = numbers.compactMap { $0 }.filter { (1...100_000).contains($0) }
    guard budgets.count == numbers.count, Set(budgets).count == budgets.count else {
      throw CommandError.usage(
        "--nfe is \(text); expected different whole numbers from 1 to 100000 with commas between")
    }
    return budgets.sorted()
  }

  /// The model under each process that is asked for, those of an earlier study first.
  private static func models<Scalar>(
    _ session: Session, after earlier: StudySettings?
  ) throws -> [LoadedModel<Scalar>] {
    let given = try processes(session.arguments)
    // A run has a process of its own.
    let isExact = !RunFolder(session.arguments.text("--model") ?? "").exists
    let known = isExact ? earlier?.processes.map(\.sde) ?? [] : []
    let texts = known + given.filter { !known.contains($0) }
    return texts.isEmpty
      ? [try LoadedModel(session)]
      : try texts.map { try LoadedModel(session.replacing(["--sde": $0])) }
  }

  /// The processes that `--sde` names, with all their parameters.
  private static func processes(_ arguments: Arguments) throws -> [String] {
    guard let text = arguments.text("--sde") else { return [] }
    let texts = try items(text).map { item in
      ProcessSpec.text(of: try asUsage(of: "--sde") { try ProcessSpec.process(item) })
    }
    guard !texts.isEmpty else {
      throw CommandError.usage("--sde names no SDE; expected one or more")
    }
    guard Set(texts).count == texts.count else {
      throw CommandError.usage("--sde is \(text); expected each once")
    }
    return texts
  }

  /// The items of a list with semicolons, or with commas where these cannot be within an item.
  private static func items(_ text: String) -> [String] {
    text.split { $0 == ";" || $0 == "," && !text.contains(":") }.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  private static func solvers(_ arguments: Arguments) throws -> [String] {
    let texts = arguments.text("--solvers").map(items) ?? StudyDefaults.solvers
    guard !texts.isEmpty else {
      throw CommandError.usage("--solvers names no solver; expected one or more")
    }
    for text in texts { _ = try asUsage(of: "--solvers") { try SolverSpec(text) } }
    guard Set(texts).count == texts.count else {
      throw CommandError.usage("--solvers is \(texts.joined(separator: ";")); expected each once")
    }
    return texts
  }

  private static func grids(_ arguments: Arguments) throws -> [String] {
    guard let text = arguments.text("--grids") else { return StudyDefaults.grids }
    let grids = text.split(separator: ",").map(String.init)
    for grid in grids where !StudyDefaults.grids.contains(grid) {
      throw CommandError.usage(
        "--grids has \(grid); expected some of \(StudyDefaults.grids.joined(separator: ", "))")
    }
    guard !grids.isEmpty else {
      throw CommandError.usage("--grids names no grid; expected one or more")
    }
    guard Set(grids).count == grids.count else {
      throw CommandError.usage("--grids is \(text); expected each once")
    }
    return grids
  }
}

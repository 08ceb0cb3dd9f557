import Foundation
import ScoreSDE

/// `scoresde study`: error against the number of function evaluations, for every solver and time grid.
enum StudyCommand: ScalarCommand {
  static let name = "study"
  static let summary =
    "measures error against NFE for every solver and time grid on one score field"
  static let options: [Option] = [
    .model, .modelProcess, .label, .given,
    Option("--nfe", "N,N,…", "evaluations to compare at (default 5,10,20,50)"),
    Option("--solvers", "SOLVER;…", "separated by semicolons (default: every solver by name)"),
    Option(
      "--grids", "GRID,…", "\(StudyDefaults.grids.joined(separator: ", ")) (default all of them)"),
    Option("--count", "N", "samples of each solve (default 500)"),
    .lastTime, .seed,
    Option("--out", "DIR", "where study.svg, study.json and study.txt go (required)"),
  ]

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let arguments = session.arguments
    let folder = try arguments.required("--out")
    let budgets = try budgets(arguments)
    let solvers = try solvers(arguments)
    let grids = try grids(arguments)
    let count = try arguments.integer("--count", atLeast: 3, atMost: 1 << 20) ?? 500
    let epsilon = try arguments.positive("--epsilon")
    let seed = try arguments.seed
    let model = try LoadedModel<Scalar>(session)
    try session.checkMemory(
      samples: count, numbers: model.field.sampleShape.count,
      scalarSize: MemoryLayout<Scalar>.size, of: "the samples")
    // Made to see that it can be, and only made to stay once there is something to put there: a study that fails or is ended
    // leaves none.
    let new = FilePlace.missingFolders(folder)
    defer { FilePlace.removeIfEmpty(new) }
    try session.makeFolder(folder, for: "--out")
    FilePlace.removeIfEmpty(new)

    let study = Study(
      field: model.field, budgets: budgets, solvers: solvers, grids: grids, count: count,
      epsilon: epsilon ?? model.field.process.cutoffs.sampling,
      key: RandomKey(seed).folded("study"))
    let bar = session.progress("study")
    let start = ContinuousClock.now
    let result = try study.run { fraction, note in bar.update(min(0.999, fraction), note) }
    bar.update(1)
    guard !result.curves.isEmpty else {
      throw CommandError.failure(
        "none of these solvers finished within \(budgets.last ?? 0) evaluations\(result.omissions.last.map { " (\($0.solver): \($0.reason))" } ?? ""); ask for more by --nfe, or for other solvers"
      )
    }
    let report = StudyReport(
      result: result, model: arguments.text("--model") ?? "",
      process: ProcessSpec.text(of: model.field.process), budgets: budgets, count: count,
      epsilon: study.epsilon, seed: seed, seconds: start.duration(to: .now).seconds, folder: folder)
    try session.makeFolder(folder, for: "--out")
    try AtomicFile.write(report.figure.svg, to: folder + "/study.svg")
    try AtomicFile.write(report.json.text + "\n", to: folder + "/study.json")
    try AtomicFile.write(report.text + "\n", to: folder + "/study.txt")
    try session.finish(report.json, report.text)
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

  private static func solvers(_ arguments: Arguments) throws -> [String] {
    let texts =
      arguments.text("--solvers").map { text in
        // Commas part solvers where they cannot be within one.
        text.split { $0 == ";" || $0 == "," && !text.contains(":") }.map {
          $0.trimmingCharacters(in: .whitespaces)
        }
      } ?? StudyDefaults.solvers
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

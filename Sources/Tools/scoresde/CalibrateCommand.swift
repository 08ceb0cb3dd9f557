import Foundation
import ScoreSDE

/// `scoresde calibrate`: how true rows lie among samples drawn under what is given of each.
enum CalibrateCommand: ScalarCommand {
  static let name = "calibrate"
  static let summary =
    "holds samples to true rows: ranks, coverages and ranked probability scores, under what is given of each row"
  static let options: [Option] = [
    .model, .modelProcess, .labelOfData, .givenOfData, .guidance,
    .observeColumns, .observeNoise,
    Option("--data", "DATA", "true samples that the run has not seen (required)"),
    Option("--count", "N", "the first N samples only (default 500)"),
    Option(
      "--draws", "M",
      "samples drawn for each; M + 1 that 40 divides makes even bins and exact coverages (default 199)"
    ),
    Option("--solver", "SOLVER", "\(SolverSpec.names.joined(separator: ", ")) (default unipc)"),
    Option("--steps", "N", "steps of the time grid (default 30)"),
    .lastTime, .seed,
    Option("--out", "FILE.svg", "a histogram of ranks for each number of a sample"),
  ]

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let arguments = session.arguments
    let text = try arguments.required("--data")
    let source = try asUsage(of: "--data") { try DataSource(text) }
    let count = try arguments.integer("--count", atLeast: 3, atMost: 1 << 24) ?? 500
    let draws = try arguments.integer("--draws", atLeast: 2, atMost: 1 << 16) ?? 199
    let steps = try arguments.integer("--steps", atLeast: 1, atMost: TimeGrid.mostSteps) ?? 30
    let spec = try asUsage(of: "--solver") {
      try SolverSpec(arguments.text("--solver") ?? "unipc")
    }
    let epsilon = try arguments.positive("--epsilon")
    let key = RandomKey(try arguments.seed)
    let out = try session.checkWritable("--out", extensions: ["svg"])
    let model = try LoadedModel<Scalar>(session, takesRows: true)
    let seen = try ObserveOption.places(of: model).map(Set.init)
    let data = try model.samples(of: source, atMost: count)
    guard data.count >= 3 else {
      throw CommandError.failure(
        "\(data.name) has \(NumberText.counted(data.count, "sample")); expected 3 or more")
    }
    let total = data.count * draws
    try session.checkMemory(
      samples: total, numbers: data.dimensions, scalarSize: MemoryLayout<Scalar>.size,
      of: "the samples")
    let truths = try model.inModelSpace(data, key: key.folded("calibrate")).points
    let guidance = try model.guidance(
      isConditioned: model.isConditioned || data.covariates != nil)
    let own = try model.field(of: data, guidance: guidance)
    let posterior: any ScoreField<Scalar> =
      try seen.map {
        try ObserveOption.field(own, of: model, seeing: $0, in: data, key: key.folded("calibrate"))
      } ?? own
    // A field for each draw, where each row has one.
    let field =
      posterior.rowCount == nil ? posterior : posterior.rows((0..<total).map { $0 / draws })

    let bar = session.progress("calibrate")
    let start = ContinuousClock.now
    let result = try Sampler(field, spec, steps: steps, epsilon: epsilon).sample(
      total, key: key.folded("sample")
    ) { progress in
      bar.update(
        min(0.999, progress.fraction),
        progress.isFitting ? "fits the solver to the model" : "NFE \(progress.evaluations)")
      return true
    }
    bar.update(1, "NFE \(result.maxEvaluations)")
    try result.checkFinished()
    let report = try CalibrationReport(
      truths: truths, draws: result.samples, model: model,
      places: (0..<data.dimensions).filter { seen?.contains($0) != true },
      key: key.folded("calibrate"),
      title:
        "\(NumberText.counted(data.count, "sample"))\(model.condition(of: data))\(guidance.map { ", by guidance \(Spec.text($0))" } ?? "")\(arguments.text("--observe").map { ", given its \(CSV.fields($0).map(CSV.list) ?? $0)" } ?? ""), and \(draws) draws for each by \(spec.spec), NFE \(NumberText.trimmed(result.meanEvaluations)), \(NumberText.significant(start.duration(to: .now).seconds, digits: 3)) s",
      nfe: result.meanEvaluations)
    if let out { try AtomicFile.write(report.figure.svg, to: out) }
    try session.finish(
      .object(
        report.members + model.conditionMembers(of: data)
          + [
            ("guidance", guidance.map { .number($0) } ?? .null),
            ("observe", arguments.text("--observe").map { .string($0) } ?? .null),
          ]
          + (out.map { [("out", .string($0))] } ?? [])),
      report.text + (out.map { "\nhistograms of ranks: \($0)" } ?? ""))
  }
}

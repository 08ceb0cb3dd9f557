import Foundation
import ScoreSDE

/// `scoresde sample`: draws samples from a model.
enum SampleCommand: ScalarCommand {
  static let name = "sample"
  static let summary = "draws samples from a trained or an exact model"
  static let options: [Option] =
    [
      .model, .modelProcess, .labels, .givenRows, .guidance,
      Option(
        "--solver", "SOLVER",
        "\(SolverSpec.names.joined(separator: ", ")) (default pc), or consistency, the only one of models of distill"
      ),
      Option(
        "--steps", "N",
        "steps of the time grid (default 500, 1 of consistency, and 100 of --particles, even in log(sigma/alpha)), spread as suits solver and SDE, or by grid= in SOLVER: \(SolverSpec.grids.joined(separator: ", "))"
      ),
      Option("--rtol", "X", "relative tolerance of an adaptive solver"),
      Option("--atol", "X", "absolute tolerance of an adaptive solver"),
      Option(
        "--count", "N",
        "samples, of each class and each row of --given where there are several (default 64, or all of --from, which are taken in turns where there are fewer)"
      ),
      Option("--batch-size", "N", "samples carried together; changes no sample"),
      .lastTime, .seed,
      Option(
        "--out", "FILE",
        ".npy, .csv of rows, .safetensors, .png of images or .svg of points in the plane (required)"
      ),
      Option(
        "--trajectory", "FILE.npy",
        "the states on the way too, [steps + 1, count, …]; the ends of adaptive-sde"),
      .matrixProducts,
      .observe, .observeAs, .observeNoise,
    ] + ParticleOption.options + Edit<Float>.options

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let arguments = session.arguments
    let particles = try ParticleOption(arguments)
    var spec = try solver(arguments)
    var steps = try arguments.integer("--steps", atLeast: 1, atMost: TimeGrid.mostSteps) ?? 500
    let asked = try arguments.integer("--count", atLeast: 1, atMost: 1 << 40)
    let batchSize = try arguments.integer("--batch-size", atLeast: 1)
    let epsilon = try arguments.positive("--epsilon")
    let seed = try arguments.seed
    guard
      let out = try session.checkWritable(
        "--out", extensions: ["npy", "csv", "safetensors", "png", "svg"])
    else { throw CommandError.usage("sample needs --out") }
    let trajectory = try session.checkWritable("--trajectory", extensions: ["npy"])
    if spec.solver is AdaptiveDiffusion, trajectory != nil {
      session.say(
        "--trajectory holds the first and the last states: adaptive-sde keeps none between")
    }
    // Of the two, only the flow's keeps states at the grid's times.
    if spec.solver is AdaptiveDiffusion || spec.solver is AdaptiveFlow && trajectory == nil,
      arguments.has("--steps")
    {
      session.say(
        "--steps changes nothing here: \(spec.spec.name) takes steps of its own, by --rtol and --atol"
      )
    }
    let model = try LoadedModel<Scalar>(session, takesSeveral: true, takesConsistency: true)
    if model.isConsistency {
      try checkConsistency(arguments, spec)
      if !arguments.has("--solver") { spec = SolverSpec(Consistency()) }
      if !arguments.has("--steps") { steps = 1 }
    } else if spec.solver is Consistency {
      throw CommandError.usage(
        "--solver is consistency, which draws from models that scoresde distill has made; expected another, or such a model"
      )
    }
    try SampleFile.check(out, model.field.sampleShape)
    if let remark = model.priorRemark { session.say(remark) }
    let edit = try Edit(session, model, epsilon: epsilon, atMost: asked)
    let count = asked ?? edit?.samples.rows ?? 64
    let states = spec.solver is AdaptiveDiffusion ? 2 : steps + 1
    func checkMemory(_ samples: Int) throws {
      try session.checkMemory(
        samples: samples, numbers: model.field.sampleShape.count,
        states: trajectory == nil ? 0 : states, scalarSize: MemoryLayout<Scalar>.size,
        of: "the samples")
    }
    // Before fields are made of so many rows.
    let rows = Double(count) * Double(try model.conditions().count)
    try checkMemory(Int(min(rows, 1e15)))
    let (fields, logVolume) = try ObserveOption.fields(
      model.samplingFields(arguments, repeating: count), of: model, repeating: count, session)
    // Some are of the samples of several conditions.
    let counts = fields.map { $0.rowCount ?? count }
    let total = counts.reduce(0, +)
    try checkMemory(total)

    let bar = session.progress("sample")
    var shownEvaluations = 0
    let start = ContinuousClock.now
    if let particles {
      let result = try particles.sample(count, of: fields, arguments, bar)
      let seconds = start.duration(to: .now).seconds
      bar.update(1, "NFE \(result.maxEvaluations)")
      let report = try ParticleReport(
        result, particles: particles.particles, logVolume: logVolume)
      try finish(
        session, model, result.samples, solver: "particles", nfe: Double(result.maxEvaluations),
        seconds, out, columns: nil, others: [("particles", report.json)],
        by: "\(particles.sets) sets of \(particles.particles) particles",
        remark: "\n" + report.text)
      return
    }
    let result = SamplingResult(
      joining: try fields.enumerated().map { place, field in
        func consistent(_ network: some ScoreField<Scalar>) throws -> Sampler<Scalar> {
          try Sampler(
            ConsistencyModel(network), steps: steps, schedule: spec.schedule, from: edit?.start,
            epsilon: epsilon, denoising: spec.denoising, batchSize: batchSize,
            trajectoryStride: trajectory == nil ? nil : 1)
        }
        let sampler =
          model.isConsistency
          ? try consistent(field)
          : try Sampler(
            field, spec, steps: steps, from: edit?.start, epsilon: epsilon, batchSize: batchSize,
            trajectoryStride: trajectory == nil ? nil : 1)
        let first = counts[..<place].reduce(0, +)
        let report = { (progress: SamplingProgress) in
          // Of the sample that took most, in all batches so far.
          shownEvaluations = max(shownEvaluations, progress.evaluations)
          bar.update(
            min(
              0.999,
              (Double(first) + progress.fraction * Double(counts[place])) / Double(total)),
            progress.isFitting
              ? "fits the solver to the model" : "NFE \(shownEvaluations)")
          return true
        }
        let key = RandomKey(seed).folded("sample")
        return try edit.map { edit in
          // Each condition has the same ones.
          let edited = edit.samples(count).rows((0..<counts[place]).map { $0 % count })
          return try sampler.sample(editing: edited, key: key, first: first, progress: report)
        } ?? sampler.sample(counts[place], key: key, first: first, progress: report)
      })
    let seconds = start.duration(to: .now).seconds
    bar.update(1, "NFE \(result.maxEvaluations)")
    try result.checkFinished()
    if let trajectory {
      let states = result.trajectory.map { model.inDataUnits($0.x) }
      let all = Tensor.concatenated(states)
      try NPY.write(
        all.reshaped(Shape([states.count] + states[0].shape.extents)), to: trajectory)
    }
    try finish(
      session, model, result.samples, solver: spec.spec.description, nfe: result.meanEvaluations,
      seconds, out, columns: total > count ? count : nil,
      others: trajectory.map {
        [
          ("trajectory", .string($0)),
          ("times", .array(result.trajectory.map { .number($0.time) })),
        ]
      } ?? [], by: "\(spec.spec)")
  }

  /// Writes the samples and says what was drawn.
  private static func finish<Scalar: TensorScalar>(
    _ session: Session, _ model: LoadedModel<Scalar>, _ drawn: Tensor<Scalar>, solver: String,
    nfe: Double, _ seconds: Double, _ out: String, columns: Int?, others: [(String, JSON)],
    by method: String, remark: String = ""
  ) throws {
    let samples = model.inDataUnits(drawn)
    try SampleFile.write(
      samples, to: out, levels: model.scale.map { Double($0.levels) * $0.binWidth },
      columns: columns, names: model.columns)
    try session.finish(
      .object(
        [
          ("count", .integer(samples.rows)),
          ("shape", .array(samples.shape.extents.map { .integer($0) })),
          ("solver", .string(solver)), ("nfe", .number(nfe)), ("seconds", .number(seconds)),
          ("out", .string(out)),
        ] + others),
      "\(NumberText.counted(samples.rows, "sample")) of shape \(samples.shape.row) by \(method), NFE \(NumberText.significant(nfe)), \(NumberText.significant(seconds, digits: 3)) s; in \(out)\(remark)"
    )
  }

  /// Refuses what a model without scores does not have.
  private static func checkConsistency(_ arguments: Arguments, _ spec: SolverSpec) throws {
    let text = arguments.text("--model") ?? ""
    guard spec.solver is Consistency || !arguments.has("--solver") else {
      throw CommandError.usage(
        "--solver is \(spec.spec), but \(text) is a consistency model, which has no scores; expected consistency, or none"
      )
    }
    guard let other = (["--guidance", "--observe", "--particles"]).first(where: arguments.has)
    else { return }
    throw CommandError.usage(
      "\(other) is given, but \(text) is a consistency model, which has no scores\(other == "--guidance" ? "; scoresde distill takes it" : ""); leave it out"
    )
  }

  /// The solver with tolerances that were given as options of their own.
  private static func solver(_ arguments: Arguments) throws -> SolverSpec {
    try asUsage(of: "--solver") {
      let spec = try Spec(arguments.text("--solver") ?? "pc", kind: "solver")
      var parameters = spec.parameters
      for key in ["rtol", "atol"] {
        guard let text = arguments.text("--\(key)") else { continue }
        guard spec.string(key) == nil else {
          throw CommandError.usage("--\(key) is given, and \(key) in --solver too")
        }
        _ = try arguments.positive("--\(key)")
        parameters.append(Spec.Parameter(key: key, value: text))
      }
      return try SolverSpec(
        Spec(kind: "solver", name: spec.name, argument: spec.argument, parameters: parameters))
    }
  }
}

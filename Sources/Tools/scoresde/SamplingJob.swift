import Foundation
import ScoreSDE

/// What `sample` is asked for: a model, how it is drawn from, and where samples go.
struct SamplingJob<Scalar: TensorScalar> {
  private let session: Session
  private let model: LoadedModel<Scalar>
  private let spec: SolverSpec
  private let steps: Int
  private let particles: ParticleOption?
  private let edit: Edit<Scalar>?
  private let latents: Latents<Scalar>?
  private let clip: ClipOption?
  /// The samples of each condition.
  private let count: Int
  private let batchSize: Int?
  private let epsilon: Double?
  private let key: RandomKey
  private let out: String
  private let trajectory: String?

  /// Reads the options, and the model.
  init(_ session: Session) throws {
    self.session = session
    let arguments = session.arguments
    particles = try ParticleOption(arguments)
    clip = try ClipOption(arguments)
    let asked = try Self.solver(arguments)
    let askedSteps = try arguments.integer("--steps", atLeast: 1, atMost: TimeGrid.mostSteps)
    let askedCount = try arguments.integer("--count", atLeast: 1, atMost: 1 << 40)
    batchSize = try arguments.integer("--batch-size", atLeast: 1)
    epsilon = try arguments.positive("--epsilon")
    key = RandomKey(try arguments.seed).folded("sample")
    guard
      let out = try session.checkWritable(
        "--out", extensions: ["npy", "csv", "safetensors", "png", "svg"], takesFolder: true)
    else { throw CommandError.usage("sample needs --out") }
    self.out = out
    trajectory = try session.checkWritable("--trajectory", extensions: ["npy", "png", "svg"])
    if asked.solver is AdaptiveDiffusion, trajectory != nil {
      session.remark(
        "--trajectory holds the first and the last states: adaptive-sde keeps none between")
    }
    // Of the two, only the flow's keeps states at the grid's times.
    if asked.solver is AdaptiveDiffusion || asked.solver is AdaptiveFlow && trajectory == nil,
      askedSteps != nil
    {
      session.remark(
        "--steps changes nothing here: \(asked.spec.name) takes steps of its own, by --rtol and --atol"
      )
    }
    model = try LoadedModel(session, takesSeveral: true, takesConsistency: true)
    if model.isConsistency {
      try Self.checkConsistency(arguments, asked)
      spec = arguments.has("--solver") ? asked : SolverSpec(Consistency())
      steps = askedSteps ?? 1
    } else {
      guard !(asked.solver is Consistency) else {
        throw CommandError.usage(
          "--solver is consistency, which draws from models that scoresde distill has made; expected another, or such a model"
        )
      }
      (spec, steps) = (asked, askedSteps ?? 500)
    }
    try SampleFile.check(out, model.field.sampleShape, names: model.columns)
    if let trajectory { try TrajectoryFile<Scalar>.check(trajectory, model.field.sampleShape) }
    for remark in [model.priorRemark, try clip?.remark(on: model)] {
      if let remark { session.remark(remark) }
    }
    edit = try Edit(session, model, epsilon: epsilon, besides: model.fileRows, atMost: askedCount)
    if edit != nil, asked.solver is PredictorCorrector {
      session.remark(
        "--solver is \(asked.spec.name), whose correctors forget what samples begin from: they come out less like --from than its noise level says; ancestral, the default there, does not"
      )
    }
    latents = try Latents(
      arguments, of: model.field.sampleShape, besides: model.fileRows, atMost: askedCount)
    count =
      latents?.isRowByRow == true
      ? 1
      : askedCount ?? (edit?.isRowByRow == true ? 1 : nil) ?? edit?.samples.rows ?? latents?.states
        .rows ?? 64
    if let remark { session.remark(remark) }
  }

  /// How states go with rows of files, where both are several.
  private var remark: String? {
    guard let rows = model.fileRows else { return nil }
    let files = ["--class", "--given"].filter { model.isFile($0) }.joined(separator: " and ")
    func remark(_ option: String, _ isRowByRow: Bool, _ starts: String) -> String {
      isRowByRow
        ? "\(option) and \(files) have \(rows) rows each, which go together row by row"
        : "\(option) and \(files) have not as many rows, so each row of \(files) has \(starts)"
    }
    if let edit, edit.samples.rows > 1 {
      return remark("--from", edit.isRowByRow, "its samples from the first of --from on")
    }
    return latents.map { remark("--latents", $0.isRowByRow, "all states") }
  }

  /// What samples are drawn under, in turn: as many as there are states, where each has its own.
  private func conditions() throws -> [LoadedModel<Scalar>.Condition] {
    try model.conditions(rows: latents.flatMap { $0.isRowByRow ? $0.states.rows : nil })
  }

  /// Draws the samples, writes them, and says what was drawn.
  func run() throws {
    // Before fields are made of so many rows.
    let conditions = try conditions()
    let rows = Double(count) * Double(conditions.count)
    try checkMemory(Int(min(rows, 1e15)))
    let start = ContinuousClock.now
    let (whole, logVolumes) = try ObserveOption.fields(
      of: model, under: conditions, repeating: count, sets: particles?.sets, session)
    let fields = try whole.map { try clip?.field($0, of: model) ?? $0 }
    let bar = session.progress("sample")
    if let particles {
      let result = try particles.sample(
        count, of: fields, logVolumes: logVolumes, session.arguments, bar)
      let seconds = start.duration(to: .now).seconds
      bar.update(1, "NFE \(result.maxEvaluations)")
      let report = try ParticleReport(result, particles: particles.particles)
      try finish(
        result.samples, under: conditions, solver: "particles", nfe: Double(result.maxEvaluations),
        seconds,
        others: [("particles", report.json)],
        by:
          "\(NumberText.counted(particles.sets, "set")) of \(NumberText.counted(particles.particles, "particle"))",
        remark: "\n" + report.text)
      return
    }
    let result = try drawn(from: fields, of: conditions.count, bar)
    let seconds = start.duration(to: .now).seconds
    bar.update(1, "NFE \(result.maxEvaluations)")
    try result.checkFinished()
    var others: [(String, JSON)] = []
    if let trajectory {
      try write(result.trajectory.map { ($0.x, $0.time) }, to: trajectory)
      others = [
        ("trajectory", .string(trajectory)),
        ("times", .array(result.trajectory.map { .number($0.time) })),
      ]
    }
    try finish(
      result.samples, under: conditions, solver: spec.spec.description, nfe: result.meanEvaluations,
      seconds,
      others: others, by: method)
  }

  /// Writes states of the model with their times, from noise to data.
  private func write(_ states: [(x: Tensor<Scalar>, time: Double)], to path: String) throws {
    let isPicture = path.hasSuffix(".png")
    let shown = states.map {
      (isPicture ? model.picture($0.x).samples : model.inDataUnits($0.x), $0.time)
    }
    try TrajectoryFile(states: shown).write(
      to: path, range: isPicture ? model.picture(states[0].x).range : SampleFile.usualRange)
  }

  /// The solver as it is called in full, after the name that it was asked for by where that is another.
  private var method: String {
    guard let asked = session.arguments.text("--solver"),
      asked.prefix(while: { $0 != ":" }) != spec.spec.name
    else { return "\(spec.spec)" }
    return "\(asked) (\(spec.spec))"
  }

  /// Samples of fields, of which some are of the samples of several conditions, one after another.
  private func drawn(
    from fields: [any ScoreField<Scalar>], of conditions: Int, _ bar: ProgressBar
  ) throws -> SamplingResult<Scalar> {
    let counts = fields.map { $0.rowCount ?? count }
    let total = counts.reduce(0, +)
    let observations = total / (conditions * count)
    try checkMemory(total)
    // Of the sample that took most, in all batches so far.
    var evaluations = 0
    return SamplingResult(
      joining: try fields.enumerated().map { place, field in
        let first = counts[..<place].reduce(0, +)
        let report = { (progress: SamplingProgress) in
          evaluations = max(evaluations, progress.evaluations)
          let done = Double(first) + progress.fraction * Double(counts[place])
          bar.update(
            min(0.999, done / Double(total)),
            progress.isFitting ? "fits the solver to the model" : "NFE \(evaluations)")
          return true
        }
        let sampler = try sampler(of: field)
        // Each condition has the same ones, or each row its own, for all of its observations.
        func start(_ there: Tensor<Scalar>) -> Tensor<Scalar> {
          let rows = first..<first + counts[place]
          return there.rows(rows.map { (count == 1 ? $0 / observations : $0) % there.rows })
        }
        if let edit, edit.isRowByRow {
          let rows = first..<first + counts[place]
          let own = edit.samples.rows(
            rows.map { $0 / (count * observations) % edit.samples.rows })
          return try sampler.sample(editing: own, key: key, first: first, progress: report)
        }
        if let edit {
          return try sampler.sample(
            editing: start(edit.samples(count)), key: key, first: first, progress: report)
        }
        if let latents {
          return try sampler.sample(
            from: start(latents.states), key: key, first: first, progress: report)
        }
        return try sampler.sample(counts[place], key: key, first: first, progress: report)
      })
  }

  private func sampler(of field: any ScoreField<Scalar>) throws -> Sampler<Scalar> {
    let stride = trajectory == nil ? nil : 1
    guard model.isConsistency else {
      return try Sampler(
        field, spec, steps: steps, from: edit?.start, epsilon: epsilon, batchSize: batchSize,
        trajectoryStride: stride)
    }
    func sampler(_ network: some ScoreField<Scalar>) throws -> Sampler<Scalar> {
      try Sampler(
        ConsistencyModel(network), steps: steps, schedule: spec.schedule, from: edit?.start,
        epsilon: epsilon, denoising: spec.denoising, batchSize: batchSize,
        trajectoryStride: stride)
    }
    return try sampler(field)
  }

  private func checkMemory(_ samples: Int) throws {
    let states = trajectory == nil ? 0 : spec.solver is AdaptiveDiffusion ? 2 : steps + 1
    try session.checkMemory(
      samples: samples, numbers: model.field.sampleShape.count, states: states,
      scalarSize: MemoryLayout<Scalar>.size, of: "the samples")
  }

  /// Writes the samples and says what was drawn; those of several conditions are rows of a picture each.
  private func finish(
    _ drawn: Tensor<Scalar>, under conditions: [LoadedModel<Scalar>.Condition], solver: String,
    nfe: Double, _ seconds: Double, others: [(String, JSON)], by method: String, remark: String = ""
  ) throws {
    // Whole numbers and texts are as in tables, each of the latter a number for each text.
    let points = model.inDataUnits(drawn)
    let samples = model.discrete?.quantised(points) ?? points
    let (labels, names) = (model.labels, model.classNames)
    let classes =
      labels.isEmpty ? "" : " of class\(labels.count == 1 ? "" : "es") \(names.said(labels))"
    if out.hasSuffix(".csv") {
      let table = model.table(samples, under: conditions)
      try CSV.write(table.rows, columns: table.names, to: out)
    } else if PictureFolder<Scalar>.isNamed(by: out) {
      let (shown, range) = model.picture(drawn)
      let each = samples.rows / conditions.count
      try PictureFolder(
        samples: shown, range: range,
        classes: labels.count < 2
          ? nil : (0..<samples.rows).map { names.folder(of: conditions[$0 / each].label ?? 0) }
      ).write(to: out)
    } else {
      let (shown, range) =
        out.hasSuffix(".png") ? model.picture(drawn) : (samples, SampleFile.usualRange)
      try SampleFile.write(
        shown, to: out, range: range,
        columns: samples.rows > count && latents?.isRowByRow != true ? count : nil)
    }
    let clipped = try clip?.json(of: model) ?? .null
    try session.finish(
      .object(
        [
          ("count", .integer(samples.rows)),
          ("shape", .array(samples.shape.extents.map { .integer($0) })),
          ("solver", .string(solver)), ("nfe", .number(nfe)), ("seconds", .number(seconds)),
          ("clip", clipped), ("out", .string(out)),
        ] + others),
      "\(NumberText.counted(samples.rows, "sample")) of shape \(samples.shape.row)\(classes) by \(method), NFE \(NumberText.trimmed(nfe)), \(NumberText.significant(seconds, digits: 3)) s; in \(out)\(remark)"
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
    guard !arguments.has("--epsilon") else {
      throw CommandError.usage(
        "--epsilon is given, but \(text) is a consistency model, which leads to the last time that it was distilled for; leave it out"
      )
    }
    guard
      let other = (["--guidance", "--observe", "--particles", "--clip"]).first(where: arguments.has)
    else { return }
    throw CommandError.usage(
      "\(other) is given, but \(text) is a consistency model, which has no scores\(other == "--guidance" ? "; scoresde distill takes it" : ""); leave it out"
    )
  }

  /// Correctors forget what samples begin from.
  private static func usualSolver(_ arguments: Arguments) -> String {
    arguments.has("--from") ? "ancestral" : "pc"
  }

  /// The solver with tolerances that were given as options of their own.
  private static func solver(_ arguments: Arguments) throws -> SolverSpec {
    try asUsage(of: "--solver") {
      let spec = try Spec(arguments.text("--solver") ?? usualSolver(arguments), kind: "solver")
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

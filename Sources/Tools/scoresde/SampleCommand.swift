import Foundation
import ScoreSDE

/// `scoresde sample`: draws samples from a model.
enum SampleCommand: Command {
  static let name = "sample"
  static let summary = "draws samples from a trained or an exact model"
  static let options: [Option] =
    [
      .model, .modelProcess, .labels, .givenRows,
      Option(
        "--guidance", "W",
        "with --class or --given: how far samples are led to it, from 0 to \(Int(Arguments.mostGuidance)); 0 leaves it out, 1 (default) takes it as it is, 2 to 4 lead beyond, at two evaluations each"
      ),
      Option("--solver", "SOLVER", "\(SolverSpec.names.joined(separator: ", ")) (default pc)"),
      Option(
        "--steps", "N",
        "steps of the time grid (default 500), spread as suits solver and SDE, or by grid= in SOLVER: \(SolverSpec.grids.joined(separator: ", "))"
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
    ] + Edit<Float>.options

  static func run(_ session: Session) throws {
    if try session.arguments.isDouble {
      try run(session, Double.self)
    } else {
      try run(session, Float.self)
    }
  }

  private static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let arguments = session.arguments
    let spec = try solver(arguments)
    let steps = try arguments.integer("--steps", atLeast: 1, atMost: 10_000_000) ?? 500
    let asked = try arguments.integer("--count", atLeast: 1)
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
    let model = try LoadedModel<Scalar>(session, takesSeveral: true)
    try SampleFile.check(out, model.field.sampleShape)
    if try arguments.guidance == 0, model.isConditioned {
      let option = model.labels.isEmpty ? "--given" : "--class"
      session.say(
        "--guidance 0 leaves \(option) out: samples are of all data together; 1 gives \(option) as it is"
      )
    }
    let fields = try ObserveOption.fields(
      model.samplingFields(arguments), of: model, arguments)
    let edit = try Edit(arguments, model, epsilon: epsilon, atMost: asked)
    let count = asked ?? edit?.samples.rows ?? 64
    let states = spec.solver is AdaptiveDiffusion ? 2 : steps + 1
    try session.checkMemory(
      samples: fields.count * count, numbers: model.field.sampleShape.count,
      states: trajectory == nil ? 0 : states, scalarSize: MemoryLayout<Scalar>.size,
      of: "the samples")

    let edited = edit?.samples(count)
    let bar = session.progress("sample")
    let start = ContinuousClock.now
    let result = SamplingResult(
      joining: try fields.enumerated().map { place, field in
        let sampler = try Sampler(
          field, spec, steps: steps, from: edit?.start, epsilon: epsilon, batchSize: batchSize,
          trajectoryStride: trajectory == nil ? nil : 1)
        let report = { (progress: SamplingProgress) in
          bar.update(
            min(0.999, (Double(place) + progress.fraction) / Double(fields.count)),
            progress.isFitting
              ? "fits the solver to the model" : "NFE \(progress.evaluations)")
          return true
        }
        let key = RandomKey(seed).folded("sample")
        return try edited.map {
          try sampler.sample(editing: $0, key: key, first: place * count, progress: report)
        } ?? sampler.sample(count, key: key, first: place * count, progress: report)
      })
    let seconds = start.duration(to: .now).seconds
    bar.update(1, "NFE \(result.maxEvaluations)")
    if let bad = result.status.firstIndex(where: { !$0.isFinished }) {
      throw CommandError.failure("sample \(bad) did not finish: \(result.status[bad])")
    }
    let samples = model.inDataUnits(result.samples)
    try SampleFile.write(
      samples, to: out, levels: model.scale.map { Double($0.levels) * $0.binWidth },
      columns: fields.count > 1 ? count : nil, names: model.columns)
    if let trajectory {
      let states = result.trajectory.map { model.inDataUnits($0.x) }
      let all = Tensor.concatenated(states)
      try NPY.write(
        all.reshaped(Shape([states.count] + states[0].shape.extents)), to: trajectory)
    }
    try session.finish(
      .object(
        [
          ("count", .integer(samples.rows)),
          ("shape", .array(samples.shape.extents.map { .integer($0) })),
          ("solver", .string(spec.spec.description)), ("nfe", .number(result.meanEvaluations)),
          ("seconds", .number(seconds)), ("out", .string(out)),
        ] + (trajectory.map { [("trajectory", .string($0))] } ?? [])),
      "\(NumberText.counted(samples.rows, "sample")) of shape \(samples.shape.row) by \(spec.spec), NFE \(NumberText.significant(result.meanEvaluations)), \(NumberText.significant(seconds, digits: 3)) s; in \(out)"
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

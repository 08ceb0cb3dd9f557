import Foundation
import ScoreSDE

/// `--observe`: samples given observations of them, in the data's own units.
enum ObserveOption {
  /// The most conjugate gradients at an evaluation, where none are given.
  fileprivate static let standardIterations = 4

  /// The fields given what is observed, one field for each observation, or one of them all where they are of the same numbers,
  /// each for so many samples; or the fields themselves where nothing is. And the nats that the log density of the first
  /// observation has more in the data's units than in the model's.
  /// - Throws: where the options or the file make no sense for samples of the model.
  static func fields<Scalar: TensorScalar>(
    _ fields: [any ScoreField<Scalar>], of model: LoadedModel<Scalar>, repeating count: Int,
    _ session: Session
  ) throws -> (fields: [any ScoreField<Scalar>], logVolume: Double) {
    let arguments = session.arguments
    guard let path = arguments.text("--observe") else {
      if let option = ["--observe-as", "--observe-noise"].first(where: arguments.has) {
        throw CommandError.usage("\(option) needs --observe, the file that it speaks of")
      }
      return (fields, 0)
    }
    let priors = fields.compactMap { $0 as? any DifferentiableScoreField<Scalar> }
    guard priors.count == fields.count else {
      throw CommandError.usage(
        "--observe needs the derivatives of the model, which --matrix-products bf16 has not; expected full"
      )
    }
    let spec = try asUsage(of: "--observe-as") {
      try Spec(arguments.text("--observe-as") ?? "entries", kind: "observation")
    }
    let (map, size) = try observation(spec, of: model.field.sampleShape)
    let iterations = try asUsage(of: "--observe-as") {
      try spec.integer("iterations", default: standardIterations, in: .between(1, 1000))
    }
    let observations = try ObservedFile(path).observations(
      of: map.shape, as: spec.name, columns: model.columns,
      labels: model.run.flatMap(TrainingJob<Scalar>.labelColumn),
      given: model.givenNote?.names ?? [])
    let units = try DataUnits(model, map)
    if let remark = remark(on: observations, units, model) { session.say(remark) }
    let deviations = units.modelDeviations(try noise(arguments) ?? units.rounding / Double(size))
    let coarse = try model.coarse()
    func posterior(
      _ prior: any DifferentiableScoreField<Scalar>, _ rows: [[Double]]
    ) throws -> PosteriorField<Scalar> {
      let known = rows[0].map { !$0.isNaN }
      let observed = rows.map { chosen(units.modelValues($0), known).map { Scalar($0) } }
      return try PosteriorField(
        prior, of: try units.observation(known),
        observed: Tensor([observed.count, observed[0].count], observed.flatMap { $0 }),
        noiseDeviations: chosen(deviations, known), coarse: coarse, iterations: iterations)
    }
    let masks = observations.map { $0.map(\.isNaN) }
    let isTogether = masks.allSatisfy { $0 == masks[0] } && observations.count > 1
    let rows =
      isTogether
      ? [observations.flatMap { [[Double]](repeating: $0, count: count) }]
      : observations.map { [$0] }
    return (
      try priors.flatMap { prior in try rows.map { try posterior(prior, $0) } },
      units.logVolume(masks[0].map { !$0 })
    )
  }

  /// What is said of observations far from all that the model's run was trained on.
  private static func remark<Scalar: TensorScalar>(
    on observations: [[Double]], _ units: DataUnits, _ model: LoadedModel<Scalar>
  ) -> String? {
    let known = observations.flatMap { $0.enumerated().filter { !$0.element.isNaN } }
    if let scale = model.scale {
      let last = Double(scale.levels - 1) * scale.binWidth
      return known.first { !(0...last).contains($0.element) }.map {
        "--observe has a number of \(Spec.text($0.element)), where the run was trained on levels from 0 to \(Spec.text(last))"
      }
    }
    guard model.standardization != nil else { return nil }
    let deviations = observations.flatMap { units.modelValues($0).map(abs).enumerated() }
    let far = deviations.filter { !$0.element.isNaN }.max { $0.element < $1.element }
    return far.flatMap { far in
      let name =
        model.columns.map { "a \(CSV.spelled($0[far.offset]))" } ?? "a number \(far.offset + 1)"
      return LoadedModel<Scalar>.remark(far.element, on: "--observe has \(name)")
    }
  }

  /// The map from samples to what a file holds of them, and the side of its blocks.
  private static func observation(
    _ spec: Spec, of shape: Shape
  ) throws -> (map: LinearObservation, size: Int) {
    try asUsage(of: "--observe-as") {
      switch spec.name {
      case "entries":
        try spec.expect(keys: ["iterations"])
        return (
          try LinearObservation(of: shape, shape: shape, apply: { $0 }, adjoint: { $0 }), 1
        )
      case "block-means":
        try spec.expect(keys: ["size", "iterations"])
        let size = try spec.integer("size", default: 2, in: .between(1, 1_048_576))
        return (try .blockMeans(of: shape, size: size), size)
      default: throw spec.unknownName(known: ["entries", "block-means"])
      }
    }
  }

  private static func noise(_ arguments: Arguments) throws -> Double? {
    guard let text = arguments.text("--observe-noise") else { return nil }
    guard let value = Double(text), value >= 0, value.isFinite else {
      throw CommandError.usage("--observe-noise is \(text); expected a finite number of at least 0")
    }
    return value
  }

  private static func chosen(_ values: [Double], _ known: [Bool]) -> [Double] {
    values.indices.filter { known[$0] }.map { values[$0] }
  }
}

extension Option {
  static let observe = Option(
    "--observe", "FILE",
    "draw samples given these numbers in the data's units, nan where nothing is known: an .npy file of one observation or of several, [n, …], or a .csv table of a row each; each evaluation costs a pullback an iteration more"
  )
  static let observeAs = Option(
    "--observe-as", "WHAT",
    "entries of a sample (default), or block-means:size=2, means over blocks of pixels; both take iterations=\(ObserveOption.standardIterations)"
  )
  static let observeNoise = Option(
    "--observe-noise", "X",
    "deviation of the observed numbers' noise (default: that of rounding to levels, and 0 where data have none)"
  )
}

import Foundation
import ScoreSDE

/// `--observe`: samples given one observation of them, in the data's own units.
enum ObserveOption {
  /// The most conjugate gradients at an evaluation, where none are given.
  fileprivate static let standardIterations = 4

  /// The fields given what is observed, or the fields themselves where nothing is.
  /// - Throws: where the options or the file make no sense for samples of the model.
  static func fields<Scalar: TensorScalar>(
    _ fields: [any ScoreField<Scalar>], of model: LoadedModel<Scalar>, _ arguments: Arguments
  ) throws -> [any ScoreField<Scalar>] {
    guard let path = arguments.text("--observe") else {
      if let option = ["--observe-as", "--observe-noise"].first(where: arguments.has) {
        throw CommandError.usage("\(option) needs --observe, the file that it speaks of")
      }
      return fields
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
    let numbers = try numbers(path, of: map.shape, spec)
    let units = try DataUnits(model, map)
    let known = numbers.map { !$0.isNaN }
    let observed = chosen(units.modelValues(numbers), known).map { Scalar($0) }
    let deviations = try chosen(
      units.modelDeviations(noise(arguments) ?? units.rounding / Double(size)), known)
    let (seen, coarse) = (try units.observation(known), try model.coarse())
    return try priors.map {
      try PosteriorField(
        $0, of: seen, observed: Tensor([1, observed.count], observed), noiseDeviations: deviations,
        coarse: coarse, iterations: iterations)
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

  /// The numbers in the file, in the order of the entries of an observation.
  private static func numbers(_ path: String, of shape: Shape, _ spec: Spec) throws -> [Double] {
    let found = try NPY.read(path, as: Double.self, allowsNonFinite: true)
    // Grey images have one channel, and an observation is one of one.
    guard found.shape.extents.filter({ $0 != 1 }) == shape.extents.filter({ $0 != 1 }) else {
      throw CommandError.failure(
        "\(path) has shape \(found.shape); expected \(shape), as \(spec.name) of one sample have")
    }
    let numbers = found.scalars
    if let bad = numbers.firstIndex(where: { $0.isInfinite }) {
      throw CommandError.failure(
        "\(path): entry \(bad) is \(numbers[bad]); expected a finite number, or nan where nothing is known"
      )
    }
    guard numbers.contains(where: { !$0.isNaN }) else {
      throw CommandError.failure("\(path) has nan in every entry; expected one that is known")
    }
    return numbers
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
    "--observe", "FILE.npy",
    "draw samples given these numbers in the data's units, nan where nothing is known; each evaluation costs a pullback an iteration more"
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

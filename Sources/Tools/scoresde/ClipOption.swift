import Foundation
import ScoreSDE

/// `--clip`: the range in which what a model predicts of the data is kept, in the data's own units.
struct ClipOption {
  static let option = Option(
    "--clip", "RANGE",
    "keep what the model predicts of the data, x0 at each evaluation, in a range, after --guidance and --observe: data, all that the run's data may be, or LOWER,UPPER in the data's units; with ,quantile=P, or that alone, by dynamic thresholding: where that quantile of a sample's distances from the middle is beyond the range, the sample is brought back as a whole; ,limit=S clips beyond S times the range (default: none)"
  )

  private let text: String
  /// nil is that of the data.
  private let range: (lower: Double, upper: Double)?
  private let threshold: (quantile: Double, limit: Double)?

  /// What the option asks for, or nil.
  /// - Throws: where it is none of its forms, or a number is out of range.
  init?(_ arguments: Arguments) throws {
    guard let text = arguments.text("--clip") else { return nil }
    guard !arguments.has("--particles") else {
      throw CommandError.usage(
        "--clip is given with --particles, which are weighted by densities, and what is clipped has none; expected one of the two"
      )
    }
    self.text = text
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let bounds = parts.prefix { !$0.contains("=") }
    let numbers = bounds.compactMap { Double($0) }
    switch bounds.count {
    case 0: range = nil
    case 1 where bounds == ["data"]: range = nil
    case 2 where numbers.count == 2:
      guard numbers[0] < numbers[1], numbers.allSatisfy(\.isFinite) else {
        throw CommandError.usage(
          "--clip is \(text); expected two finite numbers, the first below the second")
      }
      range = (numbers[0], numbers[1])
    default: throw Self.wrong(text)
    }
    threshold = try Self.threshold(parts[bounds.count...], in: text)
  }

  private static func threshold(
    _ parts: ArraySlice<String>, in text: String
  ) throws -> (quantile: Double, limit: Double)? {
    guard !parts.isEmpty else { return nil }
    var values: [String: Double] = [:]
    for part in parts {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, ["quantile", "limit"].contains(sides[0]), values[sides[0]] == nil,
        let value = Double(sides[1])
      else { throw wrong(text) }
      values[sides[0]] = value
    }
    guard let quantile = values["quantile"], quantile > 0.5, quantile <= 1 else {
      throw CommandError.usage("--clip is \(text); expected a quantile above 0.5 and up to 1")
    }
    let limit = values["limit"] ?? .infinity
    guard limit >= 1 else {
      throw CommandError.usage(
        "--clip is \(text); expected a limit of 1 or more, 1 being the end of the range")
    }
    return (quantile, limit)
  }

  private static func wrong(_ text: String) -> CommandError {
    .usage(
      "--clip is \(text); expected data, LOWER,UPPER or quantile=P, such as data, -1,1 or data,quantile=0.995,limit=2"
    )
  }

  /// The range in the data's own units.
  /// - Throws: where it is that of the data, and the model knows none.
  private func bounds<Scalar>(of model: LoadedModel<Scalar>) throws -> (
    lower: Double, upper: Double
  ) {
    if let range { return range }
    guard let own = model.dataRange else {
      throw CommandError.usage(
        "--clip is \(text), but \(model.session.arguments.text("--model") ?? "") knows no range of its data, as those of images have; expected numbers, LOWER,UPPER\(threshold == nil ? "" : ",quantile=P")"
      )
    }
    return own
  }

  /// A field of the model, clipped.
  /// - Throws: where the model knows no range that is asked for, or has no number for one.
  func field<Scalar: TensorScalar>(
    _ field: any ScoreField<Scalar>, of model: LoadedModel<Scalar>
  ) throws -> any ScoreField<Scalar> {
    let (lower, upper) = try bounds(of: model)
    let ends = [lower, upper].map(model.inModelUnits)
    return try asUsage(of: "--clip") {
      try ClippedField(
        field, lower: zip(ends[0], ends[1]).map(min), upper: zip(ends[0], ends[1]).map(max),
        threshold: threshold.map { .init(quantile: $0.quantile, limit: $0.limit) })
    }
  }

  /// What is said where levels that the data have are out of the range.
  func remark<Scalar>(on model: LoadedModel<Scalar>) throws -> String? {
    let (lower, upper) = try bounds(of: model)
    guard let own = model.dataRange, lower > own.lower || upper < own.upper else { return nil }
    return
      "--clip is \(text), in the data's units, where the run's data go from \(Spec.text(own.lower)) to \(Spec.text(own.upper)), so that some are not drawn"
  }

  func json<Scalar>(of model: LoadedModel<Scalar>) throws -> JSON {
    let (lower, upper) = try bounds(of: model)
    let limit = threshold.flatMap { $0.limit.isFinite ? JSON.number($0.limit) : nil }
    return .object([
      ("lower", .number(lower)), ("upper", .number(upper)),
      ("quantile", threshold.map { .number($0.quantile) } ?? .null), ("limit", limit ?? .null),
    ])
  }
}

extension LoadedModel {
  /// All that the run's data may be, in their own units, where they have levels: those that are trained on here fill their bins, and
  /// those that an imported model saw lay in the middle of them. Of images without levels, from their least number to the greatest.
  var dataRange: (lower: Double, upper: Double)? {
    guard let run else { return nil }
    guard let scale else { return range.map { ($0.lowerBound, $0.upperBound) } }
    let margin = run.notes[ImportCommand.note] == nil ? 0 : scale.binWidth / 2
    return (margin, scale.top - margin)
  }

  /// A number in the data's own units, as the model has it in each entry of a sample.
  func inModelUnits(_ number: Double) -> [Double] {
    let one = Tensor<Double>(Shape([1] + field.sampleShape.extents), repeating: number)
    guard let scale else { return (standardization?.standardized(one) ?? one).scalars }
    return one.map { $0 * scale.factor + scale.offset }.scalars
  }
}

import Foundation
import ScoreSDE

/// What `sample --from` asks for: data that are noised part of the way and carried back.
struct Edit<Scalar: TensorScalar> {
  static var options: [Option] {
    [
      Option("--from", "DATA", "image to image: data to noise part of the way and carry back"),
      Option(
        "--noise-level", "X",
        "with --from: the ratio sigma/alpha up to which they are noised, in the model's units, where data are about 1 in size (default 1)"
      ),
    ]
  }

  /// The samples, where the model's data are.
  let samples: Tensor<Scalar>
  /// Whether each goes with a row of its own of files of classes or of what is given, not with all of them.
  let isRowByRow: Bool
  /// The time to start at.
  let start: Double

  /// The edit that options ask for, or nil.
  /// - Parameter rows: of a file of classes or of what is given, where it has several.
  /// - Throws: where the data are not of the model's shape, or its process has no such noise.
  init?(
    _ session: Session, _ model: LoadedModel<Scalar>, epsilon: Double?, besides rows: Int?,
    atMost count: Int?
  ) throws {
    let arguments = session.arguments
    guard let text = arguments.text("--from") else {
      guard !arguments.has("--noise-level") else {
        throw CommandError.usage("--noise-level is given without --from; expected both")
      }
      return nil
    }
    let process = model.field.process
    let level = try arguments.positive("--noise-level") ?? 1
    let range = [epsilon ?? process.cutoffs.sampling, process.endTime].map {
      exp(-process.marginal(at: $0).halfLogSNR)
    }
    guard level > range[0], level <= range[1] else {
      throw CommandError.usage(
        "--noise-level is \(level); expected one that \(process.name) has, above \(NumberText.significant(range[0])) and up to \(NumberText.significant(range[1]))"
      )
    }
    start = process.time(halfLogSNR: -log(level))
    var data = try model.prepared(
      model.load(asUsage(of: "--from") { try DataSource(text) }))
    if let given = data.covariates, let coded = given.names, model.given.isEmpty {
      let names = TextColumn.together(coded, given.texts)
      session.remark(
        "\(data.name): its \(CSV.list(names)) take no part, and samples are of all together; --given conditions them"
      )
    }
    isRowByRow = data.count == rows
    if let count, !isRowByRow { data = data.prefix(count) }
    try Self.check(data, model.field.sampleShape)
    let key = RandomKey(try arguments.seed).folded("from")
    samples = try model.inModelSpace(data, key: key).points
    if let remark = Self.remark(on: data, samples, model) { session.remark(remark) }
  }

  /// Checks that data are samples of a model's kind: rows may be any samples' numbers, and series are no images, though they have
  /// as many.
  private static func check(_ data: Dataset<Scalar>, _ expected: Shape) throws {
    try data.checkSampleShape(expected)
    let extents = [data.sampleShape, expected].map { shape in
      shape.extents.last == 1 ? Array(shape.extents.dropLast()) : shape.extents
    }
    guard expected.rank == 1 || extents[0] == extents[1] else {
      throw DataError(
        .wrongShape, data.name,
        "a sample has shape \(data.sampleShape), where \(expected) is expected")
    }
  }

  /// What is said of data that are not on the scale of those that the model's run was trained on. Samples of models lie beyond the
  /// levels too, by less than half of their range, and rows far out are few.
  private static func remark(
    on data: Dataset<Scalar>, _ samples: Tensor<Scalar>, _ model: LoadedModel<Scalar>
  ) -> String? {
    if let scale = model.scale {
      guard data.scale == nil else { return nil }
      return scale.remark(
        on: data.samples.scalars.lazy.map { Double($0) }, of: "--from", slack: scale.top / 2)
    }
    guard model.standardization != nil else {
      return model.remark(onRangeOf: data.samples.scalars.lazy.map { Double($0) }, of: "--from")
    }
    let width = samples.shape.rowCount
    let means = samples.withUnsafeBuffer { entries in
      (0..<width).map { column in
        stride(from: column, to: entries.count, by: width).reduce(0) { $0 + Double(entries[$1]) }
          / Double(samples.rows)
      }
    }
    let far = means.map(abs).enumerated().max { $0.element < $1.element }
    return far.flatMap { far in
      let name =
        model.columns.map { CSV.spelled($0[far.offset]) } ?? "number \(far.offset + 1)"
      return LoadedModel<Scalar>.remark(far.element, on: "--from: the mean of \(name)")
    }
  }

  /// So many samples to carry back: where there are fewer they are taken in turns, and each place has noise of its own.
  func samples(_ count: Int) -> Tensor<Scalar> {
    let there = samples.rows
    return count == there ? samples : samples.rows((0..<count).map { $0 % there })
  }
}

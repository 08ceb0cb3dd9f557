import Foundation
import ScoreSDE

/// The fields that samples are drawn from.
extension LoadedModel {
  /// What samples are under: a class, or all, and a row of covariates in the units of the run's data, or none.
  typealias Condition = (label: Int?, given: [Double]?)

  /// How many rows files of classes or of what is given have, where one has several.
  var fileRows: Int? { [labelFile?.count, given.count].compactMap { $0 }.first { $0 > 1 } }

  /// Whether `--class` or `--given` is a file of several rows.
  func isFile(_ option: String) -> Bool {
    (option == "--class" ? labelFile?.count ?? 0 : given.count) > 1
  }

  /// What samples are drawn under, in turn: every class under every row of covariates; of a file of classes and several rows,
  /// each class under its own.
  /// - Parameter most: of the rows of files, the first that are taken; nil for all.
  /// - Throws: where a file has classes that the run has not seen, or not as many as there are rows.
  func conditions(rows most: Int? = nil) throws -> [Condition] {
    func taken<Row>(_ rows: [Row]) -> [Row] { most.map { Array(rows.prefix($0)) } ?? rows }
    let file = try labelFile.map { try checkedLabels(of: $0) }
    let labels: [Int?] = file.map(taken) ?? (labels.isEmpty ? [nil] : labels)
    let rows: [[Double]?] = given.isEmpty ? [nil] : taken(given)
    guard file != nil, labels.count > 1, rows.count > 1 else {
      return labels.flatMap { label in rows.map { (label, $0) } }
    }
    guard labels.count == rows.count else {
      throw CommandError.usage(
        "--class is \(labelSource ?? ""), with \(labels.count) rows, and --given has \(rows.count); expected as many, or one for all"
      )
    }
    return Array(zip(labels, rows))
  }

  /// The fields to sample from, with guidance and matrix products as the options say: one of all rows of a file of classes,
  /// one for each class with all rows of covariates, or one for each condition.
  ///
  /// - Parameters:
  ///   - count: the samples of each condition: a field of several is of as many samples of each.
  ///   - takingTurns: whether each condition has a field of its own.
  /// - Throws: where there is nothing to guide to, or no product to round.
  func samplingFields(
    _ arguments: Arguments, under conditions: [Condition], repeating count: Int,
    takingTurns: Bool
  ) throws -> [any ScoreField<Scalar>] {
    let scale = try guidance(isConditioned: isConditioned)
    guard isConditioned, let model = field as? ScoreModel<Scalar> else {
      return [try samplingField(arguments, field)]
    }
    let all = try samplingField(arguments, model.unconditioned)
    let size =
      takingTurns
      ? 1 : labelFile == nil ? conditions.count / max(1, labels.count) : conditions.count
    return try stride(from: 0, to: conditions.count, by: size).map { first in
      let own = try samplingField(
        arguments,
        conditioned(model, on: conditions[first..<first + size], repeating: count))
      return try scale.map { try own.guided(from: all, scale: $0) } ?? own
    }
  }

  /// How far `--guidance` leads samples to what they are under; nil where it does not say.
  /// - Throws: where there is nothing to lead to.
  func guidance(isConditioned: Bool) throws -> Double? {
    guard let scale = try session.arguments.guidance else { return nil }
    guard isConditioned else {
      throw CommandError.usage(
        "--guidance is given without --class or --given, which it leads to; expected one of these")
    }
    if scale == 0 {
      let option = session.arguments.has("--class") ? "--class" : "--given"
      session.remark(
        "--guidance 0 leaves \(option) out: samples are of all data together; 1 gives \(option) as it is"
      )
    }
    return scale
  }

  /// The field under one condition, or of so many samples under each of several.
  private func conditioned(
    _ model: ScoreModel<Scalar>, on conditions: ArraySlice<Condition>, repeating count: Int
  ) throws -> ScoreModel<Scalar> {
    if let only = conditions.first, conditions.count == 1 {
      let classed = try model.unconditioned.conditioned(on: only.label)
      return try seen(only).map { try classed.conditioned(on: $0) } ?? classed
    }
    func repeated<Row>(_ rows: [Row]) -> [Row] {
      rows.flatMap { [Row](repeating: $0, count: count) }
    }
    let classed = try model.unconditioned.conditioned(onRows: repeated(conditions.map(\.label)))
    let given = repeated(conditions.compactMap(seen))
    guard let width = given.first?.count else { return classed }
    return try classed.conditioned(
      onRows: Tensor([given.count, width], given.flatMap { $0 }))
  }

  /// What the model sees of the covariates of a condition.
  private func seen(_ condition: Condition) -> [Double]? {
    condition.given.flatMap { givenNote?.standardized($0) }
  }

  private func samplingField(
    _ arguments: Arguments, _ field: any ScoreField<Scalar>
  ) throws -> any ScoreField<Scalar> {
    guard try arguments.roundsProducts else { return field }
    guard let model = field as? ScoreModel<Float>,
      let rounded = BFloat16Field(model) as? any ScoreField<Scalar>
    else {
      throw CommandError.usage(
        "--matrix-products is bf16, but an exact model has no matrix products; expected a run folder"
      )
    }
    return rounded
  }

  /// Samples with their whole numbers rounded, as many of each condition in turn, as rows of a table with the names of its columns:
  /// the run's own, texts as such, and beside them those of what each was drawn under, where that has names of its own.
  func table(
    _ samples: Tensor<Scalar>, under conditions: [Condition]
  ) -> (rows: [[String]], names: [String]?) {
    func rows(_ more: (Int) -> [String]) -> [[String]] {
      let own = TextTable(columns, texts, wholes: discrete?.ranges.map { $0 != nil })
      return (0..<samples.rows).map { own.fields(samples.row($0)) + more($0) }
    }
    let own = columns.map { TextColumn.together($0, texts) }
    guard let own, let first = conditions.first else { return (rows { _ in [] }, own) }
    let label = first.label.flatMap { _ in labelColumn }
    let given = first.given.flatMap { _ in givenNote?.tableNames } ?? []
    let names = (label.map { [$0] } ?? []) + given
    guard !names.isEmpty, !names.contains(where: own.contains) else {
      return (rows { _ in [] }, own)
    }
    let each = samples.rows / conditions.count
    let table = TextTable(givenNote?.names, givenNote?.texts ?? [])
    let more = conditions.map { condition in
      let classed = label.flatMap { _ in condition.label }.map { label in
        [classNames.names.map { $0[label] } ?? "\(label)"]
      }
      // As numbers of the run's type read.
      return (classed ?? [])
        + (given.isEmpty ? [] : condition.given.map { table.fields($0.map { Scalar($0) }) } ?? [])
    }
    return (rows { more[$0 / each] }, own + names)
  }
}

/// Numbers as the fields of a table, in which those of a column of texts are one of these.
private struct TextTable {
  /// What stands in a column of the table: a number, whole or not, or the text of the place that is 1.
  private enum Field {
    case number(Int, isWhole: Bool)
    case text([(place: Int, text: String)])
  }

  private let table: [Field]?

  init(_ columns: [String]?, _ texts: [TextColumn], wholes: [Bool]? = nil) {
    func isWhole(_ place: Int) -> Bool { wholes.map { $0[place] } ?? false }
    guard let columns else {
      table = wholes.map { $0.indices.map { .number($0, isWhole: isWhole($0)) } }
      return
    }
    var fields: [Field] = []
    for (place, name) in columns.enumerated() {
      guard let column = texts.first(where: { $0.columns.contains(name) }) else {
        fields.append(.number(place, isWhole: isWhole(place)))
        continue
      }
      guard name == column.columns[0] else { continue }
      fields.append(
        .text(
          column.texts.compactMap { text in
            columns.firstIndex(of: column.column(of: text)).map { ($0, text) }
          }))
    }
    table = fields
  }

  func fields<Scalar: TensorScalar>(_ row: [Scalar]) -> [String] {
    guard let table else { return row.map { "\($0)" } }
    return table.map { field in
      switch field {
      case .number(let place, let isWhole):
        (isWhole ? Int(exactly: row[place]).map { "\($0)" } : nil) ?? "\(row[place])"
      case .text(let texts): texts.first { row[$0.place] == 1 }?.text ?? ""
      }
    }
  }
}

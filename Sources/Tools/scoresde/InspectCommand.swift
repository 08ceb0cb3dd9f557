import Foundation
import ScoreSDE

/// `scoresde inspect`: says what is in a run folder or a file.
enum InspectCommand: Command {
  static let name = "inspect"
  static let summary = "says what is in a run folder, a data set or a file, or what an SDE does"
  static let options = [
    Option("--out", "FILE.svg", "of an SDE: a figure of its kernel and rates"),
    Option("--scalar", "TYPE", "the type to read in: float64 (default) or float32"),
  ]
  static let positionalLimit = 1
  static let positionalNames = "RUN|DATA|FILE|SDE"

  static func run(_ session: Session) throws {
    guard let path = session.arguments.positional.first else {
      throw CommandError.usage("inspect needs a run folder, a data set, a file or an SDE")
    }
    if !FilePlace.exists(path), ProcessSpec.names.contains(String(path.prefix { $0 != ":" })) {
      return try inspect(process: path, session)
    }
    if session.arguments.has("--out") {
      throw CommandError.usage("--out stands beside \(path); expected it beside an SDE alone")
    }
    // Not rounded unless that is asked for.
    if session.arguments.has("--scalar"), try !session.arguments.isDouble {
      try inspect(path, session, Float.self)
    } else {
      try inspect(path, session, Double.self)
    }
  }

  private static func inspect<Scalar: TensorScalar>(
    _ path: String, _ session: Session, _: Scalar.Type
  ) throws {
    if RunFolder(path).exists {
      try show(RunFacts(RunFolder(path)).all(), session)
    } else if path.hasSuffix(".safetensors") {
      try inspect(tensors: Safetensors<Scalar>(contentsOf: path), path, session)
    } else {
      try PublishedModel.refuse(path, as: "what is inspected")
      let source = try DataSource(path)
      do {
        try inspect(data: source.load(as: Scalar.self), path, session)
      } catch let error as DataError {
        // What can be read of a table helps to say which of its columns are to be.
        if !session.wantsJSON, let table = survey(of: DataSource.file(of: path)) {
          try Console.result(table)
        }
        throw error
      }
    }
  }

  /// What the columns of a table as text hold that is no data as it stands; nil of other files.
  private static func survey(of path: String) -> String? {
    guard DataSource.isTable(path), let survey = try? TableSurvey(of: path), survey.rows > 0 else {
      return nil
    }
    var table = Table(columns: ["column", "numbers", "texts", "missing", "different", "first"])
    let names = survey.columns.enumerated().map { place, column in
      column.name.map { $0.isEmpty ? "(\(place + 1), no name)" : CSV.spelled($0) }
        ?? "\(place + 1)"
    }
    for (column, name) in zip(survey.columns, Table.abbreviated(names)) {
      table.append(
        [name]
          + [column.numbers, column.texts, column.missing, column.different].map {
            NumberText.grouped($0)
          } + [String((column.first ?? "").prefix(20))])
    }
    return "\(NumberText.counted(survey.rows, "row"))\n\(table.text)"
  }

  private static func inspect(process text: String, _ session: Session) throws {
    let out = try session.checkWritable("--out", extensions: ["svg"])
    let report = ProcessReport(
      process: try asUsage(of: "inspect") { try ProcessSpec.process(text) })
    if let out { try AtomicFile.write(report.figure.svg, to: out) }
    try show(
      report.facts, more: ("times", report.table, report.json), notes: report.notes, session)
  }

  private static func inspect<Scalar: TensorScalar>(
    tensors file: Safetensors<Scalar>, _ path: String, _ session: Session
  ) throws {
    var table = Table(columns: ["tensor", "shape", "mean", "least", "greatest"])
    var list: [JSON] = []
    for (name, tensor) in zip(file.parameters.names, file.parameters.tensors) {
      let entries = Tensor<Double>(tensor).scalars
      let numbers = [tensor.mean, entries.min() ?? .nan, entries.max() ?? .nan]
      table.append([name, "\(tensor.shape)"] + numbers.map { NumberText.significant($0) })
      list.append(
        .object([
          ("name", .string(name)), ("shape", .array(tensor.shape.extents.map { .integer($0) })),
          ("mean", .number(numbers[0])), ("least", .number(numbers[1])),
          ("greatest", .number(numbers[2])),
        ]))
    }
    let metadata = file.metadata.sorted { $0.key < $1.key }
    try session.finish(
      .object([
        ("tensors", .integer(file.parameters.names.count)),
        ("entries", .integer(file.parameters.count)),
        ("metadata", .object(metadata.map { ($0.key, .string($0.value)) })),
        ("list", .array(list)),
      ]),
      table.text
        + (metadata.isEmpty
          ? "" : "\n" + metadata.map { "\($0.key): \($0.value)" }.joined(separator: "\n"))
    )
  }

  private static func inspect<Scalar: TensorScalar>(
    data: Dataset<Scalar>, _ path: String, _ session: Session
  ) throws {
    let entries = Tensor<Double>(data.samples).scalars
    let mean = data.samples.mean
    let variance = entries.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(entries.count)
    guard variance.isFinite else {
      throw CommandError.failure(
        "\(path): the entries are so large, up to \(entries.map { abs($0) }.max() ?? .nan), that their squares are no finite numbers"
      )
    }
    var facts = [
      Fact("samples", data.count), Fact("sample shape", data.sampleShape), Fact("mean", mean),
      Fact("standard deviation", variance.squareRoot()), Fact("least", entries.min() ?? .nan),
      Fact("greatest", entries.max() ?? .nan),
    ]
    if let scale = data.scale { facts.append(Fact("levels", scale.levels)) }
    if let labels = data.labels {
      facts.append(Fact("classes", Set(labels).count))
      facts += Fact.of(ClassNames(data.classNames))
    }
    // Processes act on data where training puts them.
    let points =
      data.scale?.centred(data.samples) ?? data.standardization?.standardized(data.samples)
      ?? data.samples
    var reasons = [DataRemarks.remark(onLeftOut: data), DataRemarks.remark(onDropped: data)]
      .compactMap { $0 }
    do {
      let advice = try ProcessAdvice(points)
      if let scale = data.scale {
        let range = scale.modelRange
        reasons.append(
          "Suggestions are for the levels where training puts them, between \(Spec.text(range.lowerBound)) and \(Spec.text(range.upperBound))."
        )
      } else if data.standardization != nil {
        reasons.append(
          "Suggestions are for the columns where training puts them, each less its mean and over its deviation."
        )
      }
      for item in advice.all {
        facts.append(
          Fact(
            "suggested \(item.name)", NumberText.significant(item.value),
            .object([("value", .number(item.value)), ("reason", .string(item.reason))])))
        reasons.append("\(item.name): \(item.reason).")
      }
    } catch {
      reasons.append("No suggestions: \(error).")
    }
    guard let map = data.standardization else { return try show(facts, notes: reasons, session) }
    let (table, list) = columns(of: data, map)
    try show(facts, more: ("columns", table, list), notes: reasons, session)
  }

  /// What each column of a table is like; people see the first of many, programs all.
  private static func columns<Scalar: TensorScalar>(
    of data: Dataset<Scalar>, _ map: Standardization
  ) -> (Table, JSON) {
    let most = 40
    let names = ["column", "mean", "standard deviation", "least", "greatest"]
    var table = Table(columns: names)
    var list: [JSON] = []
    let plain =
      data.discrete == nil ? map : (try? Standardization(of: data.samples, by: .columns)) ?? map
    for column in map.means.indices {
      let entries = data.samples.withUnsafeBuffer { entries in
        stride(from: column, to: entries.count, by: map.means.count).map { Double(entries[$0]) }
      }
      let (least, greatest) = (entries.min() ?? .nan, entries.max() ?? .nan)
      // A constant column keeps its unit in the map, and has no deviation; whole numbers have bins there, and none here.
      let deviation = least == greatest ? 0 : plain.deviations[column]
      let numbers = [plain.means[column], deviation, least, greatest]
      if column < most {
        table.append(
          [data.columns.map { CSV.spelled($0[column]) } ?? "\(column + 1)"]
            + numbers.map { NumberText.significant($0) })
      }
      let name = data.columns.map { [("name", JSON.string($0[column]))] } ?? []
      list.append(
        .object(name + zip(names.dropFirst(), numbers).map { (Fact.key($0), .number($1)) }))
    }
    if map.means.count > most {
      table.append(["… \(map.means.count)"] + names.dropFirst().map { _ in "" })
    }
    return (table, .array(list))
  }

  private static func show(
    _ facts: [Fact], more: (key: String, table: Table, json: JSON)? = nil, notes: [String] = [],
    _ session: Session
  ) throws {
    let table = Table(columns: ["what", "value"], rows: facts.map { [$0.name, $0.text] })
    let tables = [table.text] + [more?.table.text].compactMap { $0 }
    try session.finish(
      .object(
        facts.map { (Fact.key($0.name), $0.json) } + (more.map { [($0.key, $0.json)] } ?? [])),
      (tables + notes.map { "- \($0)" }).joined(separator: "\n"))
  }
}

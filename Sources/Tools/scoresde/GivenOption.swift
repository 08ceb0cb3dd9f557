import Foundation
import ScoreSDE

/// `--given`: the numbers that samples are conditioned on.
enum GivenOption {
  /// What a run keeps of its covariates.
  struct Note: Codable {
    /// The names of their columns, where they came from a table.
    var names: [String]?
    /// The columns of texts, each of which has a name and a number among these.
    var texts: [TextColumn]?
    /// The extents of each, where they are images or series.
    var extents: [Int]?
    /// How they were standardised: by columns, or images and series as a whole.
    var standardization: Standardization

    var count: Int { extents?.reduce(1, *) ?? standardization.means.count }
    /// Their names, or how many they are, for messages.
    var text: String {
      if let extents { return "\(extents.map(String.init).joined(separator: " × ")) numbers" }
      return tableNames.map(CSV.list) ?? NumberText.counted(count, "number")
    }
    /// Their names, those of a column of texts as one.
    var tableNames: [String]? { names.map { TextColumn.together($0, texts ?? []) } }
    /// Whether its parts fit each other, as they need not in a file.
    var isSound: Bool {
      guard let extents else { return names.map { $0.count == count } ?? true }
      return extents.count > 1 && extents.allSatisfy { (1...1 << 18).contains($0) }
        && extents.reduce(1.0) { $0 * Double($1) } <= 1e9 && standardization.means.count == 1
        && names == nil
    }

    /// A row in the units of what the run was given, as the model sees it.
    func standardized(_ row: [Double]) -> [Double] {
      standardization.standardized(Tensor([1, row.count], row)).scalars
    }

    /// What is said of images or series whose numbers are of another size than those that the run was given; nil of others.
    func remark(onSizeOf rows: [[Double]]) -> String? {
      guard extents != nil else { return nil }
      let numbers = rows.flatMap { $0 }
      let mean = numbers.reduce(0, +) / Double(max(1, numbers.count))
      let square = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let deviation = (square / Double(max(1, numbers.count))).squareRoot()
      let own = standardization.deviations[0]
      guard numbers.count > 1, !(own / 10...own * 10 ~= deviation) else { return nil }
      return
        "--given has numbers of deviation \(NumberText.significant(deviation, digits: 2)) about \(NumberText.significant(mean, digits: 2)), where the run was given such of \(NumberText.significant(own, digits: 2)) about \(NumberText.significant(standardization.means[0], digits: 2))"
    }

    /// The note of covariates that a new run is to be given.
    init(of covariates: Covariates) throws {
      names = covariates.names
      texts = covariates.texts.isEmpty ? nil : covariates.texts
      extents = covariates.areImages ? covariates.shape.extents : nil
      standardization = try Standardization(
        of: covariates.values, by: covariates.areImages ? .whole : .columns, name: "--given")
    }

    /// The note of numbers that are given as they are.
    init(plain count: Int) {
      standardization = Standardization(
        means: [Double](repeating: 0, count: count),
        deviations: [Double](repeating: 1, count: count))
    }
  }

  /// What a run keeps of its covariates; of one that was begun in Swift, whose covariates the model takes as they are, their
  /// number.
  static func note(in run: RunDescription, of folder: RunFolder) throws -> Note? {
    let note =
      try DataNote.given.value(in: run, of: folder) ?? run.covariates.map(Note.init(plain:))
    guard note.map({ $0.isSound && $0.count == run.covariates }) ?? (run.covariates == nil) else {
      throw CommandError.failure(
        "\(folder.descriptionPath): \(note.map(\.text) ?? "0 covariates") are standardised, where the model has \(run.covariates ?? 0)"
      )
    }
    return note
  }

  /// Data under the covariates that `--given` of `train` names: columns of the data's table, or a file with a row a sample.
  static func data<Scalar: TensorScalar>(
    _ data: Dataset<Scalar>, by text: String?
  ) throws -> Dataset<Scalar> {
    guard let text else { return data }
    if isFile(text) {
      let given = try contents(of: text)
      guard given.values.rows == data.count else {
        throw CommandError.failure(
          "\(text) has \(NumberText.counted(given.values.rows, "row")); expected \(data.count), one a sample"
        )
      }
      let names = given.names ?? []
      guard Set(names).count == names.count else {
        throw CommandError.failure(
          "\(text) has two columns of one name among \(CSV.list(names)); expected each once"
        )
      }
      return try data.given(given)
    }
    guard let names = columns(text), names.allSatisfy({ !$0.isEmpty }),
      Set(names).count == names.count
    else {
      throw CommandError.usage(
        "--given is \(text); expected different columns of the table with commas between, in quotes where they have some, or a file with a row a sample"
      )
    }
    return try data.given(byColumns: names)
  }

  /// What a file gives: the rows of a table with their names, or an array's, each of which may be an image or a series.
  private static func contents(of path: String) throws -> Covariates {
    let data: Dataset<Double> = try DataSource(path).load()
    return Covariates(
      names: data.columns, values: data.samples.reshaped([data.count, data.dimensions]),
      shape: data.sampleShape, texts: data.texts)
  }

  /// The network that is given covariates: images and series of the samples' sides stand beside these in a U-Net.
  /// - Throws: where their sides are others.
  static func network(
    _ network: NetworkSpec, given covariates: Covariates?, beside sampleShape: Shape
  ) throws -> NetworkSpec {
    guard let covariates, covariates.areImages, network.architecture.takesGivenImages else {
      return network
    }
    guard let channels = network.channels(ofGiven: covariates.shape, beside: sampleShape) else {
      throw CommandError.usage(
        "--given has \(covariates.shape) a sample, and the samples have shape \(sampleShape); expected the same sides, or rows of numbers, [n, k]"
      )
    }
    var network = network
    network.givenChannels = channels
    return network
  }

  /// The columns that `--given` of `train` names; nil where it names a file, or a quote is not closed.
  static func columns(_ text: String) -> [String]? {
    isFile(text) ? nil : CSV.fields(text)
  }

  /// Whether a text names a file of rows.
  static func isFile(_ text: String) -> Bool { DataSource.isFile(text) }

  /// The rows that `--given` of other commands names, in the units of what the run was given: numbers, NAME=NUMBER of each, or a
  /// file of rows.
  static func rows(_ text: String, _ note: Note, of model: String) throws -> [[Double]] {
    try isFile(text) ? file(text, note) : [row(text, note, of: model)]
  }

  /// One row of numbers, in the order and the units of what a run was trained on; of a column of texts, one of these.
  private static func row(_ text: String, _ note: Note, of model: String) throws -> [Double] {
    let (names, texts) = (note.tableNames ?? [], note.texts ?? [])
    func refused(_ reason: String) -> CommandError {
      let expected =
        names.isEmpty
        ? "\(NumberText.counted(note.count, "number")) with commas between"
        : names.map { name in
          "\(CSV.spelled(name))=\(texts.contains { $0.name == name } ? "TEXT" : "NUMBER")"
        }.joined(separator: ",")
      return .usage(
        "--given is \(text), \(reason); expected \(expected), as the run \(model) was trained on, or a file of rows"
      )
    }
    guard let items = Spec.items(text)?.map({ Item($0, among: names) }) else {
      throw refused("where a quote is not closed")
    }
    guard Set(items.map { $0.name == nil }).count == 1 else {
      throw refused("with and without names")
    }
    let count = names.isEmpty ? note.count : names.count
    var values = [[Double]?](repeating: nil, count: count)
    for (place, item) in items.enumerated() {
      let column = item.name.map { names.firstIndex(of: $0) } ?? place
      guard let column else {
        let name = item.name ?? ""
        throw refused(
          "with \(CSV.spelled(name)), which the run was not given\(CSV.nearMiss(of: name, among: names))"
        )
      }
      guard column < count else {
        throw refused("with \(NumberText.counted(items.count, "number"))")
      }
      let name = names.isEmpty ? "number \(column + 1)" : CSV.spelled(names[column])
      guard values[column] == nil else { throw refused("with \(name) twice") }
      if !names.isEmpty, let texts = texts.first(where: { $0.name == names[column] }) {
        guard let chosen = texts.texts.firstIndex(of: item.value) else {
          throw refused(
            "where \(name) is “\(item.value)”\(CSV.nearMiss(of: item.value, among: texts.texts)), none of \(CSV.list(texts.texts))"
          )
        }
        values[column] = texts.texts.indices.map { $0 == chosen ? 1 : 0 }
      } else {
        guard let value = Double(item.value), value.isFinite else {
          throw refused("where \(name) is “\(item.value)”, no finite number")
        }
        values[column] = [value]
      }
    }
    let missing = values.indices.filter { values[$0] == nil }
    guard missing.isEmpty else {
      throw refused(
        names.isEmpty
          ? "with \(NumberText.counted(items.count, "number"))"
          : "without \(CSV.list(missing.map { names[$0] }))")
    }
    return values.compactMap { $0 }.flatMap { $0 }
  }

  /// A number or a text of a row, which may have its column's name before it.
  private struct Item {
    let name: String?
    let value: String

    /// - Parameters:
    ///   - field: NAME=VALUE or VALUE; all of it may stand in quotes, or either, and blanks in those of a value are part of it.
    ///   - names: of columns, any of which may have an equal sign, as may what follows it.
    init(_ field: String, among names: [String]) {
      func trimmed(_ text: some StringProtocol) -> String {
        text.trimmingCharacters(in: .whitespaces)
      }
      func unquoted(_ text: String) -> String? {
        text.hasPrefix("\"") ? CSV.fields(text)?.first : nil
      }
      let text = unquoted(trimmed(field)) ?? trimmed(field)
      let isWhole = CSV.quoted(text) == trimmed(field)
      let ends = text.indices.filter { text[$0] == "=" }
      // What is no number of a row has a name before it.
      let end = ends.last { names.contains(trimmed(text[..<$0])) } ?? ends.last
      name = end.map { trimmed(text[..<$0]) }
      let rest = String(text[(end.map(text.index(after:)) ?? text.startIndex)...])
      value = isWhole ? rest : unquoted(trimmed(rest)) ?? trimmed(rest)
    }
  }

  /// The rows of a file, in the order and the units of what a run was trained on.
  static func file(_ path: String, _ note: Note) throws -> [[Double]] {
    if let names = note.names {
      let table: Dataset<Double> = try DataSource(path).load(
        texts: (note.texts ?? []).map(\.name), columns: note.tableNames)
      if let remark = DataRemarks.remark(onDropped: table) { Console.say(remark + "\n") }
      if let own = table.tableColumns {
        if let missing = note.tableNames?.first(where: { !own.contains($0) }) {
          throw CommandError.failure(
            "\(path) has no column \(CSV.spelled(missing))\(CSV.nearMiss(of: missing, among: own + table.unknown)); expected \(note.text)"
          )
        }
        let values = try table.columns(named: names).samples
        return (0..<values.rows).map { values.row($0) }
      }
    }
    let given = try contents(of: path)
    // One row may stand without an axis for rows.
    if given.names == nil, given.values.count == note.count { return [given.values.scalars] }
    return try checked((0..<given.values.rows).map { given.values.row($0) }, path, note)
  }

  private static func checked(
    _ rows: [[Double]], _ path: String, _ note: Note
  ) throws -> [[Double]] {
    guard let first = rows.first, first.count == note.count else {
      throw CommandError.failure(
        "\(path) has \(NumberText.counted(rows.count, "row")) of \(NumberText.counted(rows.first?.count ?? 0, "number")); expected \(note.count) a row, as the run was trained on"
      )
    }
    return rows
  }
}

extension Option {
  static let trainingGiven = Option(
    "--given", "COLUMNS",
    "numbers and texts to give samples of later: columns of a table with commas between, which are no data then, or a file with a row a sample"
  )
  static let given = Option(
    "--given", "NUMBERS",
    "of a run that was trained with --given: the numbers and texts to condition on, as NAME=1.5,OTHER=TEXT or 1.5,TEXT (default: all as one)"
  )
  static let givenOfData = Option(
    "--given", "NUMBERS",
    "of a run that was trained with --given: the numbers and texts to condition on, as NAME=1.5,OTHER=TEXT or 1.5,TEXT, or a file with a row of them for each sample (default: those in the table's own columns, or all as one)"
  )
  static let givenRows = Option(
    "--given", "NUMBERS",
    "of a run that was trained with --given: the numbers and texts to condition on, as NAME=1.5,OTHER=TEXT or 1.5,TEXT, or a file with a row of them for each --count samples (default: all as one)"
  )
}

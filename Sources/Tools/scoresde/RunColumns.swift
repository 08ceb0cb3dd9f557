import ScoreSDE

/// The columns that a run knows of the table that it was trained on, by which it finds them in others, in any order.
struct RunColumns {
  /// That of the labels, if they were in one.
  var label: String?
  /// Those of what is given, if these have names.
  var given: [String]
  /// Those of the samples, if they have names.
  var samples: [String]?
  /// That of what is given as a table has it, those of texts one each.
  private let givenTable: [String]
  /// These as a table has them, those of texts one each.
  private let table: [String]?
  /// The names of those that hold texts, whatever stands in other tables.
  var texts: [String] = []
  /// All, those of texts one each; nil where samples have no names.
  let names: [String]?

  /// - Parameters:
  ///   - label: the column of the labels, if they were in one, which held texts where these are what the classes are called.
  ///   - texts: the columns of texts among those of the samples.
  init(
    label: String?, called classNames: [String]?, given note: GivenOption.Note?, samples: [String]?,
    texts: [TextColumn]
  ) {
    (self.label, given, self.samples) = (label, note?.names ?? [], samples)
    givenTable = note?.tableNames ?? []
    table = samples.map { TextColumn.together($0, texts) }
    names = table.map { $0 + (note?.tableNames ?? []) + [label].compactMap { $0 } }
    self.texts = (texts + (note?.texts ?? [])).map(\.name)
    if let label, classNames != nil { self.texts.append(label) }
  }

  /// Data parted from the columns of labels and of what is given, where they have them, which are their labels and covariates then;
  /// and the names of those that the run does not know, which are left out.
  /// - Parameter takesLabels: whether labels are taken from their column, which is left out elsewhere.
  /// - Throws: where a column of samples, or some of what is given, are missing.
  func arranged<Scalar: TensorScalar>(
    _ whole: Dataset<Scalar>, takesLabels: Bool
  ) throws -> (data: Dataset<Scalar>, unknown: [String]) {
    _ = try chosen(of: whole)
    var data = whole
    if let label, data.hasColumn(label) {
      data =
        takesLabels
        ? try data.labelled(byColumn: label) : try data.without(column: label)
    }
    if let columns = data.tableColumns.map({ $0 + whole.unknown }),
      givenTable.contains(where: data.hasColumn)
    {
      if let missing = givenTable.first(where: { !data.hasColumn($0) }) {
        throw CommandError.failure(
          "\(data.name): there is no column “\(missing)”\(CSV.nearMiss(of: missing, among: columns)); expected all of \(CSV.list(givenTable)), which the run was given, and there are \(CSV.list(columns))"
        )
      }
      data = try data.given(byColumns: given)
    }
    let known = try chosen(of: data)
    guard samples != nil else { return (data, []) }
    let own = known.tableColumns ?? []
    return (known, (data.tableColumns?.filter { !own.contains($0) } ?? []) + whole.unknown)
  }

  /// The columns of the samples, in their order; data without names, or for a run without, as they are.
  /// - Throws: where some are missing.
  func chosen<Scalar: TensorScalar>(of data: Dataset<Scalar>) throws -> Dataset<Scalar> {
    guard let samples, let table else { return data }
    if let own = data.tableColumns.map({ $0 + data.unknown }),
      let missing = table.first(where: { !data.hasColumn($0) })
    {
      throw CommandError.failure(
        "\(data.name): there is no column “\(missing)”\(CSV.nearMiss(of: missing, among: own)); expected each of \(CSV.list(table)) once, and there are \(CSV.list(own))"
      )
    }
    return try data.columns(named: samples)
  }

  /// - Throws: where two columns of a table that is to be trained on have one name, by which no command could tell them apart.
  static func checkDiffer<Scalar: TensorScalar>(in data: Dataset<Scalar>) throws {
    let names = data.columns ?? []
    guard let twice = names.indices.first(where: { names[..<$0].contains(names[$0]) }) else {
      return
    }
    throw CommandError.failure(
      "\(data.name) has two columns of one name, \(CSV.spelled(names[twice])); expected names that differ, by which columns are found"
    )
  }

  /// What is said of columns that are left out; nil where there are none.
  static func remark(_ unknown: [String], of data: String) -> String? {
    guard !unknown.isEmpty else { return nil }
    let isOne = unknown.count == 1
    return
      "\(data): the run has no column\(isOne ? "" : "s") \(CSV.list(unknown)), which \(isOne ? "is" : "are") left out"
  }
}

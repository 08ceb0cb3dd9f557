import ScoreTensors

/// The rows of a table as text, while they are read.
struct CSVTable {
  let path: String
  let reading: TableReading

  /// What a column holds, as its first field says that is there.
  private enum Kind {
    case unknown
    case numbers
    /// Texts, numbered as they come, the first of them on a line.
    case texts([String: Int], line: Int)
    case tooMany
  }

  /// The fields that a line has.
  private var width = 0
  /// The places of the columns that are read, and what they are called.
  private var chosen: [Int] = []
  private var columns: [String]?
  /// The names of those that the reader does not know.
  private var unknown: [String] = []
  private var kinds: [Kind] = []
  /// The columns that hold texts whatever their fields are.
  private var areTexts: [Bool] = []
  /// The line of the first row.
  private var first = 0
  /// Rows that are left out, as they lack a field.
  private var dropped = 0
  /// The fields row by row: numbers, or those of texts; NaN where there is none.
  private var values: [Double] = []
  private var lines: [Int] = []

  /// Places of columns that are not read, as they hold too many texts.
  private let excluded: Set<Int>

  init(path: String, _ reading: TableReading, without excluded: Set<Int> = []) {
    (self.path, self.reading, self.excluded) = (path, reading, excluded)
  }

  /// The columns of too many texts, where rows are left out that may have lacked nothing but a text of theirs.
  var costly: Set<Int> {
    guard reading.columns == nil, dropped > 0 else { return [] }
    return Set(
      zip(chosen, kinds).filter { if case .tooMany = $0.1 { true } else { false } }.map(\.0))
  }

  /// What the columns at some places are called.
  func names(of places: Set<Int>) -> [String] {
    zip(chosen, columns ?? []).filter { places.contains($0.0) }.map(\.1)
  }

  /// Adds the fields of a line, the first of which may name the columns.
  mutating func add(
    _ fields: [String], line: Int, as type: (some TensorScalar).Type
  ) throws(DataError) {
    if first == 0 {
      (first, width) = (line, fields.count)
      let isHeader = CSV.areNames(fields)
      try begin(isHeader ? fields : nil)
      if isHeader { return }
    }
    try CSV.check(fields, width, as: first, "\(path), line \(line)")
    if reading.missing == .dropped, chosen.contains(where: { isMissing(fields[$0]) }) {
      dropped += 1
      return
    }
    for (column, place) in chosen.enumerated() {
      do {
        values.append(try number(fields[place], column, line: line, as: type))
      } catch {
        throw DataError(error.kind, "\(path), line \(line), column \(place + 1)", error.reason)
      }
    }
    lines.append(line)
  }

  /// Finds the columns that are read among all, whose names these are, if they have some.
  private mutating func begin(_ names: [String]?) throws(DataError) {
    func place(_ column: String, for what: String) throws(DataError) -> Int {
      let found = names.map { names in names.indices.filter { names[$0] == column } } ?? []
      let place = found.first ?? Int(column).map { $0 - 1 }
      guard let place, (0..<width).contains(place), found.count < 2 else {
        let all = names.map(CSV.list) ?? "1 to \(width)"
        throw DataError(
          .unknownName, path,
          "\(what) has “\(column)”, of which there \(found.count > 1 ? "are \(found.count) columns" : "is no column")\(CSV.nearMiss(of: column, among: names ?? [])); expected some of \(all)"
        )
      }
      return place
    }
    if let asked = reading.columns {
      for column in asked { chosen.append(try place(column, for: "columns=")) }
    } else {
      chosen = Array(0..<width)
      if let names, let known = reading.knownColumns, names.contains(where: known.contains) {
        chosen = chosen.filter { known.contains(names[$0]) }
        unknown = names.filter { !known.contains($0) && !$0.isEmpty }
      }
    }
    chosen.removeAll(where: excluded.contains)
    if let twice = chosen.indices.first(where: { chosen[..<$0].contains(chosen[$0]) }) {
      throw DataError(
        .badParameter, path, "columns= has column \(chosen[twice] + 1) twice; expected each once")
    }
    var texts: Set<Int> = []
    for column in reading.texts { texts.insert(try place(column, for: "texts=")) }
    // Columns that the reader does not know, or of too many texts, may be named there.
    if reading.columns != nil, let other = texts.subtracting(chosen).min() {
      throw DataError(
        .badParameter, path, "texts= has column \(other + 1), which columns= leaves out")
    }
    guard let names else {
      guard texts.isEmpty else {
        throw DataError(
          .wrongFormat, path,
          "texts= is given, but no first row names the columns, as it must where some hold texts")
      }
      (kinds, areTexts) = (chosen.map { _ in .unknown }, chosen.map { _ in false })
      return
    }
    if let nameless = chosen.first(where: { names[$0].isEmpty }) {
      throw DataError(
        .malformed, "\(path), line \(first), column \(nameless + 1)",
        "the column has no name; expected one for each column, or columns= of those that are to be read, by names or numbers from 1 on"
      )
    }
    columns = chosen.map { names[$0] }
    areTexts = chosen.map { texts.contains($0) || reading.knownTexts.contains(names[$0]) }
    kinds = areTexts.map { $0 ? .texts([:], line: first + 1) : .unknown }
  }

  /// Whether nothing stands in a field.
  private func isMissing(_ field: String) -> Bool {
    field.isEmpty || CSV.number(field)?.isNaN == true
      || reading.missing != .refused && field == "NA"
  }

  /// Why a field is refused.
  private struct Refusal: Error {
    let kind: DataError.Kind
    let reason: String
  }

  /// A field as a number, or as that of its text.
  private mutating func number<Scalar: TensorScalar>(
    _ field: String, _ column: Int, line: Int, as type: Scalar.Type
  ) throws(Refusal) -> Double {
    // What is known to be a text is none where it is empty, or a word for that which is none of the column's.
    let number = areTexts[column] ? nil : CSV.number(field)
    let mayBeText = areTexts[column] && !reading.textsWithoutNA.contains(columns?[column] ?? "")
    let isMissing = mayBeText ? field.isEmpty : isMissing(field)
    if isMissing, reading.missing == .kept { return .nan }
    if case .unknown = kinds[column] {
      kinds[column] = number == nil && isText(field) ? .texts([:], line: line) : .numbers
    }
    switch kinds[column] {
    case .unknown, .numbers:
      guard let number else {
        throw Refusal(
          kind: .malformed,
          reason: "“\(field.prefix(20))” is not a number\(hint(field, column, line: line))")
      }
      guard Scalar(number).isFinite else {
        throw Refusal(
          kind: .notFinite,
          reason:
            "“\(field.prefix(20))” is \(Scalar(number)) as \(Scalar.typeName), where finite numbers are needed"
        )
      }
      return number
    case .texts(var known, let start):
      guard number == nil, !field.isEmpty else {
        throw Refusal(
          kind: .malformed,
          reason:
            "\(isMissing ? "there is no text" : "“\(field.prefix(20))” is a number"), where the column has texts from line \(start) on; expected one of the two in all rows, or \(isMissing ? "\(path):missing=drop, which leaves such rows out" : "\(path):texts=\(name(column)), by which all are texts")"
        )
      }
      if let place = known[field] { return Double(place) }
      guard known.count < TextColumn.most else {
        kinds[column] = .tooMany
        return 0
      }
      known[field] = known.count
      kinds[column] = .texts(known, line: start)
      return Double(known.count - 1)
    case .tooMany: return 0
    }
  }

  /// Whether a field that is no number is a text: of a column with a name, and no number with a comma.
  private func isText(_ field: String) -> Bool {
    columns != nil && !field.isEmpty && !Self.hasDecimalComma(field)
  }

  private static func hasDecimalComma(_ field: String) -> Bool {
    field.contains(",") && CSV.number(field.replacing(",", with: ".")) != nil
  }

  /// What may have been meant by a field that is no number.
  private func hint(_ field: String, _ column: Int, line: Int) -> String {
    if Self.hasDecimalComma(field) {
      return ": it has a comma, where a decimal point is expected"
    }
    if line == first {
      return "; a first row that names columns has a name for each, and no number"
    }
    if field.isEmpty || field == "NA" {
      return "; \(path):missing=drop leaves out rows in which something is missing"
    }
    return columns == nil
      ? "; a column may hold texts where the first row names the columns"
      : "; by \(path):texts=\(name(column)) all fields of the column are texts, and \(path):columns= reads some columns alone"
  }

  /// A column as `columns=` and `texts=` spell it.
  private func name(_ column: Int) -> String {
    let name = columns?[column] ?? ""
    return name.isEmpty || name.contains { "+,".contains($0) } ? "\(chosen[column] + 1)" : name
  }

  /// The table, its columns of texts a column a text.
  func contents<Scalar: TensorScalar>() throws(DataError) -> CSV.Contents<Scalar> {
    guard !values.isEmpty else {
      throw DataError(
        .empty, path,
        dropped > 0
          ? "each of the \(dropped) rows lacks something; expected one that does not"
          : "the file holds no numbers")
    }
    let names = columns ?? chosen.map { "\($0 + 1)" }
    var (texts, leftOut, coded) = ([TextColumn](), [String](), [String]())
    /// Where the fields of a column go, and for texts their places from there on by their numbers.
    var places: [(first: Int, texts: [Int]?)?] = []
    for (kind, name) in zip(kinds, names) {
      switch kind {
      case .texts(let known, _) where !known.isEmpty:
        let column = TextColumn(name: name, texts: known.keys.sorted())
        var order = [Int](repeating: 0, count: known.count)
        for (place, text) in column.texts.enumerated() { order[known[text] ?? 0] = place }
        places.append((coded.count, order))
        coded += column.columns
        texts.append(column)
      case .tooMany:
        places.append(nil)
        leftOut.append(name)
      case .unknown, .numbers, .texts:
        places.append((coded.count, nil))
        coded.append(name)
      }
    }
    if reading.columns != nil, let name = leftOut.first {
      throw DataError(
        .wrongShape, path,
        "columns= has “\(name)”, a column of more than \(TextColumn.most) different texts, which tell rows apart and no kinds of them; expected others"
      )
    }
    guard !coded.isEmpty else {
      throw DataError(
        .wrongShape, path,
        "each column has more than \(TextColumn.most) different texts; expected some of numbers, or of fewer"
      )
    }
    let (width, old) = (coded.count, kinds.count)
    var entries = values
    if !texts.isEmpty || !leftOut.isEmpty {
      entries = [Double](repeating: 0, count: lines.count * width)
      for row in lines.indices {
        for (column, place) in places.enumerated() {
          guard let place else { continue }
          let value = values[row * old + column]
          let start = row * width + place.first
          guard let order = place.texts else {
            entries[start] = value
            continue
          }
          if value.isNaN {
            for entry in order.indices { entries[start + entry] = .nan }
          } else {
            entries[start + order[Int(value)]] = 1
          }
        }
      }
    }
    try Precision.check(entries, width: width, as: Scalar.self, path) { column in
      " of column \(columns == nil ? coded[column] : CSV.spelled(coded[column]))"
    }
    return CSV.Contents(
      values: Tensor(Tensor<Double>([lines.count, width], entries)),
      columns: columns == nil ? nil : coded, texts: texts, leftOut: leftOut, unknown: unknown,
      dropped: dropped,
      lines: lines)
  }
}

import ScoreTensors

/// The rows of a table as text, while they are read.
struct CSVTable {
  let path: String
  let allowsMissing: Bool

  /// What a column holds, as its first field says that is there.
  private enum Kind {
    case unknown
    case numbers
    /// Texts, numbered as they come, the first of them on a line.
    case texts([String: Int], line: Int)
    case tooMany
  }

  private var kinds: [Kind] = []
  private var columns: [String]?
  /// The line of the first row.
  private var first = 0
  /// The fields row by row: numbers, or those of texts; NaN where there is none.
  private var values: [Double] = []
  private var lines: [Int] = []

  init(path: String, allowsMissing: Bool) {
    (self.path, self.allowsMissing) = (path, allowsMissing)
  }

  /// Adds the fields of a line, the first of which may name the columns.
  mutating func add(
    _ fields: [String], line: Int, as type: (some TensorScalar).Type
  ) throws(DataError) {
    if first == 0 {
      (first, kinds) = (line, fields.map { _ in .unknown })
      // A header names columns: no field of it is a number.
      if fields.allSatisfy({ Double($0) == nil && !$0.isEmpty }) {
        columns = fields
        return
      }
    }
    guard fields.count == kinds.count else {
      throw DataError(
        .wrongShape, "\(path), line \(line)",
        "\(fields.count) field\(fields.count == 1 ? "" : "s"), where line \(first) has \(kinds.count)"
      )
    }
    for (column, field) in fields.enumerated() {
      do {
        values.append(try number(field, column, line: line, as: type))
      } catch {
        throw DataError(
          error.kind, "\(path), line \(line), column \(column + 1)", error.reason)
      }
    }
    lines.append(line)
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
    let number = Double(field)
    let isMissing = field.isEmpty || number?.isNaN == true
    if isMissing, allowsMissing { return .nan }
    if case .unknown = kinds[column] {
      kinds[column] = number == nil && isText(field) ? .texts([:], line: line) : .numbers
    }
    switch kinds[column] {
    case .unknown, .numbers:
      guard let number else {
        throw Refusal(
          kind: .malformed,
          reason: "“\(field.prefix(20))” is not a number\(hint(field, line: line))")
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
            "\(isMissing ? "there is no text" : "“\(field.prefix(20))” is a number"), where the column has texts from line \(start) on; expected one of the two in all rows"
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
    Double(field.replacing(",", with: ".")) != nil
  }

  /// What may have been meant by a field that is no number.
  private func hint(_ field: String, line: Int) -> String {
    if Self.hasDecimalComma(field) {
      return ": it has a comma, where a decimal point is expected"
    }
    if line == first {
      return "; a first row that names columns has a name for each, and no number"
    }
    return columns == nil && !field.isEmpty
      ? "; a column may hold texts where the first row names the columns" : ""
  }

  /// The table, its columns of texts a column a text.
  func contents<Scalar: TensorScalar>() throws(DataError) -> CSV.Contents<Scalar> {
    guard !values.isEmpty else {
      throw DataError(.empty, path, "the file holds no numbers")
    }
    let names = columns ?? kinds.indices.map { "\($0 + 1)" }
    var (texts, leftOut, coded) = ([TextColumn](), [String](), [String]())
    /// Where the fields of a column go, and for texts their places from there on by their numbers.
    var places: [(first: Int, texts: [Int]?)?] = []
    for (kind, name) in zip(kinds, names) {
      switch kind {
      case .unknown, .numbers:
        places.append((coded.count, nil))
        coded.append(name)
      case .texts(let known, _):
        let column = TextColumn(name: name, texts: known.keys.sorted())
        var order = [Int](repeating: 0, count: known.count)
        for (place, text) in column.texts.enumerated() { order[known[text] ?? 0] = place }
        places.append((coded.count, order))
        coded += column.columns
        texts.append(column)
      case .tooMany:
        places.append(nil)
        leftOut.append(name)
      }
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
      columns: columns == nil ? nil : coded, texts: texts, leftOut: leftOut, lines: lines)
  }
}

/// What stands in the columns of a table as text, whether or not it can be read as data.
public struct TableSurvey: Sendable {
  /// The fields of a column.
  public struct Column: Sendable {
    /// What it is called, if the first row says so; the name may be empty.
    public let name: String?
    /// How many are finite numbers, how many are texts, and how many are neither: empty, `nan` or `NA`.
    public internal(set) var numbers = 0, texts = 0, missing = 0
    /// The first of those that are not missing.
    public internal(set) var first: String?
    private var seen: Set<String> = []

    init(name: String?) { self.name = name }

    /// How many differ, of those that are not missing.
    public var different: Int { seen.count }

    mutating func add(_ field: String) {
      let number = CSV.number(field)
      guard !field.isEmpty, field != "NA", number?.isNaN != true else {
        missing += 1
        return
      }
      if number?.isFinite == true { numbers += 1 } else { texts += 1 }
      first = first ?? field
      seen.insert(field)
    }
  }

  /// The number of rows, without that of the names.
  public let rows: Int
  /// All columns, from left to right.
  public let columns: [Column]

  /// Looks through a file.
  /// - Throws: a `DataError` where it is no table: rows of other numbers of fields than the first, or quotes that are not closed.
  public init(of path: String) throws(DataError) {
    var columns: [Column] = []
    var (rows, first) = (0, 0)
    try CSV.forEachRow(FileBytes.read(path), path: path) { (fields, line) throws(DataError) in
      if first == 0 {
        first = line
        let isHeader = CSV.areNames(fields)
        columns = fields.map { Column(name: isHeader ? $0 : nil) }
        if isHeader { return }
      }
      try CSV.check(fields, columns.count, as: first, "\(path), line \(line)")
      for (column, field) in fields.enumerated() { columns[column].add(field) }
      rows += 1
    }
    (self.rows, self.columns) = (rows, columns)
  }
}

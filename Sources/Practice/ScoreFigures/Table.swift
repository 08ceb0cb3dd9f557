/// A table of text, written for the shell, for Markdown or for HTML.
///
/// Columns of numbers line up on the right, others on the left.
public struct Table: Sendable {
  /// The names of the columns.
  public let columns: [String]
  /// The cells, row by row.
  public private(set) var rows: [[String]]

  /// Creates a table; every row has one cell a column.
  public init(columns: [String], rows: [[String]] = []) {
    self.columns = columns
    self.rows = []
    for row in rows { append(row) }
  }

  /// Names as they stand in a table of text: those of more than `length` characters without their middle, unless two would
  /// be the same then.
  public static func abbreviated(_ names: [String], to length: Int = 40) -> [String] {
    let short = names.map { $0.shortened { $0.count <= length } }
    return Set(short).count == Set(names).count ? short : names
  }

  /// Adds a row with one cell a column.
  public mutating func append(_ row: [String]) {
    precondition(row.count == columns.count, "\(row.count) cells for \(columns.count) columns")
    rows.append(row)
  }

  /// The table in lines of equal width, with a rule below the names.
  public var text: String {
    let widths = columns.indices.map { column in
      ([columns] + rows).map { $0[column].count }.max() ?? 0
    }
    let numeric = columns.indices.map(isNumeric)
    func line(_ cells: [String]) -> String {
      let padded = columns.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - cells[column].count)
        return numeric[column] ? space + cells[column] : cells[column] + space
      }
      let joined = padded.joined(separator: "  ")
      return String(joined.reversed().drop { $0 == " " }.reversed())
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
    return ([line(columns), rule] + rows.map(line)).map { $0 + "\n" }.joined()
  }

  /// The table in the pipe syntax of GitHub's Markdown.
  public var markdown: String {
    func line(_ cells: [String]) -> String {
      "| "
        + cells.map {
          $0.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
            .split(separator: "\n").joined(separator: " ")
        }.joined(separator: " | ") + " |\n"
    }
    let rule = columns.indices.map { isNumeric($0) ? "---:" : "---" }
    return line(columns) + line(rule) + rows.map(line).joined()
  }

  /// The table as an HTML element.
  public var html: String {
    let numeric = columns.indices.map(isNumeric)
    func cells(_ cells: [String], _ tag: String) -> String {
      cells.indices.map {
        "<\(tag)\(numeric[$0] ? " class=\"number\"" : "")>\(SVG.escaped(cells[$0]))</\(tag)>"
      }.joined()
    }
    let body = rows.map { "<tr>\(cells($0, "td"))</tr>\n" }.joined()
    return
      "<table>\n<thead><tr>\(cells(columns, "th"))</tr></thead>\n<tbody>\n\(body)</tbody>\n</table>\n"
  }

  /// Whether every cell of a column begins like a number, and is no sentence, or is a dash.
  private func isNumeric(_ column: Int) -> Bool {
    !rows.isEmpty
      && rows.allSatisfy { row in
        let words = row[column].split(separator: " ")
        let cell = words.joined(separator: " ")
        return ["–", "—", "", "nan", "inf", "-inf"].contains(cell)
          || cell.drop { "+-−".contains($0) }.first?.isWholeNumber == true
            && words.count <= 4
      }
  }
}

import ScoreTensors

/// Tables as text: one row a line, its fields parted by commas, semicolons, tabs or spaces.
///
/// A line ends with LF, CRLF or CR. The first line may name the columns. Blank lines and lines that begin with `#` are
/// skipped; in a table by tabs, a line with a tab is not blank but a row of empty fields. A field may stand in quotes, within
/// which separators are text and two quotes are one (RFC 4180); it ends on its line.
///
/// A column that has a name holds numbers or texts, as its first field says where a `TableReading` does not.
public enum CSV {
  /// A table of numbers with the names of its columns, if it has any.
  public struct Contents<Scalar: TensorScalar>: Sendable {
    /// The numbers, of shape `[rows, columns]`: in place of a column of texts one for each of these, 1 where a row has it, else 0.
    public let values: Tensor<Scalar>
    /// The names of the columns of values, or nil where the file has no header.
    public let columns: [String]?
    /// The columns of texts.
    public let texts: [TextColumn]
    /// The names of columns of more texts than `TextColumn.most`, which are left out.
    public fileprivate(set) var leftOut: [String]
    /// The names of columns that were not read, as the reader does not know them.
    package let unknown: [String]
    /// The number of rows that are left out, as something is missing in them.
    public let dropped: Int
    /// The line that each row is on, the first one 1.
    package let lines: [Int]
  }

  /// Reads a table.
  /// - Throws: a `DataError` where a column that is asked for is not there, and with the line where a row has another number of
  ///   fields than the first, or a field is neither a finite number in `Scalar` nor, in a column of them, a text.
  public static func read<Scalar: TensorScalar>(
    _ path: String, as type: Scalar.Type = Scalar.self, _ reading: TableReading = TableReading()
  ) throws(DataError) -> Contents<Scalar> {
    try decode(FileBytes.read(path), path: path, reading)
  }

  /// Decodes the bytes of a file; `path` is for messages.
  package static func decode<Scalar: TensorScalar>(
    _ bytes: [UInt8], path: String, as type: Scalar.Type = Scalar.self,
    _ reading: TableReading = TableReading()
  ) throws(DataError) -> Contents<Scalar> {
    var (excluded, names): (Set<Int>, [String]) = ([], [])
    while true {
      var table = CSVTable(path: path, reading, without: excluded)
      try forEachRow(bytes, path: path) { (fields, line) throws(DataError) in
        try table.add(fields, line: line, as: type)
      }
      // Rows are left out for what they lack in columns that are taken.
      guard table.costly.isEmpty else {
        excluded.formUnion(table.costly)
        names += table.names(of: table.costly)
        continue
      }
      var contents: Contents<Scalar> = try table.contents()
      contents.leftOut = names + contents.leftOut
      return contents
    }
  }

  /// Goes through the rows of a file, the first of which may hold names, each with its line.
  static func forEachRow(
    _ bytes: [UInt8], path: String,
    _ body: (_ fields: [String], _ line: Int) throws(DataError) -> Void
  ) throws(DataError) {
    guard !bytes.contains(0) else {
      throw DataError(.wrongFormat, path, "this is not a text file: it holds a zero byte")
    }
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    let lines = Lines(rest: bytes[(hasMark ? 3 : 0)...])
    let separator = lines.first { Self.isRow($0, separator: nil) }.map(Self.separator)
    for (line, lineNumber) in zip(lines, 1...) where Self.isRow(line, separator: separator) {
      guard let fields = Self.fields(line, separator: separator ?? 0x2C) else {
        throw DataError(
          .malformed, "\(path), line \(lineNumber)", "a quote is opened and not closed on its line")
      }
      try body(fields, lineNumber)
    }
  }

  /// A field as a decimal number, `nan` or `inf`; nil of hexadecimal ones, which are codes.
  static func number(_ field: String) -> Double? {
    field.utf8.contains { $0 == 0x78 || $0 == 0x58 } ? nil : Double(field)
  }

  /// Whether a first row names the columns: no field of it is a number, and not all are empty.
  static func areNames(_ fields: [String]) -> Bool {
    fields.allSatisfy { number($0) == nil } && fields.contains { !$0.isEmpty }
  }

  /// Checks that a row has as many fields as that on the line `first`.
  static func check(
    _ fields: [String], _ count: Int, as first: Int, _ place: String
  ) throws(DataError) {
    guard fields.count == count else {
      throw DataError(
        .wrongShape, place,
        "\(fields.count) field\(fields.count == 1 ? "" : "s"), where line \(first) has \(count)")
    }
  }

  /// Writes a table, a row a line, whole or not at all; every number reads back as it is.
  ///
  /// Names that need quotes have them. Those that would not be read back as names, such as numbers, are left out.
  /// - Throws: `unwritable`.
  /// - Precondition: values of shape `[rows, columns]`, and as many names as columns where there are any.
  public static func write<Scalar: TensorScalar>(
    _ values: Tensor<Scalar>, columns: [String]? = nil, to path: String
  ) throws(DataError) {
    try FileBytes.write(encode(values, columns: columns), to: path)
  }

  /// Writes a table of fields, numbers as they stand and texts in quotes where these need them.
  /// - Throws: `unwritable`.
  /// - Precondition: rows of as many fields, and as many names where there are any.
  public static func write(
    _ rows: [[String]], columns: [String]? = nil, to path: String
  ) throws(DataError) {
    try FileBytes.write(encode(rows, columns: columns), to: path)
  }

  /// The bytes of a file that holds the table.
  package static func encode<Scalar: TensorScalar>(
    _ values: Tensor<Scalar>, columns: [String]?
  ) -> [UInt8] {
    precondition(values.shape.rank == 2, "a table of shape \(values.shape)")
    return encode(
      (0..<values.rows).map { row in values.row(row).map { "\($0)" } }, columns: columns)
  }

  /// The bytes of a file that holds the rows.
  package static func encode(_ rows: [[String]], columns: [String]?) -> [UInt8] {
    let width = columns?.count ?? rows.first?.count ?? 0
    precondition(
      rows.allSatisfy { $0.count == width },
      "rows of \(Set(rows.map(\.count)).sorted()) fields with \(columns?.count ?? 0) names")
    var lines: [String] = []
    if let columns {
      let zeros = columns.map { _ in "0" }.joined(separator: ",")
      let headers = [columns, columns.map(quoted)].map { $0.joined(separator: ",") }
      let header = headers.first { header in
        let read: Contents<Float>? = try? decode(Array("\(header)\n\(zeros)\n".utf8), path: "")
        return read?.columns == columns
      }
      lines = header.map { [$0] } ?? []
    }
    lines += rows.map { $0.map(field).joined(separator: ",") }
    return Array(lines.joined(separator: "\n").utf8) + [0x0A]
  }

  /// A field of a row as it is read back: in quotes, but for numbers and words.
  private static func field(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "+"), UInt8(ascii: "_"), 0x80...:
        true
      default: false
      }
    }
    return isPlain ? text : quoted(text)
  }

  /// The lines of a text, without their ends.
  private struct Lines: Sequence, IteratorProtocol {
    var rest: ArraySlice<UInt8>

    mutating func next() -> ArraySlice<UInt8>? {
      guard !rest.isEmpty else { return nil }
      let line = rest.prefix { $0 != 0x0A && $0 != 0x0D }
      rest = rest[line.endIndex...]
      rest = rest.dropFirst(rest.starts(with: [0x0D, 0x0A]) ? 2 : 1)
      return line
    }
  }

  /// Whether a line is neither blank nor a comment.
  private static func isRow(_ line: ArraySlice<UInt8>, separator: UInt8?) -> Bool {
    guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }) else {
      return separator == 0x09 && line.contains(0x09)
    }
    return first != UInt8(ascii: "#")
  }

  /// The separator of a table, by its first row: tab, semicolon, comma or space, the first in this order that is not in quotes.
  private static func separator(of line: ArraySlice<UInt8>) -> UInt8 {
    let separators: [UInt8] = [0x09, 0x3B, 0x2C, 0x20]
    let bare = parts(line, separators: separators)?.compactMap(\.separator) ?? Array(line)
    // A table of one column has none, and its texts may have blanks.
    return separators.first(where: bare.contains) ?? 0x2C
  }

  /// The fields of a line, or nil where a quote is opened and not closed.
  private static func fields(_ line: ArraySlice<UInt8>, separator: UInt8) -> [String]? {
    parts(line, separators: [separator])?
      .filter { separator != 0x20 || $0.isQuoted || !$0.text.isEmpty }
      .map { String(decoding: $0.text, as: UTF8.self) }
  }

  /// The fields of a line by commas, as in a table: those with commas stand in quotes; nil where a quote is not closed.
  package static func fields(_ line: String) -> [String]? {
    fields(Array(line.utf8)[...], separator: 0x2C)
  }

  /// The fields of a line by commas, with whether each stands in quotes; nil where a quote is not closed.
  package static func items(_ line: String) -> [(text: String, isQuoted: Bool)]? {
    parts(Array(line.utf8)[...], separators: [0x2C])?
      .map { (String(decoding: $0.text, as: UTF8.self), $0.isQuoted) }
  }

  /// A field in quotes.
  package static func quoted(_ field: String) -> String {
    "\"\(field.replacing("\"", with: "\"\""))\""
  }

  private struct Part {
    var text: [UInt8] = []
    var isQuoted = false
    /// What ends it, but at the end of the line.
    var separator: UInt8?
  }

  /// A line cut at separators that are not in quotes, without the blanks around fields; nil where a quote is not closed.
  private static func parts(_ line: ArraySlice<UInt8>, separators: [UInt8]) -> [Part]? {
    var (parts, part, rest) = ([Part](), Part(), line)
    func isPadding(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    /// How much of the field stands, whatever is blank at its end.
    var end = 0
    while let byte = rest.popFirst() {
      if separators.contains(byte) {
        part.text.removeLast(part.text.count - end)
        part.separator = byte
        parts.append(part)
        (part, end) = (Part(), 0)
      } else if byte == 0x22, part.text.isEmpty, !part.isQuoted {
        part.isQuoted = true
        while true {
          guard let byte = rest.popFirst() else { return nil }
          if byte == 0x22 {
            guard rest.first == 0x22 else { break }
            rest.removeFirst()
          }
          part.text.append(byte)
        }
        end = part.text.count
      } else if !(isPadding(byte) && part.text.isEmpty && !part.isQuoted) {
        part.text.append(byte)
        if !isPadding(byte) { end = part.text.count }
      }
    }
    part.text.removeLast(part.text.count - end)
    return parts + [part]
  }
}

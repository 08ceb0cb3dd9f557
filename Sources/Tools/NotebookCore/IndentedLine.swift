/// A line taken apart into the column at which its text starts and that text.
struct IndentedLine {
  /// The width of the white space before the text; a tab goes to the next multiple of four.
  var column: Int

  /// The text, without the white space before it.
  var rest: String

  /// The line as it stands on the page.
  private var whole: String

  /// Takes `text` apart, whose first character stands at the column `start`.
  init(_ text: some StringProtocol, from start: Int = 0) {
    var column = start
    var body = text[...]
    while let first = body.first, first == " " || first == "\t" {
      column = Self.column(after: first, at: column)
      body.removeFirst()
    }
    self.column = column
    rest = String(body)
    whole = String(text)
  }

  private static func column(after space: Character, at column: Int) -> Int {
    space == "\t" ? column + 4 - column % 4 : column + 1
  }

  /// Whether there is no text.
  var isBlank: Bool { rest.isEmpty }

  /// The whole line with up to `columns` columns of white space taken off at the left.
  func dropping(columns: Int) -> String {
    var column = 0
    var body = whole[...]
    while column < columns, let first = body.first, first == " " || first == "\t" {
      column = Self.column(after: first, at: column)
      body.removeFirst()
    }
    return String(repeating: " ", count: max(0, column - columns)) + body
  }

  /// Whether the text is what makes a heading of the paragraph above it.
  var underlines: Bool {
    let text = rest.trimmed
    return text.allSatisfy { $0 == "-" } || text.allSatisfy { $0 == "=" }
  }

  /// A list marker at the start of the text; nil where there is none.
  var listItem: ListItem? {
    let marker: Int
    if let first = rest.first, "-+*".contains(first) {
      marker = 1
    } else {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }.count
      let delimiter = rest.dropFirst(digits).first
      guard 1...9 ~= digits, delimiter == "." || delimiter == ")" else { return nil }
      marker = digits + 1
    }
    let end = column + marker
    let content = IndentedLine(rest.dropFirst(marker), from: end)
    if content.isBlank { return ListItem(column: end + 1, content: content, interrupts: false) }
    let gap = content.column - end
    guard gap >= 1 else { return nil }
    let number = Int(rest.prefix(marker - 1)) ?? 1
    // Five columns or more are one column and an indented code block.
    return ListItem(
      column: gap <= 4 ? content.column : end + 1, content: content, interrupts: number == 1)
  }
}

/// The start of a list item.
struct ListItem {
  /// The column at which the content of the item starts.
  var column: Int

  /// The first line of that content.
  var content: IndentedLine

  /// Whether the item may follow a paragraph without an empty line between.
  var interrupts: Bool
}

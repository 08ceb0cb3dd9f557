/// The run of backticks or tildes that opens a fenced block.
struct FenceMark: Equatable {
  /// A backtick or a tilde.
  var character: Character

  /// How many of them; at least three.
  var count: Int

  /// What follows them on the line.
  var info: String

  /// Reads the mark at the start of `text`, or nil where there is none.
  init?(opening text: String) {
    guard let first = text.first, first == "`" || first == "~" else { return nil }
    let run = text.prefix { $0 == first }
    let info = text.dropFirst(run.count)
    // Backticks after backticks are code within a line of text.
    guard run.count >= 3, first == "~" || !info.contains("`") else { return nil }
    character = first
    count = run.count
    self.info = info.trimmed
  }

  /// Whether a line with this text closes the block.
  func isClosed(by text: String) -> Bool {
    let run = text.prefix { $0 == character }
    return run.count >= count && text.dropFirst(run.count).trimmed.isEmpty
  }
}

/// A horizontal rule, which could else be mistaken for the start of a list.
enum ThematicBreak {
  /// Whether `text` consists of three or more of the same of `-`, `*`, `_`, with spaces between.
  static func matches(_ text: String) -> Bool {
    guard let first = text.first, "-*_".contains(first) else { return false }
    let marks = text.filter { $0 != " " && $0 != "\t" }
    return marks.count >= 3 && marks.allSatisfy { $0 == first }
  }
}

extension StringProtocol {
  /// The text without spaces and tabs at either end.
  var trimmed: String {
    let end = lastIndex { $0 != " " && $0 != "\t" }
    guard let end else { return "" }
    return String(self[...end].drop { $0 == " " || $0 == "\t" })
  }
}

/// A piece of Markdown that weaving has to know about; everything else on a page is prose.
package enum MarkdownElement: Equatable {
  /// A fenced code block.
  case fence(Fence)

  /// An HTML comment that has one line to itself, with the index of that line.
  case comment(String, line: Int)
}

/// A fenced code block as CommonMark defines it.
package struct Fence: Equatable {
  /// The index of the line that opens it.
  package var open: Int

  /// The index of the line that closes it; nil where the page or the list item ends first.
  package var close: Int?

  /// The column at which the opening fence stands.
  package var indent: Int

  /// What follows the opening fence on its line, without surrounding spaces.
  package var info: String

  /// The code, each line without the indentation of the fence.
  package var code: [String]

  /// The lines of the page that belong to it.
  var lines: ClosedRange<Int> { open...(close ?? open + code.count) }
}

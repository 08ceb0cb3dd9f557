/// Finds the fenced blocks and the one-line comments of a page.
///
/// It follows CommonMark as far as it decides what is a fence: fences of backticks or tildes of any
/// length, fences inside list items, no fence inside a longer fence, an indented code block, a
/// block quote or an HTML comment.
package struct MarkdownScanner {
  private var elements: [MarkdownElement] = []
  private var open: OpenFence?
  private var insideComment = false
  private var insideParagraph = false

  /// Whether the line before was a list marker with nothing after it.
  private var afterBareMarker = false

  /// The columns at which the content of the enclosing list items starts, outermost first.
  private var items: [Int] = []

  private struct OpenFence {
    var mark: FenceMark
    var item: Int
    var fence: Fence
  }

  private init() {}

  /// The elements of a page with these lines, from top to bottom; cost is linear in the page.
  package static func elements(of lines: [String]) -> [MarkdownElement] {
    var scanner = MarkdownScanner()
    for (index, line) in lines.enumerated() { scanner.read(IndentedLine(line), at: index) }
    scanner.closeFence(at: nil)
    return scanner.elements
  }

  private mutating func read(_ line: IndentedLine, at index: Int) {
    if let fence = open {
      // Text to the left of a list item's content ends the item, and its fence with it.
      if line.isBlank || line.column >= fence.item {
        readCode(line, of: fence, at: index)
        return
      }
      closeFence(at: nil)
    }
    if insideComment {
      insideComment = !line.rest.contains("-->")
      return
    }
    if line.isBlank {
      insideParagraph = false
      // An item may start with one empty line, not with two.
      if afterBareMarker { items.removeLast() }
      afterBareMarker = false
      return
    }
    afterBareMarker = false
    readText(line, at: index)
  }

  private mutating func readCode(_ line: IndentedLine, of fence: OpenFence, at index: Int) {
    if line.column < fence.item + 4, fence.mark.isClosed(by: line.rest) {
      closeFence(at: index)
    } else {
      open?.fence.code.append(line.dropping(columns: fence.fence.indent))
    }
  }

  private mutating func closeFence(at index: Int?) {
    guard var fence = open?.fence else { return }
    fence.close = index
    elements.append(.fence(fence))
    open = nil
  }

  private mutating func readText(_ line: IndentedLine, at index: Int) {
    var line = line
    let enclosing = items
    while let item = items.last, item > line.column { items.removeLast() }
    // Whether this line may go on with the paragraph above it as if it belonged to the same items.
    let continues = insideParagraph && items == enclosing
    if continues, line.column < (items.last ?? 0) + 4, line.underlines {
      insideParagraph = false
      return
    }

    while !line.isBlank, line.column < (items.last ?? 0) + 4 {
      if ThematicBreak.matches(line.rest) {
        insideParagraph = false
        return
      }
      if let mark = FenceMark(opening: line.rest) {
        let fence = Fence(open: index, indent: line.column, info: mark.info, code: [])
        open = OpenFence(mark: mark, item: items.last ?? 0, fence: fence)
        insideParagraph = false
        return
      }
      if line.rest.hasPrefix("<!--") {
        if line.rest.contains("-->") {
          elements.append(.comment(line.rest, line: index))
        } else {
          insideComment = true
        }
        insideParagraph = false
        return
      }
      guard let item = line.listItem, !(continues && insideParagraph) || item.interrupts else {
        break
      }
      afterBareMarker = item.content.isBlank
      items.append(item.column)
      insideParagraph = false
      line = item.content
    }
    // A line of text may stand to the left of the paragraph, and list item, that it continues.
    let isHeading = line.rest.hasPrefix("#")
    if insideParagraph, !isHeading { items = enclosing }
    let isIndentedCode = !insideParagraph && line.column >= (items.last ?? 0) + 4
    insideParagraph = !line.isBlank && !isIndentedCode && !isHeading
  }
}

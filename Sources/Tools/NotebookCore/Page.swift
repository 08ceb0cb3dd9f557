import Foundation

/// A Markdown page: its lines, the blocks of Swift that run, and the output woven in so far.
package struct Page {
  /// The page as messages name it, and as the program that runs it sees it in `#filePath`.
  package let path: String

  /// The blocks that run, in order.
  package let blocks: [Block]

  let lines: [String]
  let regions: [WovenRegion]
  private let lineEnding: String

  /// Reads the text of a page.
  ///
  /// Throws a failure with the line where a fence of Swift is not closed or asks for something
  /// unknown, or where woven output has been edited so that it cannot be replaced safely.
  package init(path: String, text: String) throws(Failure) {
    self.path = path
    lineEnding = text.contains("\r\n") ? "\r\n" : "\n"
    lines = text.replacingOccurrences(of: "\r\n", with: "\n")
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    do throws(Failure) {
      let elements = MarkdownScanner.elements(of: lines)
      regions = try Self.regions(of: elements, in: lines)
      blocks = try Self.blocks(of: elements, outside: regions)
    } catch {
      throw Failure(error.sentence, file: path, line: error.line)
    }
  }

  /// The page's name without folder and extension; the names of its figures start with it.
  package var stem: String {
    URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }

  /// The text that makes a page of `lines`, with the line ending that this page has.
  func text(of lines: [String]) -> String {
    lines.joined(separator: lineEnding)
  }

  /// The output that stands below a block now; nil where there is none.
  func region(below block: Block) -> WovenRegion? {
    regions.first { $0.anchor == block.close }
  }

  private static func blocks(
    of elements: [MarkdownElement], outside regions: [WovenRegion]
  ) throws(Failure) -> [Block] {
    var blocks: [Block] = []
    for case .fence(let fence) in elements {
      let treatment: Block.Treatment?
      do throws(Failure) {
        treatment = try Block.treatment(of: fence.info)
      } catch {
        throw Failure(error.sentence, line: fence.open + 1)
      }
      guard let treatment, treatment != .show else { continue }
      guard let close = fence.close else {
        throw Failure("the block of Swift that opens here is never closed", line: fence.open + 1)
      }
      blocks.append(
        Block(
          line: fence.open + 1, close: close, indent: fence.indent, code: fence.code,
          isVolatile: treatment == .runVolatile))
    }
    return blocks
  }

  private static func regions(
    of elements: [MarkdownElement], in lines: [String]
  ) throws(Failure) -> [WovenRegion] {
    let fences = elements.compactMap { element -> Fence? in
      if case .fence(let fence) = element { fence } else { nil }
    }
    var regions: [WovenRegion] = []
    var open: Int?
    for case .comment(let comment, let line) in elements {
      switch (comment.trimmed, open) {
      case (WovenRegion.opening, nil):
        open = line
      case (WovenRegion.opening, let first?):
        throw Failure("\"\(WovenRegion.opening)\" is never closed", line: first + 1)
      case (WovenRegion.closing, nil):
        throw Failure("\"\(WovenRegion.closing)\" closes nothing", line: line + 1)
      case (WovenRegion.closing, let first?):
        let text = Array(lines[first...line])
        try WovenRegion.check(text, from: first, fences: fences)
        let isAfterBlank = first > 0 && lines[first - 1].trimmed.isEmpty
        let anchor = lines[..<first].lastIndex { !$0.trimmed.isEmpty } ?? -1
        regions.append(
          WovenRegion(lines: (isAfterBlank ? first - 1 : first)...line, text: text, anchor: anchor))
        open = nil
      default:
        continue
      }
    }
    if let open {
      throw Failure("\"\(WovenRegion.opening)\" is never closed", line: open + 1)
    }
    return regions
  }
}

/// The part of a page that the tool wrote below a block, and that it may therefore replace.
package struct WovenRegion: Equatable {
  /// The comment on the line before it.
  package static let opening = "<!-- output -->"

  /// The comment on the line after it.
  package static let closing = "<!-- end of output -->"

  /// The lines of the page that go when the region is taken away: both comments, what is between
  /// them, and the blank line before.
  var lines: ClosedRange<Int>

  /// The lines from comment to comment.
  var text: [String]

  /// The line of the page after which the region stands, blank lines aside; it tells which block
  /// the region belongs to.
  var anchor: Int

  /// Checks that all that stands between the comments is what the tool may have written there, so
  /// that no author's words are ever lost.
  static func check(_ lines: [String], from first: Int, fences: [Fence]) throws(Failure) {
    for (offset, line) in lines.enumerated().dropFirst().dropLast() {
      let index = first + offset
      if let fence = fences.first(where: { $0.lines.contains(index) }) {
        if fence.info == "text" { continue }
        throw Failure(
          "a \"```\(fence.info)\" block stands inside woven output; move it below "
            + "\"\(closing)\"", line: index + 1)
      }
      let text = line.trimmed
      guard text.isEmpty || text.hasPrefix("![") && text.hasSuffix(")") else {
        throw Failure(
          "\"\(text)\" stands inside woven output and would be lost; move it below "
            + "\"\(closing)\"", line: index + 1)
      }
    }
  }

  /// The figures that some lines of woven output link to, as paths relative to the page.
  static func links(in lines: [String]) -> [String] {
    lines.map(\.trimmed).filter { $0.hasPrefix("![") && $0.hasSuffix(")") }.compactMap { line in
      guard let start = line.ranges(of: "](").last?.upperBound else { return nil }
      let path = line[start...].dropLast()
      return path.hasPrefix("<") ? String(path.dropFirst().dropLast()) : String(path)
    }
  }
}

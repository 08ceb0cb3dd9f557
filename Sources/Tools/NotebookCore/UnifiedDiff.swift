/// The difference between two texts, in the form that `diff -u` prints.
package struct UnifiedDiff {
  private enum Edit {
    case keep(String)
    case remove(String)
    case add(String)
  }

  private var edits: [Edit] = []

  /// How many unchanged lines to show around a change.
  private static let context = 3

  /// Compares two texts line by line.
  ///
  /// Cost is O((n + m) d) for texts of n and m lines that differ in d lines.
  package init(from old: String, to new: String) {
    let oldLines = Self.lines(of: old)
    let newLines = Self.lines(of: new)
    var removed: Set<Int> = []
    var added: Set<Int> = []
    for change in newLines.difference(from: oldLines) {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var i = 0
    var j = 0
    while i < oldLines.count || j < newLines.count {
      if i < oldLines.count, removed.contains(i) {
        edits.append(.remove(oldLines[i]))
        i += 1
      } else if j < newLines.count, added.contains(j) {
        edits.append(.add(newLines[j]))
        j += 1
      } else {
        edits.append(.keep(oldLines[i]))
        i += 1
        j += 1
      }
    }
  }

  /// Whether the texts are the same.
  package var isEmpty: Bool {
    edits.allSatisfy { if case .keep = $0 { true } else { false } }
  }

  /// The difference under the two names; empty where there is none.
  ///
  /// Lines longer than `width` are cut, and after `limit` lines a note tells how many follow.
  package func text(
    from old: String, to new: String, limit: Int = .max, width: Int = .max
  ) -> String {
    if isEmpty { return "" }
    var lines = hunks().flatMap { $0 }
    if lines.count > limit {
      let rest = lines.count - limit
      lines = lines.prefix(limit) + ["… and \(rest) more \(rest == 1 ? "line" : "lines")"]
    }
    lines = lines.map { $0.count > width ? $0.prefix(width) + "…" : $0 }
    return (["--- \(old)", "+++ \(new)"] + lines).map { $0 + "\n" }.joined()
  }

  private func hunks() -> [[String]] {
    let changes = edits.indices.filter { if case .keep = edits[$0] { false } else { true } }
    var ranges: [Range<Int>] = []
    for index in changes {
      let lower = max(0, index - Self.context)
      let upper = min(edits.count, index + Self.context + 1)
      if let last = ranges.last, last.upperBound >= lower {
        ranges[ranges.count - 1] = last.lowerBound..<upper
      } else {
        ranges.append(lower..<upper)
      }
    }
    return ranges.map(hunk)
  }

  private func hunk(_ range: Range<Int>) -> [String] {
    let before = Self.counts(edits[..<range.lowerBound])
    let inside = Self.counts(edits[range])
    let body = edits[range].map { edit in
      switch edit {
      case .keep(let line): " " + line
      case .remove(let line): "-" + line
      case .add(let line): "+" + line
      }
    }
    let old = Self.span(before.old, inside.old)
    let new = Self.span(before.new, inside.new)
    return ["@@ -\(old) +\(new) @@"] + body
  }

  private static func counts(_ edits: ArraySlice<Edit>) -> (old: Int, new: Int) {
    edits.reduce(into: (0, 0)) { counts, edit in
      switch edit {
      case .keep:
        counts.0 += 1
        counts.1 += 1
      case .remove: counts.0 += 1
      case .add: counts.1 += 1
      }
    }
  }

  /// The lines of a hunk in diff's notation, where a hunk of no lines is named by the line before.
  private static func span(_ before: Int, _ count: Int) -> String {
    let first = count == 0 ? before : before + 1
    return count == 1 ? "\(first)" : "\(first),\(count)"
  }

  private static func lines(of text: String) -> [String] {
    // Scalars, since "\r\n" is one Character and would not be split.
    var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0) }
    if lines.last == "" {
      lines.removeLast()
    } else if let last = lines.popLast() {
      lines.append(last + "\n\\ No newline at end of file")
    }
    return lines
  }
}

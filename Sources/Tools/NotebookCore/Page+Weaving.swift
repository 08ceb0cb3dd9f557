extension Page {
  /// The text of the page with `outputs[i]` woven in below block i in place of what stands there.
  ///
  /// Weaving the result again with the same outputs changes nothing.
  package func woven(_ outputs: [BlockOutput]) -> String {
    weave(outputs) { _, fresh in fresh }
  }

  /// The text that the page should have on disk if its blocks give `outputs`.
  ///
  /// It is the woven page, except that below a volatile block the output on disk stands for the
  /// new one, as long as both link to the same figures and both print something or neither does.
  package func expected(_ outputs: [BlockOutput]) -> String {
    weave(outputs) { block, fresh in
      guard block.isVolatile, let old = self.region(below: block)?.text, !fresh.isEmpty else {
        return fresh
      }
      let sameFigures = WovenRegion.links(in: old) == WovenRegion.links(in: fresh)
      return sameFigures && printsText(old) == printsText(fresh) ? old : fresh
    }
  }

  /// The paths, relative to the page, of the figures that its woven output links to now.
  package var wovenFigures: [String] {
    regions.flatMap { WovenRegion.links(in: $0.text) }
  }

  private func weave(
    _ outputs: [BlockOutput], choose: (Block, [String]) -> [String]
  ) -> String {
    precondition(
      outputs.count == blocks.count,
      "\(outputs.count) outputs for the \(blocks.count) blocks of \(path)")
    var result: [String] = []
    var next = 0
    for (index, line) in lines.enumerated() {
      if !regions.contains(where: { $0.lines.contains(index) }) { result.append(line) }
      guard next < blocks.count, blocks[next].close == index else { continue }
      let text = choose(blocks[next], fresh(outputs[next], below: blocks[next]))
      if !text.isEmpty { result += [""] + text }
      next += 1
    }
    return text(of: result)
  }

  /// The lines of a new region for `output`; none where there is no output.
  private func fresh(_ output: BlockOutput, below block: Block) -> [String] {
    if output.segments.isEmpty { return [] }
    let parts = output.segments.map { segment in
      switch segment {
      case .text(let text): fenced(text)
      case .figure(let figure): [figure.markdown(for: stem)]
      }
    }
    let indent = String(repeating: " ", count: block.indent)
    let lines = [WovenRegion.opening] + parts.joined(separator: [""]) + [WovenRegion.closing]
    return lines.map { $0.isEmpty ? "" : indent + $0 }
  }

  /// A block of text that shows `output`, with a fence longer than any in the output.
  private func fenced(_ output: String) -> [String] {
    var lines = output.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    let longest = lines.map { $0.trimmed.prefix { $0 == "`" }.count }.max() ?? 0
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return [fence + "text"] + lines + [fence]
  }

  private func printsText(_ lines: [String]) -> Bool {
    lines.contains { $0.trimmed.hasPrefix("```") }
  }
}

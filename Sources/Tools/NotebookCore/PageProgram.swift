/// The Swift program that runs the blocks of one page.
package struct PageProgram {
  /// The page.
  package let page: Page

  /// The name of the target, and so of the executable, that holds the program.
  package let target: String

  /// The text of the program's main.swift.
  package let source: String

  /// The lines of `source`, counted from 1, at which glue between blocks starts, each with the
  /// line of the page that a message about the glue is best read as.
  private let glue: [(line: Int, pageLine: Int)]

  /// Writes the program of `page`, to be called `target`.
  ///
  /// The blocks become top-level code, one after the other, so that each sees what the ones before
  /// it have declared. `#sourceLocation` makes the compiler and run-time messages speak of the page.
  package init(page: Page, target: String) {
    self.page = page
    self.target = target
    var lines: [String] = ["import \(Prelude.module)"]
    var glue = [(line: 1, pageLine: page.blocks.first?.line ?? 1)]
    let file = Self.literal(page.path)
    for (index, block) in page.blocks.enumerated() {
      // The semicolon keeps a block that starts with a dot from continuing the call.
      lines.append("\(Prelude.module)._begin(\(index));")
      lines.append("#sourceLocation(file: \(file), line: \(block.line + 1))")
      lines += block.code
      glue.append((line: lines.count + 1, pageLine: block.close + 1))
      lines.append("#sourceLocation()")
    }
    lines.append("\(Prelude.module)._end();")
    source = lines.map { $0 + "\n" }.joined()
    self.glue = glue
  }

  /// The line of the page that a message about line `line` of the program's own text is about.
  package func pageLine(at line: Int) -> Int {
    glue.last { $0.line <= line }?.pageLine ?? 1
  }

  /// A Swift string literal for `text`.
  static func literal(_ text: String) -> String {
    let escaped = text.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }.joined()
    return "\"\(escaped)\""
  }

  /// Names of targets for pages with these stems: valid module names, all different.
  package static func targets(for stems: [String]) -> [String] {
    var used: Set<String> = []
    return stems.map { stem in
      let letters = stem.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
      let base = "Page_" + String(letters)
      var name = base
      var count = 1
      while !used.insert(name).inserted {
        count += 1
        name = "\(base)_\(count)"
      }
      return name
    }
  }
}

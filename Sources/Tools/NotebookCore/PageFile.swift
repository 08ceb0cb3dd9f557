import Foundation

/// A page and the file that it was read from.
struct PageFile {
  /// The file, with symbolic links followed.
  let url: URL

  /// The text of the file when it was read.
  let text: String

  /// The page.
  let page: Page

  /// Reads the page in the file `url`; pages below `root` are named relative to it.
  init(_ url: URL, root: URL) throws(Failure) {
    self.url = url.resolvingSymlinksInPath().standardizedFileURL
    let prefix = root.path + "/"
    let path = self.url.path
    let name = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
    text = try Files.text(of: self.url, called: name)
    page = try Page(path: name, text: text)
  }

  /// The file of a figure, given its path relative to the page.
  func figureFile(_ path: String) -> URL {
    url.deletingLastPathComponent().appendingPathComponent(path)
  }

  /// Writes the page woven with `outputs`, and its figures; says whether anything changed.
  ///
  /// Each file is replaced as a whole. Figures that the page linked to and no longer makes are
  /// removed. A page that was edited while it ran, or whose blocks would be read otherwise without
  /// the old output between them, is left alone.
  func write(_ outputs: [BlockOutput]) throws(Failure) -> Bool {
    guard try Files.text(of: url, called: page.path) == text else {
      throw Failure("was changed while it ran; weave it again", file: page.path)
    }
    let woven = page.woven(outputs)
    guard try Page(path: page.path, text: woven).blocks.map(\.code) == page.blocks.map(\.code)
    else {
      throw Failure(
        "the old output ends a list, so replacing it would change what is code; set the blocks apart",
        file: page.path)
    }
    let figures = outputs.flatMap(\.figures)
    var hasChanged = false
    if !figures.isEmpty { try Files.makeFolder(figureFile("figures")) }
    for figure in figures
    where try Files.write(figure.bytes, to: figureFile(figure.path(for: page.stem))) {
      hasChanged = true
    }
    if try Files.write(Array(woven.utf8), to: url) { hasChanged = true }
    for path in staleFigures(figures, in: woven) {
      try? FileManager.default.removeItem(at: figureFile(path))
    }
    return hasChanged
  }

  private func staleFigures(_ figures: [Figure], in woven: String) -> [String] {
    page.wovenFigures.filter { path in
      path.hasPrefix("figures/\(page.stem)-") && !path.contains("..")
        && !woven.contains(path)
    }
  }

  /// How the files on disk differ from what `outputs` would make of them; empty if they do not.
  func differences(from outputs: [BlockOutput]) -> String {
    let expected = page.expected(outputs)
    var result = UnifiedDiff(from: text, to: expected)
      .text(from: page.path, to: "\(page.path) as it runs now")
    for (block, output) in zip(page.blocks, outputs) {
      for figure in output.figures {
        result += difference(of: figure, isVolatile: block.isVolatile)
      }
    }
    return result
  }

  private func difference(of figure: Figure, isVolatile: Bool) -> String {
    let path = figure.path(for: page.stem)
    guard let data = try? Data(contentsOf: figureFile(path)) else {
      return "\(path) is missing\n"
    }
    let bytes = [UInt8](data)
    if isVolatile || bytes == figure.bytes { return "" }
    switch figure.format {
    case .svg:
      let old = String(decoding: bytes, as: UTF8.self)
      let new = String(decoding: figure.bytes, as: UTF8.self)
      return UnifiedDiff(from: old, to: new)
        .text(from: path, to: "\(path) as it is drawn now", limit: 20, width: 160)
    case .png:
      let same = zip(bytes, figure.bytes).prefix { $0 == $1 }.count
      return "\(path) has \(bytes.count) bytes and would have \(figure.bytes.count), of which "
        + "the first \(same) are the same\n"
    }
  }
}

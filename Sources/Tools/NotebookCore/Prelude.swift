/// The module that every page imports: it marks where the output of a block starts, and it takes
/// figures.
enum Prelude {
  /// The name of the module.
  static let module = "NotebookPrelude"

  /// The environment variable with the word that starts each mark in the output.
  static let tokenVariable = "NOTEBOOK_TOKEN"

  /// The environment variable with the folder that takes the files of figures.
  static let figuresVariable = "NOTEBOOK_FIGURES"

  /// The Swift of the module, which leans on libc alone so that it compiles in no time.
  static let source = #"""
    #if canImport(Glibc)
      import Glibc
    #elseif canImport(Musl)
      import Musl
    #else
      import Darwin
    #endif

    /// Shows a picture below the block that calls this.
    ///
    /// The page links to it as figures/PAGE-NAME.svg. A name is made of letters, digits, hyphens
    /// and underscores, and is used once on a page.
    public func show(_ svg: String, _ name: String, caption: String = "", line: Int = #line) {
      if !svg.contains("<svg") { _fail("the figure \"\(name)\" is not SVG text", line) }
      _show(Array(svg.utf8), name, "svg", caption, line)
    }

    /// Shows a picture, given as the bytes of a PNG file, below the block that calls this.
    public func show(_ png: [UInt8], _ name: String, caption: String = "", line: Int = #line) {
      if !png.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]) {
        _fail("the figure \"\(name)\" does not have the bytes of a PNG file", line)
      }
      _show(png, name, "png", caption, line)
    }

    private func _show(
      _ bytes: [UInt8], _ name: String, _ format: String, _ caption: String, _ line: Int
    ) {
      let isName = name.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || $0 == 45 || $0 == 95
      }
      if name.isEmpty || !isName {
        _fail("a figure's name is letters, digits, - and _, but \"\(name)\" was given", line)
      }
      if let folder = getenv("NOTEBOOK_FIGURES") {
        let path = "\(String(cString: folder))/\(name).\(format)"
        guard let file = fopen(path, "wb") else {
          _fail("the figure \"\(name)\" cannot be written to \(path)", line)
        }
        let count = fwrite(bytes, 1, bytes.count, file)
        if fclose(file) != 0 || count != bytes.count {
          _fail("the figure \"\(name)\" cannot be written to \(path)", line)
        }
      }
      _mark("figure \(line) \(format) \(name) \(_oneLine(caption))")
    }

    public func _begin(_ block: Int) {
      if block == 0 { setvbuf(stdout, nil, Int32(_IOLBF), 0) }
      _mark("begin \(block)")
    }

    public func _end() { _mark("end") }

    private func _fail(_ sentence: String, _ line: Int) -> Never {
      _mark("fail \(line) \(_oneLine(sentence))")
      exit(1)
    }

    private func _oneLine(_ text: String) -> String {
      String(text.map { $0.isNewline ? " " : $0 })
    }

    private func _mark(_ words: String) {
      fflush(stdout)
      if let token = getenv("NOTEBOOK_TOKEN") {
        print("\u{1E}\(String(cString: token)) \(words)")
      }
      fflush(stdout)
    }
    """#
}

/// One self-contained HTML page: headings, text, facts, tables and pictures, with nothing loaded from elsewhere.
public struct Report: Sendable {
  /// The title of the page.
  public let title: String
  private var body = ""

  /// Creates an empty page.
  public init(_ title: String, subtitle: String? = nil) {
    self.title = title
    if let subtitle { body = "<p class=\"subtitle\">\(SVG.escaped(subtitle))</p>\n" }
  }

  /// Adds a heading.
  public mutating func heading(_ text: String) { body += "<h2>\(SVG.escaped(text))</h2>\n" }

  /// Adds a paragraph.
  public mutating func paragraph(_ text: String) { body += "<p>\(SVG.escaped(text))</p>\n" }

  /// Adds names with their values.
  public mutating func facts(_ facts: [(name: String, value: String)]) {
    body += "<dl>\n"
    for (name, value) in facts {
      body += "<div><dt>\(SVG.escaped(name))</dt><dd>\(SVG.escaped(value))</dd></div>\n"
    }
    body += "</dl>\n"
  }

  /// Adds a table.
  public mutating func table(_ table: Table, caption: String? = nil) {
    body += "<figure class=\"table\">\n\(table.html)\(Self.caption(caption))</figure>\n"
  }

  /// Adds a picture.
  public mutating func figure(_ figure: any Figure, caption: String? = nil) {
    body += "<figure>\n\(figure.svg)\(Self.caption(caption))</figure>\n"
  }

  /// Adds pictures in a row that wraps where the page is narrow, each with its caption.
  public mutating func figures(_ figures: [(figure: any Figure, caption: String?)]) {
    // Two or four share a line in pairs, other numbers in threes.
    body += "<div class=\"row\([2, 4].contains(figures.count) ? " two" : "")\">\n"
    for (figure, caption) in figures { self.figure(figure, caption: caption) }
    body += "</div>\n"
  }

  /// Adds preformatted text, such as a command with its output.
  public mutating func code(_ text: String) {
    body += "<pre><code>\(SVG.escaped(text))</code></pre>\n"
  }

  private static func caption(_ text: String?) -> String {
    text.map { "<figcaption>\(SVG.escaped($0))</figcaption>\n" } ?? ""
  }

  /// The page.
  public var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(SVG.escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    <h1>\(SVG.escaped(title))</h1>
    \(body)</main>
    </body>
    </html>

    """
  }

  private static let style = """
    :root { color-scheme: light; }
    body { margin: 0; background: #f6f6f4; color: #1f1f1f; line-height: 1.55;
      font: 16px/1.55 \(SVG.fontFamily); }
    main { max-width: 920px; margin: 0 auto; padding: 40px 32px 64px; background: #fff;
      min-height: 100vh; box-sizing: border-box; }
    h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; }
    h2 { font-size: 20px; margin: 44px 0 10px; padding-bottom: 6px; border-bottom: 1px solid #e4e4e0; }
    p { margin: 10px 0; max-width: 70ch; }
    .subtitle { color: #666; margin: 0 0 24px; }
    dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 14px 24px;
      margin: 20px 0; }
    dt { color: #6b6b6b; font-size: 13px; }
    dd { margin: 0; font-size: 17px; font-weight: 600; font-variant-numeric: tabular-nums; }
    table { border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
    th, td { text-align: left; padding: 6px 26px 6px 0; border-bottom: 1px solid #ececea; }
    th { color: #6b6b6b; font-weight: 600; font-size: 13px; border-bottom-color: #bbb; }
    .number { text-align: right; }
    figure { margin: 18px 0; }
    figure svg { max-width: 100%; height: auto; display: block; }
    figure.table { overflow-x: auto; }
    figcaption { color: #6b6b6b; font-size: 14px; margin-top: 8px; }
    .row { display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: flex-start; }
    .row figure { margin: 10px 0; flex: 0 1 auto; min-width: 200px; max-width: calc(33.3% - 19px); }
    .row.two figure { max-width: calc(50% - 14px); }
    pre { background: #f6f6f4; padding: 12px 16px; overflow-x: auto; font-size: 13.5px; border-radius: 4px; }
    @media print { body { background: #fff; } main { padding: 0; } figure { break-inside: avoid; } }
    """
}

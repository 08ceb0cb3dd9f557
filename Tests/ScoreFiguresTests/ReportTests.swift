import ScoreFigures
import Testing

@Suite struct ReportTests {
  static let table = Table(
    columns: ["solver", "NFE", "distance"],
    rows: [
      ["Euler–Maruyama", "1000", "0.034 ± 0.002"], ["pc", "2000", "–"], ["a|b", "7.5", "-1e-3"],
    ])

  @Test func tablesLineUpInTheShell() {
    #expect(
      Self.table.text == """
        solver           NFE       distance
        ──────────────  ────  ─────────────
        Euler–Maruyama  1000  0.034 ± 0.002
        pc              2000              –
        a|b              7.5          -1e-3

        """)
  }

  @Test func tablesAreMarkdownAndHTML() {
    #expect(
      Self.table.markdown == """
        | solver | NFE | distance |
        | --- | ---: | ---: |
        | Euler–Maruyama | 1000 | 0.034 ± 0.002 |
        | pc | 2000 | – |
        | a\\|b | 7.5 | -1e-3 |

        """)
    #expect(Self.table.html.contains("<td class=\"number\">0.034 ± 0.002</td>"))
    #expect(Table(columns: ["a"]).text == "a\n─\n")
    // Long names lose their middle where they can still be told apart.
    let long = ["a", "b"].map {
      String(repeating: $0, count: 30) + String(repeating: "c", count: 30)
    }
    #expect(
      Table.abbreviated(long + ["d"], to: 9) == ["aaaa…cccc", "bbbb…cccc", "d"])
    let alike = ["x", "y"].map { "aaaaaaaa\($0)aaaaaaaa" }
    #expect(Table.abbreviated(alike, to: 9) == alike)
    // Numbers that are lined up already are numbers still.
    let padded = Table(columns: ["x"], rows: [[" 1 ± 0.5"], ["  –     "], ["12 ± 3  "]])
    #expect(padded.text == "       x\n────────\n 1 ± 0.5\n  –\n12 ± 3\n")
    // What begins with a number is none for that.
    let sentences = Table(columns: ["why"], rows: [["2 steps are too few for it"], ["3 are few"]])
    #expect(sentences.text.split(separator: "\n").last == "3 are few")
  }

  @Test func pagesAreWellFormedAndNeedNothingElse() {
    var report = Report("A & B <run>", subtitle: "\"quoted\"")
    report.heading("Samples <1>")
    report.paragraph("x < y && y > z")
    report.facts([("seed", "0"), ("steps", "1 000")])
    report.table(Self.table, caption: "a > b")
    let plot = Plot("p", x: "x", y: "y", [.line(x: [1, 2], y: [1, 3], label: "l")])
    report.figure(plot, caption: "c")
    let grid = SampleGrid([0.0, 1], height: 1, width: 1)
    report.figures([(grid, "one"), (grid, nil), (plot, "two")])
    report.code("$ scoresde demo > log")
    let html = report.html
    #expect(Markup(html).problem == nil)
    #expect(
      !html.contains("http://")
        || html.ranges(of: "http").count == html.ranges(of: "http://www.w3.org/2000/svg").count)
    #expect(!html.contains("<script") && !html.contains("@import") && !html.contains(" id="))
    #expect(Markup(html).elements.filter { $0 == "svg" }.count == 6)
  }
}

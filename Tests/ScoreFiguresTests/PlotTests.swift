import Foundation
import ScoreFigures
import Testing

/// What a test reads off a picture: that its elements are closed in order, and the texts in it.
struct Markup {
  private(set) var texts: [String] = []
  private(set) var elements: [String] = []
  private(set) var problem: String?

  init(_ source: String) {
    var open: [String] = []
    var rest = source[...]
    while let start = rest.firstIndex(of: "<") {
      let text = rest[..<start]
      if open.last == "text" { texts.append(String(text)) }
      if text.contains(">") { problem = problem ?? "stray > near \(text.prefix(40))" }
      guard let end = rest[start...].firstIndex(of: ">") else {
        problem = "an element is not closed"
        return
      }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
      if tag.count(where: { $0 == "\"" }) % 2 != 0 { problem = problem ?? "quotes in <\(tag)>" }
      if tag.hasPrefix("/") {
        if open.popLast() != name { problem = problem ?? "</\(name)> closes nothing" }
      } else {
        elements.append(name)
        if !tag.hasSuffix("/") && !["meta", "!DOCTYPE"].contains(name) && !tag.hasPrefix("!") {
          open.append(name)
        }
      }
    }
    if !open.isEmpty { problem = problem ?? "left open: \(open)" }
  }
}

@Suite struct PlotTests {
  func labels(_ plot: Plot) -> [String] { Markup(plot.svg).texts }

  @Test func linearTicksAreOneTwoFiveAndWrittenExactly() {
    func ticks(_ range: ClosedRange<Double>) -> [String] {
      // The vertical axis comes last, with six numbers.
      labels(Plot(x: Axis(range: range), y: Axis(range: 0...1), width: 460)).dropLast(6)
    }
    #expect(ticks(0...1) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(ticks(2...11) == ["2", "4", "6", "8", "10"])
    #expect(ticks(-30...(-5)) == ["−30", "−25", "−20", "−15", "−10", "−5"])
    #expect(ticks(0.001...0.0026) == ["0.0010", "0.0015", "0.0020", "0.0025"])
    #expect(ticks(10_000...30_000).contains("20\u{2009}000"))
    #expect(ticks(1e7...3e7).contains("2·10⁷"))
    #expect(ticks(1e-7...2e-7).contains("1.2·10⁻⁷"))
  }

  /// Steps are counted: there is no tick between two of them.
  @Test func ticksOfWholeNumbersAreWhole() {
    func ticks(_ range: ClosedRange<Double>, _ scale: Axis.Scale = .linear) -> [String] {
      let axis = Axis(scale: scale, range: range, isWhole: true)
      return labels(Plot(x: axis, y: Axis(range: 0...1), width: 460)).dropLast(6)
    }
    #expect(ticks(0.96...2.04) == ["1", "2"])
    #expect(ticks(0.5...1.5) == ["1"])
    #expect(ticks(0.84...5.16) == ["1", "2", "3", "4", "5"])
    #expect(ticks(2...5, .log) == ["2", "3", "4", "5"])
  }

  /// One number alone tells no scale, and numbers that run into each other tell nothing.
  @Test func smallPlotsHaveTwoToFiveTicksThatStandApart() {
    for place in 0..<400 {
      let low = Double(place * 37 % 101) - 50
      let range = low...low + pow(10, Double(place % 13) / 3 - 2) * (1 + Double(place % 7))
      let plot = Plot(x: Axis(range: range), y: Axis(range: 0...1), width: 300, height: 240)
      let ticks = labels(plot).dropLast(3)
      #expect((2...5).contains(ticks.count), "\(range): \(ticks)")
    }
    // The multiples of 5 have but one between these.
    let between = Plot(x: Axis(range: 0.2...9.71), y: Axis(range: 0...1), width: 300, height: 240)
    #expect(labels(between).dropLast(3) == ["2", "4", "6", "8"])
    let long = Plot(
      x: Axis(range: 1_000_000_000...1_000_000_003), y: Axis(range: 0...1), width: 300)
    #expect(labels(long).dropLast(6).count == 2)
  }

  @Test func logarithmicTicksArePowersOfTen() {
    func ticks(_ range: ClosedRange<Double>) -> [String] {
      labels(
        Plot(x: Axis(scale: .log, range: range), y: Axis(range: -3 ... -1), width: 560)
      ).filter { !$0.hasPrefix("−") }
    }
    #expect(ticks(1...1000) == ["1", "10", "100", "1000"])
    #expect(ticks(1...100) == ["1", "3", "10", "30", "100"])
    #expect(ticks(1...10) == ["1", "2", "5", "10"])
    #expect(ticks(1e-5...1e-1) == ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"])
    #expect(ticks(2...5) == ["2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"])
    // Where powers are many, every second or third is there.
    #expect(ticks(1e-20...1).count <= 8)
  }

  @Test func marksLandWhereTheAxesSay() throws {
    // The middle of a linear axis, and of a logarithmic one, are half way.
    let plot = Plot(
      x: Axis(range: 0...10), y: Axis(scale: .log, range: 1...100), width: 400, height: 300,
      [.line(x: [0, 5, 10], y: [1, 10, 100])])
    let start = try #require(plot.svg.firstRange(of: "stroke-width=\"2\""))
    let line = try #require(plot.svg[..<start.lowerBound].split(separator: "<").last)
    let numbers = line.split { !($0.isNumber || $0 == "." || $0 == "-") }.compactMap {
      Double($0)
    }
    let (x, y) = (
      stride(from: 0, to: 6, by: 2).map { numbers[$0] },
      stride(from: 1, to: 6, by: 2).map { numbers[$0] }
    )
    #expect(abs(x[1] - (x[0] + x[2]) / 2) < 0.02 && x[2] > x[0] + 200)
    #expect(abs(y[1] - (y[0] + y[2]) / 2) < 0.02 && y[0] > y[2] + 150)
  }

  /// The end of the range counts in the last bin, and what lies outside in the total alone.
  @Test func histogramsAreBarsOfDensities() {
    let mark = Mark.histogram([0, 0.1, 1, 2], bins: 2, range: 0...1)
    #expect(Plot([mark]).svg == Plot([.bars(edges: [0, 0.5, 1], heights: [1, 0.5])]).svg)
  }

  /// The first row of a density is its lowest, as on the axis, and pictures begin at the top.
  @Test func densitiesHaveTheirFirstRowBelow() {
    let plot = Plot([.heat([1, 2, 3, 4], columns: 2, x: 0...1, y: 0...1)])
    let raster = Raster(matrix: [3, 4, 1, 2], width: 2, low: 0, high: 4, colorMap: .ink)
    #expect(plot.svg.contains(raster.dataURI))
  }

  static let nasty = [Double.nan, .infinity, -.infinity, 0, -1, 1e308, -1e308, 1e-308]

  @Test func everyMarkIsWellFormedOnAnyData() {
    let x = Self.nasty + [1, 2, 3]
    for scale in [Axis.Scale.linear, .log] {
      let marks: [Mark] = [
        .line(x: x, y: x.reversed(), label: "a & <b> \"c\""),
        .points(x: x, y: x, error: x, label: "points"), .scatter(pairs: x + [1]),
        .band(x: x, lower: x, upper: x), .arrows(x: x, y: x, dx: x, dy: x),
        .histogram(x, bins: 3, range: 0...3), .horizontalRule(at: .nan), .verticalRule(at: 2),
        .heat(Self.nasty, columns: 4, x: 1...2, y: 1...2), .line(x: [], y: []),
      ]
      for mark in marks {
        let svg = Plot(
          "t<&>\u{1}", x: Axis("x", scale: scale), y: Axis("y", scale: scale), [mark]
        ).svg
        #expect(Markup(svg).problem == nil)
        #expect(!svg.contains("nan") && !svg.contains("inf"))
      }
      let all = Plot(x: Axis("x", scale: scale), y: Axis("y", scale: scale), marks)
      #expect(Markup(all.svg).problem == nil)
      #expect(Markup(Panels([all, all, all], columns: 2).svg).problem == nil)
    }
  }

  @Test func marksWithOneLabelShareColourAndEntry() {
    let plot = Plot(
      "t",
      [
        .line(x: [1, 2], y: [1, 2], label: "one"), .points(x: [1], y: [1], label: "one"),
        .line(x: [1, 2], y: [1, 2], label: "two"),
      ])
    #expect(labels(plot).filter { $0 == "one" }.count == 1)
    let colors = Color.series.map { color in plot.svg.ranges(of: color.hex).count }
    #expect(colors[0] == 3 && colors[1] == 2 && colors[2] == 0)
    // A colour that is given is its label's, and no one else's.
    let given = Plot([
      .points(x: [1], y: [1], label: "A"),
      .line(x: [1, 2], y: [1, 2], label: "A", color: Color.series[1]),
      .line(x: [1, 2], y: [2, 1], label: "B"), .line(x: [1, 2], y: [3, 1], label: "C"),
    ])
    let counts = Color.series.map { given.svg.ranges(of: $0.hex).count }
    #expect(counts[0] == 2 && counts[1] == 3 && counts[2] == 2)
  }

  /// A text that is too long is smaller by a fifth at most, and loses its middle rather than its end.
  @Test func longTextsAreCutInTheMiddle() throws {
    func shown(_ title: String) throws -> (size: Double, text: String) {
      let plot = Plot(title, width: 300, [.line(x: [0, 1], y: [0, 1], label: title)])
      let found = plot.svg.matches(of: /font-size="([0-9.]+)"[^>]*font-weight[^>]*>([^<]*)</)
      let match = try #require(found.first)
      return (try #require(Double(match.output.1)), String(match.output.2))
    }
    #expect(try shown("short") == (15, "short"))
    let some = "a name of thirty letters in all"
    #expect(try shown(some).text == some && (12..<15).contains(shown(some).size))
    let long = "first" + String(repeating: " long", count: 20) + " last"
    let cut = try shown(long)
    #expect(cut.size == 12 && cut.text.hasPrefix("first long") && cut.text.hasSuffix("long last"))
    #expect(cut.text.contains("…") && (25..<40).contains(cut.text.count))
    // A pointer shows the whole, in the title and in the legend.
    #expect(Plot(long, width: 300).svg.ranges(of: "<title>\(long)</title>").count == 2)
  }

  @Test func notesStandBelowTheTitle() {
    let plot = Plot("t", notes: ["one", "two"], width: 300, height: 240)
    #expect(labels(plot).prefix(3) == ["t", "one", "two"])
    #expect(plot.height == Plot("t", width: 300, height: 240).height)
  }

  @Test func headingsHaveEachEntryOnce() {
    let heading = Heading(
      "t", entries: [("a", Color.series[0]), ("b", Color.series[1])], lines: ["l"], width: 300)
    let markup = Markup(heading.svg)
    #expect(markup.problem == nil && markup.texts == ["t", "a", "b", "l"])
    #expect(heading.svg.contains(Color.series[1].hex) && heading.width == 300)
    #expect(heading.height > Heading("t", width: 300).height)
  }

  @Test func bandsHaveGaps() {
    func moves(_ lower: [Double], _ upper: [Double]) -> Int {
      let band = Plot([
        .band(x: [0, 1, 2, 3, 4], lower: lower, upper: upper, color: Color.series[5])
      ])
      let path = band.svg.split(separator: "<path").first { $0.contains(Color.series[5].hex) }
      return path.map { $0.count { $0 == "M" } } ?? 0
    }
    #expect(moves([0, 0, 0, 0, 0], [1, 1, 1, 1, 1]) == 1)
    #expect(moves([0, 0, .nan, 0, 0], [1, 1, 1, 1, 1]) == 2)
    #expect(moves([0, 0, 0, 0, 0], [1, 1, .infinity, 1, 1]) == 2)
  }

  @Test func extremeRangesAreDrawn() {
    let wide = Plot(x: Axis(range: -1e308...1e308), [.line(x: [0, 1], y: [0, 1])])
    #expect(Markup(wide.svg).problem == nil)
    let flat = Plot([.heat([-1e17, -1e17], columns: 2, x: 0...1, y: 0...1)])
    #expect(Markup(flat.svg).problem == nil)
  }

  @Test func aLongLineIsThinnedWithoutLosingItsExtremes() {
    var y = (0..<200_000).map { 1 + 0.001 * sin(Double($0)) }
    y[77_777] = 2
    let plot = Plot([.line(x: y.indices.map(Double.init), y: y)])
    #expect(plot.svg.utf8.count < 80_000)
    var without = y
    without[77_777] = 1
    // The spike reaches the top of the plot: with the same range, the spike's pixel is there or not.
    let range = 0.9...2.1
    let pictures = [y, without].map {
      Plot(y: Axis(range: range), [.line(x: y.indices.map(Double.init), y: $0)]).svg
    }
    #expect(pictures[0] != pictures[1])
  }

  /// Short lines keep every point, however close.
  @Test func shortLinesAreNotThinned() {
    let x = [Double](repeating: 1, count: 100)
    let plot = Plot([.line(x: x, y: (0..<100).map(Double.init), color: Color.series[5])])
    let path = plot.svg.split(separator: "<path").first { $0.contains(Color.series[5].hex) }
    #expect(path?.count { $0 == "L" } == 99)
  }

  /// Entries of the legend that have no room side by side are below each other.
  @Test func legendsHaveTheLinesThatTheyNeed() {
    func height(_ labels: [String]) -> Int {
      Plot(
        width: 300, isEqualAspect: true,
        labels.map { .line(x: [0, 1], y: [0, 1], label: $0) }
      ).height
    }
    let long = String(repeating: "long ", count: 5)
    let lines = [height(["a", "b", "c"]), height(["a", long + "b"]), height([long, long + "b"])]
    #expect(lines[1] == lines[0] && lines[2] == lines[0] + 18)
  }

  /// A text of the legend ends before the next entry begins, in a wide font too.
  @Test func legendsHaveRoomForWideFonts() throws {
    // In DejaVu Sans of 12 pixels the first takes 221.8.
    let labels = ["dpm-solver++:method=3m, uniform", "unipc:order=3, uniform"]
    let plot = Plot(width: 640, labels.map { .line(x: [0, 1], y: [0, 1], label: $0) })
    let starts = plot.svg.matches(of: /M([0-9.]+) ([0-9.]+)h18/)
    try #require(starts.count == 2 && starts[0].2 == starts[1].2)
    let places = starts.compactMap { Double($0.1) }
    #expect(places[1] - places[0] - 24 > 221.8 + 12)
  }

  @Test func unitsAreEqualWhereAsked() {
    let plot = Plot(
      x: Axis(range: 0...4), y: Axis(range: 0...2), width: 500, isEqualAspect: true)
    #expect(plot.height < 300 && plot.height > 240)
  }

  @Test func panelsAddUp() {
    let a = Plot(width: 200, height: 100)
    let b = Plot(width: 300, height: 150)
    let panels = Panels([a, b, b], columns: 2)
    #expect(panels.width == 600 && panels.height == 300)
    let places = panels.svg.matches(of: /translate\((\d+) (\d+)\)/).map { "\($0.1) \($0.2)" }
    #expect(places == ["0 0", "300 0", "0 150"])
  }

  @Test func colourMapsMeetTheirEndsAndRiseInLightness() {
    for map in [ColorMap.gray, .ember] {
      let lightness = (0...20).map { step -> Double in
        let color = map[Double(step) / 20]
        return 0.2126 * Double(color.red) + 0.7152 * Double(color.green) + 0.0722
          * Double(color.blue)
      }
      #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $0 <= $1 })
      #expect(lightness[20] > lightness[10] + 50 && lightness[10] > lightness[0] + 50)
    }
    #expect(ColorMap.gray[0] == .black && ColorMap.gray[1] == .white)
    #expect(ColorMap.gray[-3] == .black && ColorMap.gray[7] == .white)
    #expect(ColorMap.gray[.nan] == .black && ColorMap.ink[0] == .white)
    // The middle of black and white in Oklab has a cube root of luminance of one half.
    #expect(ColorMap.gray[0.5].red == 99 || ColorMap.gray[0.5].red == 100)
  }
}

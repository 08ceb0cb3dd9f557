import Foundation
import ScoreSDE
import Testing

/// `scoresde compare`.
@Suite struct CompareTests {
  private struct Report: Decodable {
    var data, standardized: String
    var count, total, dimensions, permutations, identical: Int
    var with: With
    var remarks: [String]
    var energyDistance, p, precision, recall, copying: Reports.Value
    var squaredFrechetDistance: Reports.Value?
    var columns: [Column]?
    var out: String?

    struct With: Decodable {
      var data: String
      var count, total: Int
    }

    struct Column: Decodable {
      var name: String
      var mean, deviation, wasserstein: Reports.Value
      var with: Moments
    }

    struct Moments: Decodable {
      var mean, deviation: Reports.Value
    }
  }

  private func normal(_ n: Int, _ d: Int, _ key: UInt64) -> Tensor<Double> {
    RandomKey(key).normal([n, d])
  }

  /// A table with these columns.
  private func table(_ names: [String], _ rows: [[Double]]) -> Data {
    .text(
      names.joined(separator: ",") + "\n"
        + rows.map { $0.map { "\($0)" }.joined(separator: ",") }.joined(separator: "\n") + "\n")
  }

  /// Sets that stand in order, as by classes, are compared in part as if they did not.
  @Test func samplesInOrderAreComparedAsOthers() throws {
    let numbers = (0..<600).map { Double($0) / 600 }
    let mixed = (0..<600).map { numbers[$0 * 7 % 600] }
    let bench = try Workbench([
      "sorted.npy": .npy(numbers, shape: [600, 1]), "mixed.npy": .npy(mixed, shape: [600, 1]),
    ])
    let report: Report = try bench.report(
      "compare --data sorted.npy --with mixed.npy --count 120")
    let column = try #require(report.columns?.first)
    #expect(abs(column.mean.value - 0.5) < 0.01 && abs(column.with.mean.value - 0.5) < 0.01)
    #expect(column.wasserstein.value < 0.02)
  }

  /// Numbers that are no table, so that they are compared as they are, with the library's own.
  @Test func theNumbersAreThoseOfTheLibrary() throws {
    let (x, y) = (normal(90, 6, 1), normal(120, 6, 2))
    let bench = try Workbench([
      "x.npy": .npy(x.scalars, shape: [90, 3, 2]), "y.npy": .npy(y.scalars, shape: [120, 3, 2]),
    ])
    let report: Report = try bench.report(
      "compare --data x.npy --with y.npy --count 100 --scalar float64")
    let spread = Dataset(name: "y", samples: y).spread.samples
    let first = spread.rows(0..<100)
    #expect(report.data == "x.npy" && report.with.data == "y.npy" && report.standardized == "none")
    #expect(
      report.count == 90 && report.total == 90 && report.with.count == 100
        && report.with.total == 120 && report.dimensions == 6)
    func holds(_ found: Reports.Value?, _ expected: Estimate) {
      #expect(abs((found?.value ?? .nan) - expected.value) < 1e-9 * max(1, abs(expected.value)))
      #expect(abs((found?.standardError ?? .nan) - expected.standardError) < 1e-9)
    }
    holds(report.energyDistance, Metrics.energyDistance(x, first))
    holds(report.squaredFrechetDistance, Metrics.frechetDistance(x, first))
    holds(report.precision, Metrics.precision(of: x, within: first))
    holds(report.recall, Metrics.precision(of: first, within: x))
    // Copies are looked for in all there are.
    holds(
      report.copying,
      try Metrics.copying(
        NearestNeighbours(of: x, among: spread, count: 2),
        NearestNeighbours(within: spread, ofTheFirst: 100, count: 2), among: 120))
    #expect(report.permutations == 199 && report.p.value > 1e-3 && report.identical == 0)
    let columns = try #require(report.columns)
    #expect(columns.map(\.name) == ["1", "2", "3", "4", "5", "6"])
    for (place, column) in columns.enumerated() {
      holds(column.mean, Metrics.means(x)[place])
      holds(column.with.mean, Metrics.means(first)[place])
      holds(column.deviation, Metrics.standardDeviations(x)[place])
      holds(column.with.deviation, Metrics.standardDeviations(first)[place])
      let sets = [x, first].map { set in (0..<set.rows).map { set[$0, place] } }
      let distance = Metrics.wasserstein(sets[0], sets[1], replicates: 2).value
      #expect(abs(column.wasserstein.value - distance) < 1e-12)
    }
    let said = try bench.scoresde("compare --data x.npy --with y.npy --count 100 --quiet")
    #expect(
      said.output.hasPrefix(
        "90 samples of x.npy, with 100 of the 120 samples of y.npy, 6 numbers each\n"))
    // The second table lines up.
    let lines = said.output.split(separator: "\n")
    let start = try #require(lines.firstIndex { $0.hasPrefix("number") })
    #expect(Set(lines[start...].map(\.count)).count == 1 && lines[start...].count == 8)
  }

  /// Twice the same run is the same to the last digit, for any number of threads and by the seed.
  @Test func resultsDependOnTheSeedAlone() throws {
    let bench = try Workbench()
    let words = "compare --data moons:count=300 --with pinwheel:count=260 --quiet --json"
    let alone = try bench.scoresde("\(words) --threads 1 --out a.svg")
    let picture = try bench.data("a.svg")
    #expect(alone.output == (try bench.scoresde("\(words) --threads 3 --out a.svg").output))
    #expect(try picture == bench.data("a.svg"))
    #expect(alone.output != (try bench.scoresde("\(words) --seed 1 --out a.svg").output))
    let report: Report = try alone.report()
    #expect(report.p.value == 0.005 && report.energyDistance.value > 0.05)
    #expect(report.precision.value < 0.9 && report.out == "a.svg")
  }

  /// By the deviations of one set alone the other stands out: of such pairs, which are of one distribution, a tenth had p ≤ 0.05.
  @Test func theTestStandardisesBothSetsTogether() throws {
    let (x, y) = (normal(20, 20, 9), normal(15, 20, 10))
    let bench = try Workbench([
      "x.npy": .npy(x.scalars, shape: [20, 20]), "y.npy": .npy(y.scalars, shape: [15, 20]),
    ])
    let report: Report = try bench.report("compare --data x.npy --with y.npy --scalar float64")
    func pair(by standardization: Standardization) -> (Tensor<Double>, Tensor<Double>) {
      (standardization.standardized(x), standardization.standardized(y))
    }
    let alone = pair(by: try Standardization(of: y, by: .columns))
    let together = pair(by: try Standardization(of: Tensor.concatenated([x, y]), by: .columns))
    let key = RandomKey(0).folded("compare").folded("test")
    let test = Metrics.energyTest(together.0, together.1, key: key)
    #expect(report.standardized == "columns" && report.p.value == test.p.value)
    #expect(test.p.value > Metrics.energyTest(alone.0, alone.1, key: key).p.value)
    let distance = Metrics.energyDistance(alone.0, alone.1)
    #expect(abs(report.energyDistance.value - distance.value) < 1e-12)
    #expect(abs(report.energyDistance.standardError - distance.standardError) < 1e-12)
  }

  /// Columns are found by name, and the size of their units changes nothing but what is said of each in its own.
  @Test func tablesAreComparedInColumnsWithoutUnits() throws {
    let (x, y) = (normal(200, 2, 3), normal(150, 2, 4))
    let data = (0..<200).map { [x[$0, 0] + 0.5, 7, x[$0, 1]] }
    let with = (0..<150).map { [y[$0, 1], y[$0, 0]] }
    let bench = try Workbench([
      "x.csv": table(["u", "more", "\"v, mg\""], data),
      "y.csv": table(["\"v, mg\"", "u"], with),
      "scaled-x.csv": table(["u", "\"v, mg\""], data.map { [$0[0], 1000 * $0[2] - 5] }),
      "scaled-y.csv": table(["\"v, mg\"", "u"], with.map { [1000 * $0[0] - 5, $0[1]] }),
      "other.csv": table(["v", "u"], with),
    ])
    let report: Report = try bench.report(
      "compare --data x.csv --with y.csv --scalar float64 --out a.svg")
    #expect(report.standardized == "columns" && report.remarks.count == 2)
    #expect(report.remarks[0].contains("y.csv has no column more, which is left out"))
    #expect(report.remarks[1].contains("standardised columns"))
    let columns = try #require(report.columns)
    #expect(columns.map(\.name) == ["v, mg", "u"])
    #expect(abs(columns[1].mean.value - average(data.map { $0[0] })) < 1e-12)
    #expect(report.p.value == 0.005)
    let scaled: Report = try bench.report(
      "compare --data scaled-x.csv --with scaled-y.csv --scalar float64")
    #expect(abs(scaled.energyDistance.value / report.energyDistance.value - 1) < 1e-9)
    #expect(scaled.precision.value == report.precision.value)
    #expect(scaled.copying.value == report.copying.value)
    let wide = try #require(scaled.columns)[0]
    #expect(abs(wide.deviation.value / columns[0].deviation.value / 1000 - 1) < 1e-9)
    #expect(abs(wide.wasserstein.value / columns[0].wasserstein.value / 1000 - 1) < 1e-9)
    // By the moments of the second set: those of the first give another distance.
    let turned: Report = try bench.report("compare --data y.csv --with scaled-x.csv --count 9")
    #expect(turned.with.count == 9 && turned.columns?.map(\.name) == ["u", "v, mg"])
    // Without names columns go by their places.
    try bench.write(table(["1", "2"], with), to: "nameless.csv")
    for (words, names) in [
      (
        "--data nameless.csv --with y.csv",
        "nameless.csv has no names of columns, which are those of y.csv"
      ),
      (
        "--data y.csv --with nameless.csv",
        "nameless.csv has no names of columns, which are those of y.csv"
      ),
    ] {
      let plain: Report = try bench.report("compare \(words) --count 20")
      #expect(plain.remarks.first?.contains(names) == true, "\(plain.remarks)")
    }
    // What one of the two sets has alone is left out of it.
    let common: Report = try bench.report("compare --data x.csv --with other.csv --count 20")
    #expect(common.dimensions == 1 && common.columns?.map(\.name) == ["u"])
    #expect(
      common.remarks.prefix(2) == [
        "other.csv has no columns more, \"v, mg\", which are left out",
        "x.csv has no column v, which is left out",
      ], "\(common.remarks)")
  }

  /// Samples that repeat rows far down in the data are found out; others of the same distribution are none.
  @Test func copiesAreFound() throws {
    let (training, fresh) = (normal(600, 4, 5), normal(200, 4, 6))
    let bench = try Workbench([
      "training.npy": .npy(training.scalars, shape: [600, 2, 2]),
      "fresh.npy": .npy(fresh.scalars, shape: [200, 2, 2]),
      "copies.npy": .npy(training.rows(400..<600).scalars, shape: [200, 2, 2]),
    ])
    let copies: Report = try bench.report(
      "compare --data copies.npy --with training.npy --count 150")
    #expect(copies.copying.value == 1 && copies.identical == 150)
    let others: Report = try bench.report(
      "compare --data fresh.npy --with training.npy --count 150")
    // False alarms: 5 standard errors, 6e-7.
    #expect(abs(others.copying.value - 0.5) < 5 * others.copying.standardError)
    #expect(others.identical == 0)
  }

  /// Samples of a model of levels lie between them, and are rounded down to what they stand for.
  @Test func numbersBetweenLevelsAreRounded() throws {
    let levels = (0..<256).map { Double(($0 * 37) % 17) }
    let noise: Tensor<Double> = RandomKey(7).uniform([256])
    let between = levels.indices.map { levels[$0] + noise.scalars[$0] }
    let beyond = [-3] + between.dropFirst()
    let bench = try Workbench([
      "levels.npy": .npy(levels, shape: [4, 8, 8, 1]),
      "between.npy": .npy(between, shape: [4, 8, 8, 1]),
      "beyond.npy": .npy(beyond, shape: [4, 8, 8, 1]),
    ])
    func report(_ name: String) throws -> Report {
      try bench.report("compare --data \(name).npy --with digits:test --count 90 --scalar float64")
    }
    let (exact, rounded, clipped) = try (report("levels"), report("between"), report("beyond"))
    #expect(exact.remarks.isEmpty && exact.columns?[0].mean.value == rounded.columns?[0].mean.value)
    #expect(rounded.remarks.count == 1 && rounded.remarks[0].contains("17 levels of digits:test"))
    #expect(rounded.energyDistance.value == exact.energyDistance.value)
    #expect(clipped.remarks[0].contains("0.39 % of its numbers that lie beyond are clipped"))
    #expect(clipped.energyDistance.value == rounded.energyDistance.value)
    // The other way round as well.
    let turned: Report = try bench.report("compare --data digits:test --with between.npy")
    #expect(turned.remarks == rounded.remarks)
  }

  /// What there is to see: clouds of points, histograms of columns, and images.
  @Test func figuresShowBothSets() throws {
    let bench = try Workbench([
      "x.npy": .npy(normal(60, 14, 8).scalars, shape: [60, 14]),
      "y.npy": .npy(normal(50, 14, 9).scalars, shape: [50, 14]),
      "wide.npy": .npy(normal(9, 70, 9).scalars, shape: [9, 70]),
    ])
    func picture(_ words: String) throws -> (Report, String) {
      let report: Report = try bench.report("compare \(words) --out a.svg")
      return (report, String(decoding: try bench.data("a.svg"), as: UTF8.self))
    }
    func texts(_ svg: String, _ text: String) -> Int {
      svg.components(separatedBy: ">\(text)<").count - 1
    }
    let (_, moons) = try picture("--data moons:count=40 --with moons:test,count=30")
    #expect(moons.contains("--with moons:test,count=30") && moons.contains("x₂"))
    let (columns, histograms) = try picture("--data x.npy --with y.npy")
    #expect(columns.columns?.count == 14)
    #expect(
      texts(histograms, "density") == 12 && texts(histograms, "--data x.npy: 60 samples") == 1)
    #expect(texts(histograms, "--with y.npy: 50 samples") == 1)
    #expect(texts(histograms, "12 of 14 numbers: those that differ most") == 1)
    #expect(histograms.contains("Freedman and Diaconis") && histograms.contains(">number 1"))
    let (wide, _) = try picture("--data wide.npy --with wide.npy")
    #expect(wide.columns == nil && wide.squaredFrechetDistance == nil && wide.identical == 9)
    let (_, images) = try picture("--data digits:count=20 --with digits:test,count=90")
    #expect(images.components(separatedBy: "<image ").count == 3)
    #expect(texts(images, "--with digits:test,count=90: 64 of 90 samples") == 1)
    let _: Report = try bench.report(
      "compare --data digits:count=20 --with digits:test,count=90 --out a.png")
    let grid = try PNG.read(bench.path("a.png"))
    // Two rows of 16 images of 8 × 5 pixels and four rows, 2 pixels apart, each under a line of 22, and 6 between.
    #expect(
      grid.width == 16 * 42 + 2 && grid.height == (2 * 42 + 2) + (4 * 42 + 2) + 2 * 22 + 3 * 6)
    let line = grid.pixels[..<(22 * grid.width)]
    #expect(
      Set(line) == [0, 255]
        && grid.pixels[(22 * grid.width)..<(28 * grid.width)].allSatisfy { $0 == 255 })
    let shown = grid.tiles(20, side: 8, square: 5, columns: 16, below: 28)
    let digits: Dataset<Double> = try DataSource("digits:count=20").load()
    #expect(distance(shown, digits.samples.scalars.map { ($0 * 255 / 16).rounded() }) == 0)
  }

  /// Where fifty black images stand before fifty white ones, half of the 64 that are shown are white.
  @Test func imagesAreShownFromAllOfASet() throws {
    let levels = (0..<400).map { $0 < 200 ? UInt8(0) : 255 }
    let bench = try Workbench(["x.npy": .npy(bytes: levels, shape: [100, 2, 2])])
    let _: Report = try bench.report("compare --data x.npy --with x.npy --out a.png")
    let tiles = try PNG.read(bench.path("a.png"))
      .tiles(64, side: 2, square: 20, columns: 16, below: 28)
    #expect(31...33 ~= tiles.count { $0 == 255 } / 4)
  }

  /// Outliers, constants and long names make no histogram worse, and are told of.
  @Test func oddColumnsHaveFiguresThatCanBeRead() throws {
    let x = normal(300, 2, 10)
    let long = "a_" + String(repeating: "long_", count: 15) + "name"
    func rows(_ first: Int) -> [[Double]] {
      (first..<first + 150).map { row in
        [row == 3 ? 1e6 : x[row, 0], 3.7, Double(row % 5), x[row, 1]]
      }
    }
    let names = ["far", "fixed", "counted", long]
    let bench = try Workbench(["x.csv": table(names, rows(0)), "y.csv": table(names, rows(150))])
    let said = try bench.scoresde("compare --data x.csv --with y.csv --out a.svg --quiet")
    #expect(said.status == 0, "\(said.errors)")
    let fixed = try #require(said.output.split(separator: "\n").first { $0.hasPrefix("fixed") })
    #expect(fixed.split(separator: " ").map(String.init) == ["fixed", "3.7", "3.7", "0", "0", "0"])
    #expect(said.output.components(separatedBy: "\n").prefix(9).allSatisfy { $0.count <= 110 })
    let svg = String(decoding: try bench.data("a.svg"), as: UTF8.self)
    #expect(svg.contains(">outside: 1 of --data, 0 of --with,<") && svg.contains(">at 1e+06<"))
    #expect(svg.contains(">every value is 3.7<"))
    #expect(svg.components(separatedBy: ">density<").count == 4)
    // Ticks of whole numbers are whole.
    #expect([0, 2, 4].allSatisfy { svg.contains(">\($0)<") } && !svg.contains(">2.5<"))
    #expect(!svg.contains(">\(long)</text>") && svg.contains("<title>\(long)</title>"))
    // Points far off are outside of clouds too, and a constant makes histograms of them.
    let planes = try Workbench([
      "x.csv": table(["u", "v"], [[1e6, 0]] + (0..<99).map { [x[$0, 0], x[$0, 1]] }),
      "y.csv": table(["u", "v"], (0..<50).map { [x[$0, 0], 7] }),
    ])
    func picture(_ words: String) throws -> String {
      let _: Report = try planes.report("compare \(words) --out a.svg")
      return String(decoding: try planes.data("a.svg"), as: UTF8.self)
    }
    let far = try picture("--data x.csv --with y.csv")
    #expect(far.contains(">outside: 1 of 100<") && far.contains(">outside: 0 of 50<"))
    #expect(try picture("--data y.csv --with y.csv").contains(">every value is 7<"))
  }

  @Test func manyNumbersAreShownInPart() throws {
    let bench = try Workbench(["x.npy": .npy(normal(80, 20, 8).scalars, shape: [80, 20])])
    let outcome = try bench.scoresde("compare --data x.npy --with x.npy --quiet")
    #expect(outcome.output.contains("of 20 numbers the 12 that differ most"))
    // In their own units: small numbers that are moved by a deviation differ more than large ones that are drawn again.
    let names = (0..<14).map { $0 < 2 ? "large\($0)" : "small\($0)" }
    func rows(_ key: UInt64, moved: Double) -> [[Double]] {
      let numbers = normal(60, 14, key)
      return (0..<60).map { row in
        (0..<14).map { $0 < 2 ? 1e6 * numbers[row, $0] : 1e-3 * (numbers[row, $0] + moved) }
      }
    }
    let tables = try Workbench([
      "x.csv": table(names, rows(1, moved: 0)), "y.csv": table(names, rows(2, moved: 1)),
    ])
    let said = try tables.scoresde("compare --data x.csv --with y.csv --quiet").output
    #expect(said.contains("small13") && !said.contains("large"), "\(said)")
  }

  @Test func whatCannotBeComparedIsRefused() throws {
    let bench = try Workbench([
      "x.npy": .npy([1, 2, 3, 4, 5], shape: [5, 1]), "three.npy": .npy([1, 2, 3], shape: [3, 1]),
      "plane.npy": .npy([1, 2, 3, 4, 5, 6, 7, 8], shape: [4, 2]),
      "huge.npy": .npy([0, 1, 2, 1e200], shape: [4, 1]), "nan.csv": .text("1\n2\nnan\n4\n"),
      "u.csv": .text("u\n1\n2\n3\n4\n"), "v.csv": .text("v\n1\n2\n3\n4\n"),
      "twice.csv": .text("u,u\n1,2\n2,3\n3,5\n4,6\n"),
    ])
    let before = try bench.contents()
    for (words, status, expected) in [
      ("--with x.npy", 2, "compare needs --data"), ("--data x.npy", 2, "compare needs --with"),
      ("--data three.npy --with x.npy", 1, "--data three.npy has 3 samples; expected 4 or more"),
      ("--data x.npy --with three.npy", 1, "--with three.npy has 3 samples; expected 4 or more"),
      (
        "--data x.npy --with moons", 1,
        "--data x.npy has samples of shape [1], and --with moons of shape [2]"
      ),
      (
        "--data plane.npy --with x.npy", 1,
        "shape [2], and --with x.npy of shape [1]; expected as many"
      ),
      ("--data x.npy --with moonz", 2, "did you mean moons?"),
      ("--data digts --with digits", 2, "--data: "),
      ("--data none.npy --with x.npy", 1, "none.npy"),
      ("--data nan.csv --with x.npy", 1, "nan.csv, line 3"),
      (
        "--data huge.npy --with x.npy --scalar float64", 1,
        "--data huge.npy: the entries are so large, up to 1e+200"
      ),
      (
        "--data x.npy --with huge.npy --scalar float64", 1,
        "--with huge.npy: the entries are so large"
      ),
      (
        "--data u.csv --with v.csv", 1,
        "--data u.csv has none of the columns of --with v.csv, v; expected some of them, and there are u"
      ),
      (
        "--data u.csv --with twice.csv", 1,
        "--with twice.csv has two columns of one name among u, u"
      ),
      ("--data twice.csv --with u.csv", 1, "there are 2 columns “u”"),
      ("--data x.npy --with x.npy --count 3", 2, "--count is 3; expected a whole number from 4 to"),
      ("--data x.npy --with x.npy --out a.png", 2, "samples of shape [1] are no images"),
      ("--data x.npy --with x.npy --out a.txt", 2, "--out is a.txt"),
      ("--data x.npy --with x.npy --out none/a.svg", 1, "but none is not there"),
      ("--data x.npy --with moons.svg --out moons.svg", 2, "--out and --with are one file"),
      ("--data x.npy --with x.npy --model run", 2, "unknown option --model"),
    ] {
      let outcome = try bench.scoresde("compare --quiet \(words)")
      #expect(Int(outcome.status) == status, "\(words): \(outcome.errors)")
      #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
      #expect(outcome.errors.count { $0 == "\n" } == 1 && outcome.output.isEmpty)
    }
    #expect(try bench.contents() == before)
  }
}

import Foundation
import ScoreSDE
import Testing

/// `scoresde calibrate`.
@Suite struct CalibrateTests {
  private struct Report: Decodable {
    var count, draws, bins: Int
    var nfe, evenness: Double
    var columns: [Column]
    var energyScore: Reports.Value?
    var out, observe: String?
    var guidance: Double?

    struct Column: Decodable {
      var name: String
      var evenness: Double
      var ranks: [Int]
      var coverage: [Coverage]
      var score, scoreOfSpread: Reports.Value
    }

    struct Coverage: Decodable {
      var nominal, value, standardError: Double
    }
  }

  /// True samples of an exact model have even ranks, and of a wider one they lie too far out: coverages from Φ.
  ///
  /// False alarms: 5 standard errors, 6e-7 each, and p values of 1e-4.
  @Test func samplesOfTheModelAreCoveredAsTheyShouldBe() throws {
    let truths: Tensor<Double> = RandomKey(3).normal([600, 2])
    let bench = try Workbench(["truths.npy": .npy(truths.scalars, shape: [600, 2])])
    let right: Report = try bench.report(
      "calibrate --model gaussian:dim=2 --data truths.npy --count 600 --solver ddim --steps 40 --draws 39 --out ranks.svg"
    )
    #expect(
      right.count == 600 && right.draws == 39 && right.bins == 20 && right.nfe == 40
        && right.out == "ranks.svg")
    // That of all is the least of the columns', times as many.
    let least = try #require(right.columns.map(\.evenness).min())
    #expect(right.evenness > 1e-4 && right.evenness == min(1, 2 * least))
    for column in right.columns {
      #expect(column.coverage.map(\.nominal) == [0.5, 0.8, 0.95])
      for coverage in column.coverage {
        #expect(abs(coverage.value - coverage.nominal) < 5 * coverage.standardError)
      }
      // Of N(0, 1): 1/√π, which is also what other rows say.
      for score in [column.score, column.scoreOfSpread] {
        #expect(abs(score.value - 0.5641896) < 5 * score.standardError)
      }
    }
    let said = try bench.scoresde(
      "calibrate --model gaussian:dim=2 --data truths.npy --count 60 --solver ddim --steps 40 --draws 39 --quiet"
    ).output
    #expect(said.contains("NFE 40,") && said.contains("within 50 %   within 80 %   within 95 %"))
    let both = try #require(
      said.split(separator: "\n").first { $0.hasPrefix(" all 2") || $0.hasPrefix("all 2") })
    #expect(both.count { $0 == "%" } == 3)
    let picture = String(decoding: try bench.data("ranks.svg"), as: UTF8.self)
    #expect(picture.contains("rank of the true value"))
    let narrow: Report = try bench.report(
      "calibrate --model gaussian:dim=2,std=0.5 --data truths.npy --count 600 --solver ddim --steps 40 --draws 39"
    )
    #expect(narrow.evenness < 1e-6)
    // As the p values are of the ranks, in bins of two.
    for column in narrow.columns {
      let counts = (0..<20).map { bin in column.ranks.count { $0 / 2 == bin } }
      let square = counts.reduce(0.0) { $0 + pow(Double($1) - 30, 2) / 30 }
      #expect(counts.reduce(0, +) == 600)
      #expect(abs(column.evenness / ChiSquared.share(above: square, degrees: 19) - 1) < 1e-9)
    }
    // Of three draws half is all that there is between.
    let few: Report = try bench.report(
      "calibrate --model gaussian:dim=2 --data truths.npy --count 60 --solver ddim --steps 20 --draws 3"
    )
    #expect(few.columns.allSatisfy { $0.coverage.map(\.nominal) == [0.5] })
    // Half lies within 0.67449 deviations of 0.5, where truly 0.264 does.
    #expect(abs(narrow.columns[0].coverage[0].value - 0.264) < 0.1)
    #expect(narrow.columns[0].score.value > right.columns[0].score.value)
  }

  /// Draws are those of `sample --given` of the same rows, a row's after another's, bit for bit; guided too.
  @Test(arguments: ["", "--guidance 2.5"])
  func drawsAreThoseOfSampleUnderEachRowsNumbers(guidance: String) throws {
    let rows = (0..<48).map { row -> String in
      let angle = 2 * .pi * Double(row) / 48
      return "\(2 * cos(angle) + 0.1 * sin(7 * angle)),\(cos(angle)),\(5 * sin(angle))"
    }
    let table = "x,y,z\n" + rows.joined(separator: "\n") + "\n"
    let bench = try Workbench([
      "data.csv": Data(table.utf8),
      "test.csv": Data(
        ("y,z,x\n0.5,1,0.9\n-0.2,3,-0.1\n1.5,-4,0.2\n0.1,2,0.6\n").utf8),
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --given y --out run --network mlp:width=16,layers=1 --batch-size 32 --steps 60 --warm-up 0"
    )
    let report: Report = try bench.report(
      "calibrate --model run --data test.csv --draws 9 --solver ddim --steps 12 --seed 5 \(guidance)"
    )
    let _: Reports.Sample = try bench.report(
      "sample --model run --given test.csv --count 9 --solver ddim --steps 12 --seed 5 --out x.npy \(guidance)"
    )
    let draws = Tensor<Double>([36, 2], try bench.numbers("x.npy"))
    let truths = Tensor<Double>([4, 2], [0.9, 1, -0.1, 3, 0.2, -4, 0.6, 2])
    #expect(report.columns.map(\.name) == ["x", "z"] && report.count == 4)
    #expect(report.guidance == (guidance.isEmpty ? nil : 2.5) && report.observe == nil)
    #expect(try report.columns.map(\.ranks) == Calibration(of: truths, among: draws).ranks)
    let scores = Metrics.rankedProbabilityScores(of: truths, among: draws)
    for (column, score) in zip(report.columns, scores) {
      // Samples are written in float32.
      #expect(abs(column.score.value / score.value - 1) < 1e-5)
    }
    let said = try bench.scoresde(
      "calibrate --model run --data test.csv --draws 9 --solver ddim --steps 12 --quiet \(guidance)"
    )
    let led = guidance.isEmpty ? "" : ", by guidance 2.5"
    #expect(
      said.output.contains("4 samples, each under its own y\(led), and 9 draws for each by ddim"))
  }

  /// Of N(0, [[1, 0.8], [0.8, 1]]) one number given the other, seen with noise of deviation s or none, has variance
  /// 1 − 0.64/(1 + s²), and a ranked probability score of 1/√π deviations.
  ///
  /// False alarms: 5 standard errors, 6e-7 each, and a p value of 1e-4.
  @Test(arguments: [("", 0.6), ("--observe-noise 0.5", 0.488.squareRoot())])
  func posteriorsOfAGaussianAreCalibrated(noise: String, deviation: Double) throws {
    let normal: Tensor<Double> = RandomKey(6).normal([600, 2])
    let truths = (0..<600).flatMap { row in
      [normal[row, 0], 0.8 * normal[row, 0] + 0.6 * normal[row, 1]]
    }
    let bench = try Workbench([
      "truths.npy": .npy(truths, shape: [600, 2]),
      "one.json": .text(
        #"{"weights": [1], "means": [[0, 0]], "covariances": [[[1, 0.8], [0.8, 1]]]}"#),
    ])
    let report: Report = try bench.report(
      "calibrate --model mixture:one.json --data truths.npy --count 600 --draws 39 --solver ddim --steps 60 --observe 1 \(noise)"
    )
    #expect(report.columns.map(\.name) == ["2"] && report.energyScore == nil)
    let column = try #require(report.columns.first)
    #expect(column.ranks.count == 600 && column.ranks.allSatisfy((0...39).contains))
    #expect(report.evenness > 1e-4 && report.observe == "1")
    for coverage in column.coverage {
      #expect(abs(coverage.value - coverage.nominal) < 5 * coverage.standardError)
    }
    #expect(
      abs(column.score.value - 0.5641896 * deviation) < 5 * column.score.standardError,
      "\(column.score)")
  }

  /// Draws given numbers of the true rows are those of `sample --observe` with these numbers in a file.
  @Test func drawsAreThoseOfSampleGivenWhatIsSeenOfEachRow() throws {
    let rows = (0..<48).map { row -> String in
      let angle = 2 * .pi * Double(row) / 48
      return "\(2 * cos(angle) + 0.1 * sin(7 * angle)),\(cos(angle)),\(5 * sin(angle))"
    }
    let truths = [[0.9, 0.5, 1], [-0.1, -0.2, 3], [0.2, 1.5, -4], [0.6, 0.1, 2]]
    let bench = try Workbench([
      "data.csv": .text("x,\"y, m\",z\n" + rows.joined(separator: "\n")),
      "test.csv": .text(
        "x,z,\"y, m\"\n" + truths.map { "\($0[0]),\($0[2]),\($0[1])\n" }.joined()),
      "seen.csv": .text("\"y, m\"\n" + truths.map { "\($0[1])\n" }.joined()),
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --out run --network mlp:width=16,layers=1 --batch-size 32 --steps 60 --warm-up 0 --scalar float64"
    )
    let options = "--solver ancestral --steps 12 --seed 5 --scalar float64"
    let report: Report = try bench.scoresde(
      "calibrate --model run --data test.csv --draws 9 \(options) --quiet --json --observe"
        .split(separator: " ").map(String.init) + ["\"y, m\""]
    ).report()
    let _: Reports.Sample = try bench.report(
      "sample --model run --observe seen.csv --count 9 \(options) --out x.npy")
    let draws = try bench.numbers("x.npy")
    let others = Tensor<Double>([36, 2], (0..<36).flatMap { [draws[3 * $0], draws[3 * $0 + 2]] })
    let own = Tensor<Double>([4, 2], truths.flatMap { [$0[0], $0[2]] })
    #expect(report.columns.map(\.name) == ["x", "z"] && report.observe == "\"y, m\"")
    #expect(try report.columns.map(\.ranks) == Calibration(of: own, among: others).ranks)
    for (column, score) in zip(
      report.columns, Metrics.rankedProbabilityScores(of: own, among: others))
    {
      #expect(abs(column.score.value / score.value - 1) < 1e-9)
    }
    #expect(report.energyScore != nil)
    let said = try bench.scoresde(
      "calibrate --model run --data test.csv --draws 9 \(options) --quiet --observe"
        .split(separator: " ").map(String.init) + ["x,\"y, m\""])
    #expect(said.output.contains(", given its x, \"y, m\", and 9 draws"), "\(said.output)")
  }

  /// Each row's draws are under its own class and numbers and given its own observation, as `sample` draws them of the first.
  @Test func rowsMeetTheirOwnClassesNumbersAndObservations() throws {
    let rows = (0..<60).map { row in
      "\(cos(Double(row)) + Double(row % 2)),\(sin(Double(row))),\(row % 2),\(row % 5)"
    }
    let truths = [(0.75, 0.25, 1, 3), (-0.5, 0.5, 0, 1), (1.5, -0.75, 1, 0)]
    let bench = try Workbench(["data.csv": .text("u,v,kind,y\n" + rows.joined(separator: "\n"))])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --labels column:kind --given y --out run --network mlp:width=16,layers=1 --batch-size 32 --steps 60 --warm-up 0"
    )
    let options = "--model run --guidance 2 --solver ddim --steps 12 --seed 5"
    for first in 0..<3 {
      let turned = truths[first...] + truths[..<first]
      try bench.write(
        .text("u,v,kind,y\n" + turned.map { "\($0.0),\($0.1),\($0.2),\($0.3)\n" }.joined()),
        to: "test.csv")
      let (u, v, kind, y) = truths[first]
      try bench.write(.text("\(kind)\n"), to: "kind.csv")
      try bench.write(.text("u\n\(u)\n"), to: "seen.csv")
      let report: Report = try bench.report(
        "calibrate \(options) --data test.csv --class data --observe u --draws 49")
      let _: Reports.Sample = try bench.report(
        "sample \(options) --class kind.csv --given \(y) --observe seen.csv --count 49 --out x.npy")
      let draws = try bench.numbers("x.npy")
      let below = (0..<49).count { draws[2 * $0 + 1] < v }
      #expect(report.columns.map(\.name) == ["v"] && report.columns[0].ranks[0] == below)
    }
    for (words, part) in [
      ("--observe w", "--observe has w, which samples have not; expected some of u, v"),
      ("--observe y", "--observe has y, which the run was trained to be given"),
      ("--observe kind", "--observe has kind, of which the run learnt classes"),
      ("--observe u,", "--observe is u,; expected different columns with commas between"),
      ("--observe u,u", "--observe is u,u; expected different columns with commas between"),
      ("--observe \"u", "--observe is \"u; expected different columns"),
      ("--observe v,u", "--observe is v,u, all that a sample has"),
    ] {
      let outcome = try bench.scoresde("calibrate --model run --data test.csv \(words)")
      #expect(outcome.status == 2 && outcome.errors.contains(part), "\(outcome.errors)")
    }
  }

  @Test func whatCannotBeComparedIsRefused() throws {
    let bench = try Workbench([
      "two.npy": .npy([1, 2], shape: [2, 1]), "x.npy": .npy([1, 2, 3], shape: [3, 1]),
    ])
    for (words, status, expected) in [
      ("--data two.npy", 1, "two.npy has 2 samples; expected 3 or more"),
      ("--data x.npy --draws 1", 2, "--draws is 1"),
      ("--data x.npy --out ranks.png", 2, "ranks.png"),
      ("--data x.npy --solver oed", 2, "--solver"),
      ("--data x.npy --guidance 2", 2, "--guidance is given without --class or --given"),
      ("--data x.npy --observe-noise 2", 2, "--observe-noise needs --observe"),
      ("--data x.npy --observe 1", 2, "--observe is 1, all that a sample has"),
      ("--data x.npy --observe 0", 2, "--observe is 0; expected different numbers of a sample's"),
      ("--data x.npy --observe 1-2", 2, "entries from 1 to 1, such as"),
      ("--data x.npy --observe 1-9999999999", 2, "entries from 1 to 1, such as"),
      ("--data x.npy --observe x", 2, "--observe is x; expected different numbers"),
      ("", 2, "--data"),
    ] {
      let outcome = try bench.scoresde("calibrate --model gaussian:dim=1 \(words)")
      #expect(Int(outcome.status) == status, "\(words): \(outcome.errors)")
      #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
    }
    let other = try bench.scoresde("calibrate --model gaussian:dim=2 --data x.npy")
    #expect(other.status == 1 && other.errors.contains("expected"))
  }

  /// Samples of many numbers show those whose ranks are the least even.
  @Test func manyNumbersAreShownInPart() throws {
    let truths: Tensor<Double> = RandomKey(4).normal([60, 20])
    let bench = try Workbench(["truths.npy": .npy(truths.scalars, shape: [60, 20])])
    let outcome = try bench.scoresde(
      "calibrate --model gaussian:dim=20 --data truths.npy --draws 19 --solver ddim --steps 10 --out ranks.svg --quiet"
    )
    try #require(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("of 20 numbers the 12 with the least even ranks"))
    #expect(outcome.output.contains("all 20") && outcome.output.contains("energy score"))
    #expect(outcome.output.split(separator: "\n").count == 1 + 2 + 12 + 1 + 2)
  }
}

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
    var out: String?
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
    #expect(right.evenness > 1e-4)
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
    #expect(report.guidance == (guidance.isEmpty ? nil : 2.5))
    #expect(report.columns.map(\.ranks) == Calibration(of: truths, among: draws).ranks)
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

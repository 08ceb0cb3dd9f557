import Foundation
import ScoreSDE
import Testing

/// Runs on tables whose columns have units of their own.
@Suite struct TableTests {
  private static let options =
    "--network mlp:width=16,layers=1 --batch-size 32 --steps 40 --warm-up 0 --scalar float64"

  /// Rows of an ellipse, the columns times powers of 2: so that no rounding tells units from each other.
  private static func table(_ units: [Double]) -> Data {
    let rows = (0..<48).flatMap { row in
      let angle = 2 * .pi * Double(row) / 48
      return [cos(angle) * units[0], (1 + sin(angle + 0.5)) * units[1]]
    }
    return .npy(rows, shape: [48, 2])
  }

  @Test func unitsChangeSamplesAndDensitiesAsTheyMustAndNothingElse() throws {
    let units = [1024.0, 1.0 / 128]
    let bench = try Workbench(["plain.npy": Self.table([1, 1]), "units.npy": Self.table(units)])
    for name in ["plain", "units"] {
      let _: Reports.Train = try bench.report(
        "train --data \(name).npy --out \(name) \(Self.options)")
      let _: Reports.Sample = try bench.report(
        "sample --model \(name) --solver ode --count 20 --out \(name)-x.npy --trajectory \(name)-way.npy --steps 3 --scalar float64"
      )
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model \(name) --data \(name).npy --strata 0 --out \(name)-nats.npy --scalar float64"
      )
    }
    #expect(
      try bench.data("plain/checkpoint.safetensors") == bench.data("units/checkpoint.safetensors"))
    for file in ["x", "way"] {
      let (plain, other) = (
        try bench.numbers("plain-\(file).npy"), try bench.numbers("units-\(file).npy")
      )
      #expect(!plain.isEmpty && other == plain.indices.map { plain[$0] * units[$0 % 2] })
    }
    let shift = log(units[0]) + log(units[1])
    let nats = try bench.numbers("plain-nats.npy")
    #expect(distance(nats.map { $0 - shift }, try bench.numbers("units-nats.npy")) < 1e-12)
  }

  /// Columns of a Gaussian, far from 0 and from each other in size.
  @Test func farAndNarrowColumnsAreSampledAndScoredInTheirUnits() throws {
    let (means, deviations) = ([1000.0, 5], [50.0, 0.01])
    let normal: Tensor<Double> = RandomKey(5).normal([400, 2])
    let rows = normal.scalars.enumerated().map {
      means[$0.offset % 2] + deviations[$0.offset % 2] * $0.element
    }
    let bench = try Workbench(["table.npy": .npy(rows, shape: [400, 2])])
    let _: Reports.Train = try bench.report(
      "train --data table.npy --out run --network mlp:width=16,layers=1 --steps 600 --batch-size 64 --learning-rate 0.01 --warm-up 0 --average-decay 0.9 --scalar float64"
    )
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver ode --count 1000 --out x.npy --scalar float64")
    let samples = try bench.numbers("x.npy")
    for column in 0..<2 {
      let values = stride(from: column, to: samples.count, by: 2).map { samples[$0] }
      let mean = average(values)
      let deviation = average(values.map { ($0 - mean) * ($0 - mean) }).squareRoot()
      #expect(abs(mean - means[column]) < 0.25 * deviations[column])
      #expect((0.8...1.25).contains(deviation / deviations[column]))
    }
    let report: Reports.Likelihood = try bench.report(
      "likelihood --model run --data table.npy --strata 0 --scalar float64")
    let entropy = deviations.reduce(1 + log(2 * .pi)) { $0 + log($1) }
    #expect(abs(report.logDensity.mean + entropy) < 0.25)
    // Where data have no levels there are no bits.
    #expect(report.bitsPerDimension == nil)
  }

  @Test func theMapIsTheRunsAndNotThatOfOtherData() throws {
    let bench = try Workbench(["table.npy": Self.table([8, 8])])
    let _: Reports.Train = try bench.report("train --data table.npy --out run \(Self.options)")
    // Two rows have another deviation, and 16 rows too.
    let rows = try NPY.read(bench.path("table.npy"), as: Double.self)
    try bench.write(Data(NPY.encode(rows.rows(0..<2))), to: "two.npy")
    try bench.write(Data(NPY.encode(rows.rows(0..<16))), to: "some.npy")
    for data in ["table", "some", "two"] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --data \(data).npy --strata 0 --out \(data)-nats.npy --scalar float64"
      )
    }
    let nats = try bench.numbers("table-nats.npy")
    #expect(distance(Array(nats[..<16]), try bench.numbers("some-nats.npy")) < 1e-12)
    #expect(distance(Array(nats[..<2]), try bench.numbers("two-nats.npy")) < 1e-12)
  }

  @Test(arguments: ["columns", "whole", "none"])
  func aResumedRunKeepsItsMap(which: String) throws {
    let bench = try Workbench(["table.npy": Self.table([1024, 0.25])])
    func train(_ run: String, steps: Int) throws {
      let _: Reports.Train = try bench.report(
        "train --data table.npy --out \(run) --standardize \(which) --schedule constant \(Self.options) --steps \(steps)"
          .replacingOccurrences(of: "--steps 40 ", with: ""))
    }
    try train("run", steps: 20)
    try train("whole", steps: 40)
    let _: Reports.Train = try bench.report(
      "train --out run --resume --steps 40 --scalar float64")
    for part in ["run.json", "checkpoint.safetensors"] {
      #expect(try bench.data("run/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
    let run: Reports.Run = try bench.report("inspect run")
    #expect(run.standardization == which)

    let before = try bench.contents()
    for other in ["columns", "whole", "none"] where other != which {
      let outcome = try bench.scoresde(
        "train --out run --resume --standardize \(other) --scalar float64")
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("--standardize is \(other), but the run in run has \(which)"))
    }
    #expect(try bench.contents() == before)
  }

  @Test func trainingSaysWhatItDidToDataAndWhatIsOddAboutThem() throws {
    let bench = try Workbench([
      "table.csv": .text(
        (0..<40).map { "\(1000 + 50 * ($0 % 2)),\(0.001 * Double($0)),7\n" }.joined())
    ])
    func remarks(_ options: String) throws -> [Substring] {
      let outcome = try bench.scoresde(
        "train --data table.csv --out run-\(options.count) --network mlp:width=8,layers=1 --steps 1 \(options)"
      )
      #expect(outcome.status == 0)
      return outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("train:") }
    }
    let plain = try remarks("")
    #expect(plain.count == 2)
    #expect(plain[0].contains("3 columns are standardised") && plain[0].contains("0.0115 to 25.0"))
    #expect(plain[1].contains("column 3:") && plain[1].contains("no density"))
    let named = try Workbench([
      "table.csv": .text(
        "length,the mass,kind\n" + (0..<9).map { "\(0.1 * Double($0)),7,1\n" }.joined())
    ])
    for (words, remark) in [
      ("", "the same number in every row of the mass, kind: such data"),
      (
        "--standardize none --sde ve:sampling-epsilon=0.5",
        "samples of length, of deviation 0.258, keep"
      ),
    ] {
      let outcome = try named.scoresde(
        "train --data table.csv --network mlp:width=8,layers=1 --steps 1 --out run\(words.count) \(words)"
      )
      #expect(outcome.errors.contains(remark), "\(outcome.errors)")
    }
    let inspected: Reports.Run = try named.report("inspect run0")
    #expect(inspected.columns == ["length", "the mass", "kind"])
    // Unless they are freed of them, entries of 1000 do not come down to noise, and 0.01 drowns in it.
    let none = try remarks("--standardize none")
    #expect(none.count == 3 && none[1].contains("592") && none[2].contains("column 2"))
    #expect(none.allSatisfy { !$0.contains("are standardised") })
    #expect(try remarks("--standardize none --noise-level 0.5").count == 1)
    #expect(try remarks("--standardize whole").count == 3)
  }

  /// Columns of few whole numbers have densities that grow without bound; those of many, or of fractions, have not.
  @Test func columnsOfCountsAreRemarkedOn() throws {
    func table(_ rows: Int) -> Data {
      .text(
        "length,kind,\"legs, all\",fixed,grade,many\n"
          + (0..<rows).map {
            "\(sin(Double($0))),\($0 % 2),\($0 % 19),7,\(0.5 * Double($0 % 5)),\($0 % 20)\n"
          }.joined())
    }
    let bench = try Workbench(["many.csv": table(300), "few.csv": table(299)])
    for (name, isSaid) in [("many", true), ("few", false)] {
      let outcome = try bench.scoresde(
        "train --data \(name).csv --out \(name) --network mlp:width=8,layers=1 --steps 1")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("in every row of fixed: such data"))
      let remark = "few numbers, all whole, in kind, \"legs, all\": these are taken as continuous"
      #expect(outcome.errors.contains(remark) == isSaid, "\(outcome.errors)")
    }
  }

  @Test func inspectShowsTheColumnsOfATable() throws {
    let bench = try Workbench(["table.csv": .text("1,-990,7\n2,-980,7\n3,-970,7\n4,-960,7\n")])
    let report: Reports.Numbers = try bench.report("inspect table.csv")
    let columns = try #require(report.columns)
    #expect(columns.map(\.mean) == [2.5, -975, 7])
    #expect(columns.map(\.standardDeviation) == [(1.25).squareRoot(), (125.0).squareRoot(), 0])
    #expect(columns.map(\.least) == [1, -990, 7] && columns.map(\.greatest) == [4, -960, 7])
    // The rows at the ends are √(18/5) apart in either column once these have deviation 1.
    #expect(abs(report.suggestedSigmaMax.value - (14.4).squareRoot()) < 1e-12)
    #expect(columns.allSatisfy { $0.name == nil })
  }

  /// A table comes out as a table: the columns that were data by their names, and the numbers of the .npy file.
  @Test func samplesOfATableAreATable() throws {
    let rows = (0..<40).map { "\($0),\($0 % 2),\(20 + $0 * $0)" }.joined(separator: "\n")
    let bench = try Workbench(["table.csv": .text("length,kind,mass\n\(rows)\n")])
    _ = try bench.scoresde(
      "train --data table.csv --labels column:kind --network mlp:width=8,layers=1 --steps 5 --out run"
    )
    for file in ["x.csv", "x.npy"] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 5 --count 7 --out \(file)")
    }
    let table: CSV.Contents<Float> = try CSV.read(bench.path("x.csv"))
    #expect(table.columns == ["length", "mass"])
    #expect(try table.values == NPY.read(bench.path("x.npy"), as: Float.self))
    let outcome = try bench.scoresde("sample --model run --count 7 --out x.tsv")
    #expect(outcome.status == 2 && outcome.errors.contains(".csv"))
  }

  @Test func inspectNamesTheColumnsThatHaveNames() throws {
    let bench = try Workbench(["table.csv": .text("length,mass\n1,20\n3,30\n")])
    let report: Reports.Numbers = try bench.report("inspect table.csv")
    #expect(report.columns?.map(\.name) == ["length", "mass"])
    let text = try bench.scoresde("inspect table.csv").output
    #expect(text.contains("\nlength ") && text.contains("\nmass "))
  }

  /// What a table has beside the columns of the run, of its labels and of what is given is left out, and said to be.
  @Test func columnsThatARunDoesNotKnowAreRemarkedOn() throws {
    func table(_ header: String, _ line: (String, String, Int) -> String) -> Data {
      let rows = (0..<48).map { line("\(sin(Double($0)))", "\(10 + cos(Double($0)))", $0 % 2) }
      return .text(([header] + rows).joined(separator: "\n"))
    }
    let bench = try Workbench([
      "data.csv": table("a,kind,y,b") { "\($0),\($2),\($1),\($1)" },
      "more.csv": table("b,c,a,kind,y,d e") { "\($1),7,\($0),\($2),\($1),8" },
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --labels column:kind --given y --out run \(Self.options)")
    for command in [
      "likelihood --model run --strata 0 --scalar float64 --data",
      "sample --model run --solver ddim --steps 5 --scalar float64 --out x.npy --from",
    ] {
      let own = try bench.scoresde("\(command) data.csv")
      #expect(own.status == 0 && !own.errors.contains("left out"), "\(own.errors)")
      let more = try bench.scoresde("\(command) more.csv")
      #expect(more.status == 0, "\(more.errors)")
      #expect(
        more.errors.contains("more.csv: the run has no columns c, d e, which are left out\n"),
        "\(more.errors)")
    }
    let against = try bench.scoresde(
      "likelihood --model run --strata 0 --scalar float64 --data data.csv --against more.csv")
    #expect(against.errors.contains("more.csv: the run has no columns c, d e, which"))
  }

  /// Columns that have names are found by them, wherever they stand.
  @Test func columnsAreTakenByTheirNames() throws {
    let rows = (0..<48).map { row in
      let angle = 2 * .pi * Double(row) / 48
      return (cos(angle), 10 + sin(angle + 0.5))
    }
    func table(_ header: String, _ line: ((Double, Double)) -> String) -> Data {
      Data(([header] + rows.map(line)).joined(separator: "\n").utf8)
    }
    let bench = try Workbench([
      "data.csv": table("a,b") { "\($0.0),\($0.1)" },
      "turned.csv": table("b,c,a") { "\($0.1),7,\($0.0)" },
      "other.csv": table("a,q") { "\($0.0),\($0.1)" },
      "plain.csv": table("1,10") { "\($0.0),\($0.1)" },
    ])
    let _: Reports.Train = try bench.report("train --data data.csv --out run \(Self.options)")
    func nats(_ file: String) throws -> [Double] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --data \(file) --strata 0 --out nats.npy --scalar float64")
      return try bench.numbers("nats.npy")
    }
    let own = try nats("data.csv")
    #expect(try nats("turned.csv") == own)
    #expect(try Array(nats("plain.csv").dropFirst()) == own)
    let outcome = try bench.scoresde(
      "likelihood --model run --data other.csv --scalar float64 --quiet")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("there is no column “b”"), "\(outcome.errors)")
  }

  /// By a name that two columns have none is found, so that such a table is no run's.
  @Test func columnsOfOneNameAreRefused() throws {
    let bench = try Workbench([
      "twice.csv": .text("age,\"sex, m\",age,\"sex, m\"\n1,2,3,0\n2,3,1,1\n")
    ])
    let outcome = try bench.scoresde("train --data twice.csv --out run --steps 1")
    #expect(outcome.status == 1 && !FileManager.default.fileExists(atPath: bench.path("run")))
    #expect(
      outcome.errors.contains("twice.csv has two columns of one name, age; expected names that"),
      "\(outcome.errors)")
  }
}

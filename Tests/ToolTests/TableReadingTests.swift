import Foundation
import ScoreSDE
import Testing

/// Runs on some columns of tables, with codes as texts and rows that lack something left out.
@Suite struct TableReadingTests {
  private static let options =
    "--network mlp:width=16,layers=2 --batch-size 32 --steps 20"

  /// Codes 1 and 2, weights that are missing in every tenth row, counts, and notes that no run takes.
  private static func table(_ count: Int, _ codes: [String] = ["1", "2"], as name: String = "code")
    -> Data
  {
    let rows = (0..<count).map { row in
      "\(codes[row / 2 % 2]),\(row % 10 == 9 ? "" : "\(Double(row % 7) + 0.5)"),\(row % 4),\(row % 3 == 0 ? "A/\(row)" : "\(row)")"
    }
    return Data((["\(name),weight,toys,note"] + rows).joined(separator: "\n").utf8)
  }

  private static let data = "t.csv:columns=code+weight+toys,texts=code,missing=drop"

  private func bench() throws -> Workbench {
    let bench = try Workbench(["t.csv": Self.table(200), "u.csv": Self.table(60)])
    let outcome = try bench.scoresde(
      "train --data \(Self.data) --whole toys --out run \(Self.options) --validation u.csv:columns=toys+weight+code,missing=drop"
    )
    try #require(outcome.status == 0, "\(outcome.errors)")
    for (name, counts) in [(Self.data, ("20 rows", "180 rows")), ("u.csv:", ("6 rows", "54 rows"))]
    {
      #expect(outcome.errors.contains("\(counts.0) of \(name)"), "\(outcome.errors)")
      #expect(outcome.errors.contains("and \(counts.1) are taken"), "\(outcome.errors)")
    }
    return bench
  }

  /// What a run knows to be texts is so in other tables, and in those that samples are written to.
  @Test func codesOfARunAreTextsElsewhere() throws {
    let bench = try bench()
    #expect(try bench.scoresde("inspect run").output.contains("texts            code: 1, 2"))
    for name in ["x.csv", "x.npy"] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver unipc --steps 8 --count 40 --out \(name)")
    }
    let lines = try #require(String(data: bench.data("x.csv"), encoding: .utf8))
      .split(separator: "\n")
    #expect(lines[0] == "code,weight,toys")
    #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("1,") || $0.hasPrefix("2,") })
    // Arrays hold the same, a number for each text, and are scored alike.
    let array = try bench.numbers("x.npy")
    for (row, line) in lines.dropFirst().enumerated() {
      let fields = try line.split(separator: ",").map { try #require(Double($0)) }
      #expect(array[4 * row + Int(fields[0]) - 1] == 1 && array[4 * row + 3] == fields[2])
    }
    func nats(_ data: String) throws -> Double {
      let report: Reports.Likelihood = try bench.report(
        "likelihood --model run --data \(data) --strata 0")
      return report.logDensity.mean
    }
    #expect(try nats("x.csv") == nats("x.npy"))
    // Of sets of which one alone says what are texts, both have them; points in bins are rounded.
    for words in [
      "--data x.csv --with \(Self.data)", "--data \(Self.data) --with x.csv",
      "--data x.npy --with \(Self.data)",
    ] {
      let compared = try bench.scoresde("compare \(words)")
      #expect(compared.status == 0 && compared.output.contains("code=2"), "\(compared.errors)")
      #expect(
        !compared.output.contains("left out, as it") && !compared.output.contains("has no column"))
    }
  }

  /// Texts and columns are not those of the run because their numbers are.
  @Test func runsDoNotGoOnWithOtherNames() throws {
    let bench = try bench()
    let resume = "train --out run --resume --steps 30"
    for (table, reason) in [
      (Self.table(200, ["1", "3"]), "“code” is “3”; expected 1, 2"),
      (Self.table(200, as: "kind"), "columns= has “code”, of which there is no column"),
    ] {
      try bench.write(table, to: "t.csv")
      let outcome = try bench.scoresde(resume)
      #expect(outcome.status != 0 && outcome.errors.contains(reason), "\(outcome.errors)")
    }
    try bench.write(Self.table(200), to: "moved.csv")
    let _: Reports.Train = try bench.report(
      "\(resume) --data moved.csv:columns=code+weight+toys,missing=drop")
    // Nor are those of what is given.
    try bench.write(Self.table(200), to: "t.csv")
    let given = "train --data \(Self.data) --given code --out given \(Self.options)"
    let _: Reports.Train = try bench.report(given)
    try bench.write(Self.table(200, ["1", "3"]), to: "t.csv")
    let outcome = try bench.scoresde("train --out given --resume --steps 30")
    #expect(
      outcome.status == 2 && outcome.errors.contains("gives other numbers"), "\(outcome.errors)")
    let facts = try bench.scoresde("inspect given --json").output
    #expect(
      facts.contains("\"givenTexts\": [{\"name\": \"code\", \"texts\": [\"1\", \"2\"]}]"),
      "\(facts)")
  }

  /// Noise is of numbers: a text that is observed is seen as it is, and counts are whole where there is none.
  @Test func textsAreObservedWithoutNoise() throws {
    let bench = try bench()
    try bench.write(Data("code,weight,toys\n2,,\n".utf8), to: "known.csv")
    for noise in ["", "--observe-noise 5"] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --observe known.csv \(noise) --solver ancestral --steps 30 --count 30 --out x.csv"
      )
      let rows = try #require(String(data: bench.data("x.csv"), encoding: .utf8))
        .split(separator: "\n").dropFirst()
      #expect(rows.count == 30 && rows.allSatisfy { $0.hasPrefix("2,") }, "\(noise)")
    }
    let between = "code,toys\n2,1.5\n"
    for (text, noise, status, reason) in [
      (between, "", 1, "known.csv, line 2: toys is 1.5; expected a whole number"),
      (between, "--observe-noise 1", 0, ""),
      ("toys\n9\n", "", 0, "--observe: toys is 9, where the run's data have 0 to 3"),
    ] {
      try bench.write(Data(text.utf8), to: "known.csv")
      let outcome = try bench.scoresde(
        "sample --model run --observe known.csv \(noise) --solver ancestral --steps 4 --count 2 --out y.csv"
      )
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(reason.isEmpty || outcome.errors.contains(reason), "\(outcome.errors)")
    }
    for (row, reason) in [
      ([0.5, .nan, .nan, .nan], "code=1 is 0.5; expected 0 or 1"),
      ([1, 1, .nan, .nan], "two of code=1, code=2 are 1; expected one"),
    ] {
      try NPY.write(Tensor<Double>([4], row), to: bench.path("known.npy"))
      let outcome = try bench.scoresde("sample --model run --observe known.npy --out y.csv")
      #expect(outcome.status == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
    }
  }

  /// Texts with commas and blanks at their ends are given in quotes, around all or around them.
  @Test func textsInQuotesAreGiven() throws {
    let kinds = ["a,b", " c"]
    let rows = (0..<40).map { "\"\(kinds[$0 % 2])\",\($0)" }
    let bench = try Workbench([
      "t.csv": Data((["kind,x"] + rows).joined(separator: "\n").utf8)
    ])
    let _: Reports.Train = try bench.report(
      "train --data t.csv --given kind --out run \(Self.options)")
    func sample(_ given: String) throws -> Data {
      let outcome = try bench.scoresde(
        "sample --model run --solver unipc --steps 4 --count 3 --out x.csv".split(separator: " ")
          .map(String.init) + ["--given", given])
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try bench.data("x.csv")
    }
    let first = try sample("\"kind=a,b\"")
    #expect(
      try String(decoding: first, as: UTF8.self).contains("\"a,b\"")
        && sample("kind=\"a,b\"") == first)
    #expect(try sample("\"a,b\"") == first)
    let other = try sample("kind=\" c\"")
    #expect(other != first && String(decoding: other, as: UTF8.self).contains("\" c\""))
  }
}

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
    for (name, counts) in [("t.csv", ("20 rows", "180 rows")), ("u.csv", ("6 rows", "54 rows"))] {
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
    // What is none of the texts, as the run does not know it as one, is not known; the rest of the table is none of the run's.
    try bench.write(
      Data("id,code,weight,toys,note\na,NA,,2,\nb,2,NA,,x\nc,,nan,1,y\n".utf8), to: "known.csv")
    let completed = try bench.scoresde(
      "sample --model run --observe known.csv --solver ancestral --steps 30 --count 20 --out x.csv")
    #expect(
      completed.errors.contains("the run has no columns id, note, which are left out"),
      "\(completed.errors)")
    let drawn = try #require(String(data: bench.data("x.csv"), encoding: .utf8))
      .split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
    try #require(drawn.count == 60)
    #expect(drawn[..<20].allSatisfy { $0[2] == "2" } && drawn[40...].allSatisfy { $0[2] == "1" })
    #expect(drawn[20..<40].allSatisfy { $0[0] == "2" })
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

  /// A run finds its columns in tables that have others, whatever these hold and lack, and judges by its own what a row lacks.
  @Test func columnsThatARunDoesNotKnowAreNotRead() throws {
    let bench = try bench()
    let rows = [
      "id,weight,code,cabin,toys,date", "1,0.5,1,,0,2020-01-01", "2,1.5,2,C 1,1,", "3,,1,7,2,x",
    ]
    try bench.write(Data(rows.joined(separator: "\n").utf8), to: "v.csv")
    for (data, status, reason) in [
      ("v.csv", 1, "v.csv, line 4, column 2: “” is not a number; v.csv:missing=drop"),
      (
        "v.csv:missing=drop", 0,
        "1 row of v.csv is left out, as something is missing there, and 2 rows are taken"
      ),
      ("v.csv:missing=drop", 0, "the run has no columns id, cabin, date, which are left out"),
      (
        "v.csv:columns=code+toys", 1,
        "there is no column “weight”; expected each of code, weight, toys once"
      ),
    ] {
      let outcome = try bench.scoresde("likelihood --model run --data \(data) --strata 0")
      #expect(outcome.status == status && outcome.errors.contains(reason), "\(outcome.errors)")
    }
    let edited = try bench.scoresde(
      "sample --model run --from v.csv:missing=drop --steps 4 --solver unipc --out y.csv")
    #expect(
      edited.status == 0 && edited.errors.contains("1 row of v.csv is left out"), "\(edited.errors)"
    )
    // A run that begins with it knows what it knew.
    let begun = try bench.scoresde(
      "train --data u.csv:columns=toys+weight+code,missing=drop --start run --steps 2 --out next")
    #expect(begun.status == 0, "\(begun.errors)")
    #expect(try bench.scoresde("inspect next").output.contains("code: 1, 2"))
  }

  /// Classes that are called 1 and 2 are those of a file of 1 and 2, and not the second and a third.
  @Test func classesThatLookLikeNumbersAreNames() throws {
    func table(_ count: Int) -> Data {
      let rows = (0..<count).map { "\(1 + $0 % 2),\(10 * ($0 % 2))" }
      return Data((["code,x"] + rows).joined(separator: "\n").utf8)
    }
    let bench = try Workbench([
      "t.csv": table(40), "v.csv": table(6), "codes.csv": Data("code\n1\n2\n1\n2\n1\n2\n".utf8),
    ])
    let held = "--validation v.csv:columns=x --validation-labels codes.csv"
    for (run, options) in [("run", held), ("other", "--validation v.csv")] {
      let trained = try bench.scoresde(
        "train --data t.csv:texts=code --labels column:code \(options) --out \(run) \(Self.options)"
      )
      try #require(trained.status == 0, "\(trained.errors)")
    }
    #expect(try bench.data("run/validation.csv") == bench.data("other/validation.csv"))
    func nats(_ words: String) throws -> Double {
      let report: Reports.Likelihood = try bench.report(
        "likelihood --model run --data v.csv --strata 0 \(words)")
      return report.logDensity.mean
    }
    let own = try nats("--class data")
    #expect(try nats("--class codes.csv") == own && nats("--class v.csv") == own)
    let begun = try bench.scoresde(
      "train --data v.csv --labels column:code --start run --steps 2 --out next")
    #expect(begun.status == 0, "\(begun.errors)")
    #expect(try bench.scoresde("inspect next").output.contains("\"1\", \"2\""))
  }

  /// A table that is no data as it stands is shown by its columns, and one that is read is not written over.
  @Test func tablesAreShownBeforeTheyAreData() throws {
    let bench = try bench()
    let outcome = try bench.scoresde("inspect t.csv")
    #expect(
      outcome.status == 1 && outcome.errors.contains("t.csv, line 3, column 4: “1” is a number"))
    let lines = outcome.output.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(lines[0] == ["200", "rows"])
    #expect(lines.contains(["weight", "180", "0", "20", "7", "0.5"]), "\(outcome.output)")
    #expect(lines.contains(["note", "133", "67", "0", "200", "A/0"]), "\(outcome.output)")
    #expect(try bench.scoresde("inspect t.csv --json").output.isEmpty)
    #expect(try bench.scoresde("inspect none.csv").output.isEmpty)
    let same = try bench.scoresde("sample --model run --from \(Self.data) --out t.csv")
    #expect(
      same.status == 2 && same.errors.contains("--out and --from are one file, t.csv"),
      "\(same.errors)")
    #expect(try bench.data("t.csv") == Self.table(200))
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

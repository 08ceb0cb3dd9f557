import Foundation
import ScoreSDE
import Testing

/// Runs that know classes.
@Suite struct ClassTests {
  private static let options =
    "--network mlp:width=32,layers=2,frequencies=16 --batch-size 64 --warm-up 0 --learning-rate 0.005 --average-decay 0.95 --standardize none"
  private static let labels = (0..<300).map { $0 % 3 == 0 ? 0.0 : 2.0 }

  /// A third of N(−1, 0.2²), of class 0, and the rest N(1, 0.2²), of class 2; no sample is of class 1.
  private static func bench() throws -> Workbench {
    let normal: Tensor<Double> = RandomKey(5).normal([300, 1])
    let samples = zip(labels, normal.scalars).map { ($0 - 1) + 0.2 * $1 }
    return try Workbench([
      "data.npy": .npy(samples, shape: [300, 1]), "labels.npy": .npy(labels, shape: [300]),
      "labels.csv": .text(labels.map { "\(Int($0))\n" }.joined()),
      "other.npy": .npy(labels.map { 2 - $0 }, shape: [300]),
    ])
  }

  @Test func samplesAndDensitiesAreThoseOfTheClass() throws {
    let bench = try Self.bench()
    let _: Reports.Train = try bench.report(
      "train --data data.npy --labels labels.npy --out run --steps 2500 --label-dropout 0.4 \(Self.options)"
    )
    let report: Reports.Sample = try bench.report(
      "sample --model run --class 2,0 --count 50 --solver dpm-solver++ --steps 20 --out x.npy")
    #expect(report.count == 100 && report.shape == [100, 1])
    let samples = try bench.numbers("x.npy")
    // Means of fifty of deviation 0.2 are within 0.14 but once in a million times, and the network was off by 0.1 at most.
    for (half, mean) in [(samples.prefix(50), 1.0), (samples.suffix(50), -1.0)] {
      #expect(abs(half.reduce(0, +) / 50 - mean) < 0.25, "\(mean)")
    }
    // The second class's samples are those that it has alone, from the place where they stand.
    let _: Reports.Sample = try bench.report(
      "sample --model run --class 0,2 --count 50 --solver dpm-solver++ --steps 20 --out all.npy --trajectory way.npy"
    )
    let all = try bench.numbers("all.npy")
    #expect(all.count == 100 && all[50...] != samples[..<50])
    #expect(try bench.numbers("way.npy").suffix(100) == all[...])
    let _: Reports.Sample = try bench.report(
      "sample --model run --class 0 --count 50 --solver dpm-solver++ --steps 20 --out one.npy")
    #expect(try bench.numbers("one.npy") == Array(all[..<50]))

    func density(_ words: String) throws -> [Double] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --data data.npy --strata 0 --out nats.npy \(words)")
      return try bench.numbers("nats.npy")
    }
    let (whole, own, other) = (
      try density(""), try density("--class 0"), try density("--class 2")
    )
    // Far from the other class a sample's density is a third, or two thirds, of that in its class; the
    // network was off by a quarter of a nat.
    for (label, inClass, outside) in [(0.0, own, other), (2, other, own)] {
      let rows = Self.labels.indices.filter { Self.labels[$0] == label }
      let gain = rows.reduce(0) { $0 + inClass[$1] - whole[$1] } / Double(rows.count)
      #expect(abs(gain + log(Double(rows.count) / 300)) < 0.5, "class \(label): \(gain)")
      let loss = rows.reduce(0) { $0 + inClass[$1] - outside[$1] } / Double(rows.count)
      #expect(loss > 5, "class \(label): \(loss)")
    }
  }

  /// Each row of a file of classes has the samples that its class alone has in that place, and so it does under numbers that
  /// are given row by row, guided, or given an observation.
  @Test func rowsOfClassesHaveTheirSamplesInTurn() throws {
    let bench = try Self.bench()
    let rows = Self.labels.indices.map {
      "\(sin(Double($0))),\(Int(Self.labels[$0])),\(50 + $0 % 7)"
    }
    for (name, content) in [
      ("table.csv", "x,kind,y\n" + rows.joined(separator: "\n")),
      ("kinds.csv", "kind\n2\n0\n2\n"), ("given.csv", "y\n51\n55\n52\n"), ("one.csv", "2\n"),
      ("seen.csv", "x\n0.5\n"),
    ] { try bench.write(.text(content), to: name) }
    try bench.write(.npy([2, 0, 2], shape: [3]), to: "kinds.npy")
    let options = "--network mlp:width=16,layers=1 --batch-size 32 --warm-up 0 --steps 30"
    let _: Reports.Train = try bench.report(
      "train --data table.csv --labels column:kind --out run \(options)")
    let _: Reports.Train = try bench.report(
      "train --data table.csv --labels column:kind --given y --out both \(options)")
    func sample(_ words: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --solver ancestral --steps 10 --out x.npy \(words)")
      return try bench.numbers("x.npy")
    }
    let (classes, given) = ([2, 0, 2], [51, 55, 52])
    for (run, width, words, own) in [
      ("run", 2, "", { _ in "" }), ("run", 2, "--guidance 2.5 --batch-size 4", { _ in "" }),
      ("both", 1, "--given given.csv", { "--given \(given[$0])" }),
      ("both", 1, "--given y=51", { _ in "" }),
    ] as [(String, Int, String, (Int) -> String)] {
      let all = try sample("--model \(run) --class kinds.csv --count 5 \(words)")
      #expect(try sample("--model \(run) --class kinds.npy --count 5 \(words)") == all)
      let part = 5 * width
      try #require(all.count == 3 * part)
      for row in 0..<3 {
        let rest = own(row).isEmpty ? words : own(row)
        let alone = try sample("--model \(run) --class \(classes[row]) --count 15 \(rest)")
        #expect(
          all[row * part..<(row + 1) * part] == alone[row * part..<(row + 1) * part],
          "\(words), row \(row)")
      }
      #expect(all[..<part] != all[part..<2 * part])
    }
    // One class is one for all rows, and one observation for all classes.
    #expect(
      try sample("--model both --class one.csv --given given.csv --count 2")
        == sample("--model both --class 2 --given given.csv --count 2"))
    let seen = "--observe seen.csv --observe-noise 0.1 --count 2"
    #expect(
      try sample("--model run --class kinds.csv \(seen)").prefix(8)
        == sample("--model run --class 2,0 \(seen)").prefix(8))
    for (words, status, part) in [
      (
        "--class kinds.csv --given both.csv", 2,
        "--class is kinds.csv, with 3 rows, and --given has 2; expected as many, or one for all"
      ),
      ("--class unseen.csv", 1, "unseen.csv, line 3: the class is 1, of which the run saw no"),
      (
        "--class data", 2,
        "--class is data, each sample's own class, which likelihood and calibrate take; expected"
      ),
      ("--class none.csv", 2, "or 0-9, or a file of one a row"),
      ("--class kinds.csv --observe seen.csv --particles 8", 2, "one class and one row of --given"),
    ] as [(String, Int32, String)] {
      try bench.write(.text("y\n51\n52\n"), to: "both.csv")
      try bench.write(.text("kind\n2\n1\n"), to: "unseen.csv")
      let outcome = try bench.scoresde("sample --model both --count 4 --out new.npy \(words)")
      #expect(outcome.status == status && outcome.errors.contains(part), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: bench.path("new.npy")))
    }
  }

  /// Guidance by 0 gives all samples together, by 1 the class, by 2 what lies beyond: the same combination of both fields.
  @Test func guidanceLeadsFromAllSamplesToTheClassAndBeyond() throws {
    let bench = try Self.bench()
    let _: Reports.Train = try bench.report(
      "train --data data.npy --labels labels.npy --out run --steps 200 \(Self.options)")
    // One step of a method that is affine in the field shows the combination, to rounding.
    func step(_ words: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim:grid=uniform --steps 1 --count 20 --out x.npy \(words)")
      return try bench.numbers("x.npy")
    }
    let (all, own) = (try step(""), try step("--class 2"))
    #expect(try step("--class 2 --guidance 1") == own && step("--class 2 --guidance 0") == all)
    #expect(all != own)
    // What 0 means is said, since other conventions call the class itself 0.
    for (scale, isSaid) in [(0, true), (1, false)] {
      let outcome = try bench.scoresde(
        "sample --model run --class 2 --guidance \(scale) --solver ddim --steps 1 --count 1 --out x.npy"
      )
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("--guidance 0 leaves --class out") == isSaid)
    }
    let beyond = try step("--class 2 --guidance 2")
    let expected = zip(own, all).map { 2 * $0 - $1 }
    let size = expected.map { abs($0) }.max() ?? 0
    #expect(distance(beyond, expected) < 1e-4 * max(1, size))
  }

  /// What is observed holds beside whatever else is asked for: of one number that is known to 0.01 nothing else is left.
  @Test(arguments: ["", "--class 2", "--class 0,2 --guidance 2", "--class 2 --from data.npy"])
  func observationsHoldBesideClassesGuidanceAndEdits(words: String) throws {
    let bench = try Self.bench()
    try bench.write(.npy([1.1], shape: [1]), to: "y.npy")
    let _: Reports.Train = try bench.report(
      "train --data data.npy --labels labels.npy --out run --steps 400 \(Self.options)")
    let report: Reports.Sample = try bench.report(
      "sample --model run --observe y.npy --observe-noise 0.01 --solver ddim --steps 50 --count 20 --out x.npy \(words)"
    )
    let samples = try bench.numbers("x.npy")
    #expect(report.count == (words.contains("0,2") ? 40 : 20) && samples.count == report.count)
    #expect(distance(samples, samples.map { _ in 1.1 }) < 0.1, "\(words): \(samples)")
  }

  /// A class between others that no sample has is learnt from nothing: training says so, and the run knows it.
  @Test func classesWithoutSamplesAreSaidInTraining() throws {
    let bench = try Self.bench()
    let outcome = try bench.scoresde(
      "train --data data.npy --labels labels.npy --out run --steps 10 \(Self.options)")
    #expect(outcome.status == 0 && outcome.errors.contains("no sample is of class 1:"))
    let _: Reports.Train = try bench.report("train --out run --resume --steps 20")
    let refused = try bench.scoresde("sample --model run --class 1 --out x.npy")
    #expect(refused.status == 2 && refused.errors.contains("no sample of class 1"))
  }

  /// A table with its labels in a column trains the run that the table without it and a file of labels train.
  @Test func labelsMayBeAColumnOfTheTable() throws {
    let rows = Self.labels.indices.map { ($0, "\(sin(Double($0)))", "\(50 + $0 % 7)") }
    func table(_ labels: [Double]) -> Data {
      .text("x,kind,y\n" + rows.map { "\($1),\(Int(labels[$0])),\($2)\n" }.joined())
    }
    let bench = try Self.bench()
    try bench.write(table(Self.labels), to: "table.csv")
    try bench.write(table(Self.labels.map { 2 - $0 }), to: "other.csv")
    try bench.write(table(Self.labels.map { $0 - 2 }), to: "unknown.csv")
    try bench.write(.text("x,y\n" + rows.map { "\($1),\($2)\n" }.joined()), to: "rest.csv")
    let options =
      "--network mlp:width=16,layers=1 --batch-size 32 --warm-up 0 --schedule constant"
    let _: Reports.Train = try bench.report(
      "train --data rest.csv --labels labels.npy --out whole --steps 20 \(options)")
    let _: Reports.Train = try bench.report(
      "train --data table.csv --labels column:kind --out run --steps 10 \(options)")
    let refused = try bench.scoresde("train --out run --resume --steps 20 --data other.csv")
    #expect(refused.status == 2 && refused.errors.contains("other labels"), "\(refused.errors)")
    let _: Reports.Train = try bench.report("train --out run --resume --steps 20")
    #expect(
      try bench.data("run/checkpoint.safetensors") == bench.data("whole/checkpoint.safetensors"))

    // The mismatch of the prior is that of the run's own rows of the class, so that it tells whether they were found.
    func nats(_ words: String) throws -> [Double] {
      let report: Reports.Likelihood = try bench.report(
        "likelihood \(words) --class 2 --count 30 --strata 0 --out nats.npy")
      return try bench.numbers("nats.npy") + [report.errorBudget.priorMismatch]
    }
    // Data to score have that column or not, and what is in it says nothing.
    let expected = try nats("--model whole --data rest.csv")
    for data in ["table", "rest", "unknown"] {
      #expect(try nats("--model run --data \(data).csv --against table.csv") == expected)
    }
    let edited: Reports.Sample = try bench.report(
      "sample --model run --from table.csv --class 0 --count 5 --solver ddim --out x.npy")
    #expect(edited.shape == [5, 2])
    for (words, status, part) in [
      ("--data table.csv --labels column:kin", 2, "did you mean kind?"),
      ("--data table.csv --labels kind", 2, "a column of table.csv; expected column:kind"),
      ("--data table.csv --labels column:x", 1, "table.csv, line 3, column “x”: the label is 0.8"),
      ("--data data.npy --labels column:kind", 2, "no column “kind”"),
    ] as [(String, Int32, String)] {
      let outcome = try bench.scoresde("train \(words) --out new")
      #expect(outcome.status == status && outcome.errors.contains(part), "\(outcome.errors)")
    }
  }

  /// Rows that bring their class are scored each under it, as they are where it is asked for all, wherever it comes from and
  /// whatever else they are under.
  @Test(arguments: [
    ("table.csv", "column:kind", "", "data"), ("table.csv", "column:kind", "--given y", "data"),
    ("rest.csv", "labels.npy", "", "labels.npy"), ("moons:count=200", "data", "", "data"),
  ])
  func rowsAreScoredUnderTheirOwnClass(
    data: String, labels: String, given: String, source: String
  ) throws {
    let bench = try Self.bench()
    let rows = Self.labels.indices.map { ("\(sin(Double($0)))", "\(50 + $0 % 7)") }
    try bench.write(
      .text(
        "x,kind,y\n"
          + zip(rows, Self.labels).map { "\($0.0),\(Int($1)),\($0.1)\n" }.joined()),
      to: "table.csv")
    try bench.write(.text("x,y\n" + rows.map { "\($0.0),\($0.1)\n" }.joined()), to: "rest.csv")
    let _: Reports.Train = try bench.report(
      "train --data \(data) --labels \(labels) \(given) --out run --network mlp:width=16,layers=1 --batch-size 32 --warm-up 0 --steps 30"
    )
    func nats(_ words: String) throws -> [Double] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --data \(data) --count 30 --strata 2 --out nats.npy \(words)")
      return try bench.numbers("nats.npy")
    }
    let classes =
      data.hasPrefix("moons")
      ? try DataSource(data).load(as: Double.self).labels ?? [] : Self.labels.map { Int($0) }
    let alone = try Set(classes).map { ($0, try nats("--class \($0)")) }
    let byClass = Dictionary(uniqueKeysWithValues: alone)
    let own = try nats("--class \(source)")
    #expect(try own.count == 30 && own == (0..<30).map { try #require(byClass[classes[$0]])[$0] })
    #expect(try own != nats(""))
    let spoken = try bench.scoresde(
      "likelihood --model run --data \(data) --count 3 --strata 0 --class \(source) --against \(data)"
    )
    #expect(spoken.status == 0 && spoken.output.contains(", each of its own class"))
    for (words, text) in [
      ("", "null"), ("--class 0", "\"0\""), ("--class \(source)", "\"\(source)\""),
    ] {
      let outcome = try bench.scoresde(
        "likelihood --model run --data \(data) --count 2 --strata 0 --json --quiet \(words)")
      #expect(outcome.output.contains("\"class\": \(text)"), "\(outcome.output)")
      #expect(outcome.output.contains("\"given\": ") == !given.isEmpty)
    }
  }

  /// Rows that have the column of the run's labels are taken as all others unless `--class` says more, which is said.
  @Test func aColumnOfLabelsThatTakesNoPartIsRemarkedOn() throws {
    let bench = try Self.bench()
    let rows = (0..<40).map { "\(sin(Double($0))),\($0 % 2)\n" }
    try bench.write(.text("x,\"kind, raw\"\n" + rows.joined()), to: "table.csv")
    try bench.write(.text("x\n" + (0..<40).map { "\(sin(Double($0)))\n" }.joined()), to: "rest.csv")
    let trained = try bench.scoresde(
      "train --data table.csv --out run --steps 1 \(Self.options)".split(separator: " ")
        .map(String.init) + ["--labels", "column:kind, raw"])
    try #require(trained.status == 0, "\(trained.errors)")
    let remark =
      "table.csv: its \"kind, raw\" takes no part, and samples are taken as those of all classes together; --class data takes each under its own"
    for (words, isSaid) in [
      ("likelihood --strata 0 --data table.csv", true),
      ("likelihood --strata 0 --data rest.csv --against table.csv", true),
      ("calibrate --draws 2 --data table.csv", true),
      ("likelihood --strata 0 --data rest.csv", false),
      ("likelihood --strata 0 --data table.csv --class data", false),
      ("likelihood --strata 0 --data table.csv --class 1", false),
      ("sample --from table.csv --solver ddim --steps 2 --out x.npy", false),
    ] {
      let outcome = try bench.scoresde("\(words) --model run --scalar float64")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains(remark) == isSaid, "\(words): \(outcome.errors)")
    }
  }

  /// What the other data lack is found before the densities of the first are.
  @Test func otherDataWithoutLabelsAreRefusedAtOnce() throws {
    let bench = try Self.bench()
    let _: Reports.Train = try bench.report(
      "train --data moons:count=200 --labels data --out run --steps 1 \(Self.options)")
    let outcome = try bench.scoresde(
      "likelihood --model run --data moons:count=9 --class data --against swiss-roll:count=9")
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("scoresde: --class is data, but swiss-roll:count=9 comes"))
  }

  @Test func labelsThatARunDoesNotKnowAreRefusedRowByRow() throws {
    let bench = try Self.bench()
    let _: Reports.Train = try bench.report(
      "train --data data.npy --labels labels.npy --out run --steps 1 \(Self.options)")
    for label in [1, 3] {
      let labels = Self.labels.indices.map { $0 == 9 ? label : 2 }
      try bench.write(.npy(labels.map(Double.init), shape: [300]), to: "classes.npy")
      let lines = labels.map { "\($0)\n" }.joined()
      try bench.write(.text("kind\n\(lines)"), to: "classes.csv")
      for (source, place) in [
        ("classes.npy", "classes.npy, sample 9"), ("classes.csv", "classes.csv, line 11"),
      ] {
        let outcome = try bench.scoresde("likelihood --model run --data data.npy --class \(source)")
        let part = "\(place): the class is \(label), of which the run saw no sample"
        #expect(outcome.status == 1 && outcome.errors.contains(part), "\(outcome.errors)")
      }
    }
  }

  @Test func setsInThePlaneComeWithTheClassesOfTheirParts() throws {
    let bench = try Workbench()
    let _: Reports.Train = try bench.report(
      "train --data moons:count=200 --labels data --out run --steps 1 \(Self.options)")
    #expect(try bench.scoresde("inspect run --json").output.contains(#""classes": 2"#))
    #expect(try bench.scoresde("sample --model run --class 1 --count 1 --out x.npy").status == 0)
  }

  @Test func aRunOfClassesIsResumedInTheSameBitsWhereverItsLabelsAre() throws {
    let bench = try Self.bench()
    func train(_ run: String, _ steps: Int) -> String {
      "train --data data.npy --labels labels.npy --out \(run) --steps \(steps) --schedule constant \(Self.options)"
    }
    let _: Reports.Train = try bench.report(train("run", 20))
    let _: Reports.Train = try bench.report(train("whole", 40))
    let refused = try bench.scoresde(
      "train --out run --resume --steps 40 --labels other.npy")
    #expect(refused.status == 2 && refused.errors.contains("other.npy"), "\(refused.errors)")
    let _: Reports.Train = try bench.report(
      "train --out run --resume --steps 40 --labels labels.csv --label-dropout 0.10")
    for part in ["checkpoint.safetensors", "loss.csv"] {
      #expect(try bench.data("run/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
    let inspected = try bench.scoresde("inspect run --json")
    #expect(inspected.output.contains(#""classes": 3"#), "\(inspected.output)")
  }

  @Test(arguments: [
    ("train --data data.npy --labels data --out new", "--labels is data"),
    ("train --data swiss-roll --labels data --out new", "swiss-roll comes without labels"),
    ("train --data data.npy --labels data.npy --out new", "whole number"),
    (
      "train --data data.npy --labels far.npy --out new",
      "far.npy, sample 7: the label is 4096; expected a whole number from 0 to 4095"
    ),
    (
      "train --data data.npy --labels far.csv --out new",
      "far.csv, line 4: the label is 4096; expected a whole number from 0 to 4095"
    ),
    (
      "train --data data.npy --labels half.csv --out new",
      "half.csv, line 3: the label is 0.5; expected a whole number from 0 on"
    ),
    ("train --data labels.npy --labels short.npy --out new", "2 labels for 300 samples"),
    ("train --data data.npy --label-dropout 0.1 --out new", "--label-dropout"),
    ("train --data data.npy --labels labels.npy --label-dropout 2 --out new", "label-dropout is 2"),
    ("sample --model run --class 0 --out x.npy", "trained without labels"),
    ("sample --model gaussian --class 0 --out x.npy", "exact model"),
    ("sample --model run --class 2-1 --out x.npy", "--class is 2-1"),
    ("sample --model run --class 1,1 --out x.npy", "--class is 1,1"),
    ("likelihood --model classes --class 3 --data data.npy", "from 0 to 2"),
    ("likelihood --model classes --class 0,2 --data data.npy", "is 0,2; expected one class"),
    ("likelihood --model classes --class 0-9 --data data.npy", "is 0-9; expected one class"),
    (
      "likelihood --model classes --class x --data data.npy",
      "have no names; expected one class"
    ),
    ("likelihood --model classes --class data --data data.npy", "data.npy comes without labels"),
    ("likelihood --model run --class data --data data.npy", "trained without labels"),
    ("likelihood --model gaussian --class data --data data.npy", "exact model"),
    (
      "likelihood --model classes --class short.npy --data data.npy",
      "short.npy has 2 labels, and data.npy 300 samples"
    ),
    (
      "study --model classes --class data --out new",
      "data, each sample's own class, which likelihood"
    ),
    ("study --model classes --class x --out new", "have no names; expected one class"),
    ("sample --model classes --class x --out x.npy", "such as 3, 0,1,7 or 0-9"),
    ("train --out run --resume --labels labels.npy", "trained with, none"),
    ("train --out run --resume --label-dropout 0.1", "has none"),
    ("train --out classes --resume --label-dropout 0.2", "has 0.1"),
    ("sample --model classes --guidance 2 --out x.npy", "--guidance is given without --class"),
    ("sample --model classes --class 0 --guidance far --out x.npy", "--guidance is far"),
    ("sample --model classes --class 0 --guidance 1e9 --out x.npy", "--guidance is 1e9"),
    ("sample --model classes --class 0 --guidance -1 --out x.npy", "--guidance is -1"),
    ("sample --model classes --class 0-2 --out x.npy", "no sample of class 1"),
    ("likelihood --model classes --class 1 --data data.npy", "no sample of class 1"),
  ])
  func whatMakesNoSenseIsRefusedInOneSentence(words: String, part: String) throws {
    let bench = try Self.bench()
    try bench.write(.npy([0, 1], shape: [2]), to: "short.npy")
    try bench.write(
      .npy(Self.labels.indices.map { $0 < 7 ? 0 : 4096 }, shape: [300]), to: "far.npy")
    try bench.write(.text("kind\n0\n\n4096\n"), to: "far.csv")
    try bench.write(.text("# kinds\n0\n0.5\n"), to: "half.csv")
    let _: Reports.Train = try bench.report(
      "train --data data.npy --out run --steps 1 \(Self.options)")
    let _: Reports.Train = try bench.report(
      "train --data data.npy --labels labels.npy --out classes --steps 1 \(Self.options)")
    let outcome = try bench.scoresde(words)
    let isOfFiles = ["whole", "2 labels", "far.", "half.csv", "short.npy has"].contains {
      part.hasPrefix($0)
    }
    #expect(outcome.status == (isOfFiles ? 1 : 2), "\(outcome.errors)")
    #expect(outcome.errors.contains(part), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(outcome.output.isEmpty && !FileManager.default.fileExists(atPath: bench.path("new")))
  }
}

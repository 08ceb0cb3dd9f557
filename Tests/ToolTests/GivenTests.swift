import Foundation
import ScoreSDE
import Testing

/// Runs that are conditioned on numbers, `--given`.
@Suite struct GivenTests {
  static let options =
    "--network mlp:width=16,layers=1 --batch-size 32 --steps 60 --warm-up 0"

  /// Rows x, y, z with x of 2 y, the columns times units.
  private static func table(_ units: [Double] = [1, 1, 1]) -> Data {
    let rows = (0..<48).map { row in
      let angle = 2 * .pi * Double(row) / 48
      let numbers = [2 * cos(angle) + 0.1 * sin(7 * angle), cos(angle), 1 + sin(2 * angle)]
      return zip(numbers, units).map { "\($0 * $1)" }.joined(separator: ",")
    }
    return Data(("x,y,z\n" + rows.joined(separator: "\n") + "\n").utf8)
  }

  func trained(
    _ given: String = "y,z", _ files: [String: Data] = [:]
  ) throws -> Workbench {
    let bench = try Workbench(["data.csv": Self.table()].merging(files) { $1 })
    let _: Reports.Train = try bench.report(
      "train --data data.csv --given \(given) --out run \(Self.options)")
    return bench
  }

  /// However the numbers are written, samples are the same bits, and rows of a file have theirs one after another.
  @Test func numbersAreGivenByNameByPlaceOrInAFile() throws {
    let bench = try trained(
      "y,z",
      [
        "rows.csv": Data("z,other,y\n1.5,0,0.25\n0.5,0,-1\n".utf8),
        "rows.npy": .npy([0.25, 1.5, -1, 0.5], shape: [2, 2]),
        "one.npy": .npy([0.25, 1.5], shape: [2]),
      ])
    func sample(_ given: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 20 --count 15 --out x.npy \(given)")
      return try bench.numbers("x.npy")
    }
    let one = try sample("--given y=0.25,z=1.5")
    #expect(try sample("--given z=1.5,y=0.25") == one && sample("--given 0.25,1.5") == one)
    #expect(try sample("--given one.npy") == one)
    let both = try sample("--given rows.csv")
    #expect(
      try both.count == 30 && Array(both.prefix(15)) == one && sample("--given rows.npy") == both)
    let all = try sample("")
    #expect(all != one && all.count == 15)
    // Guidance leads away from all samples together; 0 leaves what is given out.
    #expect(try sample("--given y=0.25,z=1.5 --guidance 0") == all)
    #expect(try sample("--given y=0.25,z=1.5 --guidance 2") != one)
    let inspected = try bench.scoresde("inspect run").output
    #expect(inspected.contains("y, z"))
  }

  /// A tenth of the rows are trained without what is given, and samples without it are soon as wide as all of them: x is 0.8 y
  /// and noise of 0.6, so its deviation is 1 and not 0.6. With numbers that weigh as little as any other it came to 0.67.
  @Test func samplesUnderNothingAreThoseOfAllRows() throws {
    let key = RandomKey(7)
    let (y, noise): (Tensor<Double>, Tensor<Double>) = (
      key.folded("y").normal([1024]), key.folded("noise").normal([1024])
    )
    let rows = zip(y.scalars, noise.scalars).map { "\(0.8 * $0 + 0.6 * $1),\($0)" }
    let bench = try Workbench(["data.csv": .text("x,y\n\(rows.joined(separator: "\n"))\n")])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --given y --out run --network residual-mlp:width=48,blocks=2 --steps 1000 --learning-rate 0.003"
    )
    func deviation(_ words: String) throws -> Double {
      let _: Reports.Sample = try bench.report(
        "sample --model run --count 2000 --solver unipc --steps 20 --out x.npy \(words)")
      let x = try bench.numbers("x.npy")
      let mean = average(x)
      return average(x.map { ($0 - mean) * ($0 - mean) }).squareRoot()
    }
    let (all, under) = (try deviation(""), try deviation("--given 0"))
    #expect(all > 0.87 && all < 1.1, "\(all)")
    #expect(under < 0.7, "\(under)")
  }

  /// Each row of a table is scored under its own numbers, as it is under these for all.
  @Test func rowsAreScoredUnderTheirOwnNumbers() throws {
    let bench = try trained(
      "y,z",
      [
        "test.csv": Data("z,x,y\n1.5,0.5,0.25\n0.5,-1.9,-1\n".utf8),
        "first.csv": Data("0.5\n".utf8), "second.csv": Data("-1.9\n".utf8),
        "both.npy": .npy([0.5, -1.9], shape: [2, 1]),
        "rows.npy": .npy([0.25, 1.5, -1, 0.5], shape: [2, 2]),
      ])
    func nats(_ words: String) throws -> [Double] {
      let outcome = try bench.scoresde(
        "likelihood --model run --strata 0 --out nats.npy --quiet \(words)")
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try bench.numbers("nats.npy")
    }
    let own = try nats("--data test.csv")
    let spoken = try bench.scoresde("likelihood --model run --strata 0 --data test.csv --quiet")
    #expect(spoken.output.contains("2 samples of 1 dimension, each under its own y, z from"))
    #expect(try nats("--data first.csv --given y=0.25,z=1.5") == [own[0]])
    #expect(try nats("--data second.csv --given -1,0.5") == [own[1]])
    #expect(try nats("--data test.csv --given y=0.25,z=1.5")[0] == own[0])
    #expect(try nats("--data both.npy --given rows.npy") == own)
    // The first of the samples have the first of the rows.
    #expect(try nats("--data both.npy --given rows.npy --count 1") == [own[0]])
    for (words, given) in [
      ("test.csv", "\"data\""), ("first.csv --given y=0.25,z=1.5", "\"y=0.25,z=1.5\""),
      ("both.npy --given rows.npy", "\"rows.npy\""), ("first.csv", "null"),
      ("test.csv --against both.npy", "\"data\""),
    ] {
      let outcome = try bench.scoresde(
        "likelihood --model run --strata 0 --json --data \(words) --quiet")
      #expect(outcome.output.contains("\"given\": \(given)"), "\(outcome.output)")
      let isOfAll = words == "first.csv" || words.contains("--against")
      #expect(outcome.output.contains("\"given\": null") == isOfAll)
      #expect(!outcome.output.contains("\"class\""))
    }
    let wrong = try bench.scoresde(
      "likelihood --model run --strata 0 --data first.csv --given rows.npy")
    #expect(
      wrong.status == 2 && wrong.errors.contains("--given has 2 rows, and first.csv 1 sample"))
    let far = try bench.scoresde(
      "likelihood --model run --strata 0 --data first.csv --given y=900,z=1")
    #expect(far.status == 0 && far.errors.contains("--given: y is"))
    let outcome = try bench.scoresde("likelihood --model run --strata 0 --data first.csv --json")
    #expect(outcome.status == 0 && outcome.errors.contains("nothing says what is given, y, z"))
  }

  /// Data that are no table have their numbers in a file, whose columns may have names: the run is that of one table of both.
  @Test func numbersOfTrainingMayBeATableOfTheirOwn() throws {
    let rows = String(decoding: Self.table(), as: UTF8.self).split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",") }
    func file(_ header: String) -> Data {
      .text(([header] + rows.map { "\($0[1]);\($0[2])" }).joined(separator: "\n"))
    }
    // Columns of data are rounded as these are.
    let options = "\(Self.options) --scalar float64"
    let bench = try Workbench(
      [
        "data.csv": Self.table(),
        "x.npy": .npy(rows.map { Double($0[0]) ?? .nan }, shape: [48, 1]),
        "given.csv": file("y;z"), "moved.tsv": file("y;z"), "twice.csv": file("y;y"),
        "short.csv": .text("y,z\n1,2\n"),
      ])
    for (words, run) in [("data.csv --given y,z", "run"), ("x.npy --given given.csv", "filed")] {
      let _: Reports.Train = try bench.report("train --data \(words) --out \(run) \(options)")
    }
    #expect(
      try bench.data("run/checkpoint.safetensors") == bench.data("filed/checkpoint.safetensors"))
    func nats(_ words: String) throws -> [Double] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --strata 0 --scalar float64 --out nats.npy \(words)")
      return try bench.numbers("nats.npy")
    }
    let own = try nats("--model run --data data.csv")
    #expect(try nats("--model filed --data data.csv") == own)
    #expect(try nats("--model filed --data x.npy --given given.csv") == own)
    #expect(
      try nats("--model filed --data x.npy --given z=1,y=0")
        == nats("--model run --data x.npy --given y=0,z=1"))
    let _: Reports.Train = try bench.report(
      "train --resume --steps 60 --out filed --given moved.tsv --scalar float64")
    for (file, part) in [
      ("twice.csv", "twice.csv has two columns of one name among y, y"),
      ("short.csv", "short.csv has 1 row; expected 48, one a sample"),
    ] {
      let outcome = try bench.scoresde("train --data x.npy --given \(file) --out new")
      #expect(outcome.status == 1 && outcome.errors.contains(part), "\(outcome.errors)")
    }
  }

  /// Samples from data are not under the numbers that these bring, which is said.
  @Test func samplesFromATableAreUnderWhatIsGivenAlone() throws {
    let bench = try trained()
    for (words, isSaid) in [("", true), ("--given y=0,z=1", false)] {
      let outcome = try bench.scoresde(
        "sample --model run --from data.csv --solver ddim --steps 5 --out x.npy \(words)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let remark = "data.csv: its y, z take no part, and samples are of all together; --given"
      #expect(outcome.errors.contains(remark) == isSaid, "\(outcome.errors)")
    }
  }

  /// Names with commas stand in quotes, in tables and in options.
  @Test func namesMayHaveCommas() throws {
    let plain = String(decoding: Self.table(), as: UTF8.self)
    let bench = try trained(
      "y,z",
      ["named.csv": .text(plain.replacing("x,y,z", with: "\"x, m\",\"y, \"\"s\"\"\",z"))])
    func run(_ words: String, _ rest: [String]) throws -> Workbench.Outcome {
      try bench.scoresde(words.split(separator: " ").map(String.init) + ["--quiet"] + rest)
    }
    let y = "\"y, \"\"s\"\"\""
    let trained = try run(
      "train --data named.csv --out named \(Self.options)", ["--given", "\(y), z"])
    try #require(trained.status == 0, "\(trained.errors)")
    #expect(
      try bench.data("run/checkpoint.safetensors") == bench.data("named/checkpoint.safetensors"))
    func sample(_ model: String, _ given: String) throws -> [Double] {
      let outcome = try run(
        "sample --model \(model) --solver ddim --steps 5 --count 5 --out x.npy", ["--given", given])
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try bench.numbers("x.npy")
    }
    let plainly = try sample("run", "y=0.25,z=1.5")
    #expect(try sample("named", "\(y)=0.25,z=1.5") == plainly)
    #expect(try sample("named", "z=1.5, \(y) = 0.25") == plainly)
    for (model, data) in [("run", "data.csv"), ("named", "named.csv")] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model \(model) --data \(data) --strata 0 --out \(model).npy")
    }
    #expect(try bench.numbers("run.npy") == bench.numbers("named.npy"))
    let resumed = try run("train --resume --out named --steps 60", ["--given", "\(y),z"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    let wrong = try run("sample --model named --out x.npy", ["--given", "1"])
    #expect(wrong.status == 2 && wrong.errors.contains("expected \(y)=NUMBER,z=NUMBER"))
    #expect(wrong.errors.contains("--given is 1, without z;"))
    for (words, part) in [
      ("inspect named --quiet", "\(y), z"),
      ("inspect named.csv --quiet", "\"x, m\""),
      ("likelihood --model named --data named.csv --count 2 --strata 0", "its own \(y), z from"),
    ] {
      #expect(try bench.scoresde(words).output.contains(part))
    }
    try bench.write(.text("\"y, \"\"t\"\"\",z\n1,2\n"), to: "near.csv")
    let near = try run("sample --model named --out x.npy", ["--given", "near.csv"])
    #expect(
      near.errors.contains("no column \(y) (did you mean \"y, \"\"t\"\"\"?); expected \(y), z"))
    let missing = try run("train --data named.csv --out new", ["--given", "w"])
    #expect(missing.errors.contains("expected some of \"x, m\", \(y), z"), "\(missing.errors)")
    for (words, given) in [
      ("sample --model named --out x.npy", "\"y=1"),
      ("train --data named.csv --out new", "\"y,z"),
    ] {
      let open = try run(words, ["--given", given])
      #expect(open.status == 2 && open.errors.contains("--given is \(given)"), "\(open.errors)")
    }
  }

  @Test func aConstantNumberIsRemarkedOn() throws {
    let bench = try Workbench([
      "data.csv": Data("x,y\n1,5\n2,5\n3,5\n".utf8)
    ])
    let outcome = try bench.scoresde("train --data data.csv --given y --out run \(Self.options)")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("the same number in every row of y, which is given"))
  }

  /// Numbers are standardised: units that are powers of 2 change no bit.
  @Test func unitsOfWhatIsGivenChangeNothing() throws {
    let bench = try trained("y,z", ["units.csv": Self.table([1, 1024, 1.0 / 128])])
    let _: Reports.Train = try bench.report(
      "train --data units.csv --given y,z --out other \(Self.options)")
    #expect(
      try bench.data("run/checkpoint.safetensors") == bench.data("other/checkpoint.safetensors"))
    func sample(_ words: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --solver ddim --steps 20 --count 15 --out x.npy \(words)")
      return try bench.numbers("x.npy")
    }
    #expect(
      try sample("--model run --given y=0.25,z=1.5")
        == sample("--model other --given y=256,z=0.01171875"))
  }

  @Test func aRunGoesOnWithItsNumbersAndNoOthers() throws {
    let numbers = (0..<48).map { cos(2 * .pi * Double($0) / 48) }
    let bench = try trained(
      "y,z",
      [
        "y.npy": .npy(numbers, shape: [48]), "moved.npy": .npy(numbers, shape: [48, 1]),
        "seen.csv": .text("y\n1\n"),
      ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --given y.npy --out filed \(Self.options)")
    for words in ["--out run --given y,z", "--out run", "--out filed --given moved.npy"] {
      let _: Reports.Train = try bench.report("train --resume --steps 60 \(words)")
    }
    for (words, found) in [
      ("train --resume --out run --given z,y", "other numbers"),
      ("train --resume --out filed --given data.csv", "data.csv"),
      ("train --data data.csv --given x,y,z --out new", "only column"),
      ("train --data data.csv --given y,q --out new", "no column “q”; expected some of x, y, z"),
      ("train --data data.csv --given y --label-dropout 1 --out new", "expected below 1"),
      ("train --resume --out run --given y", "other numbers"),
      ("sample --model run --out x.npy --given y=1,2", "--given is y=1,2"),
      ("sample --model run --out x.npy --given 1,z=2", "--given is 1,z=2, with and without names"),
      ("train --data moons --given y --out new", "moons: there is no column “y”"),
      ("train --data data.csv --given one.npy --out new", "one.npy"),
      ("train --data data.csv --given y,,z --out new", "--given is y,,z"),
      ("train --data data.csv --label-dropout 0.5 --out new", "without --labels or --given"),
      ("sample --model run --out x.npy --given 1", "expected y=NUMBER,z=NUMBER"),
      ("sample --model run --out x.npy --given data.csv --count 1000000000000", "GB"),
      ("sample --model run --out x.npy --count 2000000000000", "--count is 2000000000000"),
      ("sample --model run --out x.npy --given y=1,zz=2", "--given is y=1,zz=2, with zz, which"),
      ("sample --model run --out x.npy --given y=1", "--given is y=1, without z; expected"),
      (
        "sample --model run --out x.npy --given 1,2,3", "--given is 1,2,3, with 3 numbers; expected"
      ),
      ("sample --model run --out x.npy --given y=nan,z=1", "where y is “nan”, no finite number;"),
      ("sample --model run --out x.npy --given 1,x", "where z is “x”, no finite number; expected"),
      ("sample --model run --out x.npy --given y=1,z=1,y=2", "with y twice; expected"),
      ("sample --model run --out x.npy --given y=1,y=2", "y=1,y=2"),
      ("sample --model run --out x.npy --given y=1,z=inf", "z=inf"),
      ("sample --model run --out x.npy --given data.npy", "data.npy"),
      ("sample --model run --out rows.npy --given rows.npy", "--out and --given are one file"),
      ("sample --model run --out x.npy --from x.npy", "--out and --from are one file"),
      (
        "sample --model run --out x.npy --observe seen.csv",
        "seen.csv has a column y, which the run was trained to be given; expected it in --given"
      ),
      ("sample --model filed --out x.npy --given y=1", "expected 1 number"),
      ("sample --model gaussian --out x.npy --given 1", "of no covariates"),
      ("sample --model run --out x.npy --guidance 2", "without --class or --given"),
      ("likelihood --model run --data data.csv --given y.npy", "48 rows of 1 number"),
    ] {
      let outcome = try bench.scoresde(words + " --quiet")
      #expect(
        [1, 2].contains(outcome.status) && outcome.errors.contains(found), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
  }

  /// Runs that were begun in Swift say nothing of the units of what is given: it is the model's own.
  @Test func runsBegunInSwiftTakeNumbersAsTheyAre() throws {
    let bench = try Workbench([
      "x.npy": .npy([0.5, -0.25, 1], shape: [3, 1]), "y.npy": .npy([1, 0, -1.5], shape: [3, 1]),
      "labels.npy": .npy([0, 1, 0], shape: [3]),
    ])
    let folder = RunFolder(bench.path("own"))
    let model = ModelConfiguration(
      sampleShape: [1], network: NetworkSpec(width: 8, depth: 1, frequencies: 4),
      preconditioning: .standardized(mean: 0, deviation: 1), classes: 2, covariates: 1)
    var options = TrainingOptions()
    options.steps = 20
    options.batchSize = 16
    let (process, pool) = (try VariancePreserving(), ThreadPool(threads: 1))
    var trainer = try Trainer<Float>(model, process: process, options: options, pool: pool) {
      count, key in
      try TrainingData(
        key.folded("x").normal([count, 1]), labels: (0..<count).map { $0 % 2 },
        covariates: key.folded("y").normal([count, 1]))
    }
    for _ in 0..<10 { try trainer.advance() }
    try folder.create(
      RunDescription(
        model: model, process: process, scalar: "float32", data: "a simulation", options: options))
    try folder.save(trainer, log: LossLog())
    let _: Reports.Sample = try bench.report(
      "sample --model own --given 1 --class 1 --solver ddim --steps 12 --count 5 --out s.npy")
    let field = try trainer.averagedModel(pool: pool).conditioned(on: 1).conditioned(on: [1])
    let expected = try Sampler(field, SolverSpec("ddim"), steps: 12).sample(
      5, key: RandomKey(0).folded("sample"))
    #expect(try bench.numbers("s.npy") == expected.samples.scalars.map(Double.init))
    for words in ["calibrate --draws 9", "likelihood --strata 0"] {
      let outcome = try bench.scoresde(
        "\(words) --model own --data x.npy --given y.npy --class labels.npy")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try bench.scoresde("inspect own").output.contains("1 number"))
    let resumed = try bench.scoresde("train --resume --out own --data x.npy")
    #expect(resumed.status == 1)
    #expect(resumed.errors.contains("does not say where its labels and covariates are"))
    // A run without either is known by its data, of which this one has words alone.
    let plain = ModelConfiguration(
      sampleShape: [1], network: model.network, preconditioning: model.preconditioning)
    var other = try Trainer<Float>(plain, process: process, options: options, pool: pool) {
      try TrainingData($1.normal([$0, 1]))
    }
    try other.advance()
    let otherFolder = RunFolder(bench.path("other"))
    try otherFolder.create(
      RunDescription(
        model: plain, process: process, scalar: "float32", data: "a simulation", options: options))
    try otherFolder.save(other, log: LossLog())
    let refused = try bench.scoresde("train --resume --out other --data x.npy")
    #expect(refused.status == 1 && refused.errors.contains("“a simulation”; expected it to go on"))
  }
}

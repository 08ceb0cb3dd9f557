import Foundation
import ScoreSDE
import Testing

/// Runs of classes that have names.
@Suite struct ClassNameTests {
  private static let options =
    "--steps 20 --batch-size 16 --network mlp:width=16,layers=1 --warm-up 0 --learning-rate 0.01"

  /// Folders of grey images of 2 × 2 pixels, of brightness by folder; what ends in a star has none.
  private static func folders(_ names: [String], in place: String) -> [String: Data] {
    var files: [String: Data] = [:]
    for (label, name) in names.enumerated() {
      let folder = "\(place)/\(name.filter { $0 != "*" })"
      if name.hasSuffix("*") {
        files["\(folder)/notes.txt"] = .text("none yet")
        continue
      }
      for image in 0..<6 {
        let raster = Raster(
          width: 2, height: 2, channels: 1,
          pixels: (0..<4).map { UInt8(20 + 18 * label + (11 * image + 5 * $0) % 17) })
        files["\(folder)/\(image).png"] = Data(raster.png)
      }
    }
    return files
  }

  /// `pets`, of which classes 1 and 3 have images, and `odd`, whose names are what else `--class` takes; the runs of both,
  /// `run` and `odd-run`, and `old` and `odd-old`, the same without their names.
  private static let files: [String: Data] = {
    do {
      let bench = try Workbench(
        folders(["ant*", "cat", "cow*", "dog", "zebra*"], in: "pets").merging(
          folders(["1", "10", "2", "4-12", "a, b", "data", "two.csv"], in: "odd")
        ) { $1 })
      for (data, run, old) in [("pets", "run", "old"), ("odd", "odd-run", "odd-old")] {
        let _: Reports.Train = try bench.report(
          "train --data \(data) --labels data --out \(run) \(options)")
        for part in ["checkpoint.safetensors", "loss.csv"] {
          try bench.write(bench.data("\(run)/\(part)"), to: "\(old)/\(part)")
        }
        let lines = String(decoding: try bench.data("\(run)/run.json"), as: UTF8.self)
          .split(separator: "\n")
        let rest = lines.filter { !$0.contains("\"class names\"") }
        try #require(rest.count == lines.count - 1)
        try bench.write(.text(rest.joined(separator: "\n")), to: "\(old)/run.json")
      }
      return try bench.contents().filter { !$0.value.isEmpty }
    } catch {
      Issue.record(error, "the runs that these tests lean on")
      return [:]
    }
  }()

  private static func samples(_ bench: Workbench, _ run: String, _ text: String) throws -> [Double]
  {
    let words =
      "sample --count 3 --solver ddim --steps 3 --out x.npy --json --quiet --model \(run)"
    let _: Reports.Sample = try bench.scoresde(
      words.split(separator: " ").map(String.init) + ["--class", text]
    ).report()
    return try bench.numbers("x.npy")
  }

  @Test func classesAreAskedForByNameAsByNumber() throws {
    let bench = try Workbench(Self.files)
    let expected = try Self.samples(bench, "old", "3,1")
    for text in ["dog,cat", "3,cat", "dog, 1", "\"dog\",cat", "3,1"] {
      #expect(try Self.samples(bench, "run", text) == expected, "\(text)")
    }
    for (words, text) in [
      ("dog", " of class “dog” by "), ("3,cat", " of classes “dog”, “cat” by "),
    ] {
      let said = try bench.scoresde(
        "sample --model run --class \(words) --solver ddim --steps 2 --out x.npy")
      #expect(said.output.contains(text), "\(said.output)\(said.errors)")
    }
    // What is printed differs in how the class is spelled, and in times.
    func numbers(_ words: String) throws -> String {
      try? bench.remove("study")
      let outcome = try bench.scoresde("\(words) --json --quiet")
      try #require(outcome.status == 0, "\(outcome.errors)")
      return outcome.output.replacing("\"class\": \"cat\"", with: "\"class\": \"1\"")
        .replacing(/"seconds": [^,]*/, with: "")
    }
    for words in [
      "likelihood --model run --data pets --count 4 --strata 2",
      "calibrate --model run --data pets --draws 3 --steps 3",
      "study --model run --nfe 2 --solvers euler --grids uniform --count 5 --out study",
    ] {
      let named = try numbers("\(words) --class cat")
      #expect(try named == numbers("\(words) --class 1"), "\(words)")
      #expect(try named != numbers("\(words) --class 3"), "\(words)")
    }
    let spoken = try bench.scoresde(
      "likelihood --model run --data pets --count 2 --strata 0 --class dog")
    #expect(spoken.output.contains(", of class “dog” from"), "\(spoken.output)")
    let member = try bench.scoresde(
      "likelihood --model run --data pets --count 2 --strata 0 --class dog --json --quiet")
    #expect(member.output.contains("\"class\": \"dog\""))
  }

  @Test func namesAreKeptWhereARunGoesOnAndWhereItIsDistilled() throws {
    let bench = try Workbench(Self.files)
    let _: Reports.Train = try bench.report("train --out run --resume --steps 30")
    let _: Reports.Train = try bench.report(
      "distill --model run --out fast --steps 5 --batch-size 16 --solver unipc --solver-steps 4")
    let names = #""classNames": ["ant", "cat", "cow", "dog", "zebra"]"#
    for run in ["run", "fast"] {
      let inspected = try bench.scoresde("inspect \(run) --json")
      #expect(inspected.output.contains(names), "\(run): \(inspected.output)")
    }
    for text in ["dog", "3"] {
      let _: Reports.Sample = try bench.report(
        "sample --model fast --class \(text) --count 3 --out \(text).npy")
    }
    #expect(try bench.numbers("dog.npy") == bench.numbers("3.npy"))
    // The same numbers in a file mean what the file says.
    try bench.write(
      .npy([1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3], shape: [12]), to: "labels.npy")
    let _: Reports.Train = try bench.report(
      "train --data pets --labels labels.npy --out file \(Self.options)")
    #expect(try !bench.scoresde("inspect file --json").output.contains("classNames"))
  }

  @Test func inspectLists() throws {
    let bench = try Workbench(Self.files)
    for place in ["run", "pets"] {
      let text = try bench.scoresde("inspect \(place)").output
      #expect(text.contains(/class names +ant, cat, cow, dog, zebra/), "\(text)")
    }
    let odd = try bench.scoresde("inspect odd").output
    #expect(odd.contains(#""1", "10", "2", "4-12", "a, b", "data", two.csv"#), "\(odd)")
    // So many that people see the first of them, and programs all.
    for (name, file) in Self.folders((0..<12).map { "kind\(10 + $0)" }, in: "many") {
      try bench.write(file, to: name)
    }
    let many = try bench.scoresde("inspect many").output
    #expect(many.contains("kind18, kind19, … (12)") && !many.contains("kind20"), "\(many)")
    #expect(try bench.scoresde("inspect many --json").output.contains("\"kind21\"]"))
  }

  /// Runs of earlier versions have no names, and are asked for numbers alone.
  @Test func runsWithoutNamesAreAsTheyWere() throws {
    let bench = try Workbench(Self.files)
    #expect(try Self.samples(bench, "old", "1") == Self.samples(bench, "run", "cat"))
    #expect(try !bench.scoresde("inspect old --json").output.contains("classNames"))
    let spoken = try bench.scoresde(
      "likelihood --model old --data pets --count 2 --strata 0 --class 3")
    #expect(spoken.output.contains(", of class 3 from"), "\(spoken.output)")
    for (words, part) in [
      ("sample --out x.npy --class cat", "expected different whole numbers from 0 on"),
      ("likelihood --data pets --class cat", "expected one class, a whole number from 0 on"),
      ("sample --out x.npy --class 0", "no sample of class 0; expected classes that it saw"),
    ] {
      let outcome = try bench.scoresde("\(words) --model old")
      #expect(outcome.status == 2 && outcome.errors.contains(part), "\(outcome.errors)")
    }
    let _: Reports.Train = try bench.report("train --out old --resume --steps 30")
    #expect(try !bench.scoresde("inspect old --json").output.contains("classNames"))
  }

  /// Other data may have not all of the classes, or others: what counts is what they are called.
  @Test func classesOfOtherDataAreFoundByTheirNames() throws {
    let bench = try Workbench(Self.files)
    for (name, file) in Self.folders(["dog"], in: "test") { try bench.write(file, to: name) }
    for (name, file) in Self.folders(["bird", "dog"], in: "more") {
      try bench.write(file, to: name)
    }
    func nats(_ text: String) throws -> [Double] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --data test --strata 0 --out nats.npy --class \(text)")
      return try bench.numbers("nats.npy")
    }
    #expect(try nats("data") == nats("3") && nats("data") != nats("1"))
    let outcome = try bench.scoresde("likelihood --model run --data more --class data")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(
      outcome.errors.hasPrefix(
        "scoresde: more, sample 0: the class is “bird”, of which the run saw no sample; known are ant, cat"
      ), "\(outcome.errors)")
  }

  /// What reads as a number is one, and in quotes a name; names come before files, and before nothing else.
  @Test func namesThatReadAsSomethingElseStandInQuotes() throws {
    let bench = try Workbench(Self.files)
    try bench.write(.text("6\n3\n"), to: "two.csv")
    for (text, number) in [
      ("\"1\"", "0"), ("\"10\"", "1"), ("2", "2"), ("\"2\"", "2"), ("\"4-12\"", "3"), ("3", "3"),
      ("\"a, b\",2", "4,2"), ("data", "5"), ("\"data\"", "5"), ("two.csv", "6"),
      ("./two.csv", "6,3"),
    ] {
      let own = try Self.samples(bench, "odd-run", text)
      #expect(try own == Self.samples(bench, "odd-old", number), "\(text)")
    }
    for (text, part) in [
      (
        "1",
        "has 1, but in the run odd-run class 0 is called “1”, and class 1 “10”; expected a name, '\"1\"' or '\"10\"'"
      ),
      ("10", "has 10, but in the run odd-run class 1 is called “10”; expected '\"10\"' for that"),
      ("0-3", "has 0-3, but in the run odd-run class 0 is called “1”, and class 1 “10”"),
      (
        "4-12",
        "has 4-12, but in the run odd-run class 3 is called “4-12”; expected '\"4-12\"' for that"
      ),
    ] {
      let outcome = try bench.scoresde("sample --model odd-run --out y.npy --class \(text)")
      #expect(outcome.status == 2 && outcome.errors.contains(part), "\(outcome.errors)")
    }
    let spoken = try bench.scoresde(
      "likelihood --model odd-run --data odd --count 2 --strata 0 --class data")
    #expect(spoken.output.contains(", each of its own class"))
    #expect(spoken.errors.contains("\"data\", in quotes, is the class"), "\(spoken.errors)")
  }

  @Test func classesWithoutSamplesAreSaidByName() throws {
    let bench = try Workbench(Self.folders(["ant*", "cat", "zebra*"], in: "pets"))
    let outcome = try bench.scoresde("train --data pets --labels data --out run \(Self.options)")
    #expect(
      outcome.errors.contains(
        "no sample is of class “ant”, “zebra”: nothing is learnt of it, and --class refuses it\n"),
      "\(outcome.errors)")
  }

  @Test(arguments: [
    ("sample --class dgo --out x.npy", "no class “dgo” (did you mean dog?)"),
    (
      "sample --class cat,bird --out x.npy", "no class “bird”, and there is no such file; known are"
    ),
    ("study --class bird --out study", "no class “bird”; known are ant, cat, cow, dog, zebra\n"),
    ("sample --class cat,1 --out x.npy", "--class is cat,1, which has a class twice"),
    ("sample --class \"cat --out x.npy", "where a quote is not closed"),
    ("sample --class zebra --out x.npy", "trained on no sample of class “zebra”"),
    ("sample --class ant --out x.npy", "trained on no sample of class “ant”"),
    ("sample --class 7 --out x.npy", "class 7 is asked for; expected one from 0 to 3"),
    ("likelihood --class cat,dog --data pets", "expected one class, by number or name, data"),
    ("study --class cat,dog --out study", "expected one class, by number or name\n"),
  ])
  func whatIsNoClassIsRefusedInOneSentence(words: String, part: String) throws {
    let bench = try Workbench(Self.files)
    let outcome = try bench.scoresde("\(words) --model run")
    #expect(outcome.status == 2 && outcome.errors.contains(part), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty)
  }

  @Test func fewerNamesThanClassesAreAFailure() throws {
    let bench = try Workbench(Self.files)
    let text = String(decoding: try bench.data("run/run.json"), as: UTF8.self)
    try bench.write(
      .text(text.replacing(#"\"cow\",\"dog\",\"zebra\""#, with: #"\"cow\""#)), to: "run/run.json")
    for words in ["inspect run", "sample --model run --class cat --out x.npy"] {
      let outcome = try bench.scoresde(words)
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(
        outcome.errors
          == "scoresde: run/run.json: 3 classes have names, where the model has 4\n",
        "\(outcome.errors)")
    }
  }

  /// Held-out data, and data that a run goes on with, have the classes of their names, whatever numbers these have there.
  @Test func heldOutDataAndLaterRunsFindClassesByName() throws {
    let bench = try Workbench(Self.files)
    for (name, file) in Self.folders(["dog"], in: "test") { try bench.write(file, to: name) }
    for (name, file) in Self.folders(["bird", "dog"], in: "more") {
      try bench.write(file, to: name)
    }
    let words = "train --labels data --steps 4 --batch-size 4"
    func notes(_ run: String) throws -> [String: String] {
      try JSONDecoder().decode(RunDescription.self, from: bench.data("\(run)/run.json")).notes
    }
    let _: Reports.Train = try bench.report("\(words) --start run --data test --out next")
    let (found, known) = (try notes("next"), try notes("run"))
    #expect(found["class names"] == known["class names"])
    #expect(found["empty classes"] == "[0,1,2]")
    let _: Reports.Train = try bench.report("train --resume --out next --steps 8")
    let network = "--network mlp:width=16,layers=1"
    let _: Reports.Train = try bench.report(
      "\(words) \(network) --data pets --validation test --out held")
    for start in ["--start run --data more", "\(network) --data pets --validation more"] {
      let outcome = try bench.scoresde("\(words) \(start) --out none")
      #expect(outcome.status == 1 && outcome.errors.contains("“bird”"), "\(outcome.errors)")
    }
  }
}

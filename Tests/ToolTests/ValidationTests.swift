import Foundation
import ScoreSDE
import Testing

/// Runs that are told of held-out data, `--validation`.
@Suite struct ValidationTests {
  private static let network = "--network mlp:width=16,layers=1 --batch-size 16 --seed 3"
  private static let options = "\(network) --schedule constant"
  private static let parts = [
    "run.json", "checkpoint.safetensors", "loss.csv", "loss.svg", "validation.csv",
    "validation.safetensors",
  ]
  private static let files = [
    "data.npy": Levels.singleFile,
    "test.npy": Data.npy(bytes: (0..<40).map { UInt8(60 + ($0 * 31) % 81) }, shape: [40, 1]),
  ]

  private static func train(_ run: String, steps: Int, _ words: String = "") -> String {
    "train --data data.npy --validation test.npy --out \(run) --steps \(steps) --checkpoint-every 10 \(options) \(words)"
  }

  private static func log(_ bench: Workbench, _ run: String) throws -> ValidationLog {
    try ValidationLog(
      text: String(decoding: bench.data("\(run)/validation.csv"), as: UTF8.self), name: run)
  }

  /// Held-out data change nothing of what is trained.
  @Test func parametersAreThoseOfARunWithout() throws {
    let bench = try Workbench(Self.files)
    let with: Reports.Train = try bench.report(Self.train("with", steps: 30))
    let without: Reports.Train = try bench.report(
      "train --data data.npy --out without --steps 30 \(Self.options)")
    for part in ["checkpoint.safetensors", "loss.csv"] {
      #expect(try bench.data("with/\(part)") == bench.data("without/\(part)"), "\(part)")
    }
    #expect(with.loss == without.loss && without.validation == nil)
    let names = try bench.contents().keys
    #expect(names.contains("without/loss.svg") && !names.contains("without/validation.csv"))
    #expect(
      try !String(decoding: bench.data("without/loss.svg"), as: UTF8.self).contains("held-out"))
    #expect(try String(decoding: bench.data("with/loss.svg"), as: UTF8.self).contains("held-out"))

    // What is reported is the last line of the log, by whatever command.
    let log = try Self.log(bench, "with")
    #expect(log.entries.map(\.step) == [10, 20, 30])
    let (last, found) = (try #require(log.entries.last), try #require(with.validation))
    #expect(found.data == "test.npy" && found.step == 30 && !found.learntByHeart)
    #expect(found.leastStep == log.least?.step)
    for (report, mean) in [
      (found.loss, last.loss), (found.trainingLoss, last.trainingLoss), (found.gap, last.gap),
      (found.rise, last.rise),
    ] {
      #expect(report.value == mean.value && report.standardError == mean.standardError)
    }
    #expect(abs(last.gap.value - (last.loss.value - last.trainingLoss.value)) < 1e-12)
    let run: Reports.Run = try bench.report("inspect with")
    #expect(run.validationData == "test.npy" && run.validation == found)
    let plain: Reports.Run = try bench.report("inspect without")
    #expect(plain.validationData == nil && plain.validation == nil)
    let text = try bench.scoresde("train --out with --resume --quiet").output
    #expect(text.contains("\nvalidation loss ") && text.contains("of training samples"), "\(text)")
  }

  /// The loss is that of the library under the model that samples are drawn from.
  @Test func theLossIsThatOfTheAveragedModel() throws {
    let bench = try Workbench(Self.files)
    let report: Reports.Train = try bench.report(Self.train("run", steps: 20))
    let pool = ThreadPool(threads: 1)
    let folder = RunFolder(bench.path("run"))
    let description = try folder.description()
    let model: ScoreModel<Float> = try folder.model(pool: pool)
    // Bytes are seen as x = −1 + (r + u)/128.
    func data(_ file: String) throws -> TrainingData<Float> {
      let levels: Tensor<Float> = try NPY.read(bench.path(file))
      return try TrainingData(levels.map { $0 / 128 - 1 }, bins: Bins(widths: [1.0 / 128]))
    }
    let training = try data("data.npy")
    let result = try Validation(
      model.configuration,
      loss: ScoreMatchingLoss(
        process: model.process, weighting: description.options.weighting,
        times: description.options.times, dataDeviation: training.moments.deviation),
      heldOut: data("test.npy"), training: training, seed: 3)(model)
    let found = try #require(report.validation)
    #expect(abs(found.loss.value - result.loss.value) < 1e-6)
    #expect(abs(found.trainingLoss.value - result.trainingLoss.value) < 1e-6)
    #expect(abs(found.gap.standardError - result.gap.standardError) < 1e-6)
  }

  /// Columns are brought to size by the moments of the training data, whatever those of the held-out data are.
  @Test func columnsAreStandardisedAsThoseOfTheTrainingDataAre() throws {
    func table(_ count: Int, _ key: UInt64, shift: Double) -> Tensor<Double> {
      let normal: Tensor<Double> = RandomKey(key).normal([count, 2])
      return Tensor(
        [count, 2],
        normal.scalars.enumerated().map {
          $0.offset % 2 == 0 ? 100 + 20 * ($0.element + shift) : 0.01 * $0.element
        })
    }
    let (data, test) = (table(60, 1, shift: 0), table(30, 2, shift: 0.5))
    let bench = try Workbench([
      "data.npy": .npy(data.scalars, shape: [60, 2]),
      "test.npy": .npy(test.scalars, shape: [30, 2]),
    ])
    let report: Reports.Train = try bench.report(
      Self.train("run", steps: 20, "--scalar float64"))
    let model: ScoreModel<Double> = try RunFolder(bench.path("run")).model(
      pool: ThreadPool(threads: 1))
    let map = try Standardization(of: data, by: .columns)
    let result = try Validation(
      model.configuration,
      loss: ScoreMatchingLoss(
        process: model.process, weighting: .balanced, times: .balanced,
        dataDeviation: TrainingData(map.standardized(data)).moments.deviation),
      heldOut: TrainingData(map.standardized(test)),
      training: TrainingData(map.standardized(data)), seed: 3)(model)
    let found = try #require(report.validation)
    #expect(abs(found.loss.value - result.loss.value) < 1e-12)
    #expect(abs(found.trainingLoss.value - result.trainingLoss.value) < 1e-12)
    #expect(abs(found.gap.value) > 1e-3)
  }

  @Test func aResumedRunEndsInTheBitsOfOneThatWasNot() throws {
    let bench = try Workbench(Self.files)
    // An end between checkpoints is gone beyond.
    for run in ["run", "other"] {
      let _: Reports.Train = try bench.report(
        Self.train(run, steps: run == "run" ? 25 : 20, "--threads 1"))
    }
    #expect(try Self.log(bench, "run").entries.map(\.step) == [10, 20, 25])
    let whole: Reports.Train = try bench.report(Self.train("whole", steps: 45, "--threads 2"))
    for run in ["run", "other"] {
      let resumed: Reports.Train = try bench.report(
        "train --out \(run) --resume --steps 45 --checkpoint-every 10")
      #expect(resumed.validation == whole.validation)
      // Means of the loss are over the steps since an entry before, which an end of 25 has made one more of.
      for part in Self.parts where run == "other" || !part.hasPrefix("loss") {
        #expect(try bench.data("\(run)/\(part)") == bench.data("whole/\(part)"), "\(part)")
      }
    }
    // A run that is at its end stays as it is.
    let before = try bench.contents()
    let again: Reports.Train = try bench.report("train --out run --resume --checkpoint-every 10")
    #expect(try bench.contents() == before && again.validation == whole.validation)
  }

  /// Lines that were due stay, whatever the interval is later, and one of an end that is gone beyond goes.
  @Test func aRunKeepsItsIntervalAndItsLines() throws {
    let bench = try Workbench(Self.files)
    func steps(_ run: String, _ words: String) throws -> [Int] {
      let _: Reports.Train = try bench.report("train --out \(run) --resume \(words)")
      return try Self.log(bench, run).entries.map(\.step)
    }
    for (run, steps) in [("run", 30), ("other", 20), ("old", 25), ("whole", 60)] {
      let _: Reports.Train = try bench.report(Self.train(run, steps: steps))
    }
    #expect(try steps("run", "--steps 60") == [10, 20, 30, 40, 50, 60])
    for part in Self.parts {
      #expect(try bench.data("run/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
    #expect(try steps("other", "--steps 60 --checkpoint-every 50") == [10, 20, 50, 60])
    // The interval is now 50, of which the end at 60 was none.
    #expect(try steps("other", "--steps 110") == [10, 20, 50, 100, 110])
    // A run of an earlier version does not say which lines were due.
    let folder = RunFolder(bench.path("old"))
    var description = try folder.description()
    #expect(description.notes.removeValue(forKey: "checkpoint every") == "10")
    try folder.update(description)
    #expect(try steps("old", "--steps 40") == [10, 20, 25, 40])
    description.notes["checkpoint every"] = "often"
    try folder.update(description)
    let outcome = try bench.scoresde("train --out old --resume")
    #expect(outcome.status == 1 && outcome.errors.contains("the checkpoint every often makes no"))
  }

  @Test func aRunThatWasKilledOrStoppedEndsInTheBitsOfOneThatWasNot() throws {
    let bench = try Workbench(Self.files)
    func train(_ run: String, _ every: Int) -> String {
      "train --data data.npy --validation test.npy --out \(run) --steps 2000 --checkpoint-every \(every) \(Self.network)"
    }
    let _: Reports.Train = try bench.report(train("whole", 10))
    try bench.scoresde(train("killed", 10), killedOnceThereIs: "killed/checkpoint.safetensors")
    let (outcome, _) = try bench.scoresde(
      train("stopped", 10), sent: [SIGINT], onceThereIs: "stopped/run.json")
    #expect(outcome.status == 128 + SIGINT)
    for run in ["killed", "stopped"] {
      let _: Reports.Train = try bench.report("train --out \(run) --resume --checkpoint-every 10")
      for part in Self.parts {
        #expect(try bench.data("\(run)/\(part)") == bench.data("whole/\(part)"), "\(run) \(part)")
      }
    }
    // A stop before the first line leaves a log without any.
    let (early, _) = try bench.scoresde(
      train("early", 2000), sent: [SIGTERM], onceThereIs: "early/run.json")
    #expect(early.status == 128 + SIGTERM)
    #expect(try Self.log(bench, "early").entries.isEmpty)
    let inspected: Reports.Run = try bench.report("inspect early")
    #expect(inspected.validationData == "test.npy" && inspected.validation == nil)
    let _: Reports.Train = try bench.report("train --out early --resume --checkpoint-every 2000")
    #expect(
      try bench.data("early/checkpoint.safetensors") == bench.data("whole/checkpoint.safetensors"))
    #expect(try Self.log(bench, "early").entries.map(\.step) == [2000])
  }

  /// Few samples are learnt by heart, and that is said; the figure and the log show it.
  @Test func learningByHeartIsSaid() throws {
    func points(_ count: Int, _ key: UInt64) -> Data {
      let normal: Tensor<Double> = RandomKey(key).normal([count, 2])
      return .npy(normal.scalars, shape: [count, 2])
    }
    let bench = try Workbench(["few.npy": points(20, 1), "test.npy": points(500, 2)])
    let outcome = try bench.scoresde(
      "train --data few.npy --validation test.npy --out run --network residual-mlp:width=128,blocks=3 --steps 1200 --warm-up 50 --average-decay 0.98 --checkpoint-every 100 --quiet"
    )
    #expect(outcome.status == 0)
    let log = try Self.log(bench, "run")
    let least = try #require(log.least?.step)
    #expect(least < 500 && log.hasLearntByHeart)
    #expect(
      outcome.output.contains("; it was least at step \(least), and has risen by ")
        && outcome.output.contains(" since: the model has begun to learn its data by heart\n"),
      "\(outcome.output)")
    let report: Reports.Train = try bench.report("train --out run --resume")
    #expect(report.validation?.learntByHeart == true && report.validation?.leastStep == least)
    #expect(try bench.scoresde("inspect run").output.contains("by heart"))
  }

  /// Rows x, y and z with a class, in the columns of a header in any order.
  private static func table(
    _ header: String, rows: Range<Int>, kinds: Int = 2
  ) -> Data {
    let names = header.split(separator: ",")
    let lines = rows.map { row in
      let angle = 0.37 * Double(row)
      return names.map { name in
        switch name {
        case "x": "\(100 + 7 * cos(angle))"
        case "y": "\(0.01 * sin(angle))"
        case "kind": "\(row % kinds)"
        default: "\(5 + cos(2 * angle))"
        }
      }.joined(separator: ",")
    }
    return .text(([header] + lines).joined(separator: "\n"))
  }

  /// Columns are found by their names, and are in the units of the data that are trained on.
  @Test func columnsClassesAndWhatIsGivenAreTakenByName() throws {
    let bench = try Workbench([
      "data.csv": Self.table("x,kind,y,z", rows: 0..<60),
      "test.csv": Self.table("x,kind,y,z", rows: 60..<90),
      "turned.csv": Self.table("z,y,more,kind,x", rows: 60..<90),
    ])
    let words =
      "train --data data.csv --labels column:kind --given z --steps 30 --checkpoint-every 10 \(Self.options)"
    let own: Reports.Train = try bench.report("\(words) --validation test.csv --out own")
    let turned = try bench.scoresde("\(words) --validation turned.csv --out turned")
    #expect(turned.errors.contains("turned.csv: the run has no column more, which is left out\n"))
    #expect(try bench.data("own/validation.csv") == bench.data("turned/validation.csv"))
    let found = try #require(own.validation)
    #expect(found.loss.value < 1.5 && abs(found.gap.value) < 0.2, "\(found)")
    // Where they are now, in whatever order.
    let before = try bench.data("own/validation.csv")
    try bench.remove("test.csv")
    let moved = try bench.scoresde("train --out own --resume --quiet")
    #expect(moved.status == 1 && moved.errors.contains("test.csv"), "\(moved.errors)")
    let resumed: Reports.Train = try bench.report(
      "train --out own --resume --validation turned.csv")
    #expect(resumed.validation?.data == "turned.csv")
    #expect(try bench.data("own/validation.csv") == before)
    let again: Reports.Train = try bench.report("train --out own --resume")
    #expect(again.validation?.gap == found.gap)
  }

  /// Labels and what is given stand in files of their own as well as in columns, and a run knows where.
  @Test func labelsAndWhatIsGivenMayBeFiles() throws {
    func column(_ name: String, _ rows: Range<Int>) -> Data {
      let lines = String(decoding: Self.table(name, rows: rows), as: UTF8.self).split(
        separator: "\n")
      return .npy(lines.dropFirst().compactMap { Double($0) }, shape: [rows.count, 1])
    }
    let (own, other) = (0..<60, 60..<90)
    let bench = try Workbench([
      "data.csv": Self.table("x,kind,z", rows: own),
      "test.csv": Self.table("x,kind,z", rows: other),
      "x.npy": column("x", own), "kind.npy": column("kind", own), "z.npy": column("z", own),
      "test-x.npy": column("x", other), "test-kind.npy": column("kind", other),
      "test-z.csv": Self.table("y,z", rows: other), "test-y.csv": Self.table("y", rows: other),
      "test-z.npy": column("z", other),
    ])
    let words = "--steps 20 --checkpoint-every 10 --scalar float64 \(Self.options)"
    let table: Reports.Train = try bench.report(
      "train --data data.csv --labels column:kind --given z --validation test.csv --out table \(words)"
    )
    let files = "train --data x.npy --labels kind.npy --given z.npy --out files \(words)"
    for (more, status, part) in [
      ("--validation test-x.npy", 2, "or --validation-labels FILE"),
      ("--validation-labels test-kind.npy", 2, "--validation-labels is given without --validation"),
      ("--validation test-x.npy --validation-labels kind.npy", 1, "60 labels for 30 samples"),
      (
        "--validation test-x.npy --validation-labels test-kind.npy", 2,
        "expected --validation-given FILE, with a row a sample"
      ),
      (
        "--validation test-x.npy --validation-labels test-kind.npy --validation-given z.npy", 1,
        "z.npy has 60 rows; expected 30, one a sample"
      ),
      (
        "--validation test-x.npy --validation-labels test-kind.npy --validation-given z", 2,
        "--validation-given is z; expected a file with a row a sample"
      ),
    ] {
      let outcome = try bench.scoresde("\(files) \(more) --quiet")
      #expect(outcome.status == status && outcome.errors.contains(part), "\(outcome.errors)")
    }
    let found: Reports.Train = try bench.report(
      "\(files) --validation test-x.npy --validation-labels test-kind.npy --validation-given test-z.npy"
    )
    #expect(found.validation?.loss == table.validation?.loss)
    #expect(try bench.data("files/validation.csv") == bench.data("table/validation.csv"))
    // They are where they were, or elsewhere, and others are refused.
    let _: Reports.Train = try bench.report("train --out files --resume --scalar float64")
    try bench.write(bench.data("test-kind.npy"), to: "moved.npy")
    try bench.remove("test-kind.npy")
    let _: Reports.Train = try bench.report(
      "train --out files --resume --scalar float64 --validation-labels moved.npy")
    try bench.write(column("z", 0..<30), to: "moved.npy")
    let outcome = try bench.scoresde(
      "train --out files --resume --scalar float64 --validation-given moved.npy")
    #expect(outcome.status != 0 && !outcome.errors.isEmpty)
    let plain = try bench.scoresde(
      "train --data x.npy --out plain --steps 1 --validation test-x.npy --validation-given z.npy")
    #expect(plain.status == 2 && plain.errors.contains("--validation-given is z.npy, but the run"))
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let bench = try Workbench([
      "data.csv": Self.table("x,kind,y,z", rows: 0..<60),
      "no-kind.csv": Self.table("x,y,z", rows: 60..<90),
      "no-given.csv": Self.table("x,kind,y", rows: 60..<90),
      "no-x.csv": Self.table("kind,y,z", rows: 60..<90),
      "new-kind.csv": Self.table("x,kind,y,z", rows: 60..<90, kinds: 3),
      "one.csv": Self.table("x,kind,y,z", rows: 60..<61),
      "wide.npy": .npy([1, 2, 3, 4], shape: [1, 4]), "data.npy": Levels.singleFile,
      "wide-bytes.npy": Levels.imagesFile,
      "labels.csv": .text(Levels.single.map { "\($0 % 2)" }.joined(separator: "\n")),
    ])
    let table = "train --data data.csv --labels column:kind --given z"
    for (words, status, parts) in [
      ("\(table) --validation nowhere", 2, ["--validation", "nowhere", "moons"]),
      ("\(table) --validation none.csv", 1, ["none.csv", "no such file"]),
      (
        "\(table) --validation no-kind.csv", 2,
        ["--validation is no-kind.csv", "without labels in a column kind"]
      ),
      (
        "\(table) --validation no-given.csv", 2,
        ["--validation is no-given.csv", "a table with the columns z"]
      ),
      ("\(table) --validation no-x.csv", 1, ["no-x.csv", "no column “x”"]),
      ("\(table) --validation new-kind.csv", 1, ["new-kind.csv, line 4", "the class is 2"]),
      ("\(table) --validation one.csv", 1, ["one.csv", "1 held-out sample", "two or more"]),
      ("\(table) --validation wide.npy", 1, ["wide.npy", "[4]", "[2]"]),
      ("train --data data.npy --validation wide-bytes.npy", 1, ["wide-bytes.npy", "[2, 2", "[1]"]),
      ("train --data data.npy --validation", 2, ["--validation", "DATA"]),
      (
        "train --data data.npy --labels labels.csv --validation data.npy", 2,
        ["--validation is data.npy", "without labels"]
      ),
      ("distill --model gaussian --validation data.npy", 2, ["--validation"]),
    ] as [(String, Int32, [String])] {
      let before = try bench.contents()
      let outcome = try bench.scoresde("\(words) --out run --quiet")
      #expect(outcome.status == status && outcome.output.isEmpty, "\(words): \(outcome)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(words): \(outcome.errors)")
      for part in parts { #expect(outcome.errors.contains(part), "\(words): \(outcome.errors)") }
      #expect(try bench.contents() == before)
    }
  }

  @Test func otherHeldOutDataThanTheRunsAreRefused() throws {
    var files = Self.files
    files["other.npy"] = .npy(bytes: [60, 70, 80], shape: [3, 1])
    let bench = try Workbench(files)
    let _: Reports.Train = try bench.report(Self.train("run", steps: 10))
    let _: Reports.Train = try bench.report(
      "train --data data.npy --out plain --steps 10 \(Self.options)")
    let whole = try bench.contents()
    for (words, names) in [
      ("--out run --resume --validation other.npy", ["other.npy", "other data", "test.npy"]),
      ("--out run --resume --validation moons", ["moons", "[2]", "[1]"]),
      ("--out plain --resume --validation test.npy", ["--validation is test.npy", "has none"]),
    ] {
      let outcome = try bench.scoresde("train \(words) --steps 20 --quiet")
      #expect(outcome.status == (words.contains("moons") ? 1 : 2), "\(outcome.errors)")
      for name in names { #expect(outcome.errors.contains(name), "\(outcome.errors)") }
      #expect(try bench.contents() == whole)
    }
    for (file, content) in [
      ("run/validation.csv", nil), ("run/validation.csv", Data.text("step")),
      ("run/validation.safetensors", nil), ("run/validation.safetensors", .text("step")),
    ] {
      for (name, old) in whole where !old.isEmpty { try bench.write(old, to: name) }
      if let content { try bench.write(content, to: file) } else { try bench.remove(file) }
      let before = try bench.contents()
      let outcome = try bench.scoresde("train --out run --resume --steps 20 --quiet")
      #expect(outcome.status == 1 && outcome.errors.contains(file), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(try bench.contents() == before)
    }
  }

  /// What makes held-out data less than they seem is said, once.
  @Test func whatIsOddAboutHeldOutDataIsSaid() throws {
    var files = Self.files
    files["points.npy"] = .npy([60.5, 70.25, 80.125], shape: [3, 1])
    let bench = try Workbench(files)
    for (data, remark) in [
      ("data.npy", "--validation has the samples of --data, so that nothing learnt by heart shows"),
      ("points.npy", "points.npy: not the levels of data.npy, so taken as points"),
    ] {
      let outcome = try bench.scoresde(
        "train --data data.npy --validation \(data) --out run-\(data) --steps 1 \(Self.options)")
      #expect(outcome.status == 0 && outcome.errors.contains("\(remark)\n"), "\(outcome.errors)")
    }
  }

  /// Samples that are trained on as well are told from others number for number, whatever stands beside them.
  @Test func samplesThatAreTrainedOnAreSaid() throws {
    let bench = try Workbench([
      "data.csv": Self.table("x,kind,y", rows: 0..<60),
      "half.csv": Self.table("y,x,kind", rows: 45..<75),
      "other.csv": Self.table("x,kind,y", rows: 60..<90),
    ])
    func said(_ words: String) throws -> Bool {
      let outcome = try bench.scoresde("train \(words) --out run --steps 1 \(Self.options)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      for file in try bench.contents().keys where file.hasPrefix("run/") { try bench.remove(file) }
      return outcome.errors.contains(
        words.contains("half")
          ? "--validation has samples of --data, 50.0 % of its own, number for number"
          : "--validation has samples of --data, 100 % of its own, number for number")
    }
    #expect(try said("--data data.csv --labels column:kind --validation half.csv"))
    #expect(try said("--data moons:count=100 --validation moons:count=40"))
    #expect(try !said("--data moons:count=100 --validation moons:count=40,test"))
    #expect(try !said("--data data.csv --labels column:kind --validation other.csv"))
  }
}

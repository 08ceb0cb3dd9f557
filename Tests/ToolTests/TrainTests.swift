import Foundation
import ScoreSDE
import Testing

/// Runs that `train` makes and goes on with.
@Suite struct TrainTests {
  /// One training has a folder to itself, as long as its process lives, and leaves nothing there.
  @Test func twoTrainingsDoNotShareAFolder() throws {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    let train = "train --data data.npy --out run --steps 20 \(Self.options)"
    let _: Reports.Train = try bench.report(train)
    let before = try bench.contents()
    try RunFolder(bench.path("run")).alone {
      let outcome = try bench.scoresde("train --out run --resume --steps 40")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(
        outcome.errors.hasSuffix(
          "another process trains in run; expected it to end first, or another folder\n"),
        "\(outcome.errors)")
      #expect(try bench.contents() == before)
    }
    let _: Reports.Train = try bench.report("train --out run --resume --steps 40")
    // A new run in a folder that another is about to fill.
    try bench.write(Data(), to: "new/note.txt")
    try RunFolder(bench.path("new")).alone {
      let outcome = try bench.scoresde("\(train.replacing("--out run", with: "--out new"))")
      #expect(outcome.status == 1 && outcome.errors.contains("another process trains in new"))
    }
    #expect(try bench.contents().keys.filter { $0.hasPrefix("new/") } == ["new/note.txt"])
    // One that is killed leaves no lock.
    let long =
      "train --data data.npy --steps 100000 --checkpoint-every 10 --out killed \(Self.options)"
    try bench.scoresde(long, killedOnceThereIs: "killed/checkpoint.safetensors")
    let (outcome, _) = try bench.scoresde(
      "train --out killed --resume", sent: SIGINT, onceItSays: "step")
    #expect(outcome.status == 128 + SIGINT, "\(outcome.errors)")
  }

  /// Metres in millions that differ by tenths: a run in float64 is sampled in float64 unless that is asked for otherwise.
  @Test func aRunInDoubleStaysInDouble() throws {
    let rows = (0..<64).map { "\(4_500_000 + 0.1 * sin(Double($0))),\($0 % 5)" }
    let bench = try Workbench(["u.csv": .text("north,b\n" + rows.joined(separator: "\n"))])
    let options = "train --data u.csv --out run --network mlp:width=8,layers=1 --steps 40"
    let refused = try bench.scoresde(options)
    #expect(refused.status == 1 && refused.errors.contains("north"))
    let _: Reports.Train = try bench.report("\(options) --scalar float64")
    func norths(_ words: String) throws -> Set<Double> {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 5 --count 32 --out x.npy \(words)")
      let numbers = try bench.numbers("x.npy")
      return Set(stride(from: 0, to: 64, by: 2).map { numbers[$0] })
    }
    #expect(try norths("").count == 32)
    #expect(try norths("--scalar float32").count < 8)
  }

  /// Runs of a few steps have a mean of them all, over steps that are whole numbers.
  @Test func figuresOfShortRunsHaveWholeSteps() throws {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    for (steps, ticks) in [(1, ["1"]), (2, ["1", "2"]), (5, ["1", "2", "3", "4", "5"])] {
      let _: Reports.Train = try bench.report(
        "train --data data.npy --out run\(steps) --steps \(steps) \(Self.options)")
      let svg = String(decoding: try bench.data("run\(steps)/loss.svg"), as: UTF8.self)
      // Numbers below the horizontal axis stand in its middle.
      let found = svg.matches(of: /fill="#555555" text-anchor="middle">([^<]*)</)
      #expect(found.map { String($0.output.1) } == ticks)
      #expect(svg.contains("stroke-linecap=\"round\"/>"), "there is a dot at \(steps)")
    }
  }

  private static let options =
    "--network mlp:width=16,layers=1 --batch-size 16 --schedule constant --seed 3"
  private static let parts = ["run.json", "checkpoint.safetensors", "loss.csv", "loss.svg"]

  /// A run of twenty steps.
  private static func run() throws -> Workbench {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    let report: Reports.Train = try bench.report(
      "train --data data.npy --out run --steps 20 \(options)")
    #expect(report.steps == 20 && report.out == "run")
    #expect(report.parameters > 0 && report.loss.isFinite && report.seconds > 0)
    return bench
  }

  @Test func aResumedRunEndsInTheBitsOfOneThatWasNot() throws {
    let bench = try Self.run()
    let whole: Reports.Train = try bench.report(
      "train --data data.npy --out whole --steps 40 --threads 1 \(Self.options)")
    let resumed: Reports.Train = try bench.report(
      "train --out run --resume --steps 40 --threads 2")
    for part in Self.parts {
      #expect(try bench.data("run/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
    #expect(resumed.steps == 40 && resumed.loss == whole.loss)
    #expect(resumed.parameters == whole.parameters)
  }

  @Test func aRunThatWasKilledEndsInTheBitsOfOneThatWasNot() throws {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    func train(_ run: String) -> String {
      "train --data data.npy --out \(run) --steps 600 --checkpoint-every 10 --network mlp:width=16,layers=1"
    }
    // Wherever it is stopped, and were it at its end, the bits are the same.
    try bench.scoresde(train("run"), killedOnceThereIs: "run/checkpoint.safetensors")
    let _: Reports.Train = try bench.report("train --out run --resume")
    let _: Reports.Train = try bench.report(train("whole"))
    for part in Self.parts {
      #expect(try bench.data("run/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
  }

  /// The first signal leaves a checkpoint at the next entry of the log, wherever that is.
  @Test(arguments: [SIGINT, SIGTERM])
  func aRunThatWasStoppedBeforeItsFirstCheckpointEndsInTheBitsOfOneThatWasNot(
    signal: Int32
  ) throws {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    func train(_ run: String) -> String {
      "train --data data.npy --out \(run) --steps 5000 --checkpoint-every 5000 --batch-size 16 --network mlp:width=16,layers=1"
    }
    let (outcome, endedBySignal) = try bench.scoresde(
      train("run"), sent: [signal], onceThereIs: "run/run.json")
    #expect(outcome.status == 128 + signal && !endedBySignal && outcome.output.isEmpty)
    let sentence = try #require(outcome.errors.split(separator: "\n").last)
    let found = try #require(
      sentence.firstMatch(of: /stopped by (SIG[A-Z]+) at step (\d+) of 5000/), "\(sentence)")
    #expect(found.output.1 == (signal == SIGINT ? "SIGINT" : "SIGTERM"))
    #expect(sentence.hasPrefix("scoresde: ") && sentence.contains("--out run --resume"))
    let step = try #require(Int(found.output.2))
    #expect(step > 0 && step % 10 == 0)
    let stopped: Reports.Run = try bench.report("inspect run")
    #expect(stopped.stepsDone == step)
    let _: Reports.Train = try bench.report("train --out run --resume --checkpoint-every 5000")
    let _: Reports.Train = try bench.report(train("whole"))
    for part in Self.parts {
      #expect(try bench.data("run/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
  }

  /// Ten of these steps take seconds, and the second signal comes in less than one.
  @Test func aSecondSignalEndsARunAtOnce() throws {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    let (outcome, endedBySignal) = try bench.scoresde(
      "train --data data.npy --out run --network mlp:width=1024,layers=3 --batch-size 1024 --steps 30",
      sent: [SIGINT, SIGTERM], onceThereIs: "run/run.json")
    #expect(endedBySignal && outcome.status == 128 + SIGTERM)
    #expect(try bench.contents().keys.sorted() == ["data.npy", "run", "run/run.json"])
    let again = try bench.scoresde("train --data data.npy --out run")
    #expect(again.status == 2 && again.errors.contains("run without a checkpoint"))
  }

  @Test func aRunGoesOnFromWhereItsDataAreNowAndWithItsOptionsInOtherWords() throws {
    let bench = try Self.run()
    let before = try bench.data("run/checkpoint.safetensors")
    try bench.write(Levels.singleFile, to: "moved/data.npy")
    try bench.remove("data.npy")
    let report: Reports.Train = try bench.report(
      "train --out run --resume --data moved/data.npy --sde vp --learning-rate 1e-3 --batch-size 016 --parametrization gaussian"
    )
    #expect(report.steps == 20)
    #expect(try bench.data("run/checkpoint.safetensors") == before)
  }

  @Test func withoutItsCheckpointARunStartsAnewAndSaysSo() throws {
    let bench = try Self.run()
    let before = try bench.data("run/checkpoint.safetensors")
    try bench.remove("run/checkpoint.safetensors")
    for command in ["sample --model run --out x.npy", "likelihood --model run --data data.npy"] {
      let outcome = try bench.scoresde(command)
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains("run holds a run without a checkpoint")
          && outcome.errors.contains("--resume"))
    }
    let again = try bench.scoresde("train --data data.npy --out run")
    #expect(again.status == 2 && again.errors.contains("run without a checkpoint"))
    #expect(again.errors.contains("--resume"))
    let outcome = try bench.scoresde("train --out run --resume --quiet")
    #expect(outcome.status == 0)
    #expect(
      outcome.errors.contains("run/checkpoint.safetensors") && outcome.errors.contains("first step")
    )
    #expect(try bench.data("run/checkpoint.safetensors") == before)
  }

  /// Where there is no checkpoint yet, what the run is and what to do is said.
  @Test func aRunWithoutACheckpointSaysWhatItIs() throws {
    let bench = try Self.run()
    let _: Reports.Train = try bench.report(
      "distill --model gaussian --steps 1 --out fast --network mlp:width=8,layers=1")
    try bench.remove("run/checkpoint.safetensors")
    try bench.remove("fast/checkpoint.safetensors")
    func sentence(of run: String) throws -> String {
      try bench.scoresde("sample --model \(run) --out x.npy").errors
    }
    let ended = "without a checkpoint, as its training was ended before the first; scoresde"
    #expect(
      try sentence(of: "run")
        == "scoresde: run holds a run \(ended) train --out run --resume starts it\n")
    #expect(
      try sentence(of: "fast")
        == "scoresde: fast holds a run, a consistency model distilled from gaussian, \(ended) distill --out fast --resume starts it\n"
    )
    let going = "that another process is training, without a checkpoint yet; the first comes at"
    for (run, kind, first) in [
      ("run", "", 20), ("fast", ", a consistency model distilled from gaussian,", 1),
    ] {
      let said = try RunFolder(bench.path(run)).alone { try sentence(of: run) }
      #expect(said == "scoresde: \(run) holds a run\(kind) \(going) step \(first)\n")
    }
  }

  @Test func checkpointsAreMadeEveryTens() throws {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    func train(_ words: String) throws -> (every: String?, remarks: [Substring]) {
      let outcome = try bench.scoresde("train --out run --quiet \(words)")
      try #require(outcome.status == 0, "\(outcome)")
      return (
        try RunFolder(bench.path("run")).description().notes["checkpoint every"],
        outcome.errors.split(separator: "\n")
      )
    }
    let new = "--data data.npy --network mlp:width=8,layers=1 --batch-size 4"
    #expect(try train("\(new) --steps 1 --checkpoint-every 7").every == "10")
    #expect(try train("--resume --steps 2 --checkpoint-every 21").every == "30")
    let said = try bench.scoresde("train --out run --resume --steps 3 --checkpoint-every 31").errors
    #expect(
      said.contains("--checkpoint-every is 31; checkpoints are made every 40 steps, as losses are"))
    let plain = try bench.scoresde("train --out run --resume --steps 4 --checkpoint-every 50")
      .errors
    #expect(!plain.contains("--checkpoint-every"))
  }

  @Test(arguments: [
    ("--steps 10", "--steps is 10", "20"), ("--data other.npy", "other.npy", "data.npy"),
    ("--data moons", "moons", "data.npy"), ("--data none.npy", "none.npy", "no such file"),
    ("--sde ve", "--sde is ve", "vp"), ("--network mlp:width=8,layers=1", "--network", "width=16"),
    ("--batch-size 32", "--batch-size is 32", "16"), ("--seed 4", "--seed is 4", "3"),
    ("--learning-rate 0.1", "--learning-rate is 0.1", "0.001"), ("--clip 2", "--clip is 2", "1"),
    ("--schedule cosine", "--schedule is cosine", "constant"),
    ("--warm-up 7", "--warm-up is 7", "200"),
    ("--average-decay 0.5", "--average-decay is 0.5", "0.999"),
    ("--weighting edm", "--weighting is edm", "balanced"),
    ("--times uniform", "--times is uniform", "balanced"),
    ("--loss sliced", "--loss is sliced", "denoising"),
    ("--parametrization score", "--parametrization is score", "gaussian"),
    ("--noise-level 1", "--noise-level is 1", "none"),
    ("--independent-times", "--independent-times", "strata"),
    ("--scalar float64", "float32", "--scalar"),
  ])
  func whatIsNotTheRunsOwnIsRefused(options: String, found: String, expected: String) throws {
    let bench = try Self.run()
    // The same bytes in another order.
    try bench.write(
      .npy(bytes: Levels.single.reversed(), shape: [64, 1]), to: "other.npy")
    let before = try bench.contents()
    let outcome = try bench.scoresde("train --out run --resume --quiet \(options)")
    #expect(outcome.status == (options.contains("none.npy") ? 1 : 2))
    #expect(outcome.errors.contains(found) && outcome.errors.contains(expected))
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(try bench.contents() == before)
  }

  @Test func aDamagedRunIsNamedAndLeftAsItIs() throws {
    let bench = try Self.run()
    let whole = try bench.contents()
    let cut = try bench.data("run/checkpoint.safetensors").dropLast()
    let rewritten = Data.npy(bytes: Levels.single.map { $0 ^ 1 }, shape: [64, 1])
    for (file, content) in [
      ("run/checkpoint.safetensors", cut), ("run/loss.csv", .text("step")), ("run/loss.csv", nil),
      ("run/run.json", .text("{}")), ("data.npy", rewritten), ("data.npy", nil),
    ] {
      for (name, old) in whole where !old.isEmpty { try bench.write(old, to: name) }
      if let content { try bench.write(content, to: file) } else { try bench.remove(file) }
      let before = try bench.contents()
      let outcome = try bench.scoresde("train --out run --resume --steps 40 --quiet")
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(file), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(try bench.contents() == before)
    }
  }

  @Test func aDescriptionThatWasChangedByHandIsNamedAndLeftAsItIs() throws {
    let bench = try Self.run()
    let text = String(decoding: try bench.data("run/run.json"), as: UTF8.self)
    for (line, changed, found) in [
      ("\"batchSize\" : 16", "\"batchSize\" : 0", "batch-size is 0"),
      ("\"batchSize\" : 16", "\"batchSize\" : 1152921504606846976", "from 1 to 1048576"),
      ("\"clip\" : 1", "\"clap\" : 1", "options.clip is missing"),
      ("\"clip\" : 1", "\"clip\" : \"1\"", "options.clip is something else"),
      ("\"denoising\"", "\"noising\"", "options.objective"),
    ] {
      try #require(text.contains(line), "\(text)")
      try bench.write(.text(text.replacing(line, with: changed)), to: "run/run.json")
      let before = try bench.contents()
      let outcome = try bench.scoresde("train --out run --resume --steps 40 --quiet")
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains("run/run.json") && outcome.errors.contains(found),
        "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(try bench.contents() == before)
    }
  }

  /// A run that knows the score at one level has no samples and no likelihoods.
  @Test func aRunOfOneNoiseLevelIsNoModelOfAll() throws {
    let bench = try Workbench([:])
    _ = try bench.scoresde(
      "train --data moons --noise-level 0.3 --network mlp:width=8,layers=1 --steps 2 --out run")
    let before = try bench.contents()
    for words in [
      "sample --model run --out x.npy", "likelihood --model run --data moons:count=10",
      "study --model run --out study",
    ] {
      let outcome = try bench.scoresde(words)
      #expect(outcome.status == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.contains("--noise-level 0.3"), "\(outcome.errors)")
      #expect(try bench.contents() == before)
    }
    #expect(try bench.scoresde("inspect run").status == 0)
  }

  @Test func aFolderWithFilesOfARunIsNotOverwritten() throws {
    let bench = try Self.run()
    let rest = "train --data data.npy --out run --quiet"
    for removed in ["", "run/run.json"] {
      if !removed.isEmpty { try bench.remove(removed) }
      let before = try bench.contents()
      let outcome = try bench.scoresde(rest)
      #expect(outcome.status == 2 && outcome.errors.contains("run"))
      #expect(try bench.contents() == before)
    }
  }

  /// Weights of ε̂'s error alone would have x̂₀ learn the least noise and nothing else.
  @Test func aNetworkThatGivesTheDataIsWeightedForIt() throws {
    let bench = try Workbench(["data.npy": Levels.singleFile])
    for (words, weighting) in [
      ("--parametrization x0", "min-snr"), ("--parametrization x0 --weighting sigma2", "sigma2"),
      ("--parametrization v", "balanced"), ("", "balanced"),
    ] {
      let _: Reports.Train = try bench.report(
        "train --data data.npy --out run --steps 1 \(Self.options) \(words)")
      let run: Reports.Run = try bench.report("inspect run")
      #expect(run.loss.contains("\(weighting) weighting"), "\(words): \(run.loss)")
      try bench.remove("run")
    }
  }

  /// Every network has the balanced weighting, but for those that give x₀, and every weighting the times that suit it, unless
  /// others are asked for.
  @Test func weightingsHaveTheirUsualTimes() throws {
    let bench = try Workbench()
    for (words, weighting, times) in [
      ("", LossWeighting.balanced, TimeSampling.balanced),
      ("--network unet:channels=8,multipliers=1,groups=4", .balanced, .balanced),
      ("--times uniform", .balanced, .uniform), ("--weighting sigma2", .noise, .importance),
      ("--weighting edm", .edm, .logNormal), ("--weighting likelihood", .likelihood, .importance),
      ("--weighting edm --times balanced", .edm, .balanced),
      ("--parametrization x0", .minSNR, .importance),
    ] {
      let network = words.contains("unet") ? "" : "--network mlp:width=8,layers=1"
      let _: Reports.Train = try bench.report(
        "train --data digits:test --batch-size 2 --out run --steps 1 \(network) \(words)")
      let run = try JSONDecoder().decode(RunDescription.self, from: bench.data("run/run.json"))
      #expect(run.options.weighting == weighting && run.options.times == times, "\(words)")
      try bench.remove("run")
    }
  }

  @Test func quantisedDataAreSpreadOverTheirBinsForTraining() throws {
    let bench = try Self.run()
    let run: Reports.Run = try bench.report("inspect run")
    // Bytes are seen as x = −1 + (r + u)/128, u uniform on (0, 1).
    let moments = Levels.moments
    let found = try Spec(run.parametrization, kind: "parametrisation")
    #expect(abs(try found.number("mean", default: 0) - (moments.mean / 128 - 1)) < 1e-7)
    #expect(
      abs(try found.number("deviation", default: 0) - moments.variance.squareRoot() / 128) < 1e-7)
  }
}

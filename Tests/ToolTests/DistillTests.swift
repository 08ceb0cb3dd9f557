import Foundation
import ScoreSDE
import Testing

/// Consistency models that `distill` makes, and what is done with them.
@Suite struct DistillTests {
  private static let options =
    "--batch-size 64 --warm-up 0 --learning-rate 0.005 --average-decay 0.95"
  private static let network = "--network mlp:width=16,layers=1,frequencies=8"
  private static let parts = ["run.json", "checkpoint.safetensors", "loss.csv", "loss.svg"]

  /// The flow of a Gaussian leads to the Gaussian, in one evaluation or more.
  @Test func anExactModelIsDistilled() throws {
    let bench = try Workbench()
    let report: Reports.Train = try bench.report(
      "distill --model gaussian:mean=2,std=0.5 --sde ve --steps 600 \(Self.network) --out fast \(Self.options)"
    )
    #expect(report.steps == 600 && report.out == "fast" && report.loss.isFinite)
    for steps in [1, 3] {
      let drawn: Reports.Sample = try bench.report(
        "sample --model fast --count 4000 --steps \(steps) --out x.npy")
      #expect(drawn.solver == "consistency" && drawn.nfe == Double(steps))
      let x = try bench.numbers("x.npy")
      let mean = x.reduce(0, +) / 4000
      let deviation = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000).squareRoot()
      // Five standard errors are 0.04 and 0.03; the rest is the network's.
      #expect(abs(mean - 2) < 0.1, "\(steps): \(mean)")
      #expect(abs(deviation - 0.5) < 0.08, "\(steps): \(deviation)")
    }
    // One step where none are asked for, and the same by name.
    let one: Reports.Sample = try bench.report("sample --model fast --count 9 --out a.npy")
    let named: Reports.Sample = try bench.report(
      "sample --model fast --solver consistency:grid=karras --steps 1 --count 9 --out b.npy")
    #expect(one.nfe == 1 && named.nfe == 1)
    #expect(try bench.numbers("a.npy") == bench.numbers("b.npy"))
    let text = try bench.scoresde("inspect fast").output
    let run: Reports.Run = try bench.report("inspect fast")
    #expect(run.loss == "consistency")
    #expect(text.contains("distilled from") && text.contains("gaussian:mean=2,std=0.5"))
  }

  @Test func aResumedRunEndsInTheBitsOfOneThatWasNot() throws {
    var files = TrainedRun.images.files
    files["other/run.json"] = files["run/run.json"]
    let bench = try Workbench(files)
    func distill(_ run: String, _ words: String) -> String {
      "distill --model run --solver heun --solver-steps 5 --out \(run) --batch-size 16 --schedule constant \(words)"
    }
    let _: Reports.Train = try bench.report(distill("fast", "--steps 20 --threads 2"))
    let _: Reports.Train = try bench.report(distill("whole", "--steps 40 --threads 1"))
    let resumed: Reports.Train = try bench.report(
      "distill --out fast --resume --model run --steps 40")
    #expect(resumed.steps == 40)
    for part in Self.parts {
      #expect(try bench.data("fast/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
    // Before its first checkpoint too: it begins from the model's own parameters again.
    try bench.remove("whole/checkpoint.safetensors")
    try bench.remove("whole/loss.csv")
    let _: Reports.Train = try bench.report("distill --out whole --resume --threads 2")
    for part in Self.parts {
      #expect(try bench.data("fast/\(part)") == bench.data("whole/\(part)"), "\(part)")
    }
    for (words, names) in [
      ("distill --out fast --resume --model gaussian:dim=4", ["gaussian:dim=4", "another model"]),
      ("distill --out fast --resume --solver ddim", ["--solver", "ddim", "heun"]),
      ("distill --out fast --resume --guidance 2", ["--guidance", "none"]),
      ("distill --out fast --resume --learning-rate 3", ["--learning-rate", "0.003"]),
      ("train --out fast --resume", ["consistency model", "scoresde distill"]),
      ("distill --out run --resume", ["score model", "scoresde train"]),
    ] {
      try Self.refuses(bench, words, names)
    }
  }

  /// Samples come in the levels of the data that the teacher was trained on, near which they are.
  @Test func samplesAreInTheUnitsOfTheTeachersData() throws {
    let bench = try Workbench(TrainedRun.single.files)
    let _: Reports.Train = try bench.report(
      "distill --model run --steps 300 --out fast \(Self.options)")
    let drawn: Reports.Sample = try bench.report(
      "sample --model fast --count 1000 --out fast.npy")
    #expect(drawn.nfe == 1)
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver ode --count 1000 --out slow.npy")
    let (fast, slow) = (try bench.numbers("fast.npy"), try bench.numbers("slow.npy"))
    func moments(_ x: [Double]) -> (mean: Double, deviation: Double) {
      let mean = x.reduce(0, +) / Double(x.count)
      return (
        mean, (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)).squareRoot()
      )
    }
    // The same noise leads to the same samples, nearly.
    let (a, b) = (moments(fast), moments(slow))
    #expect(abs(a.mean - b.mean) < 0.1 * b.deviation, "\(a) \(b)")
    #expect(abs(a.deviation - b.deviation) < 0.1 * b.deviation, "\(a) \(b)")
    let off = zip(fast, slow).reduce(0) { $0 + abs($1.0 - $1.1) } / 1000
    #expect(off < 0.2 * b.deviation, "\(off) of \(b.deviation)")
  }

  /// A model of classes gives one of classes, under which samples are those of the class.
  @Test func classesAreDistilled() throws {
    let labels = (0..<300).map { $0 % 3 == 0 ? 0.0 : 2.0 }
    let normal: Tensor<Double> = RandomKey(5).normal([300, 1])
    let samples = zip(labels, normal.scalars).map { ($0 - 1) + 0.2 * $1 }
    let bench = try Workbench([
      "data.npy": .npy(samples, shape: [300, 1]), "labels.npy": .npy(labels, shape: [300]),
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.npy --labels labels.npy --out run --steps 800 --standardize none --network mlp:width=32,layers=2,frequencies=16 \(Self.options)"
    )
    for guidance in ["", "--guidance 1.5"] {
      let fast = "fast\(guidance.count)"
      let _: Reports.Train = try bench.report(
        "distill --model run --steps 500 \(guidance) --out \(fast) \(Self.options)")
      let drawn: Reports.Sample = try bench.report(
        "sample --model \(fast) --class 2,0 --count 100 --out x.npy")
      #expect(drawn.count == 200 && drawn.nfe == 1)
      let _: Reports.Sample = try bench.report(
        "sample --model run --class 2,0 --count 100 --solver ode \(guidance) --out y.npy")
      // The same noise leads to the same samples, nearly; the classes are two apart.
      let pairs = zip(try bench.numbers("x.npy"), try bench.numbers("y.npy"))
      let off = pairs.reduce(0) { $0 + abs($1.0 - $1.1) } / 200
      #expect(off < 0.1, "\(guidance): \(off)")
    }
    try Self.refuses(bench, "sample --model fast0 --class 1 --out y.npy", ["class 1"])
  }

  @Test func whatHasNoScoresIsRefusedWhereTheyAreNeeded() throws {
    var files = TrainedRun.images.files
    files["seen.npy"] = .npy([1, .nan, .nan, .nan], shape: [2, 2])
    let bench = try Workbench(files)
    let _: Reports.Train = try bench.report(
      "distill --model run --steps 2 --batch-size 8 --out fast")
    let before = try bench.contents().keys.sorted()
    for (words, names) in [
      ("likelihood --model fast --data data.npy", ["fast", "consistency model", "run"]),
      ("calibrate --model fast --data data.npy", ["fast", "consistency model"]),
      ("study --model fast --out s", ["fast", "consistency model"]),
      ("distill --model fast --out faster", ["fast", "consistency model"]),
      ("sample --model fast --solver ode --out x.npy", ["--solver", "ode", "consistency"]),
      ("sample --model fast --guidance 2 --out x.npy", ["--guidance", "distill"]),
      ("sample --model fast --observe seen.npy --out x.npy", ["--observe", "no scores"]),
      ("sample --model fast --epsilon 0.3 --out x.npy", ["--epsilon", "leads to"]),
      ("distill --model run --solver ddim:denoise=none --out x", ["--solver", "denoise"]),
      ("sample --model run --solver consistency --out x.npy", ["consistency", "distill"]),
      ("sample --model gaussian --solver consistency --out x.npy", ["consistency", "distill"]),
      ("distill --out x", ["--model"]),
      ("distill --model run --out run", ["run", "already"]),
      ("distill --model run --solver ancestral --out x", ["--solver", "ancestral", "flow"]),
      ("distill --model run --solver fitted --out x", ["--solver", "fitted"]),
      ("distill --model run --solver consistency --out x", ["--solver", "consistency"]),
      ("distill --model run --solver-steps 1 --out x", ["--solver-steps", "1", "2 to"]),
      ("distill --model run --solver-steps many --out x", ["--solver-steps", "many"]),
      ("distill --model run --guidance 2 --out x", ["--guidance", "--labels"]),
      ("distill --model run --guidance -1 --out x", ["--guidance", "-1"]),
      ("distill --model run --parametrization epsilon --out x", ["epsilon", "x0"]),
      ("distill --model run --network unet-1d --out x", ["--network", "unet-1d"]),
      ("distill --model run --data data.npy --out x", ["--data"]),
    ] {
      try Self.refuses(bench, words, names)
    }
    #expect(try bench.contents().keys.sorted() == before)
  }

  private static func refuses(_ bench: Workbench, _ words: String, _ names: [String]) throws {
    let outcome = try bench.scoresde(words)
    #expect(outcome.status == 2 && outcome.output.isEmpty, "\(words): \(outcome)")
    #expect(outcome.errors.hasPrefix("scoresde: "), "\(words): \(outcome.errors)")
    for name in names {
      #expect(outcome.errors.contains(name), "\(words): \(outcome.errors)")
    }
  }
}

import Foundation
import ScoreSDE
import Testing

/// Image to image from the shell.
@Suite struct EditTests {
  /// On N(m, s²) the flow keeps the place in standard deviations, so that it moves an entry by no more than the noise does;
  /// with next to no noise a sample comes back as it was.
  @Test func samplesComeBackInTheirPlaceAndOrder() throws {
    let points = (0..<40).map { Double($0) / 10 - 2 }
    let bench = try Workbench(["points.npy": .npy(points, shape: [40, 1])])
    let words =
      "sample --model gaussian:mean=0.5,std=0.7 --from points.npy --solver ode --scalar float64"
    let report: Reports.Sample = try bench.report("\(words) --noise-level 0.02 --out near.npy")
    #expect(report.count == 40 && report.shape == [40, 1])
    let near = try bench.numbers("near.npy")
    // Forty normal numbers are below 5 but once in 40,000 times.
    #expect(distance(near, points) < 0.1 && distance(near, points) > 0.001)
    let _: Reports.Sample = try bench.report(
      "\(words) --noise-level 0.02 --count 3 --out three.npy")
    #expect(try distance(bench.numbers("three.npy"), Array(near[..<3])) < 1e-12)
    // Far out nothing of a point is left.
    let _: Reports.Sample = try bench.report("\(words) --noise-level 100 --out far.npy")
    let far = try bench.numbers("far.npy")
    let slope =
      zip(points, far).reduce(0) { $0 + $1.0 * ($1.1 - 0.5) } / points.reduce(0) { $0 + $1 * $1 }
    #expect(abs(slope) < 0.5)
  }

  /// With more to draw than there are samples, these are taken in turns, each time with noise of its own.
  @Test func aLargerCountTakesSamplesInTurns() throws {
    let bench = try Workbench(["points.npy": .npy([-2, 0, 2], shape: [3, 1])])
    let words = "sample --model gaussian --from points.npy --noise-level 0.05 --solver ddim"
    let report: Reports.Sample = try bench.report("\(words) --count 7 --out x.npy")
    #expect(report.count == 7 && report.shape == [7, 1])
    let samples = try bench.numbers("x.npy")
    // Deviations of 0.05 are below 0.3 but once in a hundred million times.
    #expect(distance(samples, (0..<7).map { 2 * Double($0 % 3 - 1) }) < 0.3)
    #expect(Set(samples).count == 7)
    let _: Reports.Sample = try bench.report("\(words) --out three.npy")
    #expect(try bench.numbers("three.npy") == Array(samples[..<3]))
  }

  /// Without a solver that of the SDE is taken, on N(0.5, 0.3²) from 3 at σ/α = 1 in closed form: x_t = 3 α + σ z has the
  /// posterior mean (0.5 + 0.09 · 3)/1.09 = 0.706. Correctors would forget the start, which is said.
  @Test func withoutASolverTheStartIsNotForgotten() throws {
    let bench = try Workbench(["points.npy": .npy([3], shape: [1, 1])])
    let words =
      "sample --model gaussian:mean=0.5,std=0.3 --from points.npy --noise-level 1 --steps 200 --count 4000 --out x.npy"
    let plain = try bench.scoresde(words)
    try #require(plain.status == 0, "\(plain.errors)")
    // Five standard errors, 0.024, a false alarm of 6e-7, and 0.01 for the steps.
    let mean = average(try bench.numbers("x.npy"))
    #expect(abs(mean - 0.77 / 1.09) < 0.034 && !plain.errors.contains("correctors"), "\(mean)")
    let corrected = try bench.scoresde("\(words) --solver pc")
    #expect(
      corrected.status == 0
        && corrected.errors.contains("correctors forget what samples begin from"),
      "\(corrected.errors)")
  }

  /// A run of bytes reads and writes bytes.
  @Test func levelsComeBackAsLevels() throws {
    let bench = try Workbench(TrainedRun.single.files)
    let _: Reports.Sample = try bench.report(
      "sample --model run --from data.npy --noise-level 0.02 --solver ode --out near.npy")
    let levels = Levels.single.map(Double.init)
    // Bins are 1 wide, and a noise of 0.02 of half the range of bytes is 2.55 of them.
    #expect(try distance(bench.numbers("near.npy"), levels) < 16)
  }

  /// Data on another scale than the run's are taken, and said to be; samples of the run itself are on its scale.
  @Test func dataOnAnotherScaleAreRemarkedOn() throws {
    let levels = Levels.single.map(Double.init)
    let rows = (0..<48).map { "\(100 * cos(Double($0))),\(5 + sin(Double($0)))" }
    let names = "length,\"swing, s\"\n"
    let bench = try Workbench(
      TrainedRun.single.files.merging([
        "over.npy": .npy(levels.map { $0 / 255 }, shape: [64, 1]),
        "beyond.npy": .npy(levels.map { $0 - 0.5 - 60 }, shape: [64, 1]),
        "far.npy": .npy(levels.map { 16 * $0 }, shape: [64, 1]),
        "table.csv": .text(names + rows.joined(separator: "\n")),
        // One row far out among others is no scale.
        "row.csv": .text(names + (rows + ["0,30"]).joined(separator: "\n")),
        "one.csv": .text(names + "90,5\n"), "units.csv": .text(names + "90,5000\n-40,4500\n"),
      ]) { $1 })
    let _: Reports.Train = try bench.report(
      "train --data table.csv --out table --network mlp:width=8,layers=1 --steps 5")
    for (model, file, remark) in [
      ("run", "data.npy", nil), ("run", "beyond.npy", nil), ("table", "row.csv", nil),
      ("table", "one.csv", nil),
      ("run", "over.npy", "--from has no number beyond 1, where the run was trained on levels"),
      ("run", "far.npy", "where the run was trained on levels from 0 to 255"),
      ("table", "units.csv", "--from: the mean of \"swing, s\" is "),
    ] {
      let outcome = try bench.scoresde(
        "sample --model \(model) --from \(file) --solver ddim --steps 5 --out x.npy")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("--from") == (remark != nil), "\(outcome.errors)")
      #expect(remark.map(outcome.errors.contains) ?? true, "\(outcome.errors)")
    }
  }

  /// Series of as many numbers are no images; an axis of channels may be left out where there is one.
  @Test func dataHaveTheShapeOfSamples() throws {
    let levels = (0..<8).map { Double(20 + 25 * $0) }
    let bench = try Workbench(
      TrainedRun.images.files.merging([
        "images.npy": .npy(levels, shape: [2, 2, 2]), "series.npy": .npy(levels, shape: [2, 4]),
        "turned.npy": .npy(levels, shape: [2, 1, 2, 2]),
      ]) { $1 })
    for (file, isRefused) in [("images", false), ("series", true), ("turned", true)] {
      let outcome = try bench.scoresde(
        "sample --model run --from \(file).npy --solver ddim --steps 5 --out x.npy --quiet")
      #expect(outcome.status == (isRefused ? 1 : 0), "\(outcome.errors)")
      #expect(outcome.errors.contains("where [2, 2, 1] is expected") == isRefused)
    }
  }

  @Test(arguments: [
    ("--noise-level 1", "--noise-level is given without --from"),
    ("--from points.npy --noise-level 1e-4", "--noise-level is 0.0001"),
    ("--from points.npy --noise-level 200", "--noise-level is 200"),
    ("--from points.npy --epsilon 0.9 --noise-level 1", "--noise-level is 1"),
    ("--from points.npy --noise-level high", "--noise-level is high"),
    ("--from nothing", "nothing"), ("--from pairs.npy", "pairs.npy"),
  ])
  func whatCannotBeEditedIsRefused(words: String, part: String) throws {
    let bench = try Workbench([
      "points.npy": .npy([1, 2], shape: [2, 1]), "pairs.npy": .npy([1, 2], shape: [1, 2]),
    ])
    let outcome = try bench.scoresde("sample --model gaussian --out x.npy \(words)")
    #expect(outcome.status == (part == "pairs.npy" ? 1 : 2), "\(outcome.errors)")
    #expect(outcome.errors.contains(part), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: bench.path("x.npy")))
  }
}

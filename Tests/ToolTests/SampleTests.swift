import Foundation
import ScoreSDE
import Testing

/// Samples that `sample` writes.
@Suite struct SampleTests {
  /// A folder that holds a run in another one is no run, as that of the demo; the run is named.
  @Test func theRunInAFolderIsNamed() throws {
    let files = TrainedRun.single.files.map { ($0.key.hasPrefix("run/") ? "demo/" : "") + $0.key }
    let bench = try Workbench(Dictionary(zip(files, TrainedRun.single.files.values)) { $1 })
    for (words, option) in [
      ("sample --model demo --out x.npy", "--model"),
      ("train --start demo/ --data data.npy --out new", "--start"),
    ] {
      let outcome = try bench.scoresde(words)
      #expect(outcome.status == 2, "\(outcome.errors)")
      #expect(outcome.errors.contains("\(option) is demo"), "\(outcome.errors)")
      #expect(outcome.errors.contains("; there is a run in demo/run\n"), "\(outcome.errors)")
    }
  }

  @Test func samplesOfAGaussianAreWhereItsFlowTakesTheNoise() throws {
    let bench = try Workbench()
    func sample(_ model: String) throws -> Reports.Sample {
      try bench.report(
        "sample --model \(model) --solver ode --rtol 1e-10 --atol 1e-10 --epsilon 1e-3 --count 20 --seed 7 --scalar float64 --out x.npy"
      )
    }
    // The flow of N(0, 1) under vp stands still: its samples are the noise that the seed gives.
    _ = try sample("gaussian")
    let noise = try bench.numbers("x.npy")
    let report = try sample("gaussian:mean=2,std=0.3")
    let flow = GaussianFlow(mean: 2, deviation: 0.3, epsilon: 1e-3)
    #expect(distance(try bench.numbers("x.npy"), noise.map(flow.sample)) < 1e-7)
    #expect(Set(noise).count == 20)
    #expect(report.count == 20 && report.shape == [20, 1] && report.out == "x.npy")
    #expect(report.solver == "ode:method=dopri5,rtol=1e-10,atol=1e-10")
    #expect(report.nfe > 20 && report.seconds > 0 && report.trajectory == nil)
  }

  @Test func samplesOfARunAreInTheDatasOwnUnits() throws {
    let bench = try Workbench(TrainedRun.single.files)
    let report: Reports.Sample = try bench.report(
      "sample --model run --steps 100 --count 1000 --out x.npy")
    #expect(report.shape == [1000, 1])
    let samples = try bench.numbers("x.npy")
    let mean = average(samples)
    let spread = average(samples.map { ($0 - mean) * ($0 - mean) }).squareRoot()
    // The network starts at the Gaussian of the data's moments, and 200 steps leave it near them. A thousand samples
    // are good to 0.7 levels; in any other units mean and spread would be off by a hundred.
    let data = Levels.moments
    #expect(abs(mean - data.mean) < 0.5 * data.variance.squareRoot())
    #expect((0.5...2).contains(spread / data.variance.squareRoot()))
  }

  @Test func aTrajectoryGoesFromNoiseToTheSamplesInTheDatasOwnUnits() throws {
    let bench = try Workbench(TrainedRun.single.files)
    let rest = "--solver ddim --steps 8 --count 5 --seed 3 --out x.npy --trajectory path.npy"
    let _: Reports.Sample = try bench.report("sample --model gaussian \(rest)")
    let noise = try bench.numbers("path.npy").prefix(5)
    let report: Reports.Sample = try bench.report("sample --model run \(rest)")
    #expect(report.out == "x.npy" && report.trajectory == "path.npy")
    // From T to ε, a time for each state.
    let times = try #require(report.times)
    #expect(times.count == 9 && times[0] == 1 && abs(times[8] - 1e-3) < 1e-12)
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 > $1 })
    let path = try NPY.read(bench.path("path.npy"), as: Double.self)
    #expect(path.shape == [9, 5, 1])
    // Bytes are seen as x = −1 + r/128.
    #expect(distance(Array(path.scalars.prefix(5)), noise.map { 128 * ($0 + 1) }) < 1e-3)
    #expect(try Array(path.scalars.suffix(5)) == bench.numbers("x.npy"))
  }

  /// The prior's nats a dimension are α² E x²/(2σ²) at T: of deviation 100 under `vp` 0.216.
  @Test func aModelFarFromThePriorIsRemarkedOn() throws {
    let bench = try Workbench()
    for (deviation, isFar) in [("100", true), ("30", false)] {
      let outcome = try bench.scoresde(
        "sample --model gaussian:std=\(deviation) --solver ddim --steps 5 --count 2 --out x.npy")
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("the prior is some 0.2") == isFar, "\(outcome.errors)")
    }
  }

  @Test func samplesDependOnSeedAndPlaceAlone() throws {
    let bench = try Workbench(TrainedRun.images.files)
    func sample(_ options: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver pc --steps 10 --out x.npy \(options)")
      return try bench.numbers("x.npy")
    }
    let first = try sample("--seed 5 --count 30 --threads 1")
    #expect(first.count == 120)
    #expect(try sample("--seed 5 --count 30 --threads 2") == first)
    #expect(try sample("--seed 5 --count 30 --threads 3 --batch-size 7") == first)
    #expect(try sample("--seed 5 --count 11") == Array(first.prefix(44)))
    let other = try sample("--seed 6 --count 30")
    #expect(!zip(first, other).contains { $0 == $1 })
  }

  @Test func everyKindOfFileReadsBack() throws {
    let bench = try Workbench(TrainedRun.images.files)
    for file in ["x.npy", "x.safetensors", "x.png"] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 10 --count 6 --out \(file)")
    }
    let samples = try NPY.read(bench.path("x.npy"), as: Float.self)
    #expect(samples.shape == [6, 2, 2, 1])
    let tensors = try Safetensors<Float>(contentsOf: bench.path("x.safetensors"))
    #expect(tensors.parameters.names == ["samples"] && tensors.parameters["samples"] == samples)

    // From black to white lie all levels, and samples are the levels of their bins.
    let picture = try PNG.read(bench.path("x.png"))
    try #require(picture.width == 128 && picture.height == 86 && picture.channels == 1)
    let shown = samples.scalars.map { min(255, max(0, Double($0).rounded(.down))) }
    #expect(distance(picture.tiles(6, side: 2, square: 20, columns: 3), shown) == 0)

    let _: Reports.Sample = try bench.report(
      "sample --model gaussian:dim=2 --steps 5 --out x.svg")
    #expect(String(decoding: try bench.data("x.svg"), as: UTF8.self).contains("<svg"))
  }

  /// Pictures in a folder are the levels of the samples, pixel for pixel, and are data again.
  @Test func aFolderOfPicturesReadsBack() throws {
    let bench = try Workbench(TrainedRun.images.files)
    let words = "sample --model run --solver ddim --steps 10 --count 12 --out"
    let _: Reports.Sample = try bench.report("\(words) x.npy")
    let report: Reports.Sample = try bench.report("\(words) drawn/")
    #expect(report.out == "drawn/" && report.shape == [12, 2, 2, 1])
    let levels = try bench.numbers("x.npy").map { min(255, max(0, $0.rounded(.down))) }
    let set: Dataset<Double> = try DataSource(bench.path("drawn")).load()
    #expect(set.samples.shape == [12, 2, 2, 1] && set.samples.scalars == levels)
    #expect(try bench.scoresde("likelihood --model run --data drawn/ --count 2").status == 0)
    #expect(try bench.contents().keys.filter { $0.contains(".tmp") }.isEmpty)

    try bench.write(Data(), to: "file")
    for (out, status, reason) in [
      ("drawn/", 1, "the folder drawn is not empty; expected a new one"),
      ("none/drawn/", 1, "but none is not there"),
      ("file/", 1, "file is a file; expected a new folder"),
    ] {
      let outcome = try bench.scoresde("\(words) \(out)")
      #expect(outcome.status == status && outcome.errors.contains(reason), "\(outcome.errors)")
    }
    let rows = try bench.scoresde("sample --model gaussian:dim=3 --out rows/")
    #expect(rows.status == 2 && rows.errors.contains("are no images"), "\(rows.errors)")
  }

  /// Those of several classes lie in folders of their names, which other commands take for classes.
  @Test func picturesOfClassesLieApart() throws {
    let bench = try Workbench()
    let _: Reports.Train = try bench.report(
      "train --data digits:count=100 --labels data --network mlp:width=8,layers=1 --steps 2 --out run"
    )
    let _: Reports.Sample = try bench.report(
      "sample --model run --class 7,3 --solver ddim --steps 2 --count 5 --out drawn/")
    let files = try bench.contents().keys.filter { $0.hasSuffix(".png") }.sorted()
    #expect(
      files == (6...10).map { "drawn/3/\($0 < 10 ? "0" : "")\($0).png" }
        + (1...5).map { "drawn/7/0\($0).png" })
    let set: Dataset<Double> = try DataSource(bench.path("drawn")).load()
    #expect(set.labels == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1] && set.classNames == ["3", "7"])
  }

  /// A panel each of twelve series at the most, each with two axes and a line a channel; a table's columns are no series.
  @Test func seriesAreDrawn() throws {
    let bench = try Workbench(["rows.csv": .text("a,b,c\n1,2,3\n2,4,5\n3,7,5\n")])
    for (count, panels) in [(3, 3), (20, 12)] {
      let _: Reports.Sample = try bench.report(
        "sample --model gaussian:dim=5 --steps 5 --count \(count) --out x.svg")
      let picture = String(decoding: try bench.data("x.svg"), as: UTF8.self)
      #expect(picture.ranges(of: "<path").count == 3 * panels)
      #expect(picture.contains(">\(panels) of \(count) samples"))
    }
    let _: Reports.Train = try bench.report(
      "train --data rows.csv --steps 1 --network mlp:width=4,layers=1 --out run")
    for model in ["run", "gaussian:dim=1"] {
      let outcome = try bench.scoresde("sample --model \(model) --out y.svg")
      #expect(outcome.status == 2 && outcome.errors.contains("no series"), "\(outcome.errors)")
    }
  }

  @Test func progressGoesToStandardErrorAndAnyNameIntoTheJSON() throws {
    let bench = try Workbench()
    let name = "\"quoted\" \\ é\n.npy"
    let words = ["sample", "--model", "gaussian", "--steps", "5", "--out", name]
    let loud = try bench.scoresde(words + ["--json"])
    #expect(try loud.report(as: Reports.Sample.self).out == name)
    #expect(loud.errors.contains("sample: 100 %") && !loud.output.contains("%"))
    let plain = try bench.scoresde(words + ["--quiet"])
    #expect(plain.errors.isEmpty && plain.output.contains("64 samples of shape [1]"))
    #expect(try bench.contents().keys.sorted() == [name])
  }

  @Test func aFitIsSeenOnItsWay() throws {
    let bench = try Workbench()
    let words =
      "sample --model gaussian:dim=2 --solver fitted:pilot=16,sweeps=1 --steps 5 --count 10 --out x.npy"
    let lines = try bench.scoresde(words).errors.split(separator: "\n")
    // A line for each tenth, nearly all of them of the fit; the last one is that of the samples.
    let fit = lines.filter { $0.hasSuffix(", fits the solver to the model") }
    #expect(fit.count >= 5 && fit.first?.hasPrefix("sample:   0 %") == true, "\(lines)")
    #expect(lines.last.map { $0.hasPrefix("sample: 100 %") && $0.hasSuffix("NFE 5") } == true)
    let parts = lines.compactMap { Int($0.dropFirst(8).prefix(3).drop { $0 == " " }) }
    #expect(parts.count == lines.count && parts == parts.sorted())

    // Where samples are most of the work, their lines follow: each batch's one step begins with no evaluation made.
    let long = try bench.scoresde(
      "sample --model gaussian --solver fitted:pilot=16 --steps 1 --count 50000 --batch-size 9 --out x.npy"
    ).errors.split(separator: "\n")
    let begun = try #require(long.firstIndex { $0.hasSuffix("NFE 0") })
    #expect(begun > 0 && long[..<begun].allSatisfy { $0.hasSuffix("fits the solver to the model") })
    #expect(begun < 5 && long[begun...].dropLast().allSatisfy { $0.hasSuffix("NFE 0") })
    #expect(try bench.scoresde(words + " --quiet").errors.isEmpty)
  }

  /// Its two states fit into any memory, whatever --steps says.
  @Test func trajectoriesOfAdaptiveSDEAreTheirEnds() throws {
    let bench = try Workbench()
    let _: Reports.Sample = try bench.report(
      "sample --model gaussian --solver adaptive-sde --steps 10000000 --count 2000 --trajectory t.npy --out a.npy"
    )
    let (ends, samples) = (try bench.numbers("t.npy"), try bench.numbers("a.npy"))
    #expect(ends.count == 4000 && Array(ends.suffix(2000)) == samples)
  }
}

extension SampleTests {
  @Test func aSolverIsReportedByTheNameThatWasGiven() throws {
    let bench = try Workbench()
    for (asked, by) in [
      ("--solver heun", "by heun (ode:method=heun,variable=noise),"),
      ("--solver ddim", "by ddim,"), ("--solver ddim:eta=0", "by ddim,"),
    ] {
      let outcome = try bench.scoresde(
        "sample --model gaussian \(asked) --steps 2 --count 2 --out x.npy --quiet")
      #expect(outcome.output.contains(by), "\(outcome)")
    }
  }

  @Test(arguments: [
    ("nope", "--model is nope, but there is no such folder; expected a run folder, or an exact"),
    ("gausian:mean=1", "there is no such folder (did you mean gaussian?); expected a run folder"),
  ])
  func aModelThatIsNotThereIsSaidToBeNone(_ model: String, _ sentence: String) throws {
    let outcome = try Workbench().scoresde("sample --model \(model) --out x.npy")
    #expect(outcome.status == 2 && outcome.errors.contains(sentence), "\(outcome)")
  }
}

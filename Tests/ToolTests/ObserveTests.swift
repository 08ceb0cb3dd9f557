import Foundation
import ScoreSDE
import Testing

/// Samples that `sample --observe` draws.
@Suite struct ObserveTests {
  /// Of independent numbers the posterior is that of each: the flow of N(m′, s′²) from the same noise.
  @Test func samplesOfAGaussianFollowTheFlowOfThePosterior() throws {
    let bench = try Workbench(["seen.npy": .npy([2.5, .nan], shape: [2])])
    func sample(_ options: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --solver ode --rtol 1e-10 --atol 1e-10 --epsilon 1e-3 --count 20 --seed 7 --scalar float64 --out x.npy \(options)"
      )
      return try bench.numbers("x.npy")
    }
    let noise = try sample("--model gaussian:dim=2")
    let found = try sample(
      "--model gaussian:mean=2,std=0.3,dim=2 --observe seen.npy --observe-noise 0.4")
    let precision = 1 / 0.09 + 1 / 0.16
    let known = GaussianFlow(
      mean: (2 / 0.09 + 2.5 / 0.16) / precision, deviation: (1 / precision).squareRoot(),
      epsilon: 1e-3)
    let unknown = GaussianFlow(mean: 2, deviation: 0.3, epsilon: 1e-3)
    let expected = noise.enumerated().map {
      ($0.offset % 2 == 0 ? known : unknown).sample($0.element)
    }
    #expect(distance(found, expected) < 1e-6)
    // Without noise the number is met, up to what the last step leaves.
    let met = try sample("--model gaussian:mean=2,std=0.3,dim=2 --observe seen.npy")
    #expect(stride(from: 0, to: 40, by: 2).allSatisfy { abs(met[$0] - 2.5) < 0.05 })
  }

  /// Each of several observations has its own samples, one after another, by the flow of its own posterior.
  @Test func severalObservationsHaveTheirSamplesInTurn() throws {
    let bench = try Workbench([
      "both.npy": .npy([2.5, .nan, .nan, 1.5], shape: [2, 2]),
      "first.npy": .npy([2.5, .nan], shape: [2]),
      "both.csv": Data("2.5,\n nan ,1.5\n".utf8),
    ])
    func sample(_ options: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --solver ode --rtol 1e-10 --atol 1e-10 --epsilon 1e-3 --seed 7 --scalar float64 --out x.npy \(options)"
      )
      return try bench.numbers("x.npy")
    }
    let model = "--model gaussian:mean=2,std=0.3,dim=2 --observe-noise 0.4 --count 20 --observe"
    let found = try sample("\(model) both.npy")
    let noise = try sample("--model gaussian:dim=2 --count 40")
    let precision = 1 / 0.09 + 1 / 0.16
    func flow(_ seen: Double?) -> GaussianFlow {
      GaussianFlow(
        mean: seen.map { (2 / 0.09 + $0 / 0.16) / precision } ?? 2,
        deviation: seen == nil ? 0.3 : (1 / precision).squareRoot(), epsilon: 1e-3)
    }
    let flows = [[flow(2.5), flow(nil)], [flow(nil), flow(1.5)]]
    let expected = noise.enumerated().map {
      flows[$0.offset / 40][$0.offset % 2].sample($0.element)
    }
    #expect(found.count == 80 && distance(found, expected) < 1e-6)
    #expect(try sample("\(model) first.npy") == Array(found.prefix(40)))
    #expect(try sample("\(model) both.csv") == found)
  }

  /// Sums and differences of independent numbers, in closed form: mean m + K (y − A m) and covariance S − K A S, K = S Aᵀ (A S Aᵀ + n² I)⁻¹.
  @Test func productsWithAMatrixAreObserved() throws {
    let bench = try Workbench([
      "rows.npy": .npy([1, 1, 1, 1, -1, 0], shape: [2, 3]), "rows.csv": .text("1,1,1\n1,-1,0\n"),
      "A, b=1.csv": .text("1,1,1\n1,-1,0\n"),
      "seen.npy": .npy([2.1, 0.2], shape: [2]),
      "idle.npy": .npy([1, 1, 1, 0, 0, 0], shape: [2, 3]),
    ])
    let model = "--model gaussian:mean=0.5,std=0.3,dim=3"
    func sample(_ options: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample \(model) --solver ode --rtol 1e-8 --atol 1e-8 --count 4000 --scalar float64 --out x.npy --observe seen.npy \(options)"
      )
      return try bench.numbers("x.npy")
    }
    let found = try sample("--observe-as matrix:rows.npy --observe-noise 0.1")
    #expect(try sample("--observe-as matrix:rows.csv --observe-noise 0.1") == found)
    // A name with a comma stands in quotes.
    let quoted = try bench.scoresde(
      "sample \(model) --solver ode --rtol 1e-8 --atol 1e-8 --count 4000 --scalar float64 --out q.npy --observe seen.npy --observe-noise 0.1"
        .split(separator: " ").map(String.init) + ["--observe-as", "matrix:\"A, b=1.csv\""])
    #expect(try quoted.status == 0 && bench.numbers("q.npy") == found, "\(quoted.errors)")
    // The rows are orthogonal, of squares 3 and 2, so each number says its own part.
    let (prior, noise) = (0.09, 0.01)
    let gains = [(2.1 - 1.5) / (3 * prior + noise), 0.2 / (2 * prior + noise)]
    let means = [gains[0] + gains[1], gains[0] - gains[1], gains[0]].map { 0.5 + prior * $0 }
    let lost = [prior * prior / (3 * prior + noise), prior * prior / (2 * prior + noise)]
    let variances = [prior - lost[0] - lost[1], prior - lost[0] - lost[1], prior - lost[0]]
    for column in 0..<3 {
      let numbers = stride(from: column, to: found.count, by: 3).map { found[$0] }
      let mean = numbers.reduce(0, +) / 4000
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
      // Five standard errors, a false alarm of 6e-7 each, and what the noise at ε adds, 1e-4.
      let error = 5 / 4000.0.squareRoot()
      #expect(abs(mean - means[column]) < error * variances[column].squareRoot() + 1e-4)
      #expect(
        abs(variance - variances[column] - 1e-4) < error * 2.0.squareRoot() * variances[column])
    }
    // Rows that hang together have numbers that do, or noise.
    try bench.write(.npy([1, 1, 0, 2, 2, 0], shape: [2, 3]), to: "tied.npy")
    for (numbers, noise, reason) in [
      ([0.5, 1.0], "", nil), ([0.5, 0.9], " --observe-noise 0.1", nil),
      ([0.5, 0.9], "", "seen.npy: number 2 is 0.9, which those before it leave no sample with"),
    ] as [([Double], String, String?)] {
      try bench.write(.npy(numbers, shape: [2]), to: "seen.npy")
      let outcome = try bench.scoresde(
        "sample \(model) --solver ddim --steps 5 --count 2 --observe seen.npy --observe-as matrix:tied.npy --out y.npy\(noise)"
      )
      #expect(outcome.status == (reason == nil ? 0 : 1), "\(outcome.errors)")
      if let reason { #expect(outcome.errors.contains(reason), "\(outcome.errors)") }
    }
    try bench.write(.npy([2.1, 0.2], shape: [2]), to: "seen.npy")
    for (words, names) in [
      ("matrix:idle.npy", ["row 2", "all 0"]), ("matrix:seen.npy", ["[2]", "[m, 3]"]),
      ("matrix", ["expected matrix:FILE"]), ("matrix:rows.npy,size=2", ["size", "iterations"]),
      ("matrix:none.npy", ["none.npy", "no such file"]),
    ] {
      let outcome = try bench.scoresde(
        "sample \(model) --observe seen.npy --observe-as \(words) --out y.npy")
      #expect(outcome.status == (names[0].contains(":") || names[0] == "size" ? 2 : 1))
      for name in names { #expect(outcome.errors.contains(name), "\(outcome.errors)") }
    }
  }

  /// A table of what is known has the columns of the data by their names, in any order and not all of them.
  @Test func columnsOfATableAreObservedByName() throws {
    let rows = (0..<48).map { row in
      let angle = 2 * .pi * Double(row) / 48
      return "\(100 * cos(angle)),\(1 + sin(angle + 0.5)),\(sin(angle))"
    }
    let bench = try Workbench([
      "data.csv": Data(("length,period,mass\n" + rows.joined(separator: "\n")).utf8),
      "seen.csv": Data("mass;period\n;1.5\n0.25;0.5\n".utf8),
      "seen.npy": .npy([.nan, 1.5, .nan, .nan, 0.5, 0.25], shape: [2, 3]),
      "other.csv": Data("mess\n1\n".utf8), "twice.csv": Data("mass,mass\n1,2\n".utf8),
      "more.csv": Data("id,mass,period,note\na,,1.5,7\nb,0.25,0.5,\n".utf8),
      "plain.csv": Data("1,2\n".utf8), "nothing.csv": Data("mass,period\n1,2\n\n,\n".utf8),
      "one.csv": Data("mass,period\n,\n".utf8), "one.npy": .npy([.nan, .nan, .nan], shape: [3]),
      "nothing.npy": .npy([1, 2, 3, .nan, .nan, .nan], shape: [2, 3]),
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --out run --network mlp:width=16,layers=1 --batch-size 32 --steps 40 --warm-up 0"
    )
    let command = "sample --model run --solver ddim --steps 50 --count 20 --out x.npy --observe"
    func sample(_ file: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report("\(command) \(file)")
      return try bench.numbers("x.npy")
    }
    let found = try sample("seen.csv")
    #expect(try found.count == 120 && found == sample("seen.npy"))
    // What the run does not know is left out, whatever it holds, but for what seems to be meant.
    let more = try bench.scoresde("\(command) more.csv")
    #expect(
      more.status == 0 && more.errors.contains("the run has no columns id, note, which are left"),
      "\(more.errors)")
    #expect(try bench.numbers("x.npy") == found)
    for (file, words) in [
      (
        "other.csv",
        ["a column mess, which samples have not (did you mean mass?); expected some of length, p"]
      ),
      ("twice.csv", ["two columns of one name"]), ("plain.csv", ["has 2 columns; expected 3"]),
      ("nothing.csv", ["nothing.csv, line 4: every entry is nan or empty"]),
      ("one.csv", ["one.csv, line 2: every entry is nan or empty"]),
      ("nothing.npy", ["nothing.npy, observation 1: every entry is nan or empty"]),
      ("one.npy", ["one.npy: every entry is nan or empty"]),
    ] {
      let outcome = try bench.scoresde("\(command) \(file) --quiet")
      #expect(outcome.status == 1 && words.allSatisfy(outcome.errors.contains), "\(outcome.errors)")
    }
  }

  /// What is far from all that a run has seen is said to be, in columns by their deviations and in levels by their range.
  @Test func observationsFarFromTheDataAreRemarkedOn() throws {
    let rows = (0..<48).map { "\(100 * cos(Double($0))),\(5 + sin(Double($0)))" }
    let bench = try Workbench(
      TrainedRun.single.files.merging([
        "table.csv": .text("length,period\n" + rows.joined(separator: "\n")),
        "near.csv": .text("period\n4.5\n6\n"), "far.csv": .text("period\n4.5\n40\n"),
        "levels.npy": .npy([0, 255], shape: [2, 1]), "none.npy": .npy([100, 256], shape: [2, 1]),
        "over.npy": .npy([0, 100 / 255.0], shape: [2, 1]), "zero.npy": .npy([0], shape: [1]),
      ]) { $1 })
    let _: Reports.Train = try bench.report(
      "train --data table.csv --out table --network mlp:width=8,layers=1 --steps 5")
    for (model, file, remark) in [
      ("table", "near.csv", nil),
      ("table", "far.csv", "--observe: period is 50 deviations from the mean of what"),
      ("run", "levels.npy", nil),
      (
        "run", "none.npy",
        "--observe has a number of 256, where the run was trained on levels from 0 to 255"
      ),
      ("run", "zero.npy", nil),
      (
        "run", "over.npy",
        "--observe has no number beyond 1, where the run was trained on levels from 0 to 255;"
      ),
    ] {
      let outcome = try bench.scoresde(
        "sample --model \(model) --observe \(file) --solver ddim --steps 5 --count 1 --out x.npy")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("--observe") == (remark != nil), "\(outcome.errors)")
      #expect(remark.map(outcome.errors.contains) ?? true, "\(outcome.errors)")
    }
  }

  /// Levels are observed in the middle of their bins, to the deviation of rounding.
  @Test func levelsAreObservedInTheirUnits() throws {
    var files = TrainedRun.single.files
    files["seen.npy"] = .npy([110], shape: [1])
    let bench = try Workbench(files)
    func moments(_ options: String) throws -> (mean: Double, deviation: Double) {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ode --count 400 --out x.npy --observe seen.npy \(options)")
      let samples = try bench.numbers("x.npy")
      let mean = average(samples)
      return (mean, average(samples.map { ($0 - mean) * ($0 - mean) }).squareRoot())
    }
    let sharp = try moments("")
    // The flow stops at σ/α = 0.01 in the model's units, which are 128 levels: the score there is that of 1.3 levels.
    #expect(abs(sharp.mean - 110.5) < 0.3 && sharp.deviation < 2)
    let rounded = try bench.numbers("x.npy")
    _ = try moments("--observe-noise \(1 / 12.0.squareRoot())")
    #expect(try bench.numbers("x.npy") == rounded)
    let blurred = try moments("--observe-noise 8")
    // The data have deviation 23 about 100.
    #expect(abs(blurred.mean - 109.4) < 3 && (6...10).contains(blurred.deviation))
  }

  @Test func blockMeansOfImagesAreMet() throws {
    var files = TrainedRun.images.files
    files["seen.npy"] = .npy([140], shape: [1, 1])
    let bench = try Workbench(files)
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver ode --count 50 --out x.npy --observe seen.npy --observe-as block-means:size=2,iterations=4"
    )
    let samples = try NPY.read(bench.path("x.npy"), as: Double.self)
    try #require(samples.shape == [50, 2, 2, 1])
    for row in 0..<50 { #expect(abs(average(samples.row(row)) - 140.5) < 5) }
    // A mean over four levels has half of their deviation of rounding.
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver ode --count 50 --out y.npy --observe seen.npy --observe-as block-means:size=2,iterations=4 --observe-noise \(0.5 / 12.0.squareRoot())"
    )
    #expect(try NPY.read(bench.path("y.npy"), as: Double.self) == samples)
    // The images themselves still differ.
    #expect(Set((0..<50).map { samples.row($0)[0].rounded() }).count > 20)
  }

  /// Moons reach to 1.3. The derivatives of a network alone throw a few of 1000 to 4.8; those of the data's moments hold them.
  @Test func samplesOfANetworkStayNearTheData() throws {
    let bench = try Workbench(["seen.npy": .npy([0.5, .nan], shape: [2])])
    _ = try bench.scoresde("train --data moons --steps 400 --batch-size 128 --out run --quiet")
    let _: Reports.Sample = try bench.report(
      "sample --model run --observe seen.npy --solver unipc --steps 30 --count 1000 --out x.npy")
    let samples = try bench.numbers("x.npy")
    let others = stride(from: 1, to: 2000, by: 2).map { abs(samples[$0]) }
    #expect(others.allSatisfy { $0 < 2.5 }, "\(others.max() ?? 0)")
    // They still have both moons.
    #expect(stride(from: 1, to: 2000, by: 2).filter { samples[$0] < 0 }.count > 200)
  }

  /// Classes far apart: under one of them there is little of the whole data's spread, and v given u = 1 is N(0.1, 0.3²).
  ///
  /// With the covariance of all data in place of that of the class, a quarter of the samples were beyond 2.
  @Test func samplesOfAClassStayNearTheClass() throws {
    let noise: Tensor<Double> = RandomKey(3).normal([1500, 2])
    let rows = (0..<1500).map { row in
      let u = [-20.0, 0, 30][row % 3] + noise[row, 0]
      return "\(row % 3),\(u),\(u / 10 + 0.3 * noise[row, 1])"
    }
    let bench = try Workbench([
      "data.csv": Data(("kind,u,v\n" + rows.joined(separator: "\n")).utf8),
      "seen.csv": Data("u\n1\n".utf8),
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --labels column:kind --network residual-mlp:width=64,blocks=2 --steps 3000 --out run"
    )
    for solver in ["unipc", "ddim"] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --class 1 --observe seen.csv --solver \(solver) --steps 50 --count 400 --out x.npy"
      )
      let samples = try bench.numbers("x.npy")
      let v = stride(from: 1, to: 800, by: 2).map { samples[$0] }
      let mean = v.reduce(0, +) / 400
      let square = v.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400
      #expect(v.filter { abs($0) > 2 }.count <= 4, "\(solver): \(v.max() ?? 0)")
      #expect(abs(mean - 0.1) < 0.2 && 0.15...0.5 ~= square.squareRoot(), "\(mean), \(square)")
    }
  }

  /// As many observations as there are rows of a file of classes go with these row by row, and others with each.
  @Test func observationsGoWithRowsOfClasses() throws {
    let rows = (0..<60).map { "\($0 % 2),\($0 % 2 == 0 ? -4 : 4),\(sin(Double($0)))" }
    let bench = try Workbench([
      "data.csv": .text("kind,u,v\n" + rows.joined(separator: "\n")),
      "both.csv": .text("kind,u,v,note\n1,,0.5,x\n0,-4,,y\n"), "first.csv": .text("v\n0.5\n"),
      "second.csv": .text("u,v\n,0.5\n-4,\n"), "three.csv": .text("v\n1\n2\n3\n"),
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --labels column:kind --out run --network mlp:width=16,layers=1 --batch-size 32 --steps 40 --warm-up 0"
    )
    func sample(_ options: String) throws -> (rows: [Double], errors: String) {
      let outcome = try bench.scoresde(
        "sample --model run --solver ancestral --steps 10 --count 3 --out x.npy \(options)")
      try #require(outcome.status == 0, "\(outcome.errors)")
      return (try bench.numbers("x.npy"), outcome.errors)
    }
    let (both, said) = try sample("--class both.csv --observe both.csv")
    #expect(
      said.contains("--observe and --class have 2 rows each, which go together row by row"),
      "\(said)")
    #expect(said.contains("the run has no column note, which is left out"), "\(said)")
    #expect(both.count == 12)
    #expect(try sample("--class 1 --observe first.csv").rows == Array(both.prefix(6)))
    #expect(try sample("--class 0 --observe second.csv").rows.suffix(6) == both.suffix(6))
    let (all, other) = try sample("--class both.csv --observe three.csv")
    #expect(all.count == 36)
    #expect(
      other.contains("--observe has 3 rows and --class 2, so each row of --class"), "\(other)")
    // So do starts: of two rows each has its own, and of three each class has the first ones.
    try bench.write(.npy([4, 0, -4, 0.5], shape: [2, 2]), to: "two.npy")
    try bench.write(.npy([4, 0, -4, 0.5, 4, 1], shape: [3, 2]), to: "starts.npy")
    let near = "--noise-level 0.02 --class both.csv --from"
    let (pairs, saying) = try sample("\(near) two.npy")
    #expect(saying.contains("--from and --class have 2 rows each"), "\(saying)")
    #expect(
      distance(pairs, (0..<6).flatMap { $0 < 3 ? [4, 0] : [-4, 0.5] }) < 1, "\(pairs)")
    let (turns, unequal) = try sample("\(near) starts.npy")
    #expect(
      unequal.contains("--from and --class have not as many rows") && turns.count == 12,
      "\(unequal)")
    try bench.write(.text("kind,w\n1,2\n"), to: "lacking.csv")
    let lacking = try bench.scoresde("likelihood --model run --data lacking.csv")
    #expect(
      lacking.status == 1
        && lacking.errors.contains("there is no column “u”; expected each of u, v"),
      "\(lacking.errors)")
    let untaken = try bench.scoresde("sample --model run --out x.npy --observe both.csv")
    #expect(
      untaken.status == 1 && untaken.errors.contains("of which the run learnt classes"),
      "\(untaken.errors)")
  }

  /// Units that are powers of 2 change samples as they must, bit for bit, when y and its noise are in them too.
  @Test func columnsAreObservedInTheirUnits() throws {
    let units = [1024.0, 1.0 / 128]
    func table(_ units: [Double]) -> Data {
      let rows = (0..<48).flatMap { row in
        let angle = 2 * .pi * Double(row) / 48
        return [cos(angle) * units[0], (1 + sin(angle + 0.5)) * units[1]]
      }
      return .npy(rows, shape: [48, 2])
    }
    let bench = try Workbench([
      "plain.npy": table([1, 1]), "units.npy": table(units),
      "plain-seen.npy": .npy([.nan, 1.5], shape: [2]),
      "units-seen.npy": .npy([.nan, 1.5 / 128], shape: [1, 2]),
    ])
    for (name, noise) in [("plain", 0.25), ("units", 0.25 / 128)] {
      let _: Reports.Train = try bench.report(
        "train --data \(name).npy --out \(name) --network mlp:width=16,layers=1 --batch-size 32 --steps 40 --warm-up 0 --scalar float64"
      )
      let _: Reports.Sample = try bench.report(
        "sample --model \(name) --solver ddim --steps 50 --count 20 --out \(name)-x.npy --scalar float64 --observe \(name)-seen.npy --observe-noise \(noise)"
      )
    }
    let (plain, other) = (try bench.numbers("plain-x.npy"), try bench.numbers("units-x.npy"))
    #expect(plain.count == 40 && other == plain.indices.map { plain[$0] * units[$0 % 2] })
    #expect(abs(average(plain.indices.filter { $0 % 2 == 1 }.map { plain[$0] }) - 1.5) < 0.3)
  }

  @Test func samplesDependOnSeedAndPlaceAlone() throws {
    var files = TrainedRun.images.files
    files["seen.npy"] = .npy([20, .nan, 90, .nan], shape: [2, 2])
    let bench = try Workbench(files)
    func sample(_ options: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver pc --steps 10 --out x.npy --observe seen.npy \(options)")
      return try bench.numbers("x.npy")
    }
    let first = try sample("--count 30 --threads 1")
    #expect(try sample("--count 30 --threads 2 --batch-size 7") == first)
    #expect(try sample("--count 11") == Array(first.prefix(44)))
  }
}

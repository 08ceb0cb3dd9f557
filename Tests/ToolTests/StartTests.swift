import Foundation
import ScoreSDE
import Testing

/// Runs that begin with the parameters of others.
@Suite struct StartTests {
  private static func average(_ bench: Workbench, _ run: String) throws -> [Float] {
    let file = try Safetensors<Float>(
      bytes: [UInt8](bench.data("\(run)/checkpoint.safetensors")), name: run)
    return zip(file.parameters.names, file.parameters.tensors)
      .filter { $0.0.hasPrefix("average/") }.flatMap(\.1.scalars)
  }

  @Test func aRunBeginsWithTheAverageOfAnother() throws {
    var files = TrainedRun.images.files
    files["other.npy"] = .npy(bytes: (0..<64).map { UInt8(30 + 3 * $0) }, shape: [16, 2, 2])
    let bench = try Workbench(files)
    let before = try bench.data("run/checkpoint.safetensors")
    let _: Reports.Train = try bench.report(
      "train --start run --data other.npy --steps 1 --learning-rate 1e-9 --warm-up 0 --out next")
    let (start, next) = (try Self.average(bench, "run"), try Self.average(bench, "next"))
    // A step of Adam changes a parameter by its learning rate at most.
    #expect(
      start.count == next.count
        && zip(start, next).allSatisfy { abs($0 - $1) < 2e-9 + abs($0) * 1e-6 })
    #expect(try bench.data("run/checkpoint.safetensors") == before)
    // Bytes are where those of the run were, whatever the others' moments are.
    let (old, new) = try ["run", "next"].map { try bench.data("\($0)/run.json") }
      .map { try JSONDecoder().decode(RunDescription.self, from: $0) }.pair
    #expect(old.parametrization == new.parametrization && old.network == new.network)
    #expect(old.notes["scale"] == new.notes["scale"] && old.sde == new.sde)
    #expect(try bench.scoresde("inspect next").output.contains("began with"))
  }

  @Test func aRunThatWasStoppedBeforeItsFirstCheckpointBeginsThereAgain() throws {
    let bench = try Workbench(TrainedRun.images.files)
    func train(_ words: String) throws {
      let _: Reports.Train = try bench.report(
        "train --batch-size 16 --schedule constant --steps 20 \(words)")
    }
    try train("--start run --data data.npy --out next")
    let whole = try bench.data("next/checkpoint.safetensors")
    try bench.remove("next/checkpoint.safetensors")
    try bench.remove("next/loss.csv")
    try train("--resume --out next --threads 1")
    #expect(try bench.data("next/checkpoint.safetensors") == whole)
    // Later it does not need the other any more.
    try bench.remove("run/run.json")
    let _: Reports.Train = try bench.report("train --resume --out next --steps 30")
  }

  /// A network that gives x0 keeps the weighting that suits it, as where it is asked for by name.
  @Test func aNetworkOfTheDataKeepsItsWeighting() throws {
    let bench = try Workbench()
    let weightings = try ["--parametrization x0 --out run", "--start run --out next"].map {
      let _: Reports.Train = try bench.report(
        "train --data moons:count=50 --batch-size 8 --steps 1 \($0)")
      let folder = String($0.split(separator: " ")[3])
      return try JSONDecoder().decode(
        RunDescription.self, from: bench.data("\(folder)/run.json")
      ).options.weighting
    }
    #expect(weightings == [.minSNR, .minSNR])
  }

  /// So does a model of few steps that is distilled with the network of its teacher.
  @Test func distillationBeginsWithTheAverageOfTheTeacher() throws {
    let bench = try Workbench(TrainedRun.images.files)
    let outcome = try bench.scoresde(
      "distill --model run --steps 1 --learning-rate 1e-9 --warm-up 0 --batch-size 8 --solver-steps 2 --out next --quiet"
    )
    #expect(outcome.status == 0, "\(outcome.errors)")
    let (start, next) = (try Self.average(bench, "run"), try Self.average(bench, "next"))
    #expect(
      start.count == next.count
        && zip(start, next).allSatisfy { abs($0 - $1) < 2e-9 + abs($0) * 1e-6 })
  }

  @Test func aRunGoesOnWithNoOtherStart() throws {
    let bench = try Workbench(TrainedRun.images.files)
    let outcome = try bench.scoresde("train --resume --out run --start run --steps 300")
    #expect(outcome.status == 2 && outcome.errors.contains("began with no other"))
  }

  /// Of tables columns are those of the first run, wherever they stand, and so they are when the second goes on.
  @Test func columnsAndLevelsAreThoseOfTheFirstRun() throws {
    func table(_ rows: Int, _ swap: Bool) -> Data {
      let lines = (0..<rows).map { row in
        let (a, b) = (Double(row % 7), 100 + 3 * Double(row % 5))
        return swap ? "\(b),\(a)\n" : "\(a),\(b)\n"
      }
      return .text((swap ? "b,a\n" : "a,b\n") + lines.joined())
    }
    var files = PublishedFolder.files(noise: 0)
    files["first.csv"] = table(35, false)
    files["second.csv"] = table(20, true)
    // Levels of their own, which are 17 for the imported model.
    files["data.npy"] = .npy(bytes: (0..<64).map { UInt8($0 % 17) }, shape: [8, 2, 4])
    let bench = try Workbench(files)
    let options = "--batch-size 8 --schedule constant"
    func train(_ words: String) throws {
      let _: Reports.Train = try bench.report("train \(options) \(words)")
    }
    func notes(_ run: String) throws -> [String: String] {
      try JSONDecoder().decode(RunDescription.self, from: bench.data("\(run)/run.json")).notes
    }
    try train("--data first.csv --network mlp:width=8,layers=1 --steps 10 --out table")
    #expect(try bench.scoresde("import published --levels 17 --out images").status == 0)
    for (start, data) in [("table", "second.csv"), ("images", "data.npy")] {
      try train("--start \(start) --data \(data) --steps 20 --out whole-\(start)")
      try train("--start \(start) --data \(data) --steps 10 --out part-\(start)")
      try train("--resume --out part-\(start) --steps 20")
      for note in ["columns", "standardization", "scale"] {
        #expect(try notes("whole-\(start)")[note] == notes(start)[note], "\(start): \(note)")
      }
      #expect(
        try bench.data("part-\(start)/checkpoint.safetensors")
          == bench.data("whole-\(start)/checkpoint.safetensors"), "\(start)")
    }
  }

  @Test(arguments: [
    ("--start none --data data.npy", 1, ["none", "not a run folder"]),
    ("--start run --data data.npy --sde vp", 2, ["--sde", "--start"]),
    ("--start run --data data.npy --network mlp", 2, ["--network", "--start"]),
    ("--start run --data moons", 1, ["moons", "levels 0 … 255"]),
    ("--start run --data data.npy --labels labels.npy", 2, ["no classes", "up to 1"]),
    ("--start run --data data.npy --given given.csv", 2, ["is given nothing"]),
    ("--start run --data flat.npy", 1, ["[3]", "[2, 2, 1]"]),
  ])
  func refusals(_ words: String, _ status: Int, _ expected: [String]) throws {
    var files = TrainedRun.images.files
    files["labels.npy"] = .npy((0..<32).map { Double($0 % 2) }, shape: [32])
    files["given.csv"] = .text("a\n" + (0..<32).map { "\($0)\n" }.joined())
    files["flat.npy"] = .npy(bytes: [1, 2, 3, 4, 5, 6], shape: [2, 3])
    let bench = try Workbench(files)
    let outcome = try bench.scoresde("train --out next --steps 1 \(words)")
    #expect(outcome.status == Int32(status) && outcome.output.isEmpty)
    for part in expected { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
    #expect(throws: (any Error).self) { try bench.data("next/run.json") }
  }
}

extension [RunDescription] {
  fileprivate var pair: (RunDescription, RunDescription) { (self[0], self[1]) }
}

import Foundation
import ScoreSDE
import Testing

/// `train --levels`: how many levels whole numbers are of.
struct LevelTests {
  private static let digits: Dataset<Double> = Digits.load(.training).prefix(64)
  private static let rest =
    "--network mlp:width=8,layers=1 --steps 3 --batch-size 8 --scalar float64"

  private static var files: [String: Data] {
    let numbers = digits.samples.scalars
    return [
      "bytes.npy": .npy(bytes: numbers.map { UInt8($0) }, shape: [64, 8, 8]),
      "numbers.npy": .npy(numbers, shape: [64, 8, 8, 1]),
      "bright.npy": .npy(bytes: numbers.map { UInt8(4 * $0) }, shape: [64, 8, 8]),
      "halves.npy": .npy(numbers.map { $0 / 2 }, shape: [64, 8, 8, 1]),
    ]
  }

  /// The digits of the package are known to have 17 levels; in files they are bytes or numbers until it is said.
  @Test(arguments: ["bytes", "numbers"])
  func levelsOfFilesAreThoseOfTheDigits(_ file: String) throws {
    let bench = try Workbench(Self.files)
    for (data, run) in [("digits:count=64", "own"), ("\(file).npy --levels 17", "run")] {
      let outcome = try bench.scoresde("train --data \(data) --out \(run) \(Self.rest) --quiet")
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      let _: Reports.Sample = try bench.report(
        "sample --model \(run) --solver ddim --steps 5 --count 4 --out \(run).png")
    }
    for name in ["checkpoint.safetensors", "loss.csv"] {
      #expect(try bench.data("run/\(name)") == bench.data("own/\(name)"), "\(name)")
    }
    #expect(try bench.data("run.png") == bench.data("own.png"))

    // Other commands read data as these levels, and so does the run itself.
    let words = "likelihood --strata 0 --json --quiet --data \(file).npy --model"
    let found = try ["own", "run"].map { run in
      let outcome = try bench.scoresde("\(words) \(run)")
      #expect(outcome.errors.isEmpty, "\(outcome.errors)")
      return try outcome.report(as: Reports.Likelihood.self).bitsPerDimension?.mean
    }
    #expect(found[0] != nil && found[0] == found[1])
    let resumed = try bench.scoresde("train --resume --out run --levels 17 --steps 5 --quiet")
    #expect(resumed.status == 2 && resumed.errors.contains("--scalar float64"))
    let more = "train --resume --out run --scalar float64 --quiet --steps"
    let other = try bench.scoresde("\(more) 5 --levels 16")
    #expect(other.status == 2 && other.errors.contains("--levels is 16, but the run in run has 17"))
    #expect(try bench.scoresde("\(more) 5 --levels 17").status == 0)
  }

  @Test func bytesOfFewLevelsAreRemarkedOn() throws {
    let bench = try Workbench(Self.files)
    for (data, isSaid) in [
      ("bytes.npy", true), ("bytes.npy --levels 17", false), ("bright.npy", false),
      ("numbers.npy", false), ("digits:count=64", false),
    ] {
      let outcome = try bench.scoresde(
        "train --data \(data) --out \(UUID().uuidString) \(Self.rest)")
      #expect(outcome.status == 0)
      #expect(
        outcome.errors.contains("bytes.npy has bytes up to 16, ") == isSaid, "\(outcome.errors)")
      #expect(outcome.errors.contains("--levels 17 takes them as 17") == isSaid)
      // Levels are not standardised.
      #expect(!isSaid || !outcome.errors.contains("--standardize"), "\(outcome.errors)")
    }
  }

  @Test(arguments: [
    ("bytes.npy --levels 16", 1, "--levels is 16: bytes.npy: sample "),
    ("bytes.npy --levels 16", 1, " holds 16.0, where levels 0 … 15 are expected"),
    ("halves.npy --levels 17", 1, ".5, where levels 0 … 16 are expected"),
    ("bytes.npy --levels 1", 2, "--levels is 1; expected a whole number from 2"),
    ("numbers.npy --levels 17 --standardize whole", 2, "the data are quantised"),
    ("bytes.npy --levels 17 --start own", 2, "--levels is given with --start"),
  ])
  func otherNumbersAreRefused(_ data: String, _ status: Int32, _ part: String) throws {
    let bench = try Workbench(Self.files)
    let outcome = try bench.scoresde("train --data \(data) --out run --quiet --steps 1")
    #expect(outcome.status == status && outcome.errors.contains(part), "\(outcome)")
    #expect(try bench.contents().count == Self.files.count)
  }
}

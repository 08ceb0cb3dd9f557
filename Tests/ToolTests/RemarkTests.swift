import Foundation
import Testing

/// What the tool says beside progress and results.
struct RemarkTests {
  /// Numbers of 100 are large beside noise of 10.
  private static let numbers = Data.npy((0..<40).map { 80 + Double($0) }, shape: [20, 2, 1])
  private static let rest = "--network mlp:width=8,layers=1 --steps 3 --batch-size 8"

  @Test func quietKeepsRemarksAndNoProgress() throws {
    let bench = try Workbench([
      "x.npy": Self.numbers, "table.csv": .text("a,b\n1,7\n2,7\n4,7\n"),
    ])
    for (words, remark) in [
      ("train --data x.npy --sde ve:sigma-max=10 \(Self.rest) --out", "entries of 100"),
      ("train --data table.csv \(Self.rest) --out", "the same number in every row of b"),
      ("sample --model gaussian --solver adaptive-sde --steps 9 --out", "--steps changes"),
    ] {
      let quiet = try bench.scoresde("\(words) quiet.npy --quiet")
      #expect(quiet.status == 0)
      let lines = quiet.errors.split(separator: "\n")
      try #require(lines.count == 1 && lines[0].contains(remark), "\(quiet.errors)")
      let loud = try bench.scoresde("\(words) loud.npy").errors.split(separator: "\n")
      #expect(loud.contains(lines[0]) && loud.contains { $0.contains("100 %") }, "\(loud)")
      for run in ["quiet.npy", "loud.npy"] { try bench.remove(run) }
    }
  }

  /// The folder has a run whose checkpoint is gone, and its losses are not.
  @Test func quietKeepsWhatARunThatBeginsAnewSays() throws {
    let bench = try Workbench(["x.npy": Self.numbers])
    #expect(try bench.scoresde("train --data x.npy --out run \(Self.rest) --quiet").status == 0)
    try bench.remove("run/checkpoint.safetensors")
    let again = try bench.scoresde("train --resume --out run --quiet")
    #expect(
      again.errors
        == "there is no run/checkpoint.safetensors; training starts from the first step\n")
  }

  /// At such a rate the first steps have the largest losses of all, and the mean of ten of them is no beginning.
  @Test(arguments: [("--learning-rate 100 --clip 1e9", true), ("", false)])
  func trainingThatDivergesAtOnceSaysSo(_ options: String, _ isSaid: Bool) throws {
    let bench = try Workbench()
    let outcome = try bench.scoresde(
      "train --data moons:count=200 --network mlp:width=16,layers=2 --steps 30 --batch-size 64 --schedule constant --warm-up 0 --out run --quiet \(options)"
    )
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("a lower learning rate may help") == isSaid, "\(outcome)")
    let losses = String(decoding: try bench.data("run/loss.csv"), as: UTF8.self)
      .split(separator: "\n").dropFirst().compactMap { Double($0.split(separator: ",")[1]) }
    #expect(!isSaid || losses[0] > losses[2], "\(losses)")
  }

  /// Where a network gives x0, its errors are large in scores at small noise.
  @Test(arguments: [("x0", true), ("v", false)])
  func likelihoodsOfNetworksThatGiveDataAreRemarkedOn(_ given: String, _ isSaid: Bool) throws {
    let bench = try Workbench()
    let trained = try bench.scoresde(
      "train --data moons:count=40 --parametrization \(given) --out run \(Self.rest)")
    #expect(trained.status == 0)
    let outcome = try bench.scoresde("likelihood --model run --data moons:count=3 --strata 0")
    #expect(outcome.status == 0 && outcome.errors.contains("gives x0") == isSaid, "\(outcome)")
  }

  @Test func namesOfARunWithoutThemAreToldApart() throws {
    let bench = try Workbench()
    let trained = try bench.scoresde(
      "train --data moons:count=40 --labels data --out run \(Self.rest)")
    #expect(trained.status == 0)
    for command in ["sample --out x.npy", "likelihood --data moons:count=3"] {
      let outcome = try bench.scoresde("\(command) --model run --class Dress")
      #expect(outcome.status == 2)
      #expect(
        outcome.errors.hasPrefix(
          "scoresde: --class is Dress, but the classes of the run run have no names; expected "),
        "\(outcome.errors)")
    }
    let numbers = try bench.scoresde("sample --model run --class 1,1 --out x.npy")
    #expect(numbers.status == 2 && !numbers.errors.contains("names"), "\(numbers.errors)")
  }

  /// What the sentence offers is taken.
  @Test func anSDEWithoutSignalAtTheEndIsOfferedAnEarlierOne() throws {
    let bench = try Workbench()
    for (text, end) in [("alpha=1-t,sigma=t", "0.999"), ("alpha=1-t/3,sigma=t/3,end=3", "2.997")] {
      let refused = try bench.scoresde("inspect custom:\(text)")
      #expect(refused.status == 2 && refused.errors.contains("such as end=\(end), "), "\(refused)")
      let mended = text.replacing(",end=3", with: "") + ",end=\(end)"
      #expect(try bench.scoresde("inspect custom:\(mended)").status == 0)
    }
  }
}

import Foundation
import ScoreSDE
import Testing

/// Latents that `likelihood` writes and `sample` leads back.
@Suite struct LatentTests {
  @Test func latentsLeadBackToTheData() throws {
    let data = [1.2, 0.4, -0.3, 2.2, 0.9, 1.5]
    let bench = try Workbench(["data.npy": .npy(data, shape: [3, 2])])
    let model = "--model gaussian:mean=1,std=0.5,dim=2 --scalar float64"
    let exact = "--rtol 1e-9 --atol 1e-9 --epsilon 1e-3"
    let _: Reports.Likelihood = try bench.report(
      "likelihood \(model) --data data.npy \(exact) --latents z.npy")
    // The flow of a Gaussian is affine, in closed form.
    let flow = GaussianFlow(mean: 1, deviation: 0.5, epsilon: 1e-3)
    let latents = try bench.numbers("z.npy")
    #expect(distance(latents.map(flow.sample), data) < 1e-6)
    let back: Reports.Sample = try bench.report(
      "sample \(model) --latents z.npy --solver ode \(exact) --out x.npy")
    #expect(back.count == 3)
    #expect(distance(try bench.numbers("x.npy"), data) < 1e-6)
    let _: Reports.Sample = try bench.report(
      "sample \(model) --latents z.npy --count 2 --solver ode \(exact) --batch-size 1 --out x.npy")
    #expect(distance(try bench.numbers("x.npy"), Array(data.prefix(4))) < 1e-6)
  }

  /// Levels that are spread over their bins come back in these.
  @Test func levelsComeBack() throws {
    let bench = try Workbench(TrainedRun.images.files)
    let _: Reports.Likelihood = try bench.report(
      "likelihood --model run --data data.npy --count 8 --strata 0 --latents z.npy --rtol 1e-6 --atol 1e-6 --epsilon 1e-3"
    )
    let _: Reports.Sample = try bench.report(
      "sample --model run --latents z.npy --solver ode --rtol 1e-6 --atol 1e-6 --epsilon 1e-3 --out x.npy"
    )
    let levels = try bench.numbers("data.npy")
    for (found, level) in zip(try bench.numbers("x.npy"), levels) {
      // Within a thousandth of a level of the bin.
      #expect(found > level - 1e-3 && found < level + 1.001)
    }
  }

  /// Rows of a table, each under its own class and number, whose latents lead back to them in one go.
  @Test func latentsGoRowByRowWithFilesOfAsManyRows() throws {
    let rows = (0..<24).map {
      "\(sin(Double($0))),\(cos(2 * Double($0)) + Double($0 % 3)),\($0 % 3)"
    }
    let test = rows.prefix(6)
    let bench = try Workbench([
      "data.csv": .text("x,y,kind\n" + rows.joined(separator: "\n")),
      "test.csv": .text("x,y,kind\n" + test.joined(separator: "\n")),
      "five.csv": .text("x,y,kind\n" + test.prefix(5).joined(separator: "\n")),
      "kinds.npy": .npy((0..<6).map { Double($0 % 3) }, shape: [6]),
    ])
    let _: Reports.Train = try bench.report(
      "train --data data.csv --labels column:kind --given y --out run --scalar float64 --network mlp:width=16,layers=1 --batch-size 24 --steps 40 --warm-up 0 --learning-rate 0.01"
    )
    let exact = "--rtol 1e-9 --atol 1e-9 --epsilon 1e-3"
    let _: Reports.Likelihood = try bench.report(
      "likelihood --model run --data test.csv --class data --strata 0 --latents z.npy \(exact)")
    let data = test.compactMap { Double($0.prefix { $0 != "," }) }
    func back(_ words: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --latents z.npy --solver ode \(exact) --out x.npy \(words)")
      return try bench.numbers("x.npy")
    }
    let own = "--class test.csv --given test.csv"
    for words in [own, "--class kinds.npy --given test.csv", "\(own) --batch-size 2"] {
      #expect(distance(try back(words), data) < 1e-6)
    }
    // The first of the latents have the first of the rows.
    #expect(distance(try back("\(own) --count 4"), Array(data.prefix(4))) < 1e-6)
    // Classes by number are about the rows, one after another: row 4 is of class 1.
    let each = try back("--class 0-2 --given test.csv")
    #expect(each.count == 18 && abs(each[6 + 4] - data[4]) < 1e-6 && abs(each[4] - data[4]) > 1e-3)
    // With other than as many rows each row has all latents, among them its own.
    let all = try back("--class five.csv --given five.csv")
    #expect(all.count == 30 && (0..<5).allSatisfy { abs(all[6 * $0 + $0] - data[$0]) < 1e-6 })
    for (words, said) in [
      (own, "which go together row by row"), ("--class five.csv", "has all states"),
    ] {
      let outcome = try bench.scoresde(
        "sample --model run --latents z.npy --solver ddim --steps 2 --out x.npy \(words)")
      #expect(outcome.errors.contains(said), "\(outcome.errors)")
    }
  }

  /// Each row keeps its own latent for all that is observed.
  @Test func rowsOfLatentsHaveAllObservations() throws {
    let bench = try Workbench([
      "z.npy": .npy([0.3, -0.4, -1, 2, 0.7, 0.1], shape: [3, 2]),
      "kinds.npy": .npy([0, 1, 1], shape: [3]), "one.npy": .npy([1], shape: [1]),
      "last.npy": .npy([0.7, 0.1], shape: [1, 2]),
      "seen.npy": .npy([0.5, .nan, 0.2, .nan], shape: [2, 2]),
    ])
    let _: Reports.Train = try bench.report(
      "train --data moons:count=50 --labels data --out run --network mlp:width=16,layers=1 --batch-size 24 --steps 20"
    )
    func sample(_ words: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 5 --observe seen.npy --out x.npy \(words)")
      return try bench.numbers("x.npy")
    }
    let all = try sample("--latents z.npy --class kinds.npy")
    #expect(all.count == 12)
    #expect(distance(try sample("--latents last.npy --class one.npy"), Array(all.suffix(4))) < 1e-5)
  }

  @Test(arguments: [
    ("--latents none.npy", 1, ["none.npy", "no such file"]),
    ("--latents z.npy", 1, ["[2, 3]", "[2]"]),
    ("--latents two.npy --count 3", 2, ["--count is 3", "2 states"]),
    ("--latents two.npy --from two.npy", 2, ["--from", "one of the two"]),
    ("--latents two.npy --observe two.npy --particles 4", 2, ["--particles", "one of the two"]),
  ])
  func refusals(_ words: String, _ status: Int, _ expected: [String]) throws {
    let bench = try Workbench([
      "z.npy": .npy([1, 2, 3, 4, 5, 6], shape: [2, 3]),
      "two.npy": .npy([1, 2, 3, 4], shape: [2, 2]),
    ])
    let outcome = try bench.scoresde("sample --model gaussian:dim=2 --out x.npy \(words)")
    #expect(outcome.status == Int32(status) && outcome.output.isEmpty)
    for part in expected { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
  }
}

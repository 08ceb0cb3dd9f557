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

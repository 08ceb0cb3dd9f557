import Foundation
import ScoreSDE
import Testing

/// Runs that are given an image, or a series, beside each sample.
@Suite struct GivenImageTests {
  private static let options =
    "--batch-size 128 --steps 400 --warm-up 0 --learning-rate 0.01"
  private static let (side, count) = (4, 512)

  /// Images y, and of each the same one pixel to the right, three parts in five, with noise of 0.4.
  private static func pairs(_ count: Int, seed: UInt64) -> (x: [Double], y: [Double]) {
    let key = RandomKey(seed)
    let y: Tensor<Double> = key.folded("y").normal([count, side * side])
    let noise: Tensor<Double> = key.folded("noise").normal([count, side * side])
    let x = zip(shifted(y.scalars), noise.scalars).map { $0 + 0.4 * $1 }
    return (x, y.scalars)
  }

  private static func shifted(_ y: [Double]) -> [Double] {
    y.indices.map { $0 % side == 0 ? 0 : 0.6 * y[$0 - 1] }
  }

  private static func file(_ numbers: [Double], _ row: [Int]) -> Data {
    .npy(numbers, shape: [numbers.count / row.reduce(1, *)] + row)
  }

  private static func bench(_ given: [Int], _ files: [String: Data] = [:]) throws -> Workbench {
    let (x, y) = pairs(count, seed: 1)
    return try Workbench(
      ["x.npy": file(x, [side, side, 1]), "y.npy": file(y, given)].merging(files) { $1 })
  }

  /// Samples under an image lie about it, one pixel to the right; what is not given leaves them about 0.
  @Test func samplesFollowTheImageThatIsGiven() throws {
    let (_, y) = Self.pairs(8, seed: 2)
    let bench = try Self.bench(
      [4, 4, 1],
      [
        "some.npy": Self.file(y, [4, 4, 1]), "one.npy": Self.file(Array(y[..<16]), [4, 4]),
        "first.npy": .npy(Array(y[..<16]), shape: [4, 4]),
      ])
    let _: Reports.Train = try bench.report(
      "train --data x.npy --given y.npy --network unet:channels=16,multipliers=1 --out run \(Self.options)"
    )
    func samples(_ words: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver unipc --steps 12 --count 50 --out s.npy \(words)")
      return try bench.numbers("s.npy")
    }
    let found = try samples("--given some.npy")
    let expected = Self.shifted(y)
    let errors = found.indices.map { place in
      found[place] - expected[place / (50 * 16) * 16 + place % 16]
    }
    // Means of 50 samples would be off by 0.06 where the model is right, and by 0.52 where it takes no image.
    let means = expected.indices.map { place in
      average((0..<50).map { errors[(place / 16 * 50 + $0) * 16 + place % 16] })
    }
    #expect(average(means.map { $0 * $0 }).squareRoot() < 0.2)
    #expect(abs(average(errors.map { $0 * $0 }).squareRoot() - 0.4) < 0.1)
    // The network's text says so, and a single image may stand without an axis for images.
    #expect(try bench.scoresde("inspect run").output.contains("given-channels=1"))
    #expect(try samples("--given first.npy") == samples("--given one.npy"))
    #expect(try samples("--given one.npy") == Array(found.prefix(50 * 16)))
    #expect(try samples("") != samples("--given one.npy"))
    // What is given may be told again on the way on.
    let _: Reports.Train = try bench.report(
      "train --resume --out run --steps 410 --network unet:channels=16,multipliers=1 --given y.npy")
  }

  @Test func scoresAndHeldOutLossesAreUnderEachOnesImage() throws {
    let (x, y) = Self.pairs(64, seed: 3)
    let bench = try Self.bench(
      [4, 4], ["test.npy": Self.file(x, [4, 4, 1]), "given.npy": Self.file(y, [4, 4])])
    let _: Reports.Train = try bench.report(
      "train --data x.npy --given y.npy --validation test.npy --validation-given given.npy --network unet:channels=16,multipliers=1 --out run \(Self.options)"
    )
    func nats(_ words: String) throws -> Double {
      let outcome = try bench.scoresde(
        "likelihood --model run --data test.npy --strata 0 --out nats.npy --quiet \(words)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      return average(try bench.numbers("nats.npy"))
    }
    // 16 log deviations: 0.4 under the image, 0.65 for 12 of them without.
    let (under, without) = (try nats("--given given.npy"), try nats(""))
    #expect(under > without + 3, "\(under), \(without)")
    #expect(under < -16 * (log(0.4) + 0.5 * log(2 * .pi * M_E)) + 1)
  }

  @Test func imagesOfOtherSidesAndOfOtherCountsAreRefused() throws {
    let (_, y) = Self.pairs(Self.count, seed: 1)
    let bench = try Self.bench(
      [2, 8], ["few.npy": Self.file(Array(y[..<64]), [4, 4]), "flat.npy": Self.file(y, [16])])
    let unet = "train --data x.npy --network unet:channels=4,multipliers=1 --steps 2 --out run"
    let sides = try bench.scoresde("\(unet) --given y.npy")
    #expect(sides.status == 2 && sides.errors.contains("expected the same sides"))
    let few = try bench.scoresde("\(unet) --given few.npy")
    #expect(few.status == 1 && few.errors.contains("few.npy has 4 rows; expected 512"))
    #expect(try bench.contents()["run/run.json"] == nil)
    // Rows of numbers go with the time, and so do images where the network takes none.
    let _: Reports.Train = try bench.report("\(unet) --given flat.npy")
    let _: Reports.Train = try bench.report(
      "train --data x.npy --network mlp:width=8,layers=1 --steps 2 --out other --given y.npy")
    for run in ["run", "other"] {
      #expect(try !bench.scoresde("inspect \(run)").output.contains("given-channels"))
    }
  }
}

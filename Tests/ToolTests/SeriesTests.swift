import Foundation
import ScoreSDE
import Testing

/// Series of channels: their units, means over times, and what is said of what is seen of them.
struct SeriesTests {
  private static let network = "--network unet-1d:channels=8,multipliers=1,blocks=1"
  private static let count = 400

  /// Series of 4 times and 2 channels, each the sum of a number that all of a channel have and one of its own, of deviations
  /// 1 and ½, and of the second channel 10 + 5 times such.
  private static let series: Data = {
    let whole: Tensor<Double> = RandomKey(1).normal([count, 2])
    let own: Tensor<Double> = RandomKey(2).normal([count, 4, 2])
    let numbers = (0..<count).flatMap { row in
      (0..<8).map { entry in
        let channel = entry % 2
        let value = whole.row(row)[channel] + 0.5 * own.row(row)[entry]
        return channel == 0 ? value : 10 + 5 * value
      }
    }
    return .npy(numbers, shape: [count, 4, 2])
  }()

  private static func bench(steps: Int) throws -> Workbench {
    let bench = try Workbench(["data.npy": series])
    let trained = try bench.scoresde(
      "train --data data.npy \(network) --steps \(steps) --batch-size 64 --learning-rate 0.003 --warm-up 0 --average-decay 0.95 --out run --quiet"
    )
    try #require(trained.status == 0, "\(trained.errors)")
    return bench
  }

  @Test func channelsAreStandardised() throws {
    let bench = try Self.bench(steps: 3)
    #expect(try bench.scoresde("inspect run").output.contains("channels"))
    for (words, status) in [
      ("--standardize channels --steps 4", 0), ("--standardize columns --steps 4", 2),
    ] {
      let outcome = try bench.scoresde("train --resume --out run --quiet \(words)")
      #expect(outcome.status == status, "\(outcome.errors)")
    }
    // Images of two axes have no channels, and neither has a network of rows.
    let plain = try bench.scoresde(
      "train --data data.npy --network mlp:width=8,layers=1 --steps 3 --batch-size 8 --out plain --quiet"
    )
    #expect(plain.status == 0)
    #expect(try !bench.scoresde("inspect plain").output.contains("channels"))
  }

  /// Means over pairs of times of the first channel and of the second come back, 0.5 and 12 in the first half.
  @Test func meansOverTimesAreObserved() throws {
    let bench = try Self.bench(steps: 400)
    let means = [0.5, 12, -0.5, 8]
    try bench.write(.npy(means, shape: [2, 2]), to: "means.npy")
    let words =
      "sample --model run --observe means.npy --observe-as block-means:size=2 --solver unipc --steps 20 --count 50 --out x.npy"
    let report: Reports.Sample = try bench.report(words)
    #expect(report.shape == [50, 4, 2])
    let samples = try bench.numbers("x.npy")
    for row in 0..<50 {
      let own = Array(samples[8 * row..<8 * row + 8])
      for (place, mean) in means.enumerated() {
        let first = own[place / 2 * 4 + place % 2]
        let second = own[place / 2 * 4 + 2 + place % 2]
        #expect(abs((first + second) / 2 - mean) < (place % 2 == 0 ? 0.1 : 0.5))
      }
    }
    let wrong = try bench.scoresde(words.replacing("size=2", with: "size=3"))
    #expect(wrong.status == 2 && wrong.errors.contains("expected one that divides 4, the length"))
  }

  /// The mean of a channel deviates by √(1 + ¼/4) = 1.03 from 0, and not by half of the √1.25 of its entries: 4 is 3.9 such, and 9
  /// is 8.7.
  @Test(arguments: [(4.0, false), (9, true)])
  func whatIsSeenIsHeldToHowSuchNumbersDeviate(_ mean: Double, _ isFar: Bool) throws {
    let bench = try Self.bench(steps: 3)
    try bench.write(.npy([0.25, 0, 0.25, 0, 0.25, 0, 0.25, 0], shape: [1, 8]), to: "a.npy")
    try bench.write(.npy([mean], shape: [1]), to: "y.npy")
    let outcome = try bench.scoresde(
      "sample --model run --observe y.npy --observe-as matrix:a.npy --solver ddim --steps 2 --count 2 --out x.npy --quiet"
    )
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("deviations from the mean") == isFar, "\(outcome.errors)")
    if isFar { #expect(outcome.errors.contains("8.") || outcome.errors.contains("9.")) }
  }

  /// One probe has noise of its own, several have less and tell so.
  @Test func anAreaByOneProbeIsRemarkedOn() throws {
    let bench = try Self.bench(steps: 3)
    for (words, isSaid) in [("", true), ("--probes 2", false), ("--divergence exact", false)] {
      let outcome = try bench.scoresde(
        "likelihood --model run --data data.npy --against data.npy --count 8 --strata 0 --rtol 1e-2 --atol 1e-2 --quiet \(words)"
      )
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("a single probe") == isSaid, "\(outcome.errors)")
    }
  }

  /// Twelve of all, each under its number, and the channels by their names.
  @Test func picturesAreOfSeriesFromAll() throws {
    let bench = try Self.bench(steps: 3)
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver ddim --steps 2 --count 24 --out x.svg")
    let picture = String(decoding: try bench.data("x.svg"), as: UTF8.self)
    for label in ["sample 1<", "sample 3<", "sample 23<", "channel 1<", "channel 2<"] {
      #expect(picture.contains(label), "\(label)")
    }
    #expect(!picture.contains("sample 2<"))
  }
}

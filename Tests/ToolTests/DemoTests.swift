import Foundation
import ScoreSDE
import Testing

@Suite struct DemoTests {
  private static let files = [
    "loss.svg", "report.html", "run", "run/checkpoint.safetensors", "run/loss.csv", "run/loss.svg",
    "run/run.json",
    "samples-euler-maruyama.png", "samples-predictor-corrector.png",
    "samples-probability-flow-ode.png", "solvers.txt", "test-digits.png",
  ]

  @Test func theDemoScoresTheDigitsAndItsRunIsSafeOnceTrainedOn() throws {
    let bench = try Workbench()
    let report: Reports.Demo = try bench.report("demo --steps 1 --out demo")
    #expect(report.out == "demo")
    #expect(try Set(bench.contents().keys) == Set(["demo"] + Self.files.map { "demo/\($0)" }))
    let page = String(decoding: try bench.data("demo/report.html"), as: UTF8.self)

    // The pictures show the levels 0 … 16 that the distances are measured on.
    func levels(_ picture: String) throws -> Tensor<Float> {
      let tiles = try PNG.read(bench.path("demo/\(picture).png"))
        .tiles(100, side: 8, square: 5, columns: 10)
      return Tensor([100, 8, 8, 1], tiles.map { Float(($0 * 16 / 255).rounded()) })
    }
    let test = (Digits.load(.test) as Dataset<Float>).samples
    #expect(try levels("test-digits") == test.rows(0..<100))
    try #require(report.solvers.count == 3)
    for (solver, picture) in zip(
      report.solvers, ["euler-maruyama", "predictor-corrector", "probability-flow-ode"])
    {
      #expect(page.contains(solver.solver) && solver.nfe > 20 && solver.seconds > 0)
      let found = Metrics.energyDistance(try levels("samples-\(picture)"), test).value
      #expect(abs(solver.distance - found) < 1e-3 * found, "\(solver.solver)")
    }
    #expect(report.solvers[0].nfe == 500 && report.solvers[1].nfe == 500)

    // One step leaves the network at the Gaussian that it starts from, with one mean and one variance for all pixels.
    // Five standard errors over the noise in the bins are a false alarm in two million; those printed are larger.
    let digits = Digits64()
    #expect(
      abs(report.bitsPerDimension.mean - digits.plainBits)
        < 5 * report.bitsPerDimension.standardError + 0.01)
    #expect(
      abs(report.baselineBitsPerDimension.mean - digits.gaussianBits)
        < 5 * report.baselineBitsPerDimension.standardError)

    // What has been trained on since is no demo's to replace.
    let _: Reports.Train = try bench.report("train --out demo/run --resume --steps 2")
    let before = try bench.contents()
    let again = try bench.scoresde("demo --steps 1 --out demo --quiet")
    #expect(again.status == 2 && again.errors.contains("demo/run/run.json"))
    #expect(try bench.contents() == before)
  }
}

extension DemoTests {
  @Test func aDemoThatIsStoppedSaysHowItGoesOn() throws {
    let bench = try Workbench()
    let (outcome, endedBySignal) = try bench.scoresde(
      "demo --steps 100000 --out demo --quiet", sent: [SIGINT], onceThereIs: "demo/run/run.json")
    #expect(!endedBySignal && outcome.status == 130, "\(outcome)")
    #expect(
      outcome.errors.contains(
        "of 100000, with a checkpoint in demo/run; the same demo begins anew, and scoresde train --out demo/run --resume goes on with its training alone\n"
      ))
    let step =
      try Safetensors<Float>(contentsOf: bench.path("demo/run/checkpoint.safetensors"))
      .metadata["step"].flatMap { Int($0) } ?? 0
    let report: Reports.Train = try bench.report(
      "train --out demo/run --resume --steps \(step + 1)")
    #expect(report.steps == step + 1)
  }
}

/// Bits per dimension of the test digits in closed form, under Gaussians with the moments of the training digits.
private struct Digits64 {
  private let training = rows(.training)
  private let test = rows(.test)

  private static func rows(_ half: Digits.Half) -> [[Double]] {
    let samples: Tensor<Double> = Digits.load(half).samples
    let entries = samples.scalars
    // A level is spread over a bin of width 1, whose middle is a half above it.
    return stride(from: 0, to: entries.count, by: 64).map { first in
      entries[first..<first + 64].map { $0 + 0.5 }
    }
  }

  /// Under one mean and one variance for all pixels.
  var plainBits: Double {
    let mean = average(training.flatMap { $0 })
    func square(_ rows: [[Double]]) -> Double {
      average(rows.flatMap { $0 }.map { ($0 - mean) * ($0 - mean) }) + 1.0 / 12
    }
    let variance = square(training)
    return (log(2 * .pi * variance) + square(test) / variance) / (2 * log(2))
  }

  /// Under the full covariance Σ, where S is the test digits' scatter about the same mean:
  ///
  /// ```
  /// (log 2π + (log det Σ + tr Σ⁻¹ S) / D) / (2 log 2)
  /// ```
  var gaussianBits: Double {
    let mean = (0..<64).map { pixel in average(training.map { $0[pixel] }) }
    func scatter(_ rows: [[Double]]) -> [[Double]] {
      var sums = [[Double]](repeating: [Double](repeating: 0, count: 64), count: 64)
      for row in rows {
        let centred = zip(row, mean).map { $0 - $1 }
        for i in 0..<64 { for j in 0..<64 { sums[i][j] += centred[i] * centred[j] } }
      }
      return (0..<64).map { i in
        (0..<64).map { j in sums[i][j] / Double(rows.count) + (i == j ? 1.0 / 12 : 0) }
      }
    }
    // Gauss–Jordan elimination turns (Σ | S) into (1 | Σ⁻¹ S); the pivots multiply to det Σ.
    var table = zip(scatter(training), scatter(test)).map { $0 + $1 }
    var logDeterminant = 0.0
    for column in 0..<64 {
      let pivot = table[column][column]
      logDeterminant += log(pivot)
      table[column] = table[column].map { $0 / pivot }
      for row in 0..<64 where row != column {
        let factor = table[row][column]
        for k in column..<128 { table[row][k] -= factor * table[column][k] }
      }
    }
    let trace = (0..<64).map { table[$0][64 + $0] }.reduce(0, +)
    return (log(2 * .pi) + (logDeterminant + trace) / 64) / (2 * log(2))
  }
}

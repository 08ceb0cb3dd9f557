import Foundation
import Testing

/// Log densities that `likelihood` prints and writes, against closed forms.
@Suite struct LikelihoodTests {
  private static let points = [-0.7, 0.1, 0.4, 0.55, 0.8, 2.3]
  private static let exactly = "--scalar float64 --rtol 1e-10 --atol 1e-10 --epsilon 1e-5"

  @Test(arguments: [1, 3])
  func natsUnderAGaussianAreThoseOfItsFlow(dimensions: Int) throws {
    let bench = try Workbench([
      "x.npy": .npy(Self.points, shape: [Self.points.count / dimensions, dimensions])
    ])
    let report: Reports.Likelihood = try bench.report(
      "likelihood --model gaussian:mean=0.5,std=0.3,dim=\(dimensions) --data x.npy --out nats.npy \(Self.exactly)"
    )
    let flow = GaussianFlow(mean: 0.5, deviation: 0.3, epsilon: 1e-5)
    let expected = stride(from: 0, to: Self.points.count, by: dimensions).map { first in
      Self.points[first..<first + dimensions].map(flow.logDensity).reduce(0, +)
    }
    let nats = try bench.numbers("nats.npy")
    #expect(distance(nats, expected) < 1e-6)
    // At the end of the flow the density is that of the data but for ε and the prior, both of which are small here.
    #expect(
      abs(flow.logDensity(0.5) + log(0.3 * (2 * .pi).squareRoot())) < 1e-2)

    #expect(report.count == expected.count && report.dimensions == dimensions)
    #expect(report.nfe > 0 && report.seconds > 0)
    #expect(abs(report.logDensity.mean - average(nats)) < 1e-9)
    let variance =
      nats.map { pow($0 - average(nats), 2) }.reduce(0, +) / Double(nats.count - 1)
    #expect(
      abs(report.logDensity.standardError - (variance / Double(nats.count)).squareRoot()) < 1e-9)
    #expect(report.bitsPerDimension == nil && report.against == nil)
  }

  @Test func natsUnderAMixtureAreThoseOfTheData() throws {
    // Of mean 0, so that the prior's mismatch is of second order in α(1) = 0.0066: 2e-5 for a variance of 1.9, times x².
    let bench = try Workbench([
      "mixture.json": .text(
        #"{"weights": [0.75, 0.25], "means": [[-0.5], [1.5]], "covariances": [[[0.04]], [[0.25]]]}"#
      ), "x.npy": .npy(Self.points, shape: [6, 1]),
    ])
    let report: Reports.Likelihood = try bench.report(
      "likelihood --model mixture:mixture.json --data x.npy --out nats.npy \(Self.exactly)")
    let expected = Self.points.map { x in
      let parts = [(0.75, -0.5, 0.2), (0.25, 1.5, 0.5)].map { weight, mean, deviation in
        weight / (deviation * (2 * .pi).squareRoot()) * exp(-0.5 * pow((x - mean) / deviation, 2))
      }
      return log(parts.reduce(0, +))
    }
    // What stops short of t = 0 adds noise of the variance σ(ε)² = 1e-6 to variances of 0.04 and more.
    #expect(distance(try bench.numbers("nats.npy"), expected) < 2e-3)
    #expect(abs(report.logDensity.mean - average(expected)) < 2e-3)
  }

  /// Under a Gaussian the truncation at so late an ε is 0.09 nats in the mean, and the corrected value knows the closed form to a tenth of it.
  @Test func correctedDensitiesAreNearerToThoseOfTheData() throws {
    let bench = try Workbench(["x.npy": .npy(Self.points, shape: [6, 1])])
    let report: Reports.Likelihood = try bench.report(
      "likelihood --model gaussian:mean=0.5,std=0.3 --data x.npy --scalar float64 --rtol 1e-9 --atol 1e-9 --epsilon 0.01 --strata 0"
    )
    let exact = average(
      Self.points.map { -0.5 * pow(($0 - 0.5) / 0.3, 2) - log(0.3 * (2 * .pi).squareRoot()) })
    let budget = report.errorBudget
    #expect(report.epsilon == 0.01)
    #expect(
      abs(
        report.logDensity.mean - budget.truncation - budget.priorMismatch
          - report.correctedLogDensity.mean) < 1e-9)
    let (plain, corrected) = (
      abs(report.logDensity.mean - exact), abs(report.correctedLogDensity.mean - exact)
    )
    #expect(plain > 0.05 && corrected < 0.2 * plain, "\(plain), \(corrected)")
    #expect(report.correctedLogDensity.standardError > 0)
    #expect(try #require(budget.correctedTotal) < #require(budget.total))
    #expect(report.correctedBitsPerDimension == nil)
  }

  @Test func oneSampleIsOneSampleInWords() throws {
    let bench = try Workbench(["x.npy": .npy([0.25], shape: [1, 1])])
    let one = try bench.scoresde("likelihood --model gaussian --data x.npy --strata 0 --quiet")
    #expect(one.output.hasPrefix("1 sample of 1 dimension from ε = 1e-05, NFE"), "\(one.output)")
    #expect(one.output.contains("less truncation and mismatch"))
    try bench.write(.npy([0.25, 0.5], shape: [2, 1]), to: "x.npy")
    let two = try bench.scoresde("likelihood --model gaussian --data x.npy --strata 0 --quiet")
    #expect(two.output.hasPrefix("2 samples of 1 dimension from"))
    let step = try bench.scoresde(
      "train --data x.npy --out run --steps 1 --network mlp:width=8,layers=1 --quiet")
    #expect(step.output.hasPrefix("1 step, loss"), "\(step.output)")
  }

  @Test func theBoundOfAnExactScoreIsTheDensityItself() throws {
    let bench = try Workbench(["x.npy": .npy(Self.points, shape: [6, 1])])
    let report: Reports.Likelihood = try bench.report(
      "likelihood --model gaussian:mean=0.5,std=0.3 --data x.npy --strata 256")
    // Five standard errors of the draws of times and noise are a false alarm in two million; the rest is truncation.
    let bound = try #require(report.variationalBound)
    #expect(abs(bound.mean - report.logDensity.mean) < 5 * bound.standardError + 0.02)
  }

  @Test func densitiesOfATrainedRunIntegrateToOneInTheDatasOwnUnits() throws {
    // Levels 60 … 140 of bytes, which training sees between −1 and 1.
    let grid = (0..<800).map { -100.25 + 0.5 * Double($0) }
    let bench = try Workbench(
      TrainedRun.single.files.merging(
        ["grid.npy": .npy(grid, shape: [800, 1])]) { $1 })
    let report: Reports.Likelihood = try bench.report(
      "likelihood --model run --data grid.npy --out nats.npy --strata 0 --rtol 1e-6 --atol 1e-6")
    // A flow carries the prior's mass whatever the network has learnt. The densities are smooth over several levels, so
    // the sum is as good as an integral, and the mass outside of the grid is that of ten deviations.
    let densities = try bench.numbers("nats.npy").map(exp)
    #expect(abs(densities.reduce(0, +) * 0.5 - 1) < 0.01)
    // Half levels are points and no levels: they have no bits.
    #expect(report.bitsPerDimension == nil)
  }

  @Test func theDensityOfALevelIsOneWithinItsBin() throws {
    let levels = Array(UInt8(60)..<140)
    let edges = (0...80).map { 60 + Double($0) } + [0.5]
    let bench = try Workbench(
      TrainedRun.single.files.merging([
        "levels.npy": .npy(bytes: levels, shape: [80, 1]),
        "edges.npy": .npy(edges, shape: [82, 1]),
      ]) { $1 })
    for data in ["levels", "edges"] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --data \(data).npy --out \(data)-nats.npy --strata 0")
    }
    let nats = try bench.numbers("levels-nats.npy")
    let ends = try bench.numbers("edges-nats.npy")
    // Single precision, the tolerance of the solver and the curvature within a bin allow for a hundredth of a nat.
    let outside = nats.indices.filter { row in
      let (low, high) = (min(ends[row], ends[row + 1]), max(ends[row], ends[row + 1]))
      return nats[row] < low - 0.01 || nats[row] > high + 0.01
    }
    #expect(nats.count == 80 && outside.isEmpty)
  }

  @Test func bitsOfLevelsAreTheirNatsOverDimensionsAndLogTwo() throws {
    // The levels are one apart in the data's own units, so that the probability of a bin is its mean density.
    for run in [TrainedRun.single, TrainedRun.images] {
      let bench = try Workbench(run.files)
      let report: Reports.Likelihood = try bench.report(
        "likelihood --model run --data data.npy --out nats.npy")
      let unit = Double(report.dimensions) * log(2)
      let mean = average(try bench.numbers("nats.npy"))
      #expect(report.dimensions == run.dimensions)
      #expect(abs(report.logDensity.mean - mean) < 1e-9)
      for (bits, nats) in [
        (report.bitsPerDimension, report.logDensity),
        (report.correctedBitsPerDimension, report.correctedLogDensity),
        (report.variationalBoundBitsPerDimension, report.variationalBound),
      ] {
        let (bits, nats) = (try #require(bits), try #require(nats))
        #expect(abs(bits.mean + nats.mean / unit) < 1e-9)
        #expect(abs(bits.standardError - nats.standardError / unit) < 1e-9)
      }
      // Eight bits code a byte without any model.
      #expect((0.1..<8).contains(try #require(report.bitsPerDimension).mean))
    }
  }

  /// A network that knows little of the noisiest times shows in its own score there, and not in the data's end marginal, which
  /// has α|x₀| = 0.0066 · 1.2 at most beside noise of deviation 1: a log density is off by 0.0014 in the mean of 32 samples.
  @Test func thePriorsMismatchIsThatOfTheRunsDataWhereTheyAreAtHand() throws {
    let bench = try Workbench(["data.npy": Levels.imagesFile, "same.npy": Levels.imagesFile])
    let _: Reports.Train = try bench.report(
      "train --data data.npy --out run --network mlp:width=16,layers=1 --steps 60 --batch-size 64 --warm-up 0 --learning-rate 0.3 --average-decay 0.1"
    )
    func mismatch(_ words: String = "") throws -> Double {
      let report: Reports.Likelihood = try bench.report(
        "likelihood --model run --data same.npy --strata 0 \(words)")
      return report.errorBudget.priorMismatch
    }
    let byData = try mismatch()
    try bench.remove("data.npy")
    // Where they are not, those that are scored stand for them, unless they are few.
    let (byScored, byScore) = (try mismatch(), try mismatch("--count 8"))
    #expect(abs(byData) < 0.004 && abs(byScored) < 0.004, "\(byData), \(byScored)")
    #expect(abs(byScore) > 0.006, "\(byScore)")
  }

  /// Digits have the levels 0 … 16.
  @Test func levelsThatAModelDoesNotHaveAreRefusedAndOtherNumbersSaidToBePoints() throws {
    var pixels = [UInt8](repeating: 3, count: 128)
    let good = pixels
    pixels[70] = 17
    let bench = try Workbench([
      "good.npy": .npy(bytes: good, shape: [2, 8, 8]),
      "bad.npy": .npy(bytes: pixels, shape: [2, 8, 8]),
      "points.npy": .npy(good.map { Double($0) + 0.25 }, shape: [2, 8, 8]),
    ])
    let _: Reports.Train = try bench.report(
      "train --data digits --out run --network mlp:width=8,layers=1 --steps 2 --batch-size 8")
    let rest = "--divergence hutchinson --strata 0 --rtol 0.01 --atol 0.01 --json"
    let known: Reports.Likelihood = try bench.scoresde(
      "likelihood --model run --data good.npy \(rest) --quiet"
    ).report()
    #expect(known.bitsPerDimension != nil)
    let refused = try bench.scoresde("likelihood --model run --data bad.npy \(rest) --quiet")
    #expect(refused.status == 1 && refused.output.isEmpty)
    #expect(refused.errors.contains("bad.npy") && refused.errors.contains("17"))
    let points = try bench.scoresde("likelihood --model run --data points.npy \(rest)")
    let report: Reports.Likelihood = try points.report()
    #expect(report.bitsPerDimension == nil)
    #expect(points.errors.contains("points.npy") && points.errors.contains("as points"))
  }

  /// Probes that are asked for where the exact divergence is the default take its place, which is said.
  @Test func theDivergenceIsSaid() throws {
    let bench = try Workbench(["x.npy": .npy(Self.points, shape: [3, 2])])
    for (words, kind, isSaid) in [
      ("", "exact", false), ("--probes 3", "hutchinson", true),
      ("--distribution gaussian", "hutchinson", true),
      ("--probes 3 --divergence hutchinson", "hutchinson", false),
    ] {
      let outcome = try bench.scoresde(
        "likelihood --model gaussian:dim=2 --data x.npy --strata 0 --json \(words)")
      let report: Reports.Likelihood = try outcome.report()
      #expect(report.divergence == kind)
      let option = words.split(separator: " ").first ?? ""
      let remark =
        "\(option) asks for the hutchinson divergence, an estimate; without it this is exact, the default for samples of up to 4 numbers"
      #expect(outcome.errors.contains(remark) == isSaid, "\(outcome.errors)")
    }
  }

  @Test func otherDataAreScoredAsOnTheirOwnAndToldApart() throws {
    let bench = try Workbench(
      TrainedRun.single.files.merging([
        "near.npy": .npy([90.5, 99.5, 110.5], shape: [3, 1]),
        "far.npy": .npy([-60.5, 10.5, 240.5, 300.5], shape: [4, 1]),
      ]) { $1 })
    let both: Reports.Likelihood = try bench.report(
      "likelihood --model run --data near.npy --against far.npy --strata 0")
    let alone: Reports.Likelihood = try bench.report(
      "likelihood --model run --data far.npy --strata 0")
    let against = try #require(both.against)
    #expect(against.data == "far.npy" && against.count == 4)
    #expect(abs(against.logDensity.mean - alone.logDensity.mean) < 1e-9)
    #expect(against.logDensity.mean < both.logDensity.mean - 1)
    #expect(abs(against.areaUnderROC.value - 1) < 1e-12)
    let same: Reports.Likelihood = try bench.report(
      "likelihood --model run --data near.npy --against near.npy --strata 0")
    #expect(abs(try #require(same.against).areaUnderROC.value - 0.5) < 1e-12)
  }

  /// The area under the ROC follows from the nats in the two files: the share of pairs in the right order.
  @Test func theNatsOfOtherDataAreWritten() throws {
    let bench = try Workbench([
      "x.npy": .npy(Self.points, shape: [6, 1]), "y.npy": .npy([0.25, 0.47, 1.5], shape: [3, 1]),
    ])
    let words = "likelihood --model gaussian:mean=0.5,std=0.3 --data x.npy --strata 0"
    let report: Reports.Likelihood = try bench.report(
      "\(words) --against y.npy --out x-nats.npy --against-out y-nats.npy")
    let (own, others) = (try bench.numbers("x-nats.npy"), try bench.numbers("y-nats.npy"))
    let against = try #require(report.against)
    #expect(others.count == 3 && against.out == "y-nats.npy")
    #expect(abs(average(others) - against.logDensity.mean) < 1e-9)
    let ordered = own.flatMap { own in others.map { own > $0 ? 1.0 : 0 } }
    #expect(abs(average(ordered) - against.areaUnderROC.value) < 1e-12)
    for (options, part) in [
      ("--against-out z.npy", "--against-out needs --against"),
      ("--against y.npy --against-out y.npy", "are one file, y.npy"),
      ("--against y.npy --out z.npy --against-out z.npy", "are one file, z.npy"),
      ("--against y.npy --against-out z.csv", "--against-out is z.csv"),
    ] {
      let outcome = try bench.scoresde("\(words) \(options)")
      #expect(outcome.status == 2 && outcome.errors.contains(part), "\(outcome.errors)")
    }
  }
}

import Foundation
import ScoreSDE
import Testing

/// Samples that `sample --observe --particles` draws.
@Suite struct ParticleTests {
  /// Of two modes, of which one is in sight a little more: their shares and the evidence are those of the closed form.
  ///
  /// False alarms: a share of 400 samples is held to 5 deviations of as many independent ones, and log p(y) to 6 standard errors
  /// of 8 sets (Student's t: 5e-4).
  @Test func modesHaveTheirShares() throws {
    let bench = try Workbench([
      "modes.json": .text(
        #"{"weights": [0.6, 0.4], "means": [[-2, -1], [1, 2]], "covariances": [[[0.2, 0], [0, 0.1]], [[0.2, 0], [0, 0.3]]]}"#
      ),
      "seen.npy": .npy([-0.6, .nan], shape: [2]),
    ])
    let report: Reports.Sample = try bench.report(
      "sample --model mixture:modes.json --observe seen.npy --observe-noise 0.4 --particles 300 --sets 8 --steps 60 --count 400 --out x.npy"
    )
    // y is N(−2, 0.36) or N(1, 0.36).
    func mass(_ weight: Double, _ away: Double) -> Double {
      weight * exp(-away * away / 0.72 - 0.5 * log(0.72 * .pi))
    }
    let masses = [mass(0.6, 1.4), mass(0.4, 1.6)]
    let share = masses[1] / (masses[0] + masses[1])
    let samples = try bench.numbers("x.npy")
    let upper = stride(from: 1, to: 800, by: 2).filter { samples[$0] > 0.3 }.count
    let deviation = (share * (1 - share) / 400).squareRoot()
    #expect(abs(Double(upper) / 400 - share) < 5 * deviation)
    let found = try #require(report.particles)
    let error = try #require(found.logEvidence.standardError)
    #expect(abs(found.logEvidence.value - log(masses[0] + masses[1])) < 6 * error + 0.01)
    #expect(error < 0.1 && found.particles == 300 && found.sets == 8 && found.lost == 0)
    #expect((1...300).contains(found.leastEffectiveSize) && (50...400).contains(found.ancestors))
    #expect(report.solver == "particles" && report.nfe == 61 && report.shape == [400, 2])
    let spoken = try bench.scoresde(
      "sample --model mixture:modes.json --observe seen.npy --observe-noise 0.4 --particles 50 --steps 20 --out y.npy --quiet"
    )
    #expect(spoken.status == 0 && spoken.output.contains("log p(y)"))
    #expect(spoken.output.contains("effective sample size") && spoken.output.contains("of 50"))
  }

  /// log p(y) is that of the numbers in the data's units: of bytes about 100 with deviation 23, a density a level.
  @Test func evidenceIsInTheDatasUnits() throws {
    var files = TrainedRun.single.files
    files["seen.npy"] = .npy([110], shape: [1])
    let bench = try Workbench(files)
    let report: Reports.Sample = try bench.report(
      "sample --model run --observe seen.npy --observe-noise 8 --particles 400 --count 400 --out x.npy"
    )
    let found = try #require(report.particles)
    let variance = 23.0 * 23 + 64
    let expected = -0.5 * (100 / variance + log(2 * .pi * variance))
    #expect(abs(found.logEvidence.value - expected) < 0.5, "\(found.logEvidence), \(expected)")
    let samples = try bench.numbers("x.npy")
    #expect(abs(average(samples) - 109.4) < 3)
    // A single set has no standard error.
    let one: Reports.Sample = try bench.report(
      "sample --model run --observe seen.npy --particles 64 --sets 1 --steps 20 --out y.npy")
    #expect(one.particles?.logEvidence.standardError == nil && one.count == 64)
  }

  /// Of an observation far from all data one particle has all the weight, and sets are off by more than they are from one
  /// another: no error is given then, and it is said why.
  @Test func errorsOfDegenerateSetsAreNotKnown() throws {
    let bench = try Workbench([
      "modes.json": .text(
        #"{"weights": [0.6, 0.4], "means": [[-2], [1]], "covariances": [[[0.2]], [[0.2]]]}"#),
      "near.npy": .npy([0.8], shape: [1]), "far.npy": .npy([8], shape: [1]),
    ])
    let remark = "one particle had most of the weight"
    for (file, isFar) in [("near.npy", false), ("far.npy", true)] {
      let command =
        "sample --model mixture:modes.json --observe \(file) --observe-noise 0.4 --particles 50 --sets 3 --count 3 --steps 20 --out x.npy"
      let report: Reports.Sample = try bench.report(command)
      let found = try #require(report.particles)
      #expect((found.leastEffectiveSize < 2) == isFar)
      #expect((found.logEvidence.standardError == nil) == isFar)
      let spoken = try bench.scoresde(command)
      #expect(spoken.output.contains(remark) == isFar && spoken.output.contains("±") != isFar)
    }
  }

  /// Numbers that are not known are no part of log p(y): entries say what the matrix does that picks them.
  @Test func unknownNumbersHaveNoPartInTheEvidence() throws {
    var files = TrainedRun.images.files
    files["seen.npy"] = .npy([120, .nan, 90, .nan], shape: [2, 2])
    files["picked.npy"] = .npy([120, 90], shape: [2])
    files["matrix.npy"] = .npy([1, 0, 0, 0, 0, 0, 1, 0], shape: [2, 4])
    let bench = try Workbench(files)
    let values = try ["seen.npy", "picked.npy --observe-as matrix:matrix.npy"].map { seen in
      let report: Reports.Sample = try bench.report(
        "sample --model run --particles 40 --sets 2 --steps 10 --out x.npy --observe \(seen)")
      return try #require(report.particles).logEvidence.value
    }
    #expect(abs(values[0] - values[1]) < 1e-3, "\(values)")
  }

  @Test func samplesDependOnSeedAndSetAlone() throws {
    var files = TrainedRun.images.files
    files["seen.npy"] = .npy([20, .nan, 90, .nan], shape: [2, 2])
    let bench = try Workbench(files)
    func sample(_ options: String) throws -> [Double] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --steps 10 --particles 40 --observe seen.npy --out x.npy \(options)")
      return try bench.numbers("x.npy")
    }
    let first = try sample("--sets 3 --count 60 --threads 1")
    #expect(try sample("--sets 3 --count 60 --threads 2 --batch-size 7") == first)
    #expect(try sample("--sets 1 --count 20") == Array(first.prefix(80)))
    #expect(try sample("--sets 1 --count 20 --seed 1") != Array(first.prefix(80)))
  }
}

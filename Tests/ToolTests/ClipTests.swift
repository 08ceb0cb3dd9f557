import Foundation
import ScoreSDE
import Testing

/// Samples whose predicted data are kept in a range.
@Suite struct ClipTests {
  private struct Report: Decodable {
    struct Clip: Decodable, Equatable {
      var lower, upper: Double
      var quantile, limit: Double?
    }
    var clip: Clip?
  }

  private func range(_ numbers: [Double]) -> ClosedRange<Double> {
    (numbers.min() ?? .nan)...(numbers.max() ?? .nan)
  }

  /// Under ε̂ = b what is predicted at the first step is hundreds of ranges wide, and the last step ends at what is predicted.
  @Test func imagesEndInTheMiddlesOfTheirOutermostLevels() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0.25))
    try bench.succeed("import published --out run")
    let draw =
      "sample --model run --solver ancestral:grid=reference --steps 1000 --count 8 --out x.npy"
    let free: Report = try bench.report(draw)
    #expect(free.clip == nil)
    let wide = range(try bench.numbers("x.npy"))
    #expect(wide.lowerBound < -100 && wide.upperBound > 400)
    let clipped: Report = try bench.report(draw + " --clip data")
    #expect(clipped.clip == Report.Clip(lower: 0.5, upper: 255.5))
    let kept = range(try bench.numbers("x.npy"))
    #expect(kept.lowerBound > 0.499 && kept.upperBound < 255.501 && kept.upperBound > 200)
    let brought: Report = try bench.report(draw + " --clip quantile=0.9,limit=3")
    #expect(brought.clip == Report.Clip(lower: 0.5, upper: 255.5, quantile: 0.9, limit: 3))
    let back = try bench.numbers("x.npy")
    #expect(range(back).lowerBound > 0.499 && range(back).upperBound < 255.501)
    // As a whole: most are not at an end.
    #expect(back.count { abs($0 - 128) < 127 } > back.count * 3 / 4)
  }

  @Test func dataOfARunOfOurOwnFillTheirBins() throws {
    let bench = try Workbench(TrainedRun.single.files)
    let report: Report = try bench.report(
      "sample --model run --solver ddim --steps 4 --count 4 --clip data --out x.npy")
    #expect(report.clip == Report.Clip(lower: 0, upper: 256))
    let said = try bench.scoresde(
      "sample --model run --solver ddim:denoise=tweedie --steps 4 --count 4 --clip -1,1 --out x.npy"
    )
    #expect(said.status == 0 && said.errors.contains("where the run's data go from 0 to 256"))
    #expect(try bench.numbers("x.npy").allSatisfy { (-1.001...1.001).contains($0) })
  }

  @Test func aRangeThatHoldsEverythingChangesNoBit() throws {
    let bench = try Workbench()
    let draw = "sample --model gaussian:mean=2,std=0.3,dim=3 --steps 20 --count 9"
    try bench.succeed("\(draw) --out a.npy")
    try bench.succeed("\(draw) --clip -1e3,1e3 --out b.npy")
    try bench.succeed("\(draw) --clip=-1000,1000,quantile=1 --threads 1 --batch-size 2 --out c.npy")
    try bench.succeed("\(draw) --clip 1.9,2 --batch-size 9 --out d.npy")
    try bench.succeed("\(draw) --clip 1.9,2 --batch-size 2 --threads 1 --out e.npy")
    #expect(try bench.data("a.npy") == bench.data("b.npy"))
    #expect(try bench.data("a.npy") == bench.data("c.npy"))
    #expect(try bench.data("a.npy") != bench.data("d.npy"))
    #expect(try bench.data("d.npy") == bench.data("e.npy"))
  }

  /// One range in the data's units is one of its own in each column's.
  @Test func columnsAreClippedInTheirOwnUnits() throws {
    let rows = (0..<60).map { "\(5 + 4 * sin(Double($0))),\(1000 * cos(1.7 * Double($0)))" }
    let table = "length,mass\n" + rows.joined(separator: "\n") + "\n"
    let bench = try Workbench(["data.csv": .text(table)])
    try bench.succeed(
      "train --data data.csv --out run --network mlp:width=8,layers=1 --steps 20 --warm-up 0")
    let report: Report = try bench.report(
      "sample --model run --solver ddim:denoise=tweedie --steps 20 --count 200 --clip 4,6 --out x.npy"
    )
    #expect(report.clip == Report.Clip(lower: 4, upper: 6))
    let numbers = try bench.numbers("x.npy")
    #expect(numbers.allSatisfy { (3.999...6.001).contains($0) })
    #expect(numbers.contains { abs($0 - 4) < 1e-3 } && numbers.contains { abs($0 - 6) < 1e-3 })
  }

  /// What guidance and an observation lead beyond the range is clipped after them.
  @Test func guidanceAndObservationsStayInTheRange() throws {
    let seen: Tensor<Float> = Tensor([2], [0.25, .nan])
    let bench = try Workbench()
    try NPY.write(seen, to: bench.path("seen.npy"))
    try bench.succeed(
      "sample --model gaussian:dim=2 --observe seen.npy --solver ddim:denoise=tweedie --steps 20 --count 50 --clip -0.5,0.5 --out x.npy"
    )
    let numbers = try bench.numbers("x.npy")
    #expect(numbers.allSatisfy { abs($0) < 0.5001 })
    for place in stride(from: 0, to: numbers.count, by: 2) {
      #expect(abs(numbers[place] - 0.25) < 1e-3)
    }
    try bench.succeed(
      "train --data moons:count=200 --labels data --out run --network mlp:width=8,layers=1 --steps 30 --warm-up 0"
    )
    let draw =
      "sample --model run --class 0,1 --guidance 50 --solver ddim:denoise=tweedie --steps 20 --count 50 --out y.npy"
    try bench.succeed(draw)
    #expect(try bench.numbers("y.npy").contains { abs($0) > 2.1 })
    try bench.succeed("\(draw) --clip -2,2")
    #expect(try bench.numbers("y.npy").allSatisfy { abs($0) < 2.001 })
  }

  @Test(arguments: [
    ("0.995", "expected data, LOWER,UPPER or quantile=P"), ("1,0", "the first below the second"),
    ("0,0", "the first below the second"), ("0,inf", "two finite numbers"),
    ("nan,1", "two finite numbers"), ("0,1,2", "expected data, LOWER,UPPER"),
    ("data,", "expected data, LOWER,UPPER"), ("bytes", "expected data, LOWER,UPPER"),
    ("0,1,quantile=0.5", "a quantile above 0.5 and up to 1"),
    ("quantile=1.1", "a quantile above 0.5 and up to 1"),
    ("quantile=nan", "a quantile above 0.5 and up to 1"),
    ("0,1,limit=2", "a quantile above 0.5 and up to 1"),
    ("0,1,quantile=0.9,limit=0.5", "a limit of 1 or more"),
    ("0,1,quantile=0.9,quantile=0.8", "expected data, LOWER,UPPER"),
    ("0,1,ratio=0.9", "expected data, LOWER,UPPER"),
    (
      "data", "knows no range of its data, as those of images have; expected numbers, LOWER,UPPER"
    ),
    ("quantile=0.9", "expected numbers, LOWER,UPPER,quantile=P"),
  ])
  func refusals(_ clip: String, _ words: String) throws {
    let bench = try Workbench()
    let outcome = try bench.scoresde(
      "sample --model gaussian --steps 3 --out x.npy --clip \(clip)")
    #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.errors.contains("--clip is \(clip)"))
  }

  @Test func particlesAndConsistencyModelsAreNotClipped() throws {
    let bench = try Workbench()
    try NPY.write(Tensor<Float>([2], [0.25, .nan]), to: bench.path("seen.npy"))
    let outcome = try bench.scoresde(
      "sample --model gaussian:dim=2 --observe seen.npy --particles 8 --clip -1,1 --out x.npy")
    #expect(outcome.status == 2 && outcome.errors.contains("--clip is given with --particles"))
    try bench.succeed(
      "distill --model gaussian --out fast --steps 2 --batch-size 8 --solver ddim --solver-steps 4")
    let fast = try bench.scoresde("sample --model fast --clip -1,1 --out x.npy")
    #expect(fast.status == 2 && fast.errors.contains("--clip is given, but fast is a consistency"))
  }
}

extension Workbench {
  /// Runs the tool, which is to succeed.
  fileprivate func succeed(_ words: String) throws {
    let outcome = try scoresde(words)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}

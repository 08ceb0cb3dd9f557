import Foundation
import ScoreSDE
import Testing

/// SDEs as formulas of t on the command line.
@Suite struct FormulaProcessTests {
  private static let turn = "custom:alpha=cos(1.55*t),sigma=sin(1.55*t)"

  private struct Process: Decodable {
    struct Moment: Decodable {
      var t, alpha, sigma, halfLogSNR, drift, squaredDiffusion: Double
    }
    var sde: String
    var endTime, samplingEpsilon, priorDeviation, priorMismatch: Double
    var times: [Moment]
  }

  @Test func inspectTellsKernelAndRates() throws {
    let bench = try Workbench()
    let report: Process = try bench.report("inspect \(Self.turn) --out turn.svg")
    #expect(report.sde == Self.turn && report.endTime == 1 && report.samplingEpsilon == 0.001)
    #expect(report.priorDeviation == sin(1.55) && report.times.count == 11)
    for moment in report.times {
      let angle = 1.55 * moment.t
      #expect(abs(moment.alpha - cos(angle)) < 1e-12 && abs(moment.sigma - sin(angle)) < 1e-12)
      #expect(abs(moment.halfLogSNR + log(tan(angle))) < 1e-11)
      #expect(abs(moment.drift / (-1.55 * tan(angle)) - 1) < 1e-11)
      #expect(abs(moment.squaredDiffusion / (3.1 * tan(angle)) - 1) < 1e-11)
    }
    #expect(String(decoding: try bench.data("turn.svg"), as: UTF8.self).hasPrefix("<svg"))
    // N(0, 1 + σ²) for the N(0, σ²) of ve, σ = 2: ½ (¼ − log 1.25).
    let wide: Process = try bench.report("inspect ve:sigma-max=2")
    #expect(abs(wide.priorMismatch - 0.5 * (0.25 - log(1.25))) < 1e-12)
  }

  /// Times are even, but by ratios where most of log(α/σ) passes in the first twentieth of them.
  @Test(arguments: [
    ("vp", false), ("ve", false), ("flow", false), ("ou", false), ("edm", true),
    ("ve-linear", true),
  ])
  func timesAreSpreadByWhatPasses(sde: String, isByRatios: Bool) throws {
    let bench = try Workbench()
    let report: Process = try bench.report("inspect \(sde) --out sde.svg")
    let (first, end) = (report.samplingEpsilon, report.endTime)
    #expect(report.times.count == 11)
    for (k, moment) in report.times.enumerated() {
      let part = Double(k) / 10
      let time = isByRatios ? pow(first, 1 - part) * pow(end, part) : max(first, part * end)
      #expect(abs(moment.t / time - 1) < 1e-12)
    }
    let figure = String(decoding: try bench.data("sde.svg"), as: UTF8.self)
    #expect(figure.contains(">0.2<") != isByRatios)
  }

  /// A run knows its formulas: it is sampled and resumed without them, and refuses others.
  @Test func runsKeepTheirFormulas() throws {
    let bench = try Workbench()
    let words = ["train", "--data", "moons:count=200", "--steps", "2", "--out", "run", "--quiet"]
    let spaced = "custom:alpha=cos(1.55 * t),sigma=sin(1.55*t)"
    #expect(try bench.scoresde(words + ["--sde", spaced]).status == 0)
    let run = String(decoding: try bench.data("run/run.json"), as: UTF8.self)
    #expect(run.contains(Self.turn))
    let drawn: Reports.Sample = try bench.report(
      "sample --model run --solver ddim --steps 3 --count 5 --sde \(Self.turn) --out x.npy")
    #expect(drawn.shape == [5, 2])
    let resumed = try bench.scoresde(
      "train --resume --steps 3 --out run --quiet --sde \(Self.turn)")
    #expect(resumed.status == 0, "\(resumed.errors)")
    let other = try bench.scoresde("sample --model run --sde custom:beta=t --out y.npy")
    #expect(other.status == 2 && other.errors.contains("was trained with \(Self.turn)"))
  }

  /// The flow of β(t) = 2 t to T = 3 takes N(0.5, 0.3²) to itself.
  @Test func solversTakeThem() throws {
    let bench = try Workbench()
    let model = "--model gaussian:mean=0.5,std=0.3,dim=1 --sde custom:beta=2*t,end=3"
    let count = 4000
    let _: Reports.Sample = try bench.report(
      "sample \(model) --solver ode:rtol=1e-6,atol=1e-6 --count \(count) --out x.npy")
    let numbers = try bench.numbers("x.npy")
    let mean = numbers.reduce(0, +) / Double(count)
    let square = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    // Five standard errors, a false alarm of 6e-7 each.
    let error = 5 * 0.3 / Double(count).squareRoot()
    #expect(abs(mean - 0.5) < error, "\(mean)")
    #expect(abs(square.squareRoot() - 0.3) < error / 2.0.squareRoot(), "\(square)")
  }

  @Test(arguments: [
    ("inspect custom:beta=2x", 2, "\"x\" is its character 2"),
    ("inspect custom:beta=-1", 2, "g²"), ("inspect vp --out x.png", 2, ".svg"),
    ("inspect digits --out x.svg", 2, "--out stands beside digits"),
    ("sample --model gaussian:dim=1 --sde custom:alpha=1 --out x.npy", 2, "has alpha; expected"),
  ])
  func faultsAreTold(_ words: String, _ status: Int32, _ found: String) throws {
    let bench = try Workbench()
    let outcome = try bench.scoresde(words)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(found), "\(outcome.errors)")
    #expect(try bench.contents().isEmpty)
  }
}

import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Mistakes of existing code that lie in the definition of processes.
@Suite struct ProcessMistakes {
  /// 1: single-precision 1 − exp(−x) is off near t = 0.
  @Test func mistake1CancellationNearZero() throws {
    let t = 1e-5
    // With 40 digits.
    let exact = (vp: 0.00100049712593523833, subVP: 1.00099449900467215e-6)
    let (vp, subVP) = (try VariancePreserving(), try SubVariancePreserving())
    let logAlpha = Float(vp.logAlpha(at: t))
    let single = 1 - exp(2 * logAlpha)
    #expect(abs(Double(single.squareRoot()) / exact.vp - 1) > 0.005)
    #expect(abs(Double(single) / exact.subVP - 1) > 0.01)
    #expect(abs(vp.marginal(at: t).sigma / exact.vp - 1) < 2e-15)
    #expect(abs(subVP.marginal(at: t).sigma / exact.subVP - 1) < 2e-15)
    // In a single-precision state as well.
    let moved = subVP.perturb(
      Tensor<Float>([1, 1]), noise: Tensor([1, 1], [1]), at: .shared(t))
    #expect(moved[0, 0] == Float(exact.subVP))
  }

  /// 2: the sub-VP drift as g² · (−ε̂/σ) is 0/0 at t → 0.
  @Test func mistake2DriftAtZero() throws {
    let process = try SubVariancePreserving()
    let rates = process.rates(at: 0)
    #expect((rates.squaredDiffusion / process.marginal(at: 0).sigma).isNaN)
    #expect(abs(rates.noiseGain - 0.1) < 1e-15)
    let x = Tensor<Double>([1, 1], [0.8])
    let drift = try gaussian(process).flowDrift(
      x, noise: Tensor([1, 1], [0.4]), at: .shared(0))
    #expect(abs(drift[0, 0] - (-0.05 * 0.8 + 0.1 * 0.4)) < 1e-15)
    // VP grows like t^(−½) and keeps its digits on the way: β₀/(2√(β₀ t)).
    let vp = try VariancePreserving()
    #expect(abs(vp.rates(at: 1e-14).noiseGain / (0.05 / (0.1e-14).squareRoot()) - 1) < 1e-10)
    for process in try everyProcess() { #expect(!process.rates(at: 0).noiseGain.isNaN) }
  }

  /// 3: Langevin and ancestral steps exist only for VP and VE.
  @Test(arguments: ["pc", "pc:predictor=ancestral,corrector=ald", "ancestral", "reverse-diffusion"])
  func mistake3StepsForEveryProcess(_ solver: String) throws {
    for process in try everyProcess() {
      let spec = try SolverSpec(solver + (solver.contains(":") ? "," : ":") + "grid=log-snr")
      let result = try Sampler(gaussian(process), spec, steps: 40).sample(200, key: RandomKey(1))
      #expect(result.isFinished, "\(process.name)")
      // 200 samples at 40 steps: not more than near the data.
      let values = result.samples.scalars
      let mean = values.reduce(0, +) / 200
      let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 200
      #expect(abs(mean - 0.5) < 0.3 && square.squareRoot() < 0.6, "\(process.name): \(mean)")
    }
  }

  /// 15: a custom SDE works until a function refuses an unknown class.
  @Test func mistake15AProcessOfOnesOwnGoesEverywhere() throws {
    struct Own: LinearProcess {
      var name: String { "own" }
      var endTime: Double { 2 }
      var cutoffs: Cutoffs { Cutoffs(sampling: 1e-3) }
      var priorDeviation: Double { 1 }
      func marginal(at t: Double) -> Marginal {
        Marginal(logAlpha: -t * t, sigma: sqrt(-expm1(-2 * t * t)))
      }
      func rates(at t: Double) -> Rates {
        let sigma = marginal(at: t).sigma
        return Rates(
          drift: -2 * t, squaredDiffusion: 4 * t, noiseGain: sigma > 0 ? 2 * t / sigma : sqrt(2))
      }
    }
    let process = Own()
    try checkConsistency(of: process)
    for name in SolverSpec.names {
      let result = try Sampler(gaussian(process), SolverSpec(name), steps: 12)
        .sample(3, key: RandomKey(1))
      #expect(result.isFinished, "\(name)")
    }
    let oracle = try gaussian(process)
    let x = Tensor<Double>([1, 1], [0.8])
    let found = try FlowLikelihood(oracle, divergence: .exact).logDensity(of: x).logDensity[0]
    #expect(abs(found - (try oracle.logDataDensity(x)[0])) < 0.02)
    #expect(try LikelihoodWeightedTimes(process).mass > 0)
    #expect(try oracle.retimed(onto: try RectifiedFlow()).noise(x, at: .shared(0.5)).isFinite)
  }
}

import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

@Suite struct AdaptiveDiffusionTests {
  private let spec = "adaptive-sde:rtol=0.02,atol=0.01"

  @Test func itReachesTheDataOnEveryProcess() throws {
    // 500 samples: the mean is off by 0.3/√500 = 0.0134, the deviation by 0.0095; five of those, and 0.01 for the
    // tolerance and for the noise left at ε.
    for process in processes {
      let field = GaussianField<Double>(process: process)
      let sampler = try Sampler(field, SolverSpec(spec), steps: 1, epsilon: 1e-3)
      let result = try sampler.sample(500, key: RandomKey(5))
      #expect(result.isFinished)
      let values = result.samples.scalars
      let mean = values.reduce(0, +) / 500
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 500).squareRoot()
      print("adaptive-sde on \(process.name): \(mean), \(deviation), NFE \(result.meanEvaluations)")
      #expect(abs(mean - 0.5) < 0.077, "\(process.name): mean \(mean)")
      #expect(abs(deviation - 0.3) < 0.058, "\(process.name): deviation \(deviation)")
    }
  }

  /// Almost without noise the steps are Heun's, x ← ½ (x′ + x̃): growth by e from drift or score is off by h³/6 a step, h being
  /// 0.2 at this tolerance, 0.007 in all, where Euler's steps leave h²/2, which is 0.1.
  @Test func stepsAreOfTheSecondOrderInDriftAndScore() throws {
    struct Growing: ScoreField {
      let process: any LinearProcess
      let gain: Double
      var sampleShape: Shape { [1] }
      func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> { -gain * x }
    }
    for (drift, gain) in [(-1.0, 0.0), (0, 1e10)] {
      let process = try CustomProcess(
        name: "quiet", drift: { _ in drift }, squaredDiffusion: { _ in 1e-10 },
        initialDeviation: 1)
      let sampler = Sampler(
        Growing(process: process, gain: gain),
        solver: try AdaptiveDiffusion(rtol: 0.02, atol: 1e-3),
        grid: try TimeGrid.uniform(from: 1, to: 0.001, steps: 1), denoising: .none)
      let result = try sampler.sample(
        from: Tensor([4, 1], [1, -1, 2, 0.5]), key: RandomKey(8))
      #expect(result.isFinished)
      for (end, start) in zip(result.samples.scalars, [1, -1, 2, 0.5]) {
        #expect(abs(end / (start * exp(0.999)) - 1) < 0.02, "drift \(drift), \(end) from \(start)")
      }
    }
  }

  @Test func stepsThatPassByChancePutNoBiasIn() throws {
    // In one dimension the error of a step vanishes at some value of its noise, however long the step. Without the bound on
    // steps the deviation on EDM is 16 % too large here. 2000 samples: 1.6 %, five of those and 1 % for the tolerance.
    for process in [try ElucidatedDiffusion() as any LinearProcess, try VarianceExploding()] {
      let field = GaussianField<Double>(process: process)
      let sampler = try Sampler(
        field, SolverSpec("adaptive-sde:rtol=0.1,atol=0.02"), steps: 1)
      let result = try sampler.sample(2000, key: RandomKey(6))
      #expect(result.isFinished)
      let values = result.samples.scalars
      let mean = values.reduce(0, +) / 2000
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2000
      let end = process.marginal(at: process.cutoffs.sampling)
      let ratio = (variance / (0.09 + end.sigma * end.sigma)).squareRoot()
      print(
        "adaptive-sde, rtol 0.1, on \(process.name): deviation over exact \(ratio), NFE",
        result.meanEvaluations)
      #expect(abs(ratio - 1) < 0.09, "\(process.name): \(ratio)")
    }
  }

  @Test func refusedStepsKeepTheirPath() throws {
    // On a field without drift, x is the path itself: however steps are refused, its variance is that of g² dt. The
    // refusals are forced by a field that jumps about.
    struct Rough: ScoreField {
      let process: any LinearProcess
      var sampleShape: Shape { [1] }
      func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
        // Odd in x, so that the mean stays; small beside the noise.
        x.map { 0.05 * sin(40 * $0) }
      }
    }
    let process = try CustomProcess(
      name: "brownian", drift: { _ in 0 }, squaredDiffusion: { _ in 1 }, initialDeviation: 1)
    let grid = try TimeGrid.uniform(from: 1, to: 0.001, steps: 1)
    let x = Tensor<Double>([4000, 1])
    let solver = try AdaptiveDiffusion(rtol: 1e-3, atol: 0.0005)
    let result = try Sampler(Rough(process: process), solver: solver, grid: grid)
      .sample(from: x, key: RandomKey(8))
    #expect(result.isFinished)
    let variance = result.samples.scalars.reduce(0) { $0 + $1 * $1 } / 4000
    print("adaptive-sde path: variance \(variance), NFE \(result.meanEvaluations)")
    // The same equation in 200 even steps of Heun's; both are off by √(2/4000) = 0.022, five of those together.
    let even = try Sampler(
      Rough(process: process), solver: StochasticHeun(),
      grid: TimeGrid.uniform(from: 1, to: 0.001, steps: 200), denoising: .none
    ).sample(from: x, key: RandomKey(9))
    let expected = even.samples.scalars.reduce(0) { $0 + $1 * $1 } / 4000
    #expect(abs(variance / expected - 1) < 0.16, "\(variance), \(expected)")
  }

  @Test func aHardSampleChangesNobodyElse() throws {
    let field = try planarMixture(VariancePreserving())
    var x = RandomKey(3).normal([9, 2], of: Double.self)
    x[4, 0] = 300
    let sampler = try Sampler(field, SolverSpec(spec), steps: 1)
    let together = try sampler.sample(from: x, key: RandomKey(6))
    for row in 0..<9 {
      let alone = try sampler.sample(from: x.rows(row..<row + 1), key: RandomKey(6), first: row)
      #expect(alone.samples == together.samples.rows(row..<row + 1))
      #expect(alone.evaluations[0] == together.evaluations[row])
    }
    #expect(Set(together.evaluations).count > 1)
    #expect(together.evaluations.allSatisfy { $0 % 2 == 0 })
  }

  @Test func endsAreReported() throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    let sampler = try Sampler(
      field, SolverSpec("adaptive-sde:rtol=1e-3,atol=1e-3,max-evaluations=30"), steps: 1)
    for status in try sampler.sample(3, key: RandomKey(0)).status {
      guard case .budgetSpent(let t) = status else {
        Issue.record("\(status)")
        continue
      }
      #expect(t > 1e-3 && t < 1)
    }
    // Nowhere a number: steps shrink until they vanish, and the reason is said.
    let broken = Sampler(
      BrokenField(process: try VariancePreserving(), bound: -1e9), solver: try AdaptiveDiffusion(),
      grid: try TimeGrid.uniform(from: 1, to: 0.5, steps: 1))
    let result = try broken.sample(from: Tensor([2, 1], [0.3, -0.2]), key: RandomKey(0))
    #expect(result.status == [.nonFinite(time: 1), .nonFinite(time: 1)])
    #expect(result.samples.scalars == [0.3, -0.2])
    #expect(throws: SamplingError.self) { try sampler.affineMoments() }
    var stopped = 0
    let cancelled = try Sampler(field, SolverSpec(spec), steps: 1).sample(2, key: RandomKey(0)) {
      stopped += 1
      return $0.fraction < 0.5
    }
    #expect(stopped > 1)
    for status in cancelled.status {
      guard case .cancelled = status else {
        Issue.record("\(status)")
        continue
      }
    }
  }

  @Test func aTighterToleranceTakesMoreEvaluations() throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    let counts = try [0.1, 0.02, 0.004].map { tolerance in
      try Sampler(
        field, SolverSpec("adaptive-sde:rtol=\(tolerance),atol=\(tolerance)"), steps: 1
      ).sample(64, key: RandomKey(1)).meanEvaluations
    }
    #expect(counts == counts.sorted() && counts[2] > 2 * counts[0], "\(counts)")
  }
}

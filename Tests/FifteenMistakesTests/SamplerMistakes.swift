import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Mistakes of existing code that lie in samplers.
@Suite struct SamplerMistakes {
  /// 4: the corrector's step uses norms averaged over the batch, so a sample depends on its neighbours.
  @Test func mistake4NeighboursDoNotCount() throws {
    let field = try gaussian(try VariancePreserving(), dimensions: 3)
    let x = RandomKey(1).normal([4, 3], of: Double.self)
    let crowd = Tensor<Double>.concatenated([x, Tensor([2, 3], repeating: 1e5)])
    for corrector in [try Langevin(), try AnnealedLangevin()] as [any Corrector] {
      let step = TimeStep(index: 0, time: 0.5, next: 0.4)
      var (alone, crowded) = (
        SolverContext(field: field, key: RandomKey(2)),
        SolverContext(field: field, key: RandomKey(2))
      )
      let a = try corrector.correct(x, at: step, in: &alone)
      let b = try corrector.correct(crowd, at: step, in: &crowded)
      #expect(a == b.rows(0..<4))
    }
  }

  /// 5: steps of 1/N on a grid of spacing (T − ε)/(N − 1) pass ε in the end.
  @Test func mistake5TheLastStepEndsAtEpsilon() throws {
    for process in try everyProcess() {
      let epsilon = process.cutoffs.sampling
      for count in [1, 7, 1000] {
        for schedule in [GridSchedule.uniform, .logSNR, .karras(rho: 7)] {
          let grid = try schedule.grid(for: process, steps: count)
          #expect(grid.start == process.endTime && grid.end == epsilon)
          #expect(grid.steps.count == count && grid.steps.allSatisfy { $0.next >= epsilon })
          for (a, b) in zip(grid.steps, grid.steps.dropFirst()) { #expect(a.next == b.time) }
        }
      }
    }
  }

  /// 7: NFE counts a corrector that is not there and leaves out the denoising step.
  @Test(arguments: [
    ("pc:corrector=none", 10), ("pc", 20), ("euler-maruyama:denoise=tweedie", 11), ("heun", 20),
    ("pc:corrector=none,denoise=tweedie", 11), ("ddim", 10),
  ]) func mistake7EvaluationsAreThoseThatWereMade(_ text: String, _ expected: Int) throws {
    let field = CountingField(try gaussian(try VariancePreserving()))
    let result = try Sampler(field, SolverSpec(text), steps: 10).sample(3, key: RandomKey(1))
    #expect(result.evaluations == [expected, expected, expected])
    #expect(field.count == 3 * expected)
  }

  /// 10: inpainting starts from clean known pixels and then denoises from the noisy ones.
  @Test func mistake10KnownPixelsAreNoisyOnTheWayAndCleanInTheEnd() throws {
    let process = try VariancePreserving()
    let solver = try Inpainting(
      PredictorCorrector(predictor: nil, corrector: nil),
      known: Tensor<Double>([1, 2], [3, 0]), mask: [true, false])
    let field = try gaussian(process, dimensions: 2)
    let grid = try TimeGrid.uniform(from: 1, to: 0.01, steps: 1)
    // One step from T by hand, not the last one: the known entry has the prior's noise, not 3 itself.
    let x = Tensor<Double>([5000, 2])
    var context = SolverContext(field: field, key: RandomKey(1))
    context.stepCount = 2
    let first = try solver.step(x, grid.steps[0], in: &context)
    let values = (0..<5000).map { first[$0, 0] }
    let spread = values.reduce(0) { $0 + ($1 - 3 * 0.00657) * ($1 - 3 * 0.00657) } / 5000
    // A sample variance of 5000: 2 % off, five times that.
    #expect(abs(spread - 1) < 0.1)
    let result = try Sampler(field, solver: solver, grid: grid).sample(4, key: RandomKey(1))
    #expect((0..<4).allSatisfy { result.samples[$0, 0] == 3 })
  }

  /// 11: the state is drawn at T though the solver starts at t < T.
  @Test func mistake11TheStateIsDrawnWhereTheSolverStarts() throws {
    let process = try VarianceExploding()
    let solver = PredictorCorrector(predictor: nil, corrector: nil)
    let grid = try TimeGrid.uniform(from: 0.5, to: 0.1, steps: 1)
    let x = try Sampler(try gaussian(process, dimensions: 100), solver: solver, grid: grid)
      .sample(100, key: RandomKey(1)).samples.scalars
    let deviation = (x.reduce(0) { $0 + $1 * $1 } / 10_000).squareRoot()
    // σ(½) = 0.707, not 50; a deviation of 10,000 numbers is off by 0.7 %, five times that.
    #expect(abs(deviation / process.marginal(at: 0.5).sigma - 1) < 0.035)
  }

  /// 12: solvers divide by zero at σ = 0 in the last step, or leave visible noise there.
  @Test func mistake12AStepToZeroNoise() throws {
    let process = try ElucidatedDiffusion()
    let count = 2000
    let karras = try TimeGrid.karras(of: process, from: 80, to: 0.002, steps: 30)
    let grid = try TimeGrid(times: [80] + karras.steps.map(\.next) + [0])
    // A fitted solver works with log σ and says that it cannot go there.
    #expect(throws: SamplingError.self) {
      try Sampler(gaussian(process), solver: SolverSpec("fitted").solver, grid: grid)
        .sample(count, key: RandomKey(1))
    }
    for name in SolverSpec.names where name != "fitted" {
      let result = try Sampler(gaussian(process), solver: SolverSpec(name).solver, grid: grid)
        .sample(count, key: RandomKey(1))
      #expect(result.isFinished && result.samples.isFinite, "\(name)")
      let values = result.samples.scalars
      let mean = values.reduce(0, +) / Double(count)
      let spread =
        (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
      // Five standard errors of 2000 samples are 0.034 and 0.024; the rest is the bias of 31 steps.
      #expect(abs(mean - 0.5) < 0.08 && abs(spread - 0.3) < 0.08, "\(name): \(mean), \(spread)")
    }
    // Where g²/(2σ) has no bound at σ = 0, as under VP, that step is a number too.
    let preserving = try VariancePreserving()
    let even = try TimeGrid(times: (0...200).map { 1 - Double($0) / 200 })
    for name in SolverSpec.names {
      guard let solver = try SolverSpec(name).solver as? any StepSolver else { continue }
      let result = try Sampler(gaussian(preserving), solver: solver, grid: even)
        .sample(count, key: RandomKey(1))
      #expect(result.isFinished, "\(name): \(result.status[0])")
      let mean = result.samples.scalars.reduce(0, +) / Double(count)
      #expect(abs(mean - 0.5) < 0.08, "\(name): \(mean)")
    }
    // One big step from visible noise leaves none: the result is the mean of the data given the state.
    let big = try TimeGrid(times: [0.5, 0])
    let x = Tensor<Double>([1, 1], [0.9])
    for spec in [
      "ddim", "ddim:eta=1", "deis:order=3", "deis:order=2,variable=log-snr", "dpm-solver:order=1",
      "dpm-solver:order=2", "dpm-solver:order=3", "dpm-solver++:method=1s",
      "dpm-solver++:method=2m",
      "dpm-solver++:method=3m", "sde-dpm-solver++", "unipc:order=2",
      "unipc:order=3,prediction=noise",
      "ancestral",
    ] {
      let found = try Sampler(gaussian(process), solver: SolverSpec(spec).solver, grid: big)
        .sample(from: x, key: RandomKey(1)).samples[0, 0]
      #expect(abs(found - (0.5 + 0.09 / 0.34 * 0.4)) < 1e-12, "\(spec): \(found)")
    }
  }

  /// 13: "underflow in dt" ends the program.
  @Test func mistake13AnUnderflowIsAStatus() throws {
    let process = try VariancePreserving()
    let field = WalledField(process: process, bound: 0.9)
    let solver = try AdaptiveFlow(rtol: 1e-8, atol: 1e-8)
    let grid = try TimeGrid.uniform(from: 0.9, to: 0.01, steps: 1)
    let result = try Sampler(field, solver: solver, grid: grid).sample(
      from: Tensor([2, 1], [0.5, -20]), key: RandomKey(1))
    #expect(!result.status[0].isFinished && !result.isFinished, "\(result.status)")
    #expect(result.samples[0, 0].isFinite && result.samples[0, 0] < 0.9)
    let small = try AdaptiveFlow(rtol: 1e-8, atol: 1e-8, maxEvaluations: 30)
    let spent = try Sampler(try gaussian(process), solver: small, steps: 1)
      .sample(2, key: RandomKey(1))
    for status in spent.status {
      guard case .budgetSpent(let t) = status else {
        Issue.record("\(status)")
        continue
      }
      #expect(t > 1e-3 && t < 1)
    }
    #expect(spent.samples.isFinite && spent.maxEvaluations <= 30)
  }

  /// 14: same seed, other batch size: other samples.
  @Test func mistake14SamplesDoNotDependOnTheBatch() throws {
    let field = try mixture(try SubVariancePreserving())
    for name in SolverSpec.names {
      let runs = try [nil, 1, 4].map { size in
        try Sampler(field, SolverSpec(name), steps: 6, batchSize: size)
          .sample(7, key: RandomKey(3)).samples
      }
      #expect(runs[0] == runs[1] && runs[0] == runs[2], "\(name)")
      let some = try Sampler(field, SolverSpec(name), steps: 6)
        .sample(2, key: RandomKey(3), first: 4).samples
      #expect(some == runs[0].rows(4..<6), "\(name)")
    }
  }
}

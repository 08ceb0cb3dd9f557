import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

@Suite struct SamplerTests {
  @Test(arguments: [
    ("euler-maruyama", 10), ("euler-maruyama:denoise=tweedie", 11), ("heun", 20), ("rk4", 40),
    ("pc", 20), ("pc:corrector-steps=3", 40), ("pc:corrector=none", 10),
    ("pc:predictor=none,corrector=none", 0), ("pc:predictor=heun", 30),
  ])
  func evaluationsAreCountedAsTheyAre(_ spec: String, _ expected: Int) throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    let result = try Sampler(field, SolverSpec(spec), steps: 10).sample(3, key: RandomKey(0))
    #expect(result.evaluations == [expected, expected, expected])
    #expect(result.meanEvaluations == Double(expected) && result.maxEvaluations == expected)
  }

  @Test func thePriorIsThatOfTheTimeWhereTheSolverStarts() throws {
    // 20000 numbers: their deviation is off by a relative 0.5 %; 3 % is six of those, one false alarm in 10⁹.
    let process = try VarianceExploding()
    let field = GaussianField<Double>(process: process, sampleShape: [1000])
    for (start, expected) in [(1.0, 50.0), (0.5, process.marginal(at: 0.5).sigma)] {
      let grid = try TimeGrid.uniform(from: start, to: 1e-3, steps: 1)
      let solver = PredictorCorrector(predictor: nil, corrector: nil)
      let result = try Sampler(field, solver: solver, grid: grid).sample(20, key: RandomKey(8))
      let deviation = sqrt(result.samples.scalars.reduce(0) { $0 + $1 * $1 } / 20000)
      #expect(abs(deviation / expected - 1) < 0.03)
      #expect(abs(process.priorDeviation(at: start) / expected - 1) < 1e-12)
    }
  }

  @Test func theDefaultAddsNoNoiseInTheLastStep() throws {
    // From one state, N = 1: without noise all samples agree.
    let field = GaussianField<Double>(process: try VariancePreserving())
    let x = Tensor<Double>([4, 1], repeating: 0.3)
    let grid = try TimeGrid.uniform(from: 0.5, to: 0.4, steps: 1)
    for solver in [EulerMaruyama(), ReverseDiffusion(), Ancestral()] as [any StepSolver] {
      let mean = try Sampler(field, solver: solver, grid: grid).sample(from: x, key: RandomKey(1))
      #expect(Set(mean.samples.scalars).count == 1)
      let noisy = try Sampler(field, solver: solver, grid: grid, denoising: .none)
        .sample(from: x, key: RandomKey(1))
      #expect(Set(noisy.samples.scalars).count == 4)
    }
  }

  @Test func samplesThatBreakAreReportedAndTheOthersStand() throws {
    let process = try VariancePreserving()
    let field = BrokenField(process: process, bound: 3)
    let x = Tensor<Double>([3, 1], [0.1, 5, 0.2])
    let grid = try TimeGrid.uniform(from: 1, to: 0.5, steps: 4)
    for solver in [FlowRungeKutta(.heun), try AdaptiveFlow()] as [any Solver] {
      let result = try Sampler(field, solver: solver, grid: grid, denoising: .tweedie)
        .sample(from: x, key: RandomKey(0))
      #expect(result.status[0] == .finished && result.status[2] == .finished)
      guard case .nonFinite = result.status[1] else {
        Issue.record("\(result.status[1])")
        continue
      }
      #expect(result.samples[0, 0].isFinite && result.samples[2, 0].isFinite)
      #expect(!result.isFinished)
    }
  }

  @Test func anAdaptiveBudgetIsAStatus() throws {
    let field = GaussianField<Float>(process: try VariancePreserving())
    let solver = try AdaptiveFlow(rtol: 1e-6, atol: 1e-6, maxEvaluations: 20)
    let result = try Sampler(field, solver: solver, steps: 1).sample(5, key: RandomKey(0))
    for status in result.status {
      guard case .budgetSpent(let t) = status else {
        Issue.record("\(status)")
        continue
      }
      #expect(t < 1 && t > 0.001)
    }
    #expect(result.maxEvaluations == 20)
  }

  @Test func progressIsReportedAndStopsTheRun() throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    for spec in ["euler-maruyama", "ode"] {
      var sampler = try Sampler(field, SolverSpec(spec), steps: 10)
      sampler.batchSize = 2
      var reports: [SamplingProgress] = []
      _ = try sampler.sample(4, key: RandomKey(0)) {
        reports.append($0)
        return true
      }
      #expect(reports.map(\.fraction) == reports.map(\.fraction).sorted())
      #expect(reports.first?.time == 1 && reports.first?.samples == 0)
      #expect(reports.last?.samples == 2)
      let result = try sampler.sample(4, key: RandomKey(0)) { $0.fraction < 0.6 }
      #expect(result.status[0] == .finished && result.status[1] == .finished)
      for status in result.status[2...] {
        guard case .cancelled(let t) = status else {
          Issue.record("\(status)")
          continue
        }
        #expect(t < 1 && t > 0)
      }
    }
  }

  @Test func aCancelledTaskStopsTheRun() async throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    let sampler = try Sampler(field, SolverSpec("euler-maruyama"), steps: 10)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try sampler.sample(1, key: RandomKey(0))
    }
    #expect(try await task.value.status == [.cancelled(time: 1)])
  }

  @Test func trajectoriesHoldTheStatesOnTheWay() throws {
    let process = try VariancePreserving()
    let field = GaussianField<Double>(process: process)
    for spec in ["heun:denoise=none", "ode:rtol=1e-8,atol=1e-8"] {
      var sampler = try Sampler(field, SolverSpec(spec), steps: 400, epsilon: 0.1)
      sampler.trajectoryStride = 150
      sampler.batchSize = 2
      let result = try sampler.sample(3, key: RandomKey(2))
      #expect(result.trajectory.count == 4)  // at steps 0, 150, 300 and 400
      #expect(result.trajectory.last?.x == result.samples)
      #expect(result.trajectory.first?.time == 1)
      for point in result.trajectory {
        for row in 0..<3 {
          let start = try #require(result.trajectory.first).x[row, 0]
          let exact = field.flow(start, from: 1, to: point.time)
          #expect(abs(point.x[row, 0] - exact) < 1e-4)
        }
      }
    }
  }

  @Test func wrongRequestsAreRefused() throws {
    let field = GaussianField<Double>(process: try VariancePreserving(), sampleShape: [2])
    var sampler = try Sampler(field, SolverSpec("ddim"), steps: 2)
    #expect(throws: SamplingError("the number of samples is 0; expected 1 or more")) {
      try sampler.sample(0, key: RandomKey(0))
    }
    #expect(
      throws: SamplingError(
        "the initial states have shape [1, 3]; expected [n] followed by [2]")
    ) {
      try sampler.sample(from: Tensor([1, 3]), key: RandomKey(0))
    }
    sampler.batchSize = 0
    #expect(throws: SamplingError.self) { try sampler.sample(1, key: RandomKey(0)) }
    sampler.batchSize = nil
    sampler.trajectoryStride = 0
    #expect(throws: SamplingError.self) { try sampler.sample(1, key: RandomKey(0)) }
    #expect(throws: SamplingError.self) { try Sampler(field, SolverSpec("ddim"), steps: 0) }
  }

  /// Once stopped, a run asks no more, whatever is left of it.
  @Test func aStopIsForAllBatches() throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    for spec in ["euler-maruyama", "ode"] {
      var sampler = try Sampler(field, SolverSpec(spec), steps: 10)
      sampler.batchSize = 2
      var calls = 0
      let result = try sampler.sample(6, key: RandomKey(0)) { _ in
        calls += 1
        return calls != 2
      }
      #expect(calls == 2)
      for status in result.status {
        guard case .cancelled = status else {
          Issue.record("\(spec): \(status)")
          continue
        }
      }
      if spec == "ode" { #expect(result.evaluations[2...].allSatisfy { $0 == 0 }) }
    }
  }

  @Test func theReferenceGridsEndIsRefusedWhereItCannotBeLookedAt() throws {
    let field = GaussianField<Double>(process: try SubVariancePreserving())
    for solver in try [AdaptiveFlow(), DDIM()] as [any Solver] {
      #expect(throws: SamplingError.self) {
        try Sampler(field, solver: solver, steps: 500, schedule: .reference)
      }
    }
    let sampler = try Sampler(
      field, solver: EulerMaruyama(), steps: 500, schedule: .reference, denoising: .tweedie)
    #expect(throws: SamplingError.self) { try sampler.sample(2, key: RandomKey(0)) }
    #expect(
      try Sampler(field, SolverSpec("ancestral:grid=reference"), steps: 500)
        .sample(2, key: RandomKey(0)).samples.isFinite)
    // So far before 0 that the formula of the kernel has a value again, which means nothing.
    let short = try Sampler(
      GaussianField<Double>(process: try VariancePreserving()), solver: EulerMaruyama(), steps: 21,
      schedule: .reference, denoising: .tweedie)
    #expect(throws: SamplingError.self) { try short.sample(2, key: RandomKey(0)) }
    // Where there is noise at t = 0, that is what is taken away.
    let exploding = try Sampler(
      GaussianField<Double>(process: try VarianceExploding()), solver: ReverseDiffusion(),
      steps: 50,
      schedule: .reference, denoising: .tweedie)
    #expect(try exploding.sample(2, key: RandomKey(0)).isFinished)
    let quiet = try Sampler(
      GaussianField<Double>(process: try VariancePreserving(betaMin: 0, betaMax: 20)),
      SolverSpec("ancestral:grid=reference"), steps: 50)
    #expect(try quiet.sample(2, key: RandomKey(0)).isFinished)
  }

  /// Where an Euler step is so long that it turns a state round, or leaves nothing of it, it is no step of a chain.
  @Test func referenceStepsThatAreTooLongAreRefused() throws {
    for steps in [5, 9, 10] {
      let error = #expect(throws: SamplingError.self) {
        try TimeGrid.reference(for: SubVariancePreserving(), steps: steps, epsilon: 1e-3)
      }
      #expect(error?.description.contains("expected more steps") == true)
    }
    let grid = try TimeGrid.reference(for: SubVariancePreserving(), steps: 11, epsilon: 1e-3)
    #expect(grid.steps.count == 11)
  }

  /// A field that is broken at the end breaks Tweedie's denoising, and that is said.
  @Test func whatDenoisingBreaksIsReported() throws {
    let process = try VariancePreserving()
    let grid = try TimeGrid.uniform(from: 1, to: 0.5, steps: 2)
    let sampler = Sampler(
      EndBrokenField(process: process, time: 0.5), solver: EulerMaruyama(), grid: grid,
      denoising: .tweedie)
    #expect(
      try sampler.sample(2, key: RandomKey(0)).status == [
        .nonFinite(time: 0.5), .nonFinite(time: 0.5),
      ])
  }

  @Test func aCancelledFitIsCancelled() async throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    for spec in ["fitted", "ddim:grid=optimized"] {
      let sampler = try Sampler(field, SolverSpec(spec), steps: 5)
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try sampler.fitted()
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test func stepsOfANegativeNumberHaveNoiseOfTheirOwn() throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    let draws = try [1 as UInt64, 2].map { seed in
      var context = SolverContext(field: field, key: RandomKey(seed))
      return try EulerMaruyama().step(
        Tensor([3, 1]), TimeStep(index: -1, time: 1, next: 0.5), in: &context)
    }
    #expect(draws[0] != draws[1])
  }
}

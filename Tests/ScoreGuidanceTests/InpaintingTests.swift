import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Copies the first entry into the second: what a step sees of the known entry shows in the unknown one.
private struct Copying: StepSolver {
  var spec: Spec { Spec(kind: "solver", name: "copying") }
  var order: Int { 0 }
  var usesNoise: Bool { false }
  var evaluationsPerStep: Int { 0 }

  func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) -> Tensor<Scalar> {
    var x = x
    for row in 0..<x.rows { x[row, 1] = x[row, 0] }
    return x
  }
}

/// Known entries stay known and are noised as the rest is.
@Suite struct InpaintingTests {
  private func oracle(_ process: any LinearProcess) throws -> GaussianOracle<Double> {
    try GaussianOracle(process: process, mean: [0.5, -0.5], covariance: [[1, 0.8], [0.8, 1]])
  }

  /// At each time a step sees α x + σ z; the result holds x itself.
  ///
  /// False alarms: 5 standard errors of 20,000 numbers, 6e-7 each.
  @Test func stepsSeeKnownEntriesAtTheNoiseOfTheirTime() throws {
    let process = try VariancePreserving()
    let count = 20_000
    let solver = try Inpainting(
      Copying(), known: Tensor<Double>([1, 2], [3, 99]), mask: [true, false])
    for t in [1, 0.3, 0.02] {
      let grid = try TimeGrid.uniform(from: t, to: 0.01, steps: 1)
      let result = try Sampler(try oracle(process), solver: solver, grid: grid)
        .sample(count, key: RandomKey(1)).samples
      let seen = (0..<count).map { result[$0, 1] }
      #expect((0..<count).allSatisfy { result[$0, 0] == 3 })
      let kernel = process.marginal(at: t)
      let mean = seen.reduce(0, +) / Double(count)
      let spread =
        (seen.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
      let error = kernel.sigma / Double(count).squareRoot()
      #expect(abs(mean - 3 * kernel.alpha) < 5 * error)
      #expect(abs(spread - kernel.sigma) < 5 * error / 2.0.squareRoot())
      let noisy = try Sampler(
        try oracle(process), solver: solver, grid: grid, denoising: .none
      ).sample(4, key: RandomKey(1)).samples
      let end = process.marginal(at: 0.01)
      #expect((0..<4).allSatisfy { abs(noisy[$0, 0] - 3 * end.alpha) < 6 * end.sigma })
      #expect(Set((0..<4).map { noisy[$0, 0] }).count == 4)
    }
  }

  /// Known entries are themselves after Tweedie's denoising, and where a grid ends before 0.
  @Test func knownEntriesSurviveEveryEnd() throws {
    let solver = try Inpainting(
      Ancestral(), known: Tensor<Double>([3, 2], [3, 99, 4, 99, 5, 99]), mask: [true, false])
    for process in try [VariancePreserving(), VarianceExploding()] as [any LinearProcess] {
      let denoised = try Sampler(
        try oracle(process), solver: solver, steps: 20, denoising: .tweedie
      ).sample(3, key: RandomKey(1)).samples
      #expect((0..<3).allSatisfy { denoised[$0, 0] == Double(3 + $0) })
      let corrected = try Sampler(
        try oracle(process),
        solver: PredictorCorrector(predictor: solver, corrector: try AnnealedLangevin()), steps: 20,
        denoising: .tweedie
      ).sample(3, key: RandomKey(1)).samples
      #expect((0..<3).allSatisfy { corrected[$0, 0] == Double(3 + $0) })
      for steps in [50, 100] {
        let late = try Sampler(
          try oracle(process), solver: solver, steps: steps, schedule: .reference,
          denoising: .none
        ).sample(3, key: RandomKey(1)).samples
        let noise = process.marginal(at: 0).sigma
        #expect((0..<3).allSatisfy { abs(late[$0, 0] - Double(3 + $0)) <= 6 * noise })
      }
    }
  }

  /// Correlated entries follow the known one to N(−0.5 + 0.8 (x − 0.5), 0.36): the better, the more correctors there are.
  @Test func theOthersFollow() throws {
    let process = try VariancePreserving()
    func moments(_ correctors: Int) throws -> AffineMoments {
      let inner = PredictorCorrector(
        predictor: Ancestral(),
        corrector: correctors == 0 ? nil : try AnnealedLangevin(snr: 0.35, steps: correctors))
      let solver = try Inpainting(
        inner, known: Tensor<Double>([1, 2], [1.5, 0]), mask: [true, false])
      return try Sampler(
        try oracle(process), solver: solver,
        grid: try .logSNR(of: process, from: 1, to: 1e-3, steps: 60)
      ).affineMoments()
    }
    let runs = try [0, 2, 8].map(moments)
    print("inpainting:", runs)
    for run in runs { #expect(run.mean[0] == 1.5 && run.covariance[0][0] == 0) }
    let errors = runs.map { abs($0.mean[1] - 0.3) }
    #expect(errors[0] > errors[1] && errors[1] > errors[2])
    #expect(errors[2] < 0.1 && abs(runs[2].covariance[1][1] - 0.36) < 0.1)
  }

  /// How near solvers come, as README.md says: five standard errors of 2000 samples are 0.09 of a mean and 0.06 of a deviation.
  @Test(arguments: [
    ("ddim", 0.36, 0.77), ("pc", 0.67, 0.65), ("pc:corrector-steps=5,snr=0.5", 0.79, 0.61),
  ])
  func theReadmesFiguresHold(_ spec: String, _ mean: Double, _ deviation: Double) throws {
    let field = try GaussianOracle<Double>(
      process: try VariancePreserving(), mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]])
    let inner = try #require(try SolverSpec(spec).solver as? any StepSolver)
    let solver = try Inpainting(
      inner, known: Tensor<Double>([1, 2], [1, 0]), mask: [true, false])
    let result = try Sampler(field, solver: solver, steps: 500).sample(2000, key: RandomKey(1))
    let values = (0..<2000).map { result.samples[$0, 1] }
    let found = values.reduce(0, +) / 2000
    let spread = (values.reduce(0) { $0 + ($1 - found) * ($1 - found) } / 2000).squareRoot()
    print("inpainting by \(spec): mean \(found), deviation \(spread)")
    #expect(abs(found - mean) < 0.09 && abs(spread - deviation) < 0.06)
  }

  @Test func eachSampleMayHaveItsOwn() throws {
    let process = try VariancePreserving()
    let known = Tensor<Float>([3, 2], [1, 0, 2, 0, 3, 0])
    let solver = try Inpainting(try DDIM(), known: known, mask: [true, false])
    let field = try GaussianOracle<Float>(
      process: process, mean: 0, deviation: 1, sampleShape: [2])
    let sampler = try Sampler(field, solver: solver, steps: 5, batchSize: 2)
    let result = try sampler.sample(3, key: RandomKey(1)).samples
    #expect((0..<3).map { result[$0, 0] } == [1, 2, 3])
    #expect(solver.evaluationsPerStep == 1 && solver.usesNoise)
    #expect(throws: SamplingError.self) { try Inpainting(try DDIM(), known: known, mask: [true]) }
    let other = try Inpainting(try DDIM(), known: Tensor<Float>([1, 1]), mask: [true])
    #expect(throws: SamplingError.self) {
      try Sampler(field, solver: other, steps: 2).sample(1, key: RandomKey(1))
    }
  }

  /// What is known is a number; what is not known need not be.
  @Test func knownEntriesAreFinite() throws {
    let known = Tensor<Float>([2, 2], [1, .nan, .infinity, 0])
    #expect(
      throws: SamplingError("entry 0 of known sample 1 is inf; expected a finite number")
    ) { try Inpainting(DDIM(), known: known, mask: [true, false]) }
    #expect(
      throws: SamplingError("entry 1 of known sample 0 is nan; expected a finite number")
    ) { try Inpainting(DDIM(), known: known, mask: [false, true]) }
    _ = try Inpainting(DDIM(), known: known.rows(0..<1), mask: [true, false])
  }

  /// Known entries of too few samples are refused, not read from elsewhere.
  @Test func everySampleNeedsItsKnownEntries() throws {
    let process = try VariancePreserving()
    let solver = try Inpainting(
      DDIM(), known: Tensor<Double>([3, 2], [1, 0, 2, 0, 3, 0]), mask: [true, false])
    let sampler = try Sampler(try oracle(process), solver: solver, steps: 5)
    #expect(throws: SamplingError.self) { try sampler.sample(8, key: RandomKey(1)) }
    #expect(throws: SamplingError.self) { try sampler.sample(2, key: RandomKey(1), first: 2) }
    let found = try sampler.sample(2, key: RandomKey(1), first: 1).samples
    #expect(found[0, 0] == 2 && found[1, 0] == 3)
  }
}

import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Solvers that are fitted to a field, on the mixture that Tests/Peers/schedulers.py runs its peers on.
@Suite struct FittedFlowTests {
  private func mixture(_ process: any LinearProcess) throws -> MixtureOracle<Double> {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Peers/plane.json")
    let parameters = try MixtureParameters(contentsOf: file.path)
    return try MixtureOracle(process: process, parameters: parameters)
  }

  /// The root mean square distance of 2000 end points to those of a fine solve, and the evaluations.
  private func error(
    _ spec: String, _ field: any ScoreField<Double>, _ steps: Int
  ) throws -> (error: Double, evaluations: Int) {
    let key = RandomKey(2024)
    let sampler = try Sampler(field, SolverSpec(spec), steps: steps)
    let found = try sampler.sample(2000, key: key)
    let fine = try Sampler(field, SolverSpec("ode:method=dop853,rtol=1e-8,atol=1e-8"), steps: 1)
    let difference = try found.samples - fine.sample(2000, key: key).samples
    let sum = difference.scalars.reduce(0) { $0 + $1 * $1 }
    return ((sum / 2000).squareRoot(), found.maxEvaluations)
  }

  @Test func endsAreNearerThanThoseOfThePeers() throws {
    // What diffusers 0.42.1 reaches at best on this mixture, over 120 pairs of scheduler and grid, by schedulers.py.
    let peers = [(5, 0.3506, 0.15), (10, 0.1245, 0.25), (20, 0.0387, 0.65)]
    let field = try mixture(VariancePreserving())
    for (budget, peer, fitted) in peers {
      // At 20 evaluations an optimized grid is the better of the two.
      for (spec, share) in [("fitted", fitted), ("unipc:order=3,grid=optimized", 0.5)] {
        let (error, evaluations) = try error(spec, field, budget)
        #expect(evaluations == budget)
        print("\(spec) at NFE \(budget): \(error)")
        #expect(error <= share * peer, "\(spec), NFE \(budget): \(error)")
      }
    }
  }

  @Test func fitsServeEveryProcess() throws {
    for process in processes {
      let field = try mixture(process)
      let (fitted, plain) = (
        try error("fitted:pilot=256", field, 8).error,
        try error("dpm-solver++:method=2m,grid=log-snr", field, 8).error
      )
      print("fitted on \(process.name): \(fitted), 2M \(plain)")
      #expect(fitted < 0.3 * plain, "\(process.name): \(fitted), \(plain)")
    }
  }

  @Test func optimizedGridsAreNoWorseThanThoseTheyStartFrom() throws {
    let field = try mixture(VariancePreserving())
    for spec in ["heun", "unipc:order=2"] {
      let optimized = try error("\(spec)\(spec.contains(":") ? "," : ":")grid=optimized", field, 8)
        .error
      for grid in ["uniform", "log-snr", "karras"] {
        let plain = try error("\(spec)\(spec.contains(":") ? "," : ":")grid=\(grid)", field, 8)
          .error
        // Other samples than the pilot's: a tenth of room.
        #expect(optimized < 1.1 * plain, "\(spec), \(grid): \(optimized), \(plain)")
      }
    }
  }

  @Test func aFitIsTheSameForEveryBatchAndIsMadeOnceOnRequest() throws {
    let field = try mixture(VariancePreserving())
    var sampler = try Sampler(field, SolverSpec("fitted:pilot=64,sweeps=2"), steps: 4)
    let whole = try sampler.sample(40, key: RandomKey(1))
    let once = try sampler.fitted()
    #expect(try once.sample(40, key: RandomKey(1)).samples == whole.samples)
    #expect(once.grid.start == 1 && once.grid.end == 1e-3 && once.grid.steps.count == 4)
    sampler.batchSize = 7
    #expect(try sampler.sample(40, key: RandomKey(1)).samples == whole.samples)
    let solver = try #require(once.solver as? FittedMultistep)
    #expect(solver.terms == [2, 3, 4, 5])
    #expect(solver.entry <= 1 && solver.entry > once.grid.steps[0].next)
    // The weights belong to their grid.
    let other = try Sampler(field, solver: solver, steps: 4)
    #expect(throws: SamplingError.self) { try other.sample(1, key: RandomKey(1)) }
  }

  @Test func onCorrelatedGaussianDataAFitIsExact() throws {
    // The flow is affine along each principal axis there, and so is the fit: what is left is the fine solve's own error.
    let numbers: Tensor<Double> = RandomKey(5).normal([8, 8])
    let products = numbers.matmul(numbers, transposeOther: true)
    for process in processes {
      let field = try GaussianOracle<Double>(
        process: process, mean: (0..<8).map { 0.25 * Double($0) - 1 },
        covariance: (0..<8).map { products.row($0) })
      let (error, evaluations) = try error("fitted:pilot=64,sweeps=0", field, 5)
      print("Gaussian on \(process.name): \(error)")
      #expect(error < 2e-5, "\(process.name): \(error)")
      #expect(evaluations == 5)
    }
  }

  @Test func largeSamplesShareTheirWeights() throws {
    let field = try GaussianOracle<Float>(
      process: VariancePreserving(), mean: 0.5, deviation: 0.3, sampleShape: [30, 20, 1])
    let found = try Sampler(field, SolverSpec("fitted:pilot=16,sweeps=0"), steps: 5)
      .sample(20, key: RandomKey(1)).samples
    let fine = try Sampler(field, SolverSpec("ode:rtol=1e-6,atol=1e-6"), steps: 1)
      .sample(20, key: RandomKey(1)).samples
    #expect((found - fine).scalars.allSatisfy { abs($0) < 1e-3 })
  }

  @Test func singlePrecisionFitsToo() throws {
    let parameters = MixtureParameters(
      weights: [0.5, 0.5], means: [[-1, 0], [1, 0]],
      covariances: [[[0.05, 0], [0, 0.05]], [[0.05, 0], [0, 0.05]]])
    let field = try MixtureOracle<Float>(process: VarianceExploding(), parameters: parameters)
    let result = try Sampler(field, SolverSpec("fitted:pilot=128"), steps: 6)
      .sample(500, key: RandomKey(3))
    let fine = try Sampler(field, SolverSpec("ode:rtol=1e-6,atol=1e-6"), steps: 1)
      .sample(500, key: RandomKey(3))
    let sum = (result.samples - fine.samples).scalars.reduce(0) { $0 + Double($1 * $1) }
    #expect((sum / 500).squareRoot() < 0.2)
  }

  @Test func aFlowThatDoesNotStayFiniteIsNoWrongArgument() throws {
    let field = BrokenField(process: try VariancePreserving(), bound: -1e9)
    let failure = #expect(throws: SamplingError.self) {
      _ = try Sampler(field, SolverSpec("fitted:pilot=16"), steps: 5).sample(2, key: RandomKey(1))
    }
    #expect(failure?.isNumerical == true)
    let misuse = #expect(throws: SamplingError.self) {
      _ = try Sampler(field, SolverSpec("euler"), steps: 5).sample(0, key: RandomKey(1))
    }
    #expect(misuse?.isNumerical == false)
  }
}

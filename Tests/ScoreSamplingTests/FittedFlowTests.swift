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

  @Test func theBestIsAtMostHalfAsFarOffAsThePeers() throws {
    // What diffusers 0.42.1 reaches at best on this mixture, over 120 pairs of scheduler and grid, by schedulers.py.
    let peers = [(5, 0.3506), (10, 0.1245), (20, 0.0387)]
    let field = try mixture(VariancePreserving())
    for (budget, peer) in peers {
      var best = Double.infinity
      for spec in [
        "fitted", "unipc:order=3,grid=optimized", "dpm-solver++:method=2m,grid=log-snr",
      ] {
        let (error, evaluations) = try error(spec, field, budget)
        #expect(evaluations == budget)
        // Tests/Peers/schedulers.py reads these lines.
        print("ours \(budget) \(error) \(spec)")
        best = min(best, error)
      }
      #expect(best <= 0.5 * peer, "NFE \(budget): \(best)")
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
      #expect(fitted < 0.6 * plain, "\(process.name): \(fitted), \(plain)")
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
    #expect(solver.weights.map(\.count) == [1, 2, 3, 4])
    // The weights belong to their grid.
    let other = try Sampler(field, solver: solver, steps: 4)
    #expect(throws: SamplingError.self) { try other.sample(1, key: RandomKey(1)) }
  }

  @Test func onGaussianDataAFitIsExact() throws {
    // The flow is affine there: with one direction in the data each step is right but for the ridge.
    let field = GaussianField<Double>(process: try VariancePreserving(), mean: 0, deviation: 0.3)
    let (error, _) = try error("fitted:pilot=64,sweeps=0", field, 4)
    #expect(error < 1e-3, "\(error)")
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
}

import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Consistency functions and the solver that draws from them, held to the flow of Gaussian data.
@Suite struct ConsistencyTests {
  private static func line(
    _ process: any LinearProcess, mean: Double = 0.5, deviation: Double = 0.3
  ) throws -> GaussianConsistency<Double> {
    GaussianConsistency(
      try GaussianOracle(
        process: process, mean: mean, deviation: deviation, sampleShape: [1]))
  }

  /// All states of a trajectory have one origin, and the last is it times α_ε.
  @Test(arguments: EverySolverTests.everyProcess.indices)
  func theOriginIsTheSameAlongTheFlow(_ place: Int) throws {
    let process = EverySolverTests.everyProcess[place]
    let oracle = try GaussianOracle<Double>(
      process: process, mean: [0.5, -1], covariance: [[0.8, 0.5], [0.5, 0.6]])
    let function = GaussianConsistency(oracle)
    let sampler = try Sampler(
      oracle, SolverSpec("ode:rtol=1e-10,atol=1e-10"), steps: 8, trajectoryStride: 1)
    let result = try sampler.sample(5, key: RandomKey(1))
    #expect(result.isFinished && result.trajectory.count == 9)
    let alpha = process.marginal(at: process.cutoffs.sampling).alpha
    let origins = 1 / alpha * result.samples
    for point in result.trajectory {
      let found = try function.origins(of: point.x, at: .shared(point.time))
      let each = try function.origins(
        of:
          point.x, at: .perSample([Double](repeating: point.time, count: 5)))
      #expect(found.scalars == each.scalars)
      let error = (found - origins).scalars.map(abs).max() ?? .nan
      #expect(error < 1e-6, "\(process.name) at \(point.time): \(error)")
    }
  }

  /// Under VP with data N(0, 1) all p_t are the prior, which every number of steps leaves as it is.
  @Test(arguments: [1, 2, 3, 10]) func theMarginalsAreKept(_ steps: Int) throws {
    let moments = try Sampler(
      Self.line(VariancePreserving(), mean: 0, deviation: 1), steps: steps
    ).affineMoments()
    #expect(abs(moments.mean[0]) < 1e-12)
    #expect(abs(moments.covariance[0][0] - 1) < 1e-9, "\(moments.covariance[0][0])")
  }

  /// Mean and variance go from step to step as a state's origin and its noise say.
  @Test(arguments: EverySolverTests.everyProcess.indices, [1, 2, 5])
  func theMomentsAreThoseOfTheSteps(_ place: Int, _ steps: Int) throws {
    let process = EverySolverTests.everyProcess[place]
    let sampler = try Sampler(Self.line(process), steps: steps)
    let found = try sampler.affineMoments()
    func spread(_ t: Double) -> Double {
      let marginal = process.marginal(at: t)
      return (marginal.alpha * marginal.alpha * 0.09 + marginal.sigma * marginal.sigma)
        .squareRoot()
    }
    let end = process.marginal(at: process.cutoffs.sampling)
    let endSpread = spread(process.cutoffs.sampling)
    var (mean, variance) = (0.0, process.priorDeviation * process.priorDeviation)
    for step in sampler.grid.steps {
      let (now, next) = (process.marginal(at: step.time), process.marginal(at: step.next))
      let ratio = endSpread / spread(step.time) / end.alpha
      mean = 0.5 + ratio * (mean - now.alpha * 0.5)
      variance *= ratio * ratio
      // What the origin has of noise is not added again.
      let own = next.alpha * end.sigma / end.alpha
      let isLast = step == sampler.grid.steps.last
      mean *= next.alpha
      variance =
        next.alpha * next.alpha * variance + (isLast ? 0 : next.sigma * next.sigma - own * own)
    }
    #expect(abs(found.mean[0] - mean) < 1e-9 * (1 + abs(mean)), "\(process.name)")
    #expect(
      abs(found.covariance[0][0] - variance) < 1e-8 * variance,
      "\(process.name): \(found.covariance[0][0]) for \(variance)")
    #expect(try sampler.sample(3, key: RandomKey(1)).evaluations == [steps, steps, steps])
  }

  /// The bits of a sample are those of its number, whatever else is drawn.
  @Test func aSampleIsAFunctionOfItsNumber() throws {
    var sampler = try Sampler(Self.line(VarianceExploding()), steps: 3)
    let whole = try sampler.sample(9, key: RandomKey(4)).samples
    sampler.batchSize = 2
    #expect(try sampler.sample(9, key: RandomKey(4)).samples.scalars == whole.scalars)
    let one = try sampler.sample(1, key: RandomKey(4), first: 5).samples
    #expect(one.scalars == [whole.scalars[5]])
  }

  /// A function of which each sample has one of its own: batches ask for theirs.
  @Test func rowsHaveTheirOwnFunctions() throws {
    struct Shifted: ConsistencyFunction {
      let base: GaussianConsistency<Double>
      let shifts: [Double]
      var process: any LinearProcess { base.process }
      var sampleShape: Shape { base.sampleShape }
      var rowCount: Int? { shifts.count }
      func rows(_ rows: [Int]) -> Shifted { Shifted(base: base, shifts: rows.map { shifts[$0] }) }
      func origins(of x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
        try base.origins(of: x, at: t) + Tensor([shifts.count, 1], shifts)
      }
    }
    let base = try Self.line(VariancePreserving())
    let shifts = [0, 10, -3, 5, 1.0]
    var sampler = try Sampler(Shifted(base: base, shifts: shifts))
    sampler.batchSize = 2
    let found = try sampler.sample(5, key: RandomKey(2)).samples.scalars
    let plain = try Sampler(base).sample(5, key: RandomKey(2)).samples.scalars
    let alpha = base.process.marginal(at: base.process.cutoffs.sampling).alpha
    for (place, shift) in shifts.enumerated() {
      #expect(abs(found[place] - plain[place] - alpha * shift) < 1e-12)
    }
    #expect(throws: SamplingError.self) { try sampler.sample(4, key: RandomKey(2)) }
  }

  /// Neither is a function taken for a score nor a mean for a sample, whatever the solver is wrapped in.
  @Test func whatIsNoScoreIsNotTakenForOne() throws {
    let function = try Self.line(VariancePreserving())
    var sampler = try Sampler(function, steps: 5)
    for name in SolverSpec.names {
      sampler.solver = try SolverSpec(name).solver
      #expect(throws: SamplingError.self, "\(name)") {
        try sampler.sample(2, key: RandomKey(1))
      }
    }
    let corrected = PredictorCorrector(predictor: Consistency(), corrector: try Langevin())
    for solver: any Solver in [Consistency(), corrected] {
      do {
        _ = try Sampler(function.oracle, solver: solver, steps: 1).sample(2, key: RandomKey(1))
        Issue.record("means are taken for samples")
      } catch {
        #expect("\(error)".contains("the field is a score"), "\(error)")
      }
    }
    #expect(throws: SamplingError.self) { try Sampler(function, denoising: .tweedie) }
    #expect(try SolverSpec("consistency:grid=karras,rho=5").spec.description.contains("rho=5"))
    #expect(throws: SpecError.self) { try SolverSpec("consistency:eta=1") }
  }
}

import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Solvers, correctors and consistency functions of one's own that give something else than a row for each row: a sentence
/// with what was found and expected.
@Suite struct OwnMethodTests {
  private static func field() throws -> GaussianField<Double> {
    GaussianField(process: try VariancePreserving(), sampleShape: [2])
  }

  private static func grid() throws -> TimeGrid {
    try .uniform(from: 1, to: 0.1, steps: 2)
  }

  @Test(arguments: [-1, 1]) func solutionsOfOtherRowsAreRefused(surplus: Int) throws {
    func run(_ solver: Ending, _ denoising: Denoising = .none) throws {
      _ = try Sampler(Self.field(), solver: solver, grid: Self.grid(), denoising: denoising)
        .sample(4, key: RandomKey(1))
    }
    try run(Ending())
    try run(Ending(), .tweedie)
    let count = 4 + surplus
    let shapes = "states of shape [\(count), 2] of those of shape [4, 2]; expected the same shape"
    for (solver, denoising, words) in [
      (
        Ending(statuses: surplus), .none, "gives \(count) statuses of 4 rows; expected one of each"
      ),
      (
        Ending(evaluations: surplus), .none,
        "gives \(count) numbers of evaluations of 4 rows; expected one of each"
      ),
      (Ending(rows: surplus), .none, "makes \(shapes)"),
      (Ending(trajectory: surplus), .none, "makes \(shapes)"),
    ] as [(Ending, Denoising, String)] {
      #expect(throws: SamplingError("the solver \(words)")) { try run(solver, denoising) }
    }
    #expect(throws: SamplingError("the solver's completion makes \(shapes)")) {
      try run(Ending(completed: surplus), .tweedie)
    }
  }

  /// A solver that takes its own steps keeps a trajectory and tells how far it is, as those of the library do.
  @Test func aSolverOfOnesOwnReportsAndStops() throws {
    var sampler = try Sampler(Self.field(), solver: Halving(), grid: Self.grid(), batchSize: 2)
    sampler.trajectoryStride = 3
    var reports: [SamplingProgress] = []
    let result = try sampler.sample(4, key: RandomKey(1)) {
      reports.append($0)
      return true
    }
    let times = [1, 0.5, 0.25, 0.125]
    #expect(
      reports
        == (0..<8).map { i in
          SamplingProgress(
            fraction: Double(i) / 8, samples: i / 4 * 2, time: times[i % 4], evaluations: i % 4)
        })
    #expect(result.trajectory.map(\.time) == [1, 0.125])
    #expect(result.isFinished)
    let stopped = try sampler.sample(4, key: RandomKey(1)) { $0.fraction < 0.25 }
    #expect(
      stopped.status.map { $0 } == [.cancelled(time: 0.25), .cancelled(time: 0.25)]
        + [.cancelled(time: 1), .cancelled(time: 1)])
    #expect(stopped.evaluations == [2, 2, 0, 0])
  }

  /// A grid is searched for with the solver itself.
  @Test func gridsOfSuchSolversAreNotSearched() throws {
    let sampler = try Sampler(
      Self.field(), solver: OptimizedGrid(Ending(statuses: -1000)), grid: Self.grid())
    #expect(throws: SamplingError.self) { try sampler.sample(4, key: RandomKey(1)) }
  }

  @Test func correctionsOfAnotherShapeAreRefused() throws {
    for predictor: (any StepSolver)? in [EulerMaruyama(), nil] {
      let solver = PredictorCorrector(predictor: predictor, corrector: Shortening())
      let error = SamplingError(
        "the corrector makes states of shape [1, 2] of those of shape [4, 2]; expected the same shape"
      )
      #expect(throws: error) {
        try Sampler(Self.field(), solver: solver, grid: Self.grid()).sample(4, key: RandomKey(1))
      }
    }
  }

  @Test(arguments: [[1, 2], [5, 2], [4, 1], [8]] as [Shape])
  func originsOfAnotherShapeAreRefused(shape: Shape) throws {
    let function = Origins(process: try VariancePreserving(), shape: shape)
    let error = ProcessError(
      "what the consistency function gives has shape \(shape); expected that of x, [4, 2]")
    for steps in [1, 3] {
      #expect(throws: error) { try Sampler(function, steps: steps).sample(4, key: RandomKey(1)) }
    }
  }
}

/// A solver that ends where it begins, with more or fewer rows of something.
private struct Ending: StepSolver {
  var statuses = 0
  var evaluations = 0
  var rows = 0
  var trajectory = 0
  var completed = 0
  let spec = Spec(kind: "solver", name: "ending")
  let order = 1
  let usesNoise = false
  let evaluationsPerStep = 0

  private func states<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ surplus: Int
  ) -> Tensor<Scalar> {
    surplus == 0 ? x : Tensor([x.rows + surplus, 2])
  }

  func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> { x }

  func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    BatchSolution(
      x: states(x, rows),
      status: Array(repeating: .finished, count: max(0, x.rows + statuses)),
      evaluations: Array(repeating: 0, count: x.rows + evaluations),
      trajectory: [TrajectoryPoint(time: grid.end, x: states(x, trajectory))])
  }

  func completed<Scalar: TensorScalar>(
    _ denoised: Tensor<Scalar>, samples: SampleIndices
  ) -> Tensor<Scalar> { states(denoised, completed) }
}

/// A solver that halves the time four times.
private struct Halving: Solver {
  let spec = Spec(kind: "solver", name: "halving")
  let order = 1
  let usesNoise = false
  let evaluationsPerStep = 1

  func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    var (time, status) = (grid.start, SolveStatus.finished)
    var trajectory = [TrajectoryPoint(time: time, x: x)]
    for step in 0..<4 {
      guard context.continues(Double(step) / 4, time: time) else {
        status = .cancelled(time: time)
        break
      }
      _ = try context.predictedNoise(x, at: time)
      if let stride = context.trajectoryStride, step % stride == stride - 1 {
        trajectory.append(TrajectoryPoint(time: time / 2, x: x))
      }
      time /= 2
    }
    return BatchSolution(
      x: x, status: Array(repeating: status, count: x.rows),
      evaluations: Array(repeating: context.evaluations, count: x.rows), trajectory: trajectory)
  }
}

/// A corrector that loses samples.
private struct Shortening: Corrector {
  let parameters = [Spec.Parameter(key: "corrector", value: "shortening")]
  let evaluationsPerStep = 0

  func correct<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> { x.rows(0..<1) }
}

/// A consistency function of samples of two numbers whose origins have a shape that is given.
private struct Origins: ConsistencyFunction {
  let process: any LinearProcess
  let shape: Shape
  var sampleShape: Shape { [2] }

  func origins(of x: Tensor<Double>, at t: Times) throws -> Tensor<Double> { Tensor(shape) }
}

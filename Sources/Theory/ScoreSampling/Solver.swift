import ScoreProcesses
import ScoreTensors

/// A method that carries samples from noise to data along the reverse SDE or the probability-flow ODE.
///
/// ```
/// reverse SDE   dx = [f x − g² ∇log p_t(x)] dt + g dw̄
/// flow ODE      dx = [f x − ½ g² ∇log p_t(x)] dt
/// ```
///
/// Most solvers take one step of a grid after another: those conform to `StepSolver`. A solver is a value without
/// state; what it keeps between steps lives in the context.
public protocol Solver: Sendable {
  /// The solver with all of its parameters, as `SolverSpec` reads it.
  var spec: Spec { get }

  /// The order of convergence in the step: weak for solvers that use noise, of the global error for the others.
  var order: Int { get }

  /// The order of strong convergence, path by path, of a solver of the reverse SDE; nil where none is claimed.
  var strongOrder: Double? { get }

  /// Whether steps draw random numbers.
  var usesNoise: Bool { get }

  /// The score evaluations that one step costs.
  var evaluationsPerStep: Int { get }

  /// How its steps are best spread under a process, where nobody says: see `GridSchedule`.
  func suitedSchedule(for process: any LinearProcess) -> GridSchedule

  /// Carries a batch from the grid's start to its end.
  ///
  /// Adaptive solvers take only the ends from the grid, and `AdaptiveFlow` the times of the trajectory; `AdaptiveDiffusion`
  /// keeps the states at the ends alone.
  /// - Throws: what the field throws.
  func solve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar>

  /// What becomes of states that Tweedie's denoising has made data; those of a solver that knows some entries get them back.
  func completed<Scalar: TensorScalar>(
    _ denoised: Tensor<Scalar>, samples: SampleIndices
  ) -> Tensor<Scalar>
}

extension Solver {
  public func completed<Scalar: TensorScalar>(
    _ denoised: Tensor<Scalar>, samples: SampleIndices
  ) -> Tensor<Scalar> { denoised }

  public var strongOrder: Double? { nil }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule {
    .standard(for: process)
  }
}

// Solvers of one's own give what they like, so that is looked at before it is read.
extension Solver {
  /// `solve`, with a row, a status and a number of evaluations for each row of x.
  /// - Throws: `SamplingError` where there are more or fewer, or states have another shape than x; and what the solver throws.
  func checkedSolve<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along grid: TimeGrid, in context: inout SolverContext<Scalar>
  ) throws -> BatchSolution<Scalar> {
    let solution = try solve(x, along: grid, in: &context)
    for states in [solution.x] + solution.trajectory.map(\.x) {
      try SamplingError.checkStates(states, of: x, by: "the solver")
    }
    for (what, count) in [
      ("statuses", solution.status.count), ("numbers of evaluations", solution.evaluations.count),
    ] where count != x.rows {
      throw SamplingError(
        "the solver gives \(count) \(what) of \(x.rows) rows; expected one of each")
    }
    return solution
  }

  /// `completed`, in the shape of what was denoised.
  /// - Throws: `SamplingError` where it has another.
  func checkedCompleted<Scalar: TensorScalar>(
    _ denoised: Tensor<Scalar>, samples: SampleIndices
  ) throws(SamplingError) -> Tensor<Scalar> {
    let result = completed(denoised, samples: samples)
    try SamplingError.checkStates(result, of: denoised, by: "the solver's completion")
    return result
  }
}

/// The end of a batch's solve.
public struct BatchSolution<Scalar: TensorScalar>: Sendable {
  /// The last states.
  public var x: Tensor<Scalar>
  /// How each row ended.
  public var status: [SolveStatus]
  /// The evaluations of the field that each row took.
  public var evaluations: [Int]
  /// The states on the way, where they were asked for, each with its time.
  public var trajectory: [TrajectoryPoint<Scalar>]

  public init(
    x: Tensor<Scalar>, status: [SolveStatus], evaluations: [Int],
    trajectory: [TrajectoryPoint<Scalar>] = []
  ) {
    self.x = x
    self.status = status
    self.evaluations = evaluations
    self.trajectory = trajectory
  }
}

/// The states of all samples at one time on the way.
public struct TrajectoryPoint<Scalar: TensorScalar>: Sendable {
  /// The time.
  public var time: Double
  /// The states.
  public var x: Tensor<Scalar>

  public init(time: Double, x: Tensor<Scalar>) {
    self.time = time
    self.x = x
  }

  // A cancelled batch has a shorter trajectory than those before it; points are joined as far as all batches have them.
  static func joined(_ trajectories: [[TrajectoryPoint]]) -> [TrajectoryPoint] {
    (0..<(trajectories.map(\.count).min() ?? 0)).map { place in
      TrajectoryPoint(
        time: trajectories[0][place].time, x: .concatenated(trajectories.map { $0[place].x }))
    }
  }
}

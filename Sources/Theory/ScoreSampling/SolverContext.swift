import ScoreProcesses
import ScoreTensors

/// What a solver works with while it carries one batch: the field, the random numbers, a memory, the count.
public struct SolverContext<Scalar: TensorScalar> {
  /// The score field.
  public let field: any ScoreField<Scalar>
  /// The field's process.
  public let process: any LinearProcess
  /// Which samples the rows are.
  public var samples: SampleIndices { noise.samples }
  /// The evaluations of the field so far, for each row alike.
  public private(set) var evaluations = 0
  /// What a multistep solver keeps from step to step, the last one first; empty at the start.
  public var past: [PastPrediction<Scalar>] = []
  /// The number of steps of the grid that is solved along.
  public var stepCount = 1
  /// The steps between two states that the solution's trajectory is to hold, both ends with them; nil where none is asked for.
  public var trajectoryStride: Int? { monitor.trajectoryStride }

  var noise: NoiseStream
  var monitor: Monitor<Scalar>

  /// Creates the context of a batch, for calling `step` by hand.
  public init(
    field: any ScoreField<Scalar>, key: RandomKey,
    samples: SampleIndices = .consecutive(first: 0)
  ) {
    self.init(field: field, noise: NoiseStream(.keyed(key), samples: samples), monitor: Monitor())
  }

  init(field: any ScoreField<Scalar>, noise: NoiseStream, monitor: Monitor<Scalar>) {
    self.field = field
    process = field.process
    self.noise = noise
    self.monitor = monitor
  }

  /// The noise prediction ε̂(x, t), counted as one evaluation.
  public mutating func predictedNoise(_ x: Tensor<Scalar>, at t: Double) throws -> Tensor<Scalar> {
    evaluations += 1
    return try field.checkedNoise(x, at: .shared(t))
  }

  /// Tells the run's listener which part of the batch is done, 0 to 1, and the time that it has reached.
  ///
  /// A solver that takes its own steps calls it before each. It then gives the states that it has where the answer is
  /// false, with `SolveStatus.cancelled`: the listener or the task's cancellation stops the run.
  public func continues(_ fraction: Double, time: Double) -> Bool {
    if Task.isCancelled { return false }
    return monitor.shouldContinue?(fraction, time, evaluations) ?? true
  }

  /// Counts an evaluation of what is no score field.
  mutating func count() { evaluations += 1 }

  /// Standard normal numbers in the shape of x, other ones at each call.
  ///
  /// Those of sample i at draw d of step k depend on (key, k, d, i) alone.
  public mutating func normal(like x: Tensor<Scalar>, in step: TimeStep) -> Tensor<Scalar> {
    noise.next(x.shape, in: step)
  }
}

/// What a run watches over while it solves: progress, cancellation, the trajectory.
struct Monitor<Scalar: TensorScalar> {
  /// The steps between two states that are kept; nil keeps none.
  var trajectoryStride: Int?
  /// Called with the part done, the time and the evaluations so far; false stops the run.
  var shouldContinue: ((_ fraction: Double, _ time: Double, _ evaluations: Int) -> Bool)?
}

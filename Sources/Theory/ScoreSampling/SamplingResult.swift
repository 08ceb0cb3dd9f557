import ScoreTensors

/// What the last step of a sampler does about the noise that is left.
public enum Denoising: String, Sendable, CaseIterable {
  /// Nothing: the samples are of p_ε.
  case none
  /// The last step adds no noise: its mean is the result. Costs nothing; solvers of the flow are as without.
  case mean
  /// After the last step the samples are replaced by E[x_0 | x_ε]: one more evaluation.
  case tweedie
}

/// Samples, and what it took to draw them.
public struct SamplingResult<Scalar: TensorScalar>: Sendable {
  /// The samples, `[n] + sampleShape`.
  public var samples: Tensor<Scalar>
  /// How each sample's solve ended; the samples that did not finish hold their last state.
  public var status: [SolveStatus]
  /// The evaluations of the field that each sample took, denoising included.
  public var evaluations: [Int]
  /// The states on the way where a trajectory was asked for; the final denoising is not among them.
  public var trajectory: [TrajectoryPoint<Scalar>]

  /// The mean over samples of the number of function evaluations.
  public var meanEvaluations: Double {
    Double(evaluations.reduce(0, +)) / Double(max(1, evaluations.count))
  }
  /// The greatest number of function evaluations that a sample took.
  public var maxEvaluations: Int { evaluations.max() ?? 0 }
  /// Whether all samples finished.
  public var isFinished: Bool { status.allSatisfy(\.isFinished) }
}

extension SamplingResult {
  /// The results of runs on the same grid, one after another.
  /// - Precondition: one result or more.
  public init(joining parts: [SamplingResult]) {
    self.init(
      samples: .concatenated(parts.map(\.samples)), status: parts.flatMap(\.status),
      evaluations: parts.flatMap(\.evaluations),
      trajectory: TrajectoryPoint.joined(parts.map(\.trajectory)))
  }
}

/// How far a run is.
public struct SamplingProgress: Sendable, Equatable {
  /// The part of the whole run that is done, 0 to 1.
  public var fraction: Double
  /// The samples of the batches that are done.
  public var samples: Int
  /// The time that the present batch has reached: that of its slowest sample.
  public var time: Double
  /// The evaluations of the present batch so far, for the sample that took most.
  public var evaluations: Int
  /// Whether the solver is still being fitted to the field. No sample has begun then: all wait at the grid's start.
  public var isFitting: Bool

  public init(
    fraction: Double, samples: Int, time: Double, evaluations: Int, isFitting: Bool = false
  ) {
    self.fraction = fraction
    self.samples = samples
    self.time = time
    self.evaluations = evaluations
    self.isFitting = isFitting
  }

  /// The same listener; once it has answered false it is not asked again and the answer stays false.
  package static func untilStopped(
    _ listener: ((SamplingProgress) -> Bool)?
  ) -> ((SamplingProgress) -> Bool)? {
    guard let listener else { return nil }
    var isStopped = false
    return { progress in
      if !isStopped { isStopped = !listener(progress) }
      return !isStopped
    }
  }

  /// The listener for a part of a run, to which that part's own progress goes from 0 to 1.
  static func part(
    _ share: ClosedRange<Double>, of listener: ((SamplingProgress) -> Bool)?
  ) -> ((SamplingProgress) -> Bool)? {
    listener.map { listener in
      { progress in
        var progress = progress
        let done = min(1, progress.fraction)
        progress.fraction = share.lowerBound * (1 - done) + share.upperBound * done
        return listener(progress)
      }
    }
  }

  /// What a fit calls with its part, of those that take so many evaluations, and how much of it is done: tells the listener,
  /// and throws `CancellationError` where that or the task stops the fit.
  static func checks(
    of evaluations: [Double], at time: Double, by listener: ((SamplingProgress) -> Bool)?
  ) -> (_ part: Int, _ done: Double) throws -> Void {
    let all = evaluations.reduce(0, +)
    return { part, done in
      try Task.checkCancellation()
      let before = evaluations[..<part].reduce(0, +)
      let progress = SamplingProgress(
        fraction: min(1, (before + done * evaluations[part]) / all), samples: 0, time: time,
        evaluations: 0, isFitting: true)
      if listener?(progress) == false { throw CancellationError() }
    }
  }

  /// Tells the listener of a run without batches which step it is about to take.
  /// - Throws: `CancellationError` where the listener answers false or the task is cancelled.
  static func check(
    _ step: TimeStep, of grid: TimeGrid, evaluations: Int,
    by listener: ((SamplingProgress) -> Bool)?
  ) throws {
    try Task.checkCancellation()
    let progress = SamplingProgress(
      fraction: Double(step.index) / Double(grid.steps.count), samples: 0, time: step.time,
      evaluations: evaluations)
    if listener?(progress) == false { throw CancellationError() }
  }

  /// What tells a run's listener how far the batch of `rows` is, of `count` samples.
  package static func reports(
    of rows: Range<Int>, among count: Int, to listener: ((SamplingProgress) -> Bool)?
  ) -> ((_ fraction: Double, _ time: Double, _ evaluations: Int) -> Bool)? {
    listener.map { listener in
      { fraction, time, evaluations in
        listener(
          SamplingProgress(
            fraction: (Double(rows.lowerBound) + fraction * Double(rows.count)) / Double(count),
            samples: rows.lowerBound, time: time, evaluations: evaluations))
      }
    }
  }
}

import ScoreProcesses
import ScoreTensors

/// Draws samples: any field, any solver, any time grid.
///
/// ```swift
/// let sampler = try Sampler(field, solver: AdaptiveFlow(), steps: 1)
/// let result = try sampler.sample(100, key: RandomKey(7))
/// ```
///
/// Sample i depends on the key and on i alone, bit for bit: not on the number of samples or the batches they come in.
public struct Sampler<Scalar: TensorScalar>: Sendable {
  /// The score field.
  public var field: any ScoreField<Scalar>
  /// The solver.
  public var solver: any Solver
  /// The time grid.
  public var grid: TimeGrid
  /// What the last step does about the noise that is left.
  public var denoising: Denoising
  /// How many samples are carried together; nil chooses by the size of a sample.
  public var batchSize: Int?
  /// The steps between two states of the trajectory, of which `AdaptiveDiffusion` keeps the ends alone; nil keeps none.
  public var trajectoryStride: Int?

  /// Creates a sampler on a given grid.
  public init(
    _ field: any ScoreField<Scalar>, solver: any Solver, grid: TimeGrid,
    denoising: Denoising = .mean, batchSize: Int? = nil, trajectoryStride: Int? = nil
  ) {
    self.field = field
    self.solver = solver
    self.grid = grid
    self.denoising = denoising
    self.batchSize = batchSize
    self.trajectoryStride = trajectoryStride
  }

  /// Creates a sampler with a grid from the process's T, or a given start, to ε (its own for sampling where none is given),
  /// spread as it suits the solver and the process where no schedule is given.
  /// - Throws: `SamplingError` unless 1 ≤ N ≤ `TimeGrid.mostSteps` and 0 < ε < start ≤ T, and for a solver that would look past t = 0 on the reference
  ///   grid.
  public init(
    _ field: any ScoreField<Scalar>, solver: any Solver, steps: Int,
    schedule: GridSchedule? = nil, from start: Double? = nil, epsilon: Double? = nil,
    denoising: Denoising = .mean, batchSize: Int? = nil, trajectoryStride: Int? = nil
  ) throws(SamplingError) {
    let schedule = schedule ?? solver.suitedSchedule(for: field.process)
    let grid = try schedule.grid(for: field.process, steps: steps, from: start, to: epsilon)
    // Solvers of one's own know what they do.
    guard
      grid.end >= 0 || solver.runsOnReferenceGrid || !SolverSpec.names.contains(solver.spec.name)
    else {
      throw SamplingError(
        "the reference grid of \(steps) steps ends at t = \(grid.end), past the times of the process, where the solver \(solver.spec) would look; expected more steps or another grid"
      )
    }
    self.init(
      field, solver: solver, grid: grid, denoising: denoising, batchSize: batchSize,
      trajectoryStride: trajectoryStride)
  }

  /// Draws samples number `first`, `first + 1`, … from the prior to the grid's end.
  ///
  /// - Parameters:
  ///   - progress: called before each step of each batch, and of the fit of a solver that wants one; false stops the run, as
  ///     does the task's cancellation. Samples that a stopped fit kept from their first step are where they start.
  /// - Throws: `SamplingError` for a count or batch size below 1, a `first` below 0, and more samples and states on the way
  ///   than the machine has memory for, for Tweedie's denoising past the process's times, where a solver cannot be fitted, and
  ///   where one gives other shapes or numbers of rows than it is given; and what the field throws.
  public func sample(
    _ count: Int, key: RandomKey, first: Int = 0,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> SamplingResult<Scalar> {
    try run(count, .keyed(key), first, nil, progress)
  }

  /// Carries given states, at the grid's start, to its end; row i is sample number `first + i`.
  /// - Throws: as the other, and `SamplingError` for states of another shape than the field's.
  public func sample(
    from states: Tensor<Scalar>, key: RandomKey, first: Int = 0,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> SamplingResult<Scalar> {
    guard states.shape.rank > 0, states.shape.row == field.sampleShape else {
      throw SamplingError(
        "the initial states have shape \(states.shape); expected [n] followed by \(field.sampleShape)"
      )
    }
    return try run(states.rows, .keyed(key), first, states, progress)
  }

  package func run(
    _ count: Int, _ source: NoiseSource, _ first: Int, _ states: Tensor<Scalar>?,
    _ progress: ((SamplingProgress) -> Bool)?
  ) throws -> SamplingResult<Scalar> {
    let kept = trajectoryStride.map {
      solver is AdaptiveDiffusion ? 2 : 2 + self.grid.steps.count / max(1, $0)
    }
    try SamplingError.checkSamples(
      count, of: field.sampleShape, Scalar.self, first: first, states: kept ?? 0)
    try field.checkSampleCount(count)
    if let batchSize, batchSize < 1 {
      throw SamplingError("the batch size is \(batchSize); expected 1 or more")
    }
    if let trajectoryStride, trajectoryStride < 1 {
      throw SamplingError("the trajectory's stride is \(trajectoryStride); expected 1 or more")
    }
    if solver is any FieldFittedSolver {
      return try fitAndRun(count, source, first, states, progress)
    }
    if denoising == .tweedie, grid.end < 0, !(field.process.marginal(at: 0).sigma > 0) {
      throw SamplingError(
        "the grid ends at t = \(grid.end), past the times of the process \(field.process.name), which Tweedie's denoising would look at; expected more steps, another grid or another denoising"
      )
    }
    let size = batchSize ?? Self.standardBatchSize(field.sampleShape)
    let progress = SamplingProgress.untilStopped(progress)
    let grid = denoising == .mean && solver.usesNoise ? grid.withNoiselessEnd() : grid
    var parts: [BatchSolution<Scalar>] = []
    for start in stride(from: 0, to: count, by: size) {
      let rows = start..<min(count, start + size)
      let monitor = Monitor<Scalar>(
        trajectoryStride: trajectoryStride,
        shouldContinue: SamplingProgress.reports(of: rows, among: count, to: progress))
      let noise = NoiseStream(source, samples: .consecutive(first: first + rows.lowerBound))
      var context = SolverContext(field: field.rows(rows), noise: noise, monitor: monitor)
      let x = states.map { $0.rows(rows) } ?? context.prior(rows.count, at: grid.start)
      parts.append(
        try denoised(
          solver.checkedSolve(x, along: grid, in: &context), context.field, samples: context.samples
        ))
    }
    return SamplingResult(
      samples: .concatenated(parts.map(\.x)), status: parts.flatMap(\.status),
      evaluations: parts.flatMap(\.evaluations),
      trajectory: TrajectoryPoint.joined(parts.map(\.trajectory)))
  }

  private func denoised(
    _ part: BatchSolution<Scalar>, _ field: any ScoreField<Scalar>, samples: SampleIndices
  ) throws -> BatchSolution<Scalar> {
    let finished = part.status.indices.filter { part.status[$0].isFinished }
    guard denoising == .tweedie, !finished.isEmpty else { return part }
    var part = part
    // The reference grid ends a little before 0, where processes have no kernel.
    let end = max(0, grid.end)
    if finished.count == part.status.count {
      part.x = try solver.checkedCompleted(
        field.denoised(part.x, at: .shared(end)), samples: samples)
    } else {
      part.x.setRows(
        finished,
        to: try solver.checkedCompleted(
          field.rows(finished).denoised(part.x.rows(finished), at: .shared(end)),
          samples: samples.rows(finished)))
    }
    let isFinite = part.x.finiteRows
    for row in finished {
      part.evaluations[row] += 1
      if !isFinite[row] { part.status[row] = .nonFinite(time: grid.end) }
    }
    return part
  }

  /// Batches of about 65,536 numbers, a power of two from 16 to 4,096 samples.
  package static func standardBatchSize(_ sample: Shape) -> Int {
    var size = 16
    while size < 4096, 2 * size * sample.count <= 65536 { size *= 2 }
    return size
  }
}

extension ScoreField {
  /// Refuses to carry another number of samples than the field is of, where each has one of its own.
  package func checkSampleCount(_ count: Int) throws(SamplingError) {
    if let rowCount, rowCount != count {
      throw SamplingError(
        "the number of samples is \(count), and the field is of \(rowCount), each with one of its own; expected \(rowCount)"
      )
    }
  }
}

extension SolverContext {
  /// Draws the states with which a solver that starts at time t begins.
  package mutating func prior(_ count: Int, at t: Double) -> Tensor<Scalar> {
    let numbers: Tensor<Scalar> = noise.prior(Shape([count] + field.sampleShape.extents))
    return Scalar(process.priorDeviation(at: t)) * numbers
  }
}

extension DiffusionProcess where Self: LinearProcess {
  /// The standard deviation of the states with which a solver that starts at t begins: s at T, and s σ(t)/σ(T) before.
  public func priorDeviation(at t: Double) -> Double {
    t == endTime
      ? priorDeviation : priorDeviation * marginal(at: t).sigma / marginal(at: endTime).sigma
  }
}

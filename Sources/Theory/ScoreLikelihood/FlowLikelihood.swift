import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// Log densities, samples and latents by the probability-flow ODE (Song et al. 2021, section 4.3).
///
/// ```
/// log p(x) = log N(x_T; 0, s² I) + ∫_ε^T ∇·F(x_t, t) dt,   dx/dt = F = f x + (g²/2σ) ε̂
/// ```
///
/// The solve starts with the data at ε and ends at T, or starts with latents at T and ends in samples at ε. Samples are
/// solved apart, each with its own steps and, under key and number i, its own probes: no sample's result depends on the
/// others. All sums are in Double; the field computes in its own scalar type.
///
/// ```swift
/// let likelihood = try FlowLikelihood(field, divergence: .hutchinson(probes: 4))
/// let result = try likelihood.logDensity(of: x, key: RandomKey(1))
/// print(result.mean, result.standardError)
/// ```
public struct FlowLikelihood<Scalar: TensorScalar>: Sendable {
  /// The score field.
  public let field: any DifferentiableScoreField<Scalar>
  /// How the divergence is found.
  public let divergence: Divergence
  /// How the flow is solved.
  public let method: FlowMethod
  /// Where the solve starts.
  public let epsilon: Double
  /// How many samples are solved together; nil chooses by the size of a sample.
  public let batchSize: Int?

  /// Creates the computation; ε is the process's own for likelihoods where none is given.
  /// - Throws: `SamplingError` unless 0 < ε < T, rtol > 0, atol > 0, the budget is 2 or more, the batch size is 1 or more, and steps and
  ///   probes are from 1 to `TimeGrid.mostSteps` and `Divergence.mostProbes`.
  public init(
    _ field: any DifferentiableScoreField<Scalar>, divergence: Divergence = .hutchinson(),
    method: FlowMethod = .adaptive(), epsilon: Double? = nil, batchSize: Int? = nil
  ) throws(SamplingError) {
    self.field = field
    self.divergence = divergence
    self.method = method
    self.epsilon = epsilon ?? field.process.cutoffs.likelihood
    self.batchSize = batchSize
    try method.check()
    _ = try TimeGrid.uniform(from: field.process.endTime, to: self.epsilon, steps: 1)
    try divergence.check()
    if let batchSize, batchSize < 1 {
      throw SamplingError("the batch size is \(batchSize); expected 1 or more")
    }
  }

  /// The log density of each row of x, which is sample number `first`, `first + 1`, …
  ///
  /// - Parameters:
  ///   - key: what the probes are drawn from; not used by the exact divergence.
  ///   - progress: called before each round of steps; false stops, as does the task's cancellation.
  /// - Throws: `SamplingError` for samples of another shape than the field's, a `first` below 0 and more probes than the machine
  ///   has memory for, and what the field throws.
  public func logDensity(
    of x: Tensor<Scalar>, key: RandomKey = RandomKey(0), first: Int = 0,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> LikelihoodResult<Scalar> {
    try logDensity(of: x, key: key, samples: .consecutive(first: first), progress: progress)
  }

  func logDensity(
    of x: Tensor<Scalar>, key: RandomKey, samples: SampleIndices,
    progress: ((SamplingProgress) -> Bool)?
  ) throws -> LikelihoodResult<Scalar> {
    try check(x)
    if case .consecutive(let first) = samples {
      try SamplingError.checkSamples(x.rows, of: field.sampleShape, Scalar.self, first: first)
    }
    return LikelihoodResult(
      parts: try batches(x, progress) { batch, start, shouldContinue in
        let rows = start..<start + batch.rows
        let (columns, solution) = try density(
          batch, field.rows(rows), key, samples.rows(Array(rows)), from: epsilon,
          to: field.process.endTime, shouldContinue)
        let width = batch.shape.rowCount
        let latent = Tensor<Scalar>(
          rows: solution.states, stride: width + columns, shape: batch.shape)
        return summary(solution, prior: solution.states, stride: width + columns, latent: latent)
      })
  }

  /// Draws samples from the prior and integrates their log density along: both in one solve.
  ///
  /// ```
  /// x_T ∼ N(0, s² I),   log p_ε(x_ε) = log N(x_T; 0, s² I) − ∫_T^ε ∇·F(x_t, t) dt
  /// ```
  ///
  /// The latents are those of a `Sampler` under the same key, so the samples are those of its `AdaptiveFlow` to the
  /// tolerance. Costs what `logDensity` does.
  /// - Throws: `SamplingError` for a count below 1, a `first` below 0 and more samples than the machine has memory for, and what the field throws.
  public func sample(
    _ count: Int, key: RandomKey, first: Int = 0, progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> SampledDensity<Scalar> {
    try SamplingError.checkSamples(count, of: field.sampleShape, Scalar.self, first: first)
    let shape = Shape([count] + field.sampleShape.extents)
    let latent =
      Scalar(field.process.priorDeviation)
      * key.folded("prior").normal(
        shape, of: Scalar.self, samples: .consecutive(first: first))
    return try sample(decoding: latent, key: key, first: first, progress: progress)
  }

  /// Carries latents at T to samples at ε with their log densities, in one solve.
  /// - Throws: `SamplingError` for latents of another shape than the field's, and what the field throws.
  public func sample(
    decoding latent: Tensor<Scalar>, key: RandomKey = RandomKey(0), first: Int = 0,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> SampledDensity<Scalar> {
    try check(latent)
    try SamplingError.checkSamples(latent.rows, of: field.sampleShape, Scalar.self, first: first)
    let parts = try batches(latent, progress) { batch, start, shouldContinue in
      let (columns, solution) = try density(
        batch, field.rows(start..<start + batch.rows), key, .consecutive(first: first + start),
        from: field.process.endTime, to: epsilon, shouldContinue)
      let width = batch.shape.rowCount
      return SampledDensity<Scalar>(
        samples: Tensor(rows: solution.states, stride: width + columns, shape: batch.shape),
        likelihood: summary(
          solution, prior: batch.doubles, stride: width, sign: -1, latent: batch))
    }
    return SampledDensity(
      samples: .concatenated(parts.map(\.samples)),
      likelihood: LikelihoodResult(parts: parts.map(\.likelihood)))
  }

  // MARK: Parts

  func check(_ x: Tensor<Scalar>) throws(SamplingError) {
    guard x.shape.rank > 0, x.rows > 0, x.shape.row == field.sampleShape else {
      throw SamplingError(
        "the samples have shape \(x.shape); expected [n] followed by \(field.sampleShape), n 1 or more"
      )
    }
    try field.checkSampleCount(x.rows)
  }

  /// The same computation for some of the samples.
  func rows(_ rows: [Int], by method: FlowMethod? = nil) throws(SamplingError) -> FlowLikelihood {
    try FlowLikelihood(
      field.rows(rows), divergence: divergence, method: method ?? self.method, epsilon: epsilon,
      batchSize: batchSize)
  }

  func batches<Part>(
    _ x: Tensor<Scalar>, _ progress: ((SamplingProgress) -> Bool)?,
    _ solve: (Tensor<Scalar>, Int, ((Double, Double, Int) -> Bool)?) throws -> Part
  ) throws -> [Part] {
    let size = batchSize ?? Sampler<Scalar>.standardBatchSize(field.sampleShape)
    let progress = SamplingProgress.untilStopped(progress)
    return try stride(from: 0, to: x.rows, by: size).map { start in
      let rows = start..<min(x.rows, start + size)
      let report = SamplingProgress.reports(of: rows, among: x.rows, to: progress)
      return try solve(x.rows(rows), start, report)
    }
  }

  private func density(
    _ batch: Tensor<Scalar>, _ field: any DifferentiableScoreField<Scalar>, _ key: RandomKey,
    _ samples: SampleIndices, from t0: Double,
    to t1: Double,
    _ shouldContinue: ((Double, Double, Int) -> Bool)?
  ) throws -> (columns: Int, solution: RowSolution) {
    try divergence.checkMemory(of: batch.rows, field.sampleShape, Scalar.self)
    var system = DensitySystem(
      field, divergence, rows: batch.rows, key: key, samples: samples)
    var states = [Double](repeating: 0, count: batch.rows * system.width)
    states.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { batch.copyRows(into: base, stride: system.width) }
    }
    let solution = try method.integrate(
      &system, states, from: t0, to: t1, shouldContinue: shouldContinue)
    return (system.width - batch.shape.rowCount, solution)
  }

  // The density from the states at T, rows of `prior`, and the gains, the last columns of the solution.
  private func summary(
    _ solution: RowSolution, prior states: [Double], stride: Int, sign: Double = 1,
    latent: Tensor<Scalar>
  ) -> LikelihoodResult<Scalar> {
    let (rows, width) = (latent.rows, latent.shape.rowCount)
    let columns = solution.states.count / rows - width
    let variance = field.process.priorDeviation * field.process.priorDeviation
    let normalisation = -0.5 * Double(width) * log(2 * Double.pi * variance)
    var (densities, priors, errors) = ([Double](), [Double](), [Double]())
    var status = solution.status
    for row in 0..<rows {
      let x = states[row * stride..<row * stride + width]
      let start = row * (width + columns) + width
      let spread = SampleMean(solution.states[start..<start + columns])
      let prior = normalisation - 0.5 * x.reduce(0) { $0 + $1 * $1 } / variance
      // The square of a finite state may be too large.
      if status[row].isFinished, !(prior + spread.mean).isFinite {
        status[row] = .nonFinite(time: field.process.endTime)
      }
      let finished = status[row].isFinished
      priors.append(finished ? prior : .nan)
      densities.append(finished ? prior + sign * spread.mean : .nan)
      errors.append(finished ? spread.standardError : .nan)
    }
    let isSpreadKnown = divergence == .exact || columns > 1
    // Fixed steps do not know their error, and unfinished solves have none to speak of.
    let solverErrors: [Double]?
    if case .fixed = method {
      solverErrors = nil
    } else {
      solverErrors = zip(solution.consequences, status).map { $1.isFinished ? $0 : .nan }
    }
    return LikelihoodResult(
      logDensity: densities, priorLogDensity: priors,
      probeStandardError: isSpreadKnown ? errors : nil,
      solverError: solverErrors,
      latent: latent, status: status, evaluations: solution.evaluations)
  }
}

extension LikelihoodResult {
  /// The results of batches, one after another.
  fileprivate init(parts: [LikelihoodResult]) {
    let probeErrors = parts.compactMap(\.probeStandardError)
    let solverErrors = parts.compactMap(\.solverError)
    self.init(
      logDensity: parts.flatMap(\.logDensity), priorLogDensity: parts.flatMap(\.priorLogDensity),
      probeStandardError: probeErrors.count == parts.count ? probeErrors.flatMap { $0 } : nil,
      solverError: solverErrors.count == parts.count ? solverErrors.flatMap { $0 } : nil,
      latent: .concatenated(parts.map(\.latent)), status: parts.flatMap(\.status),
      evaluations: parts.flatMap(\.evaluations))
  }
}

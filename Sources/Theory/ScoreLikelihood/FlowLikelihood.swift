import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// Log densities and latents by the probability-flow ODE (Song et al. 2021, section 4.3).
///
/// ```
/// log p(x) = log N(x_T; 0, s² I) + ∫_ε^T ∇·F(x_t, t) dt,   dx/dt = F = f x + (g²/2σ) ε̂
/// ```
///
/// The solve starts with the data at ε and ends at T. Samples are solved apart, each with its own steps and, under key
/// and number i, its own probes: no sample's result depends on the others. All sums are in Double; the field computes in
/// its own scalar type.
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
  /// - Throws: `SamplingError` unless 0 < ε < T, rtol > 0, atol > 0, and steps, probes and batch size are 1 or more.
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
    if case .hutchinson(_, let probes) = divergence, probes < 1 {
      throw SamplingError("the number of probes is \(probes); expected 1 or more")
    }
    if let batchSize, batchSize < 1 {
      throw SamplingError("the batch size is \(batchSize); expected 1 or more")
    }
  }

  /// The log density of each row of x, which is sample number `first`, `first + 1`, …
  ///
  /// - Parameters:
  ///   - key: what the probes are drawn from; not used by the exact divergence.
  ///   - progress: called before each round of steps; false stops, as does the task's cancellation.
  /// - Throws: `SamplingError` for samples of another shape than the field's, and what the field throws.
  public func logDensity(
    of x: Tensor<Scalar>, key: RandomKey = RandomKey(0), first: Int = 0,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> LikelihoodResult<Scalar> {
    try check(x)
    let end = field.process.endTime
    let parts = try batches(x, progress) { batch, start, shouldContinue in
      var system = DensitySystem(
        field, divergence, rows: batch.rows, key: key,
        samples: .consecutive(first: first + start))
      let width = batch.shape.rowCount
      var states = [Double](repeating: 0, count: batch.rows * system.width)
      states.withUnsafeMutableBufferPointer {
        if let base = $0.baseAddress { batch.copyRows(into: base, stride: system.width) }
      }
      let solution = try method.integrate(
        &system, states, from: epsilon, to: end, shouldContinue: shouldContinue)
      return summary(solution, width: width, columns: system.width - width, shape: batch.shape)
    }
    let probeErrors = parts.compactMap(\.probeStandardError)
    let solverErrors = parts.compactMap(\.solverError)
    return LikelihoodResult(
      logDensity: parts.flatMap(\.logDensity), priorLogDensity: parts.flatMap(\.priorLogDensity),
      probeStandardError: probeErrors.count == parts.count ? probeErrors.flatMap { $0 } : nil,
      solverError: solverErrors.count == parts.count ? solverErrors.flatMap { $0 } : nil,
      latent: .concatenated(parts.map(\.latent)), status: parts.flatMap(\.status),
      evaluations: parts.flatMap(\.evaluations))
  }

  /// Carries data at ε to their latents at T.
  /// - Throws: `SamplingError` for samples of another shape than the field's, and what the field throws.
  public func encode(
    _ x: Tensor<Scalar>, progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> FlowResult<Scalar> {
    try carry(x, from: epsilon, to: field.process.endTime, progress)
  }

  /// Carries latents at T to data at ε; undoes `encode` to the tolerance.
  /// - Throws: `SamplingError` for samples of another shape than the field's, and what the field throws.
  public func decode(
    _ latent: Tensor<Scalar>, progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> FlowResult<Scalar> {
    try carry(latent, from: field.process.endTime, to: epsilon, progress)
  }

  private func carry(
    _ x: Tensor<Scalar>, from t0: Double, to t1: Double,
    _ progress: ((SamplingProgress) -> Bool)?
  ) throws -> FlowResult<Scalar> {
    try check(x)
    let parts = try batches(x, progress) { batch, _, shouldContinue in
      var system = FlowSystem(field)
      let solution = try method.integrate(
        &system, batch.doubles, from: t0, to: t1, shouldContinue: shouldContinue)
      return FlowResult<Scalar>(
        x: Tensor(rows: solution.states, stride: batch.shape.rowCount, shape: batch.shape),
        status: solution.status, evaluations: solution.evaluations)
    }
    return FlowResult(
      x: .concatenated(parts.map(\.x)), status: parts.flatMap(\.status),
      evaluations: parts.flatMap(\.evaluations))
  }

  private func check(_ x: Tensor<Scalar>) throws(SamplingError) {
    guard x.shape.rank > 0, x.rows > 0, x.shape.row == field.sampleShape else {
      throw SamplingError(
        "the samples have shape \(x.shape); expected [n] followed by \(field.sampleShape), n 1 or more"
      )
    }
  }

  private func batches<Part>(
    _ x: Tensor<Scalar>, _ progress: ((SamplingProgress) -> Bool)?,
    _ solve: (Tensor<Scalar>, Int, ((Double, Double, Int) -> Bool)?) throws -> Part
  ) throws -> [Part] {
    let size = batchSize ?? Sampler<Scalar>.standardBatchSize(field.sampleShape)
    return try stride(from: 0, to: x.rows, by: size).map { start in
      let rows = start..<min(x.rows, start + size)
      let report = progress.map { progress in
        { (fraction: Double, time: Double, evaluations: Int) in
          progress(
            SamplingProgress(
              fraction: (Double(start) + fraction * Double(rows.count)) / Double(x.rows),
              samples: start, time: time, evaluations: evaluations))
        }
      }
      return try solve(x.rows(rows), start, report)
    }
  }

  private func summary(
    _ solution: RowSolution, width: Int, columns: Int, shape: Shape
  ) -> LikelihoodResult<Scalar> {
    let variance = field.process.priorDeviation * field.process.priorDeviation
    let normalisation = -0.5 * Double(width) * log(2 * Double.pi * variance)
    var (densities, priors, errors) = ([Double](), [Double](), [Double]())
    for row in 0..<shape.rows {
      let start = row * (width + columns)
      let x = solution.states[start..<start + width]
      let gains = solution.states[start + width..<start + width + columns]
      let prior = normalisation - 0.5 * x.reduce(0) { $0 + $1 * $1 } / variance
      let gain = gains.reduce(0, +) / Double(columns)
      let finished = solution.status[row].isFinished
      priors.append(finished ? prior : .nan)
      densities.append(finished ? prior + gain : .nan)
      let squares = gains.reduce(0) { $0 + ($1 - gain) * ($1 - gain) }
      let spread = squares / Double(max(1, columns * (columns - 1)))
      errors.append(finished ? spread.squareRoot() : .nan)
    }
    let isSpreadKnown = divergence == .exact || columns > 1
    return LikelihoodResult(
      logDensity: densities, priorLogDensity: priors,
      probeStandardError: isSpreadKnown ? errors : nil,
      solverError: solution.consequences.contains { $0.isNaN } ? nil : solution.consequences,
      latent: Tensor(rows: solution.states, stride: width + columns, shape: shape),
      status: solution.status, evaluations: solution.evaluations)
  }
}

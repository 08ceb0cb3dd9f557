import Foundation
import ScoreProcesses
import ScoreTensors

/// Euler–Maruyama back in time for a process of any kind, given its score.
///
/// ```
/// dx = [f − ½ (1 + λ²) (∇·g² + g² ∇log p_t(x))] dt + λ g dw̄,   (∇·g²)ᵢ = ∂(gᵢ²)/∂xᵢ
/// ```
///
/// λ = 1 is the reverse SDE (Anderson 1982), λ = 0 the probability-flow ODE; each λ has the marginals of the process.
/// Linear processes have solvers of their own, which `Sampler` runs. Weak order 1; one evaluation of the score a step.
public struct GeneralSampler<Scalar: TensorScalar>: Sendable {
  /// The process.
  public let process: any DiffusionProcess
  /// ∇ log p_t(x) for a batch at one time.
  public let score: @Sendable (Tensor<Scalar>, Double) throws -> Tensor<Scalar>
  /// The stochasticity λ.
  public let stochasticity: Double

  /// Creates a sampler.
  /// - Throws: `SamplingError` unless λ ≥ 0, finite.
  public init(
    _ process: any DiffusionProcess, stochasticity: Double = 1,
    score: @escaping @Sendable (Tensor<Scalar>, Double) throws -> Tensor<Scalar>
  ) throws(SamplingError) {
    try SamplingError.check(stochasticity: stochasticity)
    self.process = process
    self.stochasticity = stochasticity
    self.score = score
  }

  /// Draws samples: from the prior down `steps` even steps to the cutoff for sampling.
  ///
  /// Sample i depends on (key, i) alone.
  ///
  /// - Parameter progress: called before each step; false stops, as does the task's cancellation.
  /// - Throws: `SamplingError` unless there are samples, and memory for them, and 1 to `TimeGrid.mostSteps` steps, and as the other.
  public func sample(
    _ count: Int, shape: Shape, steps: Int, key: RandomKey,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> Tensor<Scalar> {
    try SamplingError.checkSamples(count, of: shape, Scalar.self)
    let grid = try TimeGrid.uniform(
      from: process.endTime, to: process.cutoffs.sampling, steps: steps)
    let numbers: Tensor<Scalar> = key.folded("prior").normal(
      Shape([count] + shape.extents))
    return try sample(
      from: Scalar(process.priorDeviation) * numbers, along: grid, key: key.folded("noise"),
      progress: progress)
  }

  /// Carries states along a grid; row i depends on its state and on (key, i).
  ///
  /// - Parameter progress: called before each step; false stops, as does the task's cancellation.
  /// - Throws: what the score throws; `CancellationError` where it is stopped; `SamplingError` where the score has another shape
  ///   than the states or is not finite, and where states leave the finite numbers; `ProcessError` where drift or diffusion
  ///   are no numbers.
  public func sample(
    from states: Tensor<Scalar>, along grid: TimeGrid, key: RandomKey,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> Tensor<Scalar> {
    guard states.isFinite else {
      throw SamplingError(
        "the states at t = \(grid.start) have entries that are not finite numbers; expected finite ones"
      )
    }
    var x = states
    let share = 0.5 * (1 + stochasticity * stochasticity)
    for step in grid.steps {
      try SamplingProgress.check(step, of: grid, evaluations: step.index, by: progress)
      let h = step.length
      // In Double whatever the state, as single steps are small beside it.
      let here = try process.coefficients(x, at: step.time, withSlope: true)
      let squared = here.squaredDiffusion
      var pull = try checkedScore(x, step.time).zip(with: squared) { $0 * $1 }
      if let slope = here.diffusionSlope { pull = pull + slope }
      var next = Tensor<Double>.combined(1, Tensor<Double>(x), -h, here.drift, h * share, pull)
      if stochasticity > 0 {
        let z = key.folded(UInt64(bitPattern: Int64(step.index))).normal(x.shape, of: Double.self)
        let size = stochasticity * h.squareRoot()
        next = .combined(1, next, size, squared.zip(with: z) { $0.squareRoot() * $1 })
      }
      x = Tensor<Scalar>(next)
      guard x.isFinite else {
        throw SamplingError(
          "the samples leave the finite numbers between t = \(step.time) and t = \(step.next); expected a score or a drift that does not grow so fast, or shorter steps",
          isNumerical: true)
      }
    }
    return x
  }

  private func checkedScore(_ x: Tensor<Scalar>, _ t: Double) throws -> Tensor<Double> {
    let score = try score(x, t)
    try SamplingError.check(score, "score", at: t, like: x)
    return Tensor<Double>(score)
  }
}

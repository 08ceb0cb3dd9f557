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
    guard stochasticity >= 0, stochasticity.isFinite else {
      throw SamplingError("the stochasticity is \(stochasticity); expected 0 or more, finite")
    }
    self.process = process
    self.stochasticity = stochasticity
    self.score = score
  }

  /// Draws samples: from the prior down `steps` even steps to the cutoff for sampling.
  ///
  /// Sample i depends on (key, i) alone.
  /// - Throws: `SamplingError` unless there are samples and steps, and what the score throws.
  public func sample(
    _ count: Int, shape: Shape, steps: Int, key: RandomKey
  ) throws -> Tensor<Scalar> {
    guard count >= 1 else {
      throw SamplingError("the number of samples is \(count); expected 1 or more")
    }
    let grid = try TimeGrid.uniform(
      from: process.endTime, to: process.cutoffs.sampling, steps: steps)
    let numbers: Tensor<Scalar> = key.folded("prior").normal(
      Shape([count] + shape.extents))
    return try sample(
      from: Scalar(process.priorDeviation) * numbers, along: grid, key: key.folded("noise"))
  }

  /// Carries states along a grid; row i depends on its state and on (key, i).
  /// - Throws: what the score throws.
  public func sample(
    from states: Tensor<Scalar>, along grid: TimeGrid, key: RandomKey
  ) throws -> Tensor<Scalar> {
    var x = states
    let share = 0.5 * (1 + stochasticity * stochasticity)
    for step in grid.steps {
      let (t, h) = (Times.shared(step.time), step.length)
      // In Double whatever the state, as single steps are small beside it.
      let squared = Tensor<Double>(process.squaredDiffusion(x, at: t))
      var pull = Tensor<Double>(try score(x, step.time)).zip(with: squared) { $0 * $1 }
      if let slope = process.diffusionSlope(x, at: t) { pull = pull + Tensor<Double>(slope) }
      let drift = Tensor<Double>(process.drift(x, at: t))
      var next = Tensor<Double>.combined(1, Tensor<Double>(x), -h, drift, h * share, pull)
      if stochasticity > 0 {
        let z = key.folded(UInt64(bitPattern: Int64(step.index))).normal(x.shape, of: Double.self)
        let size = stochasticity * h.squareRoot()
        next = .combined(1, next, size, squared.zip(with: z) { $0.squareRoot() * $1 })
      }
      x = Tensor<Scalar>(next)
    }
    return x
  }
}

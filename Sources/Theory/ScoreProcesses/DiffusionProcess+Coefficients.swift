import ScoreTensors

/// What a step of a simulation takes of a process at its states, in Double whatever they are.
package struct Coefficients: Sendable {
  /// f(x, t).
  package var drift: Tensor<Double>
  /// g(x, t)².
  package var squaredDiffusion: Tensor<Double>
  /// ∂(gᵢ²)/∂xᵢ; nil where g is g(t), and where it was not asked for.
  package var diffusionSlope: Tensor<Double>?
}

extension DiffusionProcess {
  /// Drift and diffusion at t, and on request the diffusion's slope, all of which anyone may have written.
  /// - Throws: `ProcessError` where one has another shape than x, or an entry that is not finite, and where a g² is below 0.
  package func coefficients<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Double, withSlope: Bool = false
  ) throws(ProcessError) -> Coefficients {
    let time = Times.shared(t)
    let f = try checked("drift", try drift(x, at: time), x, t)
    let squared = try checked("g²", try squaredDiffusion(x, at: time), x, t, least: 0)
    guard withSlope, let slope = try diffusionSlope(x, at: time) else {
      return Coefficients(drift: f, squaredDiffusion: squared)
    }
    return Coefficients(
      drift: f, squaredDiffusion: squared,
      diffusionSlope: try checked("slope of g²", slope, x, t))
  }

  private func checked<Scalar: TensorScalar>(
    _ what: String, _ values: Tensor<Scalar>, _ x: Tensor<Scalar>, _ t: Double,
    least: Double = -.infinity
  ) throws(ProcessError) -> Tensor<Double> {
    guard values.shape == x.shape else {
      throw ProcessError(
        "the process \"\(name)\" has a \(what) of shape \(values.shape) at t = \(t) for states of shape \(x.shape); expected the same"
      )
    }
    let values = Tensor<Double>(values)
    let bad = values.withUnsafeBuffer { $0.firstIndex { !($0.isFinite && $0 >= least) } }
    guard let bad else { return values }
    throw ProcessError(
      "the process \"\(name)\" has the \(what) \(values.scalars[bad]) at t = \(t) where the state is \(x.scalars[bad]); expected a finite number\(least == 0 ? " of at least 0" : "")"
    )
  }
}

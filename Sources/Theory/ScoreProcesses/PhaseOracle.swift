import Foundation
import ScoreTensors

/// The exact field of Gaussian data N(μ, Σ) under critically damped Langevin diffusion.
///
/// ```
/// (x_t, v_t) ~ N(E (μ, 0), C),   C = K(t) + λₖ e eᵀ along axis k of Σ,   e = E (1, 0)
/// ∇_v log p_t = −(C_xx (v − m_v) − C_xv (x − m_x))/det C
/// ```
public struct PhaseOracle<Scalar: TensorScalar>: PhaseField {
  public let process: CriticallyDampedLangevin
  public let sampleShape: Shape
  private let gaussian: GaussianComponent

  /// Creates the field from a mean and a full covariance; samples have the shape `[D]`.
  /// - Throws: `ProcessError` where dimensions differ, an entry is not finite, or the covariance is not symmetric and
  ///   positive definite.
  public init(
    process: CriticallyDampedLangevin, mean: [Double], covariance: [[Double]]
  ) throws(ProcessError) {
    self.process = process
    sampleShape = [mean.count]
    gaussian = try GaussianComponent(
      mean: mean, covariance: covariance, named: ("mean", "covariance"))
  }

  public func noise(_ u: PhaseState<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    let residual = try residual(u, t)
    let width = sampleShape.count
    var rotated = residual.velocity
    for row in 0..<u.position.rows {
      let length = process.kernel(at: t[row]).conditionalDeviation
      for k in 0..<width {
        let c = covariance(k, at: t[row])
        rotated[row, k] =
          length * (c.xx * residual.velocity[row, k] - c.xv * residual.position[row, k])
          / c.determinant
      }
    }
    return Tensor<Scalar>(gaussian.rotatedBack(rotated))
  }

  /// log p_t(x, v) in nats, one number a row.
  /// - Throws: `ProcessError` where the state does not fit.
  public func logDensity(_ u: PhaseState<Scalar>, at t: Times) throws -> [Double] {
    let residual = try residual(u, t)
    return (0..<u.position.rows).map { row in
      (0..<sampleShape.count).reduce(0.0) { sum, k in
        let c = covariance(k, at: t[row])
        let (x, v) = (residual.position[row, k], residual.velocity[row, k])
        let square = (c.vv * x * x - 2 * c.xv * x * v + c.xx * v * v) / c.determinant
        return sum - 0.5 * (square + log(c.determinant)) - log(2 * .pi)
      }
    }
  }

  /// The covariance of position and velocity along axis k of the data at t.
  public func covariance(_ axis: Int, at t: Double) -> PhaseCovariance {
    let map = process.propagator(over: t)
    return process.kernel(at: t).adding(gaussian.variances[axis], along: (map.xx, map.vx))
  }

  /// The variances of the data along the axes of Σ.
  public var principalVariances: [Double] { gaussian.variances }

  /// Samples of the data; row i depends on (key, the sample that row i is) alone.
  public func sample(
    _ count: Int, key: RandomKey, samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    let noise = key.normal([count, gaussian.dimensions], of: Double.self, samples: samples)
    return Tensor(gaussian.shifted(noise))
  }

  // What is left beside the mean E (μ, 0), along the axes of Σ.
  private func residual(_ u: PhaseState<Scalar>, _ t: Times) throws -> PhaseState<Double> {
    guard u.position.shape.rank > 0, u.position.shape.row == sampleShape else {
      throw ProcessError(
        "the state has shape \(u.position.shape); expected [n] + \(sampleShape)")
    }
    if case .perSample(let times) = t, times.count != u.position.rows {
      throw ProcessError(
        "the state has \(u.position.rows) rows and \(times.count) times; expected one each")
    }
    var (x, v) = (Tensor<Double>(u.position), Tensor<Double>(u.velocity))
    for row in 0..<x.rows {
      let map = process.propagator(over: t[row])
      for k in 0..<sampleShape.count {
        x[row, k] -= map.xx * gaussian.mean[k]
        v[row, k] -= map.vx * gaussian.mean[k]
      }
    }
    return PhaseState(position: gaussian.rotated(x), velocity: gaussian.rotated(v))
  }
}

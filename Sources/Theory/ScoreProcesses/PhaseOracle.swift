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
    let (residual, kernels) = try residual(u, t)
    let width = sampleShape.count
    let rotated = Tensor<Double>(residual.position.shape) { out in
      residual.position.withUnsafeBuffer { x in
        residual.velocity.withUnsafeBuffer { v in
          for place in x.indices {
            let kernel = kernels[place / width]
            let c = kernel.covariances[place % width]
            out[place] = kernel.length * (c.xx * v[place] - c.xv * x[place]) / c.determinant
          }
        }
      }
    }
    return Tensor<Scalar>(gaussian.rotatedBack(rotated))
  }

  /// log p_t(x, v) in nats, one number a row.
  /// - Throws: `ProcessError` where the state does not fit, and for a time that is not from 0 to T.
  public func logDensity(_ u: PhaseState<Scalar>, at t: Times) throws -> [Double] {
    let (residual, kernels) = try residual(u, t)
    return (0..<u.position.rows).map { row in
      let (x, v) = (residual.position.row(row), residual.velocity.row(row))
      return kernels[row].covariances.enumerated().reduce(0.0) { sum, entry in
        let (k, c) = entry
        let square =
          (c.vv * x[k] * x[k] - 2 * c.xv * x[k] * v[k] + c.xx * v[k] * v[k]) / c.determinant
        return sum - 0.5 * (square + log(c.determinant)) - log(2 * .pi)
      }
    }
  }

  /// The covariance of position and velocity along axis k of the data at t.
  /// - Precondition: k is an axis, from 0 on.
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

  // What a time makes of the data: the mean's map, the covariance of each axis, and ℓ.
  private struct Kernel {
    let map: PhaseMatrix
    let covariances: [PhaseCovariance]
    let length: Double
  }

  private func kernel(_ t: Double) -> Kernel {
    Kernel(
      map: process.propagator(over: t),
      covariances: gaussian.variances.indices.map { covariance($0, at: t) },
      length: process.kernel(at: t).conditionalDeviation)
  }

  // What is left beside the mean E (μ, 0), along the axes of Σ, and the kernel of each row.
  private func residual(
    _ u: PhaseState<Scalar>, _ t: Times
  ) throws -> (PhaseState<Double>, [Kernel]) {
    let shape = u.position.shape
    guard shape.rank > 0, shape.row == sampleShape else {
      throw ProcessError("the state has shape \(shape); expected [n] + \(sampleShape)")
    }
    try t.check(upTo: process.endTime)
    let kernels: [Kernel]
    switch t {
    case .shared(let t): kernels = [Kernel](repeating: kernel(t), count: shape.rows)
    case .perSample(let times):
      guard times.count == shape.rows else {
        throw ProcessError(
          "the state has \(shape.rows) rows and \(times.count) times; expected one each")
      }
      kernels = times.map(kernel)
    }
    let width = sampleShape.count
    func centred(_ x: Tensor<Scalar>, _ factor: KeyPath<PhaseMatrix, Double>) -> Tensor<Double> {
      var x = Tensor<Double>(x)
      x.withUnsafeMutableBuffer { x in
        for place in x.indices {
          x[place] -= kernels[place / width].map[keyPath: factor] * gaussian.mean[place % width]
        }
      }
      return gaussian.rotated(x)
    }
    return (
      PhaseState(position: centred(u.position, \.xx), velocity: centred(u.velocity, \.vx)), kernels
    )
  }
}

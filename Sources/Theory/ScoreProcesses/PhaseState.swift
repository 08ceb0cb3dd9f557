import ScoreTensors

/// Positions and velocities of a batch: the state of a process that couples data with a velocity.
public struct PhaseState<Scalar: TensorScalar>: Sendable, Equatable {
  /// The positions, which are the data at t = 0.
  public var position: Tensor<Scalar>
  /// The velocities, of the same shape.
  public var velocity: Tensor<Scalar>

  public init(position: Tensor<Scalar>, velocity: Tensor<Scalar>) {
    precondition(
      position.shape == velocity.shape, "shapes \(position.shape), \(velocity.shape) differ")
    self.position = position
    self.velocity = velocity
  }
}

/// A linear map of (position, velocity), the same for every entry.
public struct PhaseMatrix: Sendable, Equatable {
  /// Position from position, position from velocity, velocity from position, velocity from velocity.
  public var xx, xv, vx, vv: Double

  public init(xx: Double, xv: Double, vx: Double, vv: Double) {
    (self.xx, self.xv, self.vx, self.vv) = (xx, xv, vx, vv)
  }

  /// The state mapped, plus another state mapped.
  public func applied<Scalar: TensorScalar>(
    to u: PhaseState<Scalar>, adding other: PhaseMatrix? = nil, of z: PhaseState<Scalar>? = nil
  ) -> PhaseState<Scalar> {
    var position = Tensor.combined(Scalar(xx), u.position, Scalar(xv), u.velocity)
    var velocity = Tensor.combined(Scalar(vx), u.position, Scalar(vv), u.velocity)
    if let other, let z {
      let added = other.applied(to: z)
      position = position + added.position
      velocity = velocity + added.velocity
    }
    return PhaseState(position: position, velocity: velocity)
  }
}

/// A covariance of position and velocity.
public struct PhaseCovariance: Sendable, Equatable {
  public var xx, xv, vv: Double
  /// The determinant, without the cancellation of xx · vv − xv².
  public var determinant: Double

  public init(xx: Double, xv: Double, vv: Double, determinant: Double) {
    (self.xx, self.xv, self.vv, self.determinant) = (xx, xv, vv, determinant)
  }

  /// The covariance with s e eᵀ added, e the vector (x, v).
  public func adding(_ s: Double, along e: (x: Double, v: Double)) -> PhaseCovariance {
    PhaseCovariance(
      xx: xx + s * e.x * e.x, xv: xv + s * e.x * e.v, vv: vv + s * e.v * e.v,
      determinant: determinant + s * (vv * e.x * e.x - 2 * xv * e.x * e.v + xx * e.v * e.v))
  }

  /// The standard deviation of the velocity where the position is known: √(det/xx), 0 where xx is 0.
  public var conditionalDeviation: Double { xx > 0 ? (determinant / xx).squareRoot() : 0 }

  /// The lower Cholesky factor, which makes this covariance of standard normal numbers.
  public var factor: PhaseMatrix {
    let root = xx.squareRoot()
    return PhaseMatrix(
      xx: root, xv: 0, vx: root > 0 ? xv / root : 0,
      vv: root > 0 ? conditionalDeviation : vv.squareRoot())
  }
}

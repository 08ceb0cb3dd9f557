import Foundation
import ScoreTensors

/// Critically damped Langevin diffusion: noise enters through a velocity, data see it smoothed (Dockhorn et al. 2022).
///
/// ```
/// dx = v/M β dt,   dv = −(x + Γ v/M) β dt + √(2Γβ) dw,   Γ = 2√M
/// data x at t = 0 with v ~ N(0, γM I);   at rest x ~ N(0, I), v ~ N(0, M I)
/// ```
///
/// A matrix-valued linear process. With y = β t/√M its kernel from (x_0, v_0) has the mean E (x_0, v_0),
///
/// ```
/// E = e^(−y) [[1 + y, y/√M], [−y √M, 1 − y]]
/// ```
///
/// and with v_0 drawn anew the covariance `kernel(at:)`, in which no difference cancels. Only ∇_v log p_t(x, v) is needed
/// to run it back, and it is bounded where the score of the data is not.
public struct CriticallyDampedLangevin: Sendable, Equatable {
  /// The mass M, also the velocity's variance at rest.
  public let mass: Double
  /// The rate β of time.
  public let rate: Double
  /// The share γ of its variance at rest that the velocity has at t = 0.
  public let initialShare: Double
  /// The end T of the time axis.
  public let endTime: Double
  /// Where solvers and losses stop short of t = 0.
  public var cutoffs = Cutoffs(sampling: 1e-3)

  /// Creates the process; the defaults are the published ones.
  /// - Throws: `ProcessError` unless M, β and T are positive and 0 ≤ γ ≤ 1.
  public init(
    mass: Double = 0.25, rate: Double = 4, initialShare: Double = 0.04, endTime: Double = 1
  ) throws(ProcessError) {
    for (name, value) in [("mass", mass), ("rate", rate), ("end", endTime)] {
      guard value > 0, value.isFinite else {
        throw ProcessError("the CLD process has \(name) \(value); expected a number above 0")
      }
    }
    guard initialShare >= 0, initialShare <= 1 else {
      throw ProcessError("the CLD process has gamma \(initialShare); expected 0 to 1")
    }
    self.mass = mass
    self.rate = rate
    self.initialShare = initialShare
    self.endTime = endTime
  }

  /// The name.
  public var name: String { "cld" }

  /// The friction Γ = 2√M, at which nothing swings.
  public var friction: Double { 2 * mass.squareRoot() }

  /// The mean map E over a time: the state after it from the state before.
  public func propagator(over time: Double) -> PhaseMatrix {
    let (root, y) = (mass.squareRoot(), rate * time / mass.squareRoot())
    let decay = exp(-y)
    return PhaseMatrix(
      xx: decay * (1 + y), xv: decay * y / root, vx: -decay * y * root, vv: decay * (1 - y))
  }

  /// The covariance that a time adds to a known state.
  public func diffused(over time: Double) -> PhaseCovariance {
    let (root, y) = (mass.squareRoot(), rate * time / mass.squareRoot())
    let decay = exp(-2 * y)
    // xx = 1 − e^(−2y)(1 + 2y + 2y²), the rest of the exponential's series.
    let xx: Double
    if y < 1 {
      var (term, sum) = (8 * y * y * y / 6, 0.0)
      for k in 4..<40 {
        sum += term
        term *= 2 * y / Double(k)
      }
      xx = decay * sum
    } else {
      xx = 1 - decay * (1 + 2 * y + 2 * y * y)
    }
    let xv = 2 * root * y * y * decay
    let vv = mass * (-expm1(-2 * y) + 2 * decay * y * (1 - y))
    return PhaseCovariance(xx: xx, xv: xv, vv: vv, determinant: xx * vv - xv * xv)
  }

  /// The covariance of p(x_t, v_t | x_0), with v_0 ~ N(0, γM I).
  public func kernel(at t: Double) -> PhaseCovariance {
    let map = propagator(over: t)
    return diffused(over: t).adding(initialShare * mass, along: (map.xv, map.vv))
  }

  /// A draw from p(x_t, v_t | x_0), from standard normal draws for position and velocity.
  ///
  /// ```
  /// (x_t, v_t) = E (x_0, 0) + L z,   ∇_v log p(x_t, v_t | x_0) = −z_v/ℓ
  /// ```
  ///
  /// with ℓ = `kernel(at:).conditionalDeviation`: so z_v is what a model of ε̂_v is trained to predict.
  public func perturb<Scalar: TensorScalar>(
    _ data: Tensor<Scalar>, noise z: PhaseState<Scalar>, at t: Times
  ) -> PhaseState<Scalar> {
    func rows(_ value: (Double) -> Double) -> [Scalar] {
      switch t {
      case .shared(let t): [Scalar](repeating: Scalar(value(t)), count: data.rows)
      case .perSample(let times): times.map { Scalar(value($0)) }
      }
    }
    return PhaseState(
      position: .combinedRows(
        rows { propagator(over: $0).xx }, data, rows { kernel(at: $0).factor.xx }, z.position),
      velocity: .combinedRows(
        rows { propagator(over: $0).vx }, data, rows { kernel(at: $0).factor.vx }, z.position,
        rows { kernel(at: $0).factor.vv }, z.velocity))
  }

  /// Draws of the state at rest, which the reverse process starts from; row i depends on (key, i) alone.
  public func prior<Scalar: TensorScalar>(
    _ shape: Shape, key: RandomKey, samples: SampleIndices = .consecutive(first: 0)
  ) -> PhaseState<Scalar> {
    let velocity: Tensor<Scalar> = key.folded("velocity").normal(shape, samples: samples)
    return PhaseState(
      position: key.folded("position").normal(shape, samples: samples),
      velocity: Scalar(mass.squareRoot()) * velocity)
  }
}

/// A model of the score of a critically damped Langevin diffusion in its velocity.
///
/// ```
/// ε̂_v(x, v, t) = −ℓ(t) ∇_v log p_t(x, v)
/// ```
public protocol PhaseField<Scalar>: Sendable {
  associatedtype Scalar: TensorScalar

  /// The process whose marginals the field describes.
  var process: CriticallyDampedLangevin { get }

  /// The shape of one sample's position.
  var sampleShape: Shape { get }

  /// ε̂_v, of the shape of the velocities; row i depends on row i and its time alone.
  /// - Throws: where the state does not fit the field.
  func noise(_ u: PhaseState<Scalar>, at t: Times) throws -> Tensor<Scalar>
}

import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// A field tilted by a gradient of one's own: classifier guidance (Dhariwal & Nichol 2021, algorithm 2), or an energy.
///
/// ```
/// ε̂ − w σ ∇_x log r(x, t)
/// ```
///
/// With w = 1 and r(x, t) = E[r(x_0) | x_t = x], as p(c | x_t) of a classifier of noisy data is, its samples have the density
/// p(x) r(x) up to its constant; with any other r or w they follow no density that can be written down.
///
/// One evaluation costs one of the field and one gradient. It has no derivatives.
public struct TiltedField<Scalar: TensorScalar>: ScoreField {
  /// The field that is tilted.
  public private(set) var base: any ScoreField<Scalar>
  /// The scale w.
  public let scale: Double
  private let gradient: @Sendable (Tensor<Scalar>, Times) throws -> Tensor<Scalar>

  /// Creates the field.
  /// - Parameter gradient: ∇_x log r(x, t) of x `[n] + sampleShape`, in its shape; row i by row i of x and its time alone.
  /// - Throws: `SamplingError` where the scale is not finite.
  public init(
    _ base: any ScoreField<Scalar>, scale: Double = 1,
    gradient: @escaping @Sendable (_ x: Tensor<Scalar>, _ t: Times) throws -> Tensor<Scalar>
  ) throws(SamplingError) {
    guard scale.isFinite else {
      throw SamplingError("the scale of the tilt is \(scale); expected a finite number")
    }
    self.base = base
    self.scale = scale
    self.gradient = gradient
  }

  public var process: any LinearProcess { base.process }
  public var sampleShape: Shape { base.sampleShape }
  public var rowCount: Int? { base.rowCount }
  public func rows(_ rows: [Int]) -> TiltedField {
    var field = self
    field.base = base.rows(rows)
    return field
  }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    let noise = try base.checkedNoise(x, at: t)
    let gradient = try gradient(x, t)
    guard gradient.shape == x.shape else {
      throw SamplingError(
        "the gradient of the tilt has shape \(gradient.shape); expected that of x, \(x.shape)")
    }
    let (ones, factors) = (0..<x.rows).reduce(into: ([Scalar](), [Scalar]())) { factors, row in
      factors.0.append(1)
      factors.1.append(Scalar(-scale * process.marginal(at: t[row]).sigma))
    }
    return .combinedRows(ones, noise, factors, gradient)
  }
}

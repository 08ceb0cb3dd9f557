import ScoreTensors

/// An error in what was asked of a sampler or a solve, or on its way: one sentence with what was found and what was expected.
public struct SamplingError: Error, CustomStringConvertible, Equatable {
  public let description: String
  /// Whether numbers failed on the way, rather than an argument being wrong.
  public let isNumerical: Bool

  /// Creates an error from its sentence.
  public init(_ description: String, isNumerical: Bool = false) {
    self.description = description
    self.isNumerical = isNumerical
  }

  /// Refuses what a field gave for states where it is of another shape, or not finite.
  static func check<Scalar: TensorScalar>(
    _ values: Tensor<Scalar>, _ what: String, at t: Double, like x: Tensor<Scalar>
  ) throws(SamplingError) {
    guard values.shape == x.shape else {
      throw SamplingError(
        "the \(what) has shape \(values.shape) at t = \(t) for states of shape \(x.shape); expected the same"
      )
    }
    guard values.isFinite else {
      throw SamplingError(
        "the \(what) has entries that are not finite numbers at t = \(t); expected finite ones",
        isNumerical: true)
    }
  }
}

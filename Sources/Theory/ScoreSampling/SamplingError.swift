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

  /// Refuses a number that is not from 1 to the most that is taken.
  package static func check(_ value: Int, _ what: String, most: Int) throws(SamplingError) {
    guard value >= 1 else {
      throw SamplingError("the number of \(what) is \(value); expected 1 or more")
    }
    guard value <= most else {
      throw SamplingError("the number of \(what) is \(value); expected at most \(most)")
    }
  }

  /// Refuses to make samples number `first` and on, and `states` of each beside them, where there are none, where their numbers
  /// are not counted from 0 on, and where they do not fit into memory.
  package static func checkSamples<Scalar: TensorScalar>(
    _ count: Int, of shape: Shape, _ type: Scalar.Type, first: Int = 0, states: Int = 0
  ) throws(SamplingError) {
    try check(count, "samples", most: .max)
    guard first >= 0, first <= Int.max - count else {
      throw SamplingError(
        "the first of \(count) samples has number \(first); expected numbers from 0 to \(Int.max)")
    }
    // The parts of a run are held as they are joined.
    let numbers = Double(count) * Double(shape.count) * 2 * (1 + Double(states))
    if let shortage = Memory.shortage(of: numbers, type) {
      throw SamplingError(
        "\(count) samples of shape \(shape)\(states > 0 ? " and \(states) states of each on the way" : "") take \(shortage); expected fewer"
      )
    }
  }

  /// Refuses states of another shape than those that they were made of, as solvers and correctors of one's own may give.
  static func checkStates<Scalar: TensorScalar>(
    _ states: Tensor<Scalar>, of x: Tensor<Scalar>, by what: String
  ) throws(SamplingError) {
    guard states.shape == x.shape else {
      throw SamplingError(
        "\(what) makes states of shape \(states.shape) of those of shape \(x.shape); expected the same shape"
      )
    }
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

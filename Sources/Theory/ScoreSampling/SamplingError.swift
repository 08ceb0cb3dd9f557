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
}

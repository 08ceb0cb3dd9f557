/// An error in what was asked of a sampler or a solve: one sentence with what was found and what was expected.
public struct SamplingError: Error, CustomStringConvertible, Equatable {
  public let description: String

  /// Creates an error from its sentence.
  public init(_ description: String) { self.description = description }
}

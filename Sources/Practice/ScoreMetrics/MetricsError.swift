/// What is wrong with the samples of a metric that has no value for them, in one sentence with what was found and what was expected.
public struct MetricsError: Error, CustomStringConvertible, Equatable {
  public let description: String

  /// Creates an error from its sentence.
  public init(_ description: String) { self.description = description }
}

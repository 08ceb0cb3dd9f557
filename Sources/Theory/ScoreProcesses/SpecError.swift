/// An error in the text of a spec: one sentence with what was found and what was expected.
public struct SpecError: Error, CustomStringConvertible, Equatable {
  public let description: String

  /// Creates an error from its sentence.
  public init(_ description: String) { self.description = description }
}

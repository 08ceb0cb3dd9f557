/// What is wrong with data, in one sentence that says where, what was found and what was expected.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds of trouble with data.
  public enum Kind: String, Sendable {
    /// There is no such file, folder or entry.
    case missing
    /// The file cannot be read.
    case unreadable
    /// The file cannot be written.
    case unwritable
    /// The file holds no data.
    case empty
    /// The file ends before the data that its header promises.
    case truncated
    /// The file is of another format than its name or its place says.
    case wrongFormat
    /// The file's content contradicts its format.
    case malformed
    /// The format is known, but not this variant of it.
    case unsupported
    /// A value is not a number, or infinite.
    case notFinite
    /// A value is outside the range that it must be in.
    case outOfRange
    /// The shape differs from what it must be.
    case wrongShape
    /// There is no data set of this name.
    case unknownName
    /// A parameter of a data set is unknown or has no sense.
    case badParameter
    /// The data are not quantised, so they have no bits per dimension.
    case notQuantised

    /// Whether the user asked for something that does not exist, rather than gave bad data.
    public var isUsage: Bool { self == .unknownName || self == .badParameter }
  }

  /// What kind of trouble it is.
  public let kind: Kind
  /// Where it is: a file, with a line or an offset, or the name of a data set.
  public let place: String
  /// What was found and what was expected.
  public let message: String

  /// Creates an error from its parts.
  public init(_ kind: Kind, _ place: String, _ message: String) {
    (self.kind, self.place, self.message) = (kind, place, message)
  }

  /// The error as one sentence.
  public var description: String { place.isEmpty ? message : "\(place): \(message)" }
}

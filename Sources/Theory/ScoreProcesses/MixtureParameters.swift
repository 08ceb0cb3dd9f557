import Foundation
import ScoreTensors

/// The parameters of a Gaussian mixture, as files hold them.
///
/// ```json
/// {"weights": [0.5, 0.5], "means": [[-1, 0], [1, 0]], "covariances": [[[0.1, 0], [0, 0.1]], [[0.1, 0], [0, 0.1]]]}
/// ```
public struct MixtureParameters: Codable, Sendable, Equatable {
  /// The K weights, which sum to 1.
  public var weights: [Double]
  /// The K means, of D entries each.
  public var means: [[Double]]
  /// The K covariances, D × D each.
  public var covariances: [[[Double]]]

  /// Creates parameters; `MixtureOracle` checks them.
  public init(weights: [Double], means: [[Double]], covariances: [[[Double]]]) {
    self.weights = weights
    self.means = means
    self.covariances = covariances
  }

  /// Decodes the JSON text above.
  /// - Throws: `ProcessError` that says which entry is missing or of the wrong kind.
  public init(json: Data) throws(ProcessError) {
    try self.init(json, name: "the mixture")
  }

  private init(_ json: Data, name: String) throws(ProcessError) {
    do {
      self = try JSONDecoder().decode(MixtureParameters.self, from: json)
    } catch {
      throw ProcessError("\(name) \(Self.sentence(error, json))")
    }
    let keys = (try? JSONDecoder().decode([String: Anything].self, from: json).keys.sorted()) ?? []
    if let other = keys.first(where: { !Self.keys.contains($0) }) {
      throw ProcessError("\(name) has \(other); expected weights, means and covariances alone")
    }
  }

  private static let keys = ["weights", "means", "covariances"]

  /// What is there, whatever it is.
  private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
  }

  /// Reads a JSON file.
  /// - Throws: `ProcessError` that names the file and says what is wrong with it.
  public init(contentsOf path: String) throws(ProcessError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw ProcessError(
        FileManager.default.fileExists(atPath: path)
          ? "the mixture file \(path) cannot be read: \(FileReason.againstReading(path))"
          : "there is no mixture file \(path)")
    }
    try self.init(data, name: "the mixture file \(path)")
  }

  // The end of a sentence whose subject is the file.
  private static func sentence(_ error: any Error, _ json: Data) -> String {
    let keys = "weights, means and covariances"
    guard let error = error as? DecodingError else { return "cannot be decoded" }
    switch error {
    case .keyNotFound(let key, _):
      return "has no \(key.stringValue); expected an object with \(keys)"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      let place = place(context.codingPath)
      return place.isEmpty
        ? "is not an object; expected one with \(keys)"
        : "has something else than \(expected(context.codingPath)) at \(place)"
    default:
      return outOfRange(json)
        ?? "cannot be read as JSON; expected an object with \(keys)"
    }
  }

  // Foundation does not tell a number that is out of range from text that is no JSON, so each is tried alone.
  private static func outOfRange(_ json: Data) -> String? {
    let text = String(decoding: json, as: UTF8.self)
    let number = text.matches(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?[eE][-+]?[0-9]+/).map(\.output.0)
      .first { (try? JSONDecoder().decode([Double].self, from: Data("[\($0)]".utf8))) == nil }
    return number.map { "has the number \($0); expected numbers in the range of float64" }
  }

  private static func place(_ path: [any CodingKey]) -> String {
    path.reduce(into: "") { $0 += $1.intValue.map { "[\($0)]" } ?? $1.stringValue }
  }

  private static func expected(_ path: [any CodingKey]) -> String {
    let depth = ["weights": 1, "means": 2, "covariances": 3][path[0].stringValue] ?? 0
    return path.count > depth ? "a number" : "a list"
  }
}

/// A choice written as text: a name, then parameters.
///
/// ```
/// name
/// name:key=value,key=value
/// name:argument,key=value
/// name:"argument, with commas",key="a value, too"
/// ```
///
/// What stands in quotes is one argument or value, with two quotes for one in it.
///
/// SDEs, solvers, models and data sets are named so on the command line and in run folders. Reading goes in three
/// steps: `init` splits the text, `expect` refuses parameters that nothing reads, and the getters check each value.
/// Every error is one sentence that quotes what was found and lists what is known.
///
/// ```swift
/// let spec = try Spec("pc:snr=0.16,corrector-steps=1", kind: "solver")
/// try spec.expect(keys: ["snr", "corrector-steps"])
/// let snr = try spec.number("snr", default: 0.16, in: .positive)
/// let steps = try spec.integer("corrector-steps", default: 1, in: .atLeast(0))
/// ```
public struct Spec: Sendable, Hashable {
  /// One `key=value`.
  public struct Parameter: Sendable, Hashable {
    public let key: String
    public let value: String

    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// What the text chooses, for errors: "SDE", "solver", "model".
  public let kind: String
  /// The name, before the first colon.
  public let name: String
  /// All that follows the first colon as it was written, for names whose parameter is a path: `mixture:FILE.json`.
  public let remainder: String?
  /// The item that comes first and has no `=`, as in `digits:test`.
  public let argument: String?
  /// The parameters in the order given.
  public let parameters: [Parameter]

  /// Splits a text.
  ///
  /// An item without `=`, or in quotes, may come first only; keys are not repeated. Where a path is all that there is, it is read
  /// from `remainder` through `Spec(path:)`, whatever it holds.
  /// - Throws: `SpecError` where the name, a key or a value is empty, a key is repeated, or a quote is not closed.
  public init(_ text: String, kind: String) throws(SpecError) {
    self.kind = kind
    let (name, remainder) = Self.split(text)
    self.name = name
    self.remainder = remainder
    guard !name.isEmpty else {
      throw SpecError("the \(kind) \"\(text)\" has no name; expected name:key=value,key=value")
    }
    var argument: String?
    var parameters: [Parameter] = []
    guard let items = remainder.map(Self.items) ?? [] else {
      throw SpecError(
        "the \(kind) \"\(text)\" has a quote that is not closed; expected another after it")
    }
    for (place, item) in items.enumerated() {
      let parts =
        item.hasPrefix("\"")
        ? [Self.unquoted(item)]
        : item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          .map { Self.unquoted(Self.trimmed($0)) }
      switch parts.count {
      case 1 where place == 0 && !parts[0].isEmpty:
        argument = parts[0]
      case 2 where !parts[0].isEmpty && !parts[1].isEmpty:
        guard !parameters.contains(where: { $0.key == parts[0] }) else {
          throw SpecError("the \(kind) \"\(text)\" gives \(parts[0]) twice; expected it once")
        }
        parameters.append(Parameter(key: parts[0], value: parts[1]))
      default:
        throw SpecError("the \(kind) \"\(text)\" has the part \"\(item)\"; expected key=value")
      }
    }
    self.argument = argument
    self.parameters = parameters
  }

  /// Takes all that follows the first colon as one argument, commas and equal signs included: for a path.
  /// - Throws: `SpecError` where the name is empty.
  public init(path text: String, kind: String) throws(SpecError) {
    self.kind = kind
    (name, remainder) = Self.split(text)
    argument = remainder
    parameters = []
    guard !name.isEmpty else {
      throw SpecError("the \(kind) \"\(text)\" has no name; expected name:path")
    }
  }

  /// Creates a spec from its parts, to be written down with `description`.
  public init(
    kind: String, name: String, argument: String? = nil,
    parameters: KeyValuePairs<String, String> = [:]
  ) {
    self.init(
      kind: kind, name: name, argument: argument,
      parameters: parameters.map { Parameter(key: $0.key, value: $0.value) })
  }

  /// Numbers as parameters, each in the shortest text that reads back as the same.
  static func numbers(_ values: KeyValuePairs<String, Double>) -> [Parameter] {
    values.map { Parameter(key: $0.key, value: text($0.value)) }
  }

  /// Creates a spec from parts found at run time, to be written down with `description`.
  public init(kind: String, name: String, argument: String?, parameters: [Parameter]) {
    self.kind = kind
    self.name = name
    self.argument = argument
    self.parameters = parameters
    let items =
      (argument.map { [Self.quoted($0)] } ?? [])
      + parameters.map { "\($0.key)=\(Self.quoted($0.value))" }
    remainder = items.isEmpty ? nil : items.joined(separator: ",")
  }

  /// A text cut at commas that are not in quotes; nil where a quote is not closed.
  package static func items(_ text: String) -> [String]? {
    var (items, isQuoted) = ([""], false)
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if character == ",", !isQuoted {
        items.append("")
      } else {
        items[items.count - 1].append(character)
      }
    }
    return isQuoted ? nil : items
  }

  /// What stands in quotes, or a text that does not.
  private static func unquoted(_ text: String) -> String {
    guard text.count > 1, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
    return String(text.dropFirst().dropLast().replacing("\"\"", with: "\""))
  }

  /// A text in quotes where it would be cut or read as something else without.
  private static func quoted(_ text: String) -> String {
    text.contains { ",=\"".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }

  private static func split(_ text: String) -> (name: String, remainder: String?) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
  }
}

extension Spec {
  /// A text without spaces before and after it.
  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}

extension Spec: CustomStringConvertible {
  /// The text of the spec.
  public var description: String { remainder.map { "\(name):\($0)" } ?? name }
}

import ScoreTensors

extension Spec {
  /// The values that a number may have, with the words for them.
  public struct Domain: Sendable {
    let contains: @Sendable (Double) -> Bool
    let words: String

    /// Creates a domain from its rule and the words that follow "expected a number".
    public init(_ words: String, _ contains: @escaping @Sendable (Double) -> Bool) {
      self.contains = contains
      self.words = words
    }

    /// Any finite number.
    public static let finite = Domain("that is finite") { $0.isFinite }
    /// Above 0 and finite.
    public static let positive = Domain("above 0") { $0 > 0 && $0.isFinite }
    /// Not below 0 and finite.
    public static let nonnegative = Domain("of at least 0") { $0 >= 0 && $0.isFinite }
    /// From `low` up, finite.
    public static func atLeast(_ low: Double) -> Domain {
      Domain("of at least \(Spec.text(low))") { $0 >= low && $0.isFinite }
    }
    /// From `low` to `high`, both included.
    public static func between(_ low: Double, _ high: Double) -> Domain {
      Domain("from \(Spec.text(low)) to \(Spec.text(high))") { $0 >= low && $0 <= high }
    }
  }

  /// Refuses parameters that nothing reads.
  /// - Throws: `SpecError` that lists the known keys, for an unknown key, one without a value, or an argument where none is taken.
  public func expect(keys: [String], argument takesArgument: Bool = false) throws(SpecError) {
    let known =
      keys.isEmpty ? "\(name) takes no parameters" : "known are \(keys.joined(separator: ", "))"
    if let argument, keys.contains(argument) {
      throw SpecError(
        "the \(kind) \(name) has \"\(argument)\" without a value; expected \(argument)=VALUE")
    }
    if let argument, !takesArgument {
      throw SpecError("the \(kind) \(name) does not take \"\(argument)\"; \(known)")
    }
    for parameter in parameters where !keys.contains(parameter.key) {
      throw SpecError(
        "the \(kind) \(name) has no parameter \"\(parameter.key)\"\(NearMiss.hint(for: parameter.key, among: keys)); \(known)"
      )
    }
  }

  /// The error for a name that is not among `known`, with the one that was probably meant.
  public func unknownName(known: [String]) -> SpecError {
    SpecError(
      "there is no \(kind) \"\(name)\"\(NearMiss.hint(for: name, among: known)); known are \(known.joined(separator: ", "))"
    )
  }

  /// The value of a parameter as it was written, or nil where it is not given.
  public func string(_ key: String) -> String? { parameters.first { $0.key == key }?.value }

  /// A number, or the default where it is not given.
  /// - Throws: `SpecError` for a value that is no number or outside the domain.
  public func number(
    _ key: String, default standard: @autoclosure () -> Double, in domain: Domain = .finite
  ) throws(SpecError) -> Double {
    try number(key, in: domain) ?? standard()
  }

  /// A number, or nil where it is not given.
  /// - Throws: `SpecError` for a value that is no number or outside the domain.
  public func number(_ key: String, in domain: Domain = .finite) throws(SpecError) -> Double? {
    guard let text = string(key) else { return nil }
    guard let value = Double(text), domain.contains(value) else {
      throw wrong(key, text, "a number \(domain.words)")
    }
    return value
  }

  /// A whole number, or the default where it is not given.
  /// - Throws: `SpecError` for a value that is no whole number or outside the domain.
  public func integer(
    _ key: String, default standard: @autoclosure () -> Int, in domain: Domain = .finite
  ) throws(SpecError) -> Int {
    try integer(key, in: domain) ?? standard()
  }

  /// A whole number, or nil where it is not given.
  /// - Throws: `SpecError` for a value that is no whole number or outside the domain.
  public func integer(_ key: String, in domain: Domain = .finite) throws(SpecError) -> Int? {
    guard let text = string(key) else { return nil }
    guard let value = Int(text), domain.contains(Double(value)) else {
      throw wrong(key, text, "a whole number \(domain.words)")
    }
    return value
  }

  /// `true` or `false`, or the default where it is not given.
  /// - Throws: `SpecError` for another value.
  public func flag(_ key: String, default standard: Bool = false) throws(SpecError) -> Bool {
    guard let text = string(key) else { return standard }
    guard let value = Bool(text) else { throw wrong(key, text, "true or false") }
    return value
  }

  /// One of several words, or the default where it is not given.
  /// - Throws: `SpecError` that lists the words, for another.
  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, default standard: Choice
  ) throws(SpecError) -> Choice where Choice.RawValue == String {
    guard let text = string(key) else { return standard }
    guard let value = Choice(rawValue: text) else {
      throw wrong(key, text, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  /// The error for a value: `the SDE vp has beta-min=x; expected …`.
  public func wrong(_ key: String, _ found: String, _ expected: String) -> SpecError {
    SpecError("the \(kind) \(name) has \(key)=\(found); expected \(expected)")
  }

  /// The shortest text of a number that reads back as the same number, without a trailing `.0`.
  public static func text(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

import Foundation

/// A formula of the time t as text, `0.1 + 19.9*t^2` or `cos(1.55*t)`, with its derivative.
///
/// Numbers, `t`, `pi`, `+ - * /`, `^` for powers, which bind closer than a sign before them and from the right,
/// parentheses, and the functions that `Dual` has: exp, expm1, log, log1p, sqrt, sin, cos, tan, tanh.
package struct TimeFormula: Sendable {
  /// What keeps a text from being a formula.
  package struct Fault: Error {
    package let words: String
  }

  /// The formula at t, with its derivative along that of t.
  package let value: @Sendable (Dual) -> Dual

  /// The most characters of a formula, and the most parentheses and signs within one another.
  static let (mostCharacters, mostDepth) = (1000, 50)

  static let functions: KeyValuePairs<String, @Sendable (Dual) -> Dual> = [
    "exp": { exp($0) }, "expm1": { expm1($0) }, "log": { log($0) }, "log1p": { log1p($0) },
    "sqrt": { sqrt($0) }, "sin": { sin($0) }, "cos": { cos($0) }, "tan": { tan($0) },
    "tanh": { tanh($0) },
  ]

  /// Reads a formula.
  /// - Throws: `Fault` that says where it breaks off.
  package init(_ text: String) throws(Fault) {
    guard text.count <= Self.mostCharacters else {
      throw Fault(
        words: "a formula has at most \(Self.mostCharacters) characters, and this \(text.count)")
    }
    var reader = FormulaReader(text)
    value = try reader.formula()
  }

  /// The formula at t alone.
  package var plain: @Sendable (Double) -> Double { { [value] t in value(Dual(t)).value } }

  /// Its square at t.
  package var squared: @Sendable (Double) -> Double {
    { [value] t in
      let found = value(Dual(t)).value
      return found * found
    }
  }
}

/// Reads a formula from its text by descent: sums of products of powers.
private struct FormulaReader {
  typealias Function = @Sendable (Dual) -> Dual

  private let characters: [Character]
  private var place = 0
  private var depth = 0

  init(_ text: String) { characters = Array(text) }

  /// All of the text.
  mutating func formula() throws(TimeFormula.Fault) -> Function {
    let value = try sum()
    guard next == nil else { throw unexpected("an operator or the end") }
    return value
  }

  /// The next character that is no space.
  private var next: Character? {
    mutating get {
      while place < characters.count, characters[place].isWhitespace { place += 1 }
      return place < characters.count ? characters[place] : nil
    }
  }

  private mutating func take(_ character: Character) -> Bool {
    guard next == character else { return false }
    place += 1
    return true
  }

  private mutating func unexpected(_ expected: String) -> TimeFormula.Fault {
    guard let next else { return .init(words: "it ends where \(expected) is expected") }
    return .init(
      words: "\"\(next)\" is its character \(place + 1), where \(expected) is expected")
  }

  private mutating func sum() throws(TimeFormula.Fault) -> Function {
    var value = try product()
    while true {
      let left = value
      if take("+") {
        let right = try product()
        value = { left($0) + right($0) }
      } else if take("-") {
        let right = try product()
        value = { left($0) - right($0) }
      } else {
        return value
      }
    }
  }

  private mutating func product() throws(TimeFormula.Fault) -> Function {
    var value = try signed()
    while true {
      let left = value
      if take("*") {
        let right = try signed()
        value = { left($0) * right($0) }
      } else if take("/") {
        let right = try signed()
        value = { left($0) / right($0) }
      } else {
        return value
      }
    }
  }

  private mutating func signed() throws(TimeFormula.Fault) -> Function {
    depth += 1
    defer { depth -= 1 }
    guard depth <= TimeFormula.mostDepth else {
      throw .init(words: "it has more than \(TimeFormula.mostDepth) levels of parentheses or signs")
    }
    if take("+") { return try signed() }
    guard take("-") else { return try power() }
    let value = try signed()
    return { -value($0) }
  }

  private mutating func power() throws(TimeFormula.Fault) -> Function {
    let base = try operand()
    guard take("^") else { return base }
    let exponent = try signed()
    return { pow(base($0), exponent($0)) }
  }

  private mutating func operand() throws(TimeFormula.Fault) -> Function {
    guard let first = next else { throw unexpected("a number, t or a function") }
    if take("(") { return try closed() }
    if first.isASCII, first.isNumber || first == "." { return try number() }
    guard first.isLetter else { throw unexpected("a number, t or a function") }
    let start = place
    while place < characters.count, characters[place].isLetter || characters[place].isNumber {
      place += 1
    }
    let name = String(characters[start..<place])
    switch name {
    case "t": return { $0 }
    case "pi": return { _ in Dual(.pi) }
    default: break
    }
    guard let function = TimeFormula.functions.first(where: { $0.key == name })?.value else {
      throw .init(
        words:
          "\"\(name)\" is neither t, pi nor one of \(TimeFormula.functions.map(\.key).joined(separator: ", "))"
      )
    }
    guard take("(") else { throw unexpected("\"(\" after \(name)") }
    let argument = try closed()
    return { function(argument($0)) }
  }

  /// What stands before a closing parenthesis.
  private mutating func closed() throws(TimeFormula.Fault) -> Function {
    let value = try sum()
    guard take(")") else { throw unexpected("\")\" or an operator") }
    return value
  }

  /// A number such as 2, 0.5 or 1e-3.
  private mutating func number() throws(TimeFormula.Fault) -> Function {
    let start = place
    func isDigit(_ at: Int) -> Bool {
      at < characters.count && ("0"..."9").contains(characters[at])
    }
    func afterDigits(_ at: Int) -> Int {
      var end = at
      while isDigit(end) { end += 1 }
      return end
    }
    place = afterDigits(place)
    if place < characters.count, characters[place] == "." { place = afterDigits(place + 1) }
    if place < characters.count, "eE".contains(characters[place]) {
      let sign = place + 1
      let digits =
        sign < characters.count && "+-".contains(characters[sign]) ? sign + 1 : sign
      if isDigit(digits) { place = afterDigits(digits) }
    }
    let text = String(characters[start..<place])
    guard let value = Double(text), value.isFinite else {
      throw .init(words: "\"\(text)\" in it is no number")
    }
    return { _ in Dual(value) }
  }
}

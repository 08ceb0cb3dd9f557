import Foundation
import ScoreProcesses
import Testing

/// Formulas of t as text, against the same written in Swift.
@Suite struct TimeFormulaTests {
  static let cases: [(String, @Sendable (Dual) -> Dual)] = [
    ("t", { $0 }), ("2", { _ in 2 }), (".5e-1*t", { 0.05 * $0 }), ("1.", { _ in 1 }),
    ("2e3 - t", { 2000 - $0 }), ("2*t + 3*t*t", { 2 * $0 + 3 * $0 * $0 }),
    ("8/t/2", { 4 / $0 }), ("5-t-1", { 4 - $0 }), ("-t^2", { -($0 * $0) }),
    ("(-t)^2", { $0 * $0 }), ("2^-t", { pow(2.0, -$0) }), ("t^2^3", { pow($0, 8.0) }),
    ("2^3^0*t", { 2 * $0 }), ("- -t", { $0 }), ("+t--t", { 2 * $0 }), ("3*-t", { -3 * $0 }),
    ("cos( pi*t / 2 )", { cos(0.5 * Double.pi * $0) }),
    ("exp(-t)*sin(t)+log(1+t)", { exp(-$0) * sin($0) + log(1 + $0) }),
    ("sqrt(-expm1(-2*t))", { sqrt(-expm1(-2 * $0)) }),
    ("tan(t)*tanh(t)/log1p(t)", { tan($0) * tanh($0) / log1p($0) }),
    ("((((t))))", { $0 }),
  ]

  @Test(arguments: cases.indices) func isWhatSwiftSays(_ index: Int) throws {
    let (text, expected) = Self.cases[index]
    let formula = try TimeFormula(text)
    for t in [0.1, 0.7, 1.3] {
      let (found, wanted) = (formula.value(.variable(t)), expected(.variable(t)))
      #expect(abs(found.value - wanted.value) <= 1e-14 * abs(wanted.value), "\(text) at \(t)")
      #expect(
        abs(found.derivative - wanted.derivative) <= 1e-13 * max(1, abs(wanted.derivative)),
        "slope of \(text) at \(t): \(found.derivative), \(wanted.derivative)")
      #expect(formula.plain(t) == found.value && formula.squared(t) == found.value * found.value)
    }
  }

  @Test(arguments: [
    ("", "it ends where a number, t or a function is expected"),
    ("2+", "it ends where a number, t or a function is expected"),
    ("2 t", "\"t\" is its character 3, where an operator or the end is expected"),
    ("t)", "\")\" is its character 2, where an operator or the end is expected"),
    ("(t", "it ends where \")\" or an operator is expected"),
    ("sin t", "\"t\" is its character 5, where \"(\" after sin is expected"),
    ("sin", "it ends where \"(\" after sin is expected"),
    (
      "x*t",
      "\"x\" is neither t, pi nor one of exp, expm1, log, log1p, sqrt, sin, cos, tan, tanh"
    ),
    ("1e999", "\"1e999\" in it is no number"), (".", "\".\" in it is no number"),
    ("t*/2", "\"/\" is its character 3, where a number, t or a function is expected"),
    ("2²", "\"²\" is its character 2, where an operator or the end is expected"),
    ("٣", "\"٣\" is its character 1, where a number, t or a function is expected"),
    (
      String(repeating: "(", count: 60) + "t", "it has more than 50 levels of parentheses or signs"
    ),
    (String(repeating: "-", count: 60) + "t", "it has more than 50 levels of parentheses or signs"),
    (
      String(repeating: "t+", count: 600) + "t",
      "a formula has at most 1000 characters, and this 1201"
    ),
  ])
  func saysWhereItBreaks(_ text: String, _ words: String) {
    #expect { try TimeFormula(text) } throws: { ($0 as? TimeFormula.Fault)?.words == words }
  }
}

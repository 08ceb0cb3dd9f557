import Foundation
import ScoreProcesses
import Testing

/// Dual numbers against derivatives known in closed form.
@Suite struct DualTests {
  struct Case: Sendable {
    let name: String
    let function: @Sendable (Dual) -> Dual
    let value: @Sendable (Double) -> Double
    let slope: @Sendable (Double) -> Double
  }

  static let cases = [
    Case(name: "exp", function: { exp($0) }, value: { exp($0) }, slope: { exp($0) }),
    Case(name: "expm1", function: { expm1($0) }, value: { expm1($0) }, slope: { exp($0) }),
    Case(name: "log", function: { log($0) }, value: { log($0) }, slope: { 1 / $0 }),
    Case(name: "log1p", function: { log1p($0) }, value: { log1p($0) }, slope: { 1 / (1 + $0) }),
    Case(name: "sin", function: { sin($0) }, value: { sin($0) }, slope: { cos($0) }),
    Case(name: "cos", function: { cos($0) }, value: { cos($0) }, slope: { -sin($0) }),
    Case(
      name: "tan", function: { tan($0) }, value: { tan($0) }, slope: { 1 / (cos($0) * cos($0)) }),
    Case(
      name: "tanh", function: { tanh($0) }, value: { tanh($0) },
      slope: { 1 / (cosh($0) * cosh($0)) }),
    Case(name: "sqrt", function: { sqrt($0) }, value: { sqrt($0) }, slope: { 0.5 / sqrt($0) }),
    Case(
      name: "pow(x, 3)", function: { pow($0, 3) }, value: { pow($0, 3) }, slope: { 3 * $0 * $0 }),
    Case(
      name: "pow(2.5, x)", function: { pow(2.5, $0) }, value: { pow(2.5, $0) },
      slope: { log(2.5) * pow(2.5, $0) }),
    Case(
      name: "pow(x, x)", function: { pow($0, $0) }, value: { pow($0, $0) },
      slope: { pow($0, $0) * (1 + log($0)) }),
    Case(
      name: "rational", function: { (1 - 2 * $0) / ($0 * $0 + 3) - $0 / 4 + 5 / $0 },
      value: { (1 - 2 * $0) / ($0 * $0 + 3) - $0 / 4 + 5 / $0 },
      slope: { x in
        let d = x * x + 3
        return (-2 * d - (1 - 2 * x) * 2 * x) / (d * d) - 0.25 - 5 / (x * x)
      }),
  ]

  @Test func derivativesAreExact() {
    for item in Self.cases {
      for x in [0.01, 0.3, 0.9, 1.4] {
        let found = item.function(.variable(x))
        #expect(abs(found.value - item.value(x)) <= 1e-15 * abs(found.value), "\(item.name)")
        #expect(
          abs(found.derivative - item.slope(x)) <= 4e-15 * (1 + abs(found.derivative)),
          "\(item.name) at \(x)")
      }
    }
  }

  /// Literals, Doubles and Floats mix with duals on either side, and a bare literal is a constant.
  @Test func numbersMixIn() {
    let (beta, width): (Double, Float) = (0.5, 2)
    let x = Dual.variable(3)
    let mixed: Dual = 2 * x + beta * x - x / width + beta / x - 1 + (x - beta) * 2.5 + (width - x)
    #expect(mixed.value == 6 + 1.5 - 1.5 + 0.5 / 3 - 1 + 6.25 - 1)
    #expect(abs(mixed.derivative - (2 + 0.5 - 0.5 - 0.5 / 9 + 2.5 - 1)) < 1e-15)
    let constant: @Sendable (Dual) -> Dual = { _ in 1 }
    #expect(constant(x) == Dual(1))
    #expect((x + width).value == 5 && (beta + x).value == 3.5 && (x * width).value == 6)
    #expect((-x).derivative == -1)
  }

  /// A constant exponent takes bases that the general rule, with its logarithm, would not.
  @Test func powersOfAnyBase() {
    #expect(pow(Dual.variable(-2), 3) == Dual(-8, derivative: 12))
    #expect(pow(Dual.variable(0), 2) == Dual(0, derivative: 0))
    #expect(pow(Dual.variable(0), 1) == Dual(0, derivative: 1))
  }
}

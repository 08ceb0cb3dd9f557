/// A number with its derivative in one variable: forward-mode differentiation, exact to rounding.
///
/// ```
/// (a, a′) · (b, b′) = (a b, a b′ + a′ b),   h(a, a′) = (h(a), h′(a) a′)
/// ```
///
/// A formula written for `Dual` gives its value and slope at once; `CustomProcess` takes α and σ so. Numbers mix in
/// freely: `1 - exp(-0.5 * beta * t)`.
public struct Dual: Sendable, Hashable {
  /// The value.
  public var value: Double
  /// The derivative.
  public var derivative: Double

  /// Creates a number; a constant unless a derivative is given.
  public init(_ value: Double, derivative: Double = 0) {
    self.value = value
    self.derivative = derivative
  }

  /// The variable itself at `value`, whose derivative is 1.
  public static func variable(_ value: Double) -> Dual { Dual(value, derivative: 1) }
}

extension Dual: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Double) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(Double(value)) }
}

// Literals become `Dual`; variables of a floating-point type take the generic forms, which literals do not prefer, so
// that no expression is ambiguous.
extension Dual {
  public static prefix func - (a: Dual) -> Dual { Dual(-a.value, derivative: -a.derivative) }

  public static func + (a: Dual, b: Dual) -> Dual {
    Dual(a.value + b.value, derivative: a.derivative + b.derivative)
  }
  public static func + <Number: BinaryFloatingPoint>(a: Number, b: Dual) -> Dual {
    Dual(Double(a)) + b
  }
  public static func + <Number: BinaryFloatingPoint>(a: Dual, b: Number) -> Dual {
    a + Dual(Double(b))
  }

  public static func - (a: Dual, b: Dual) -> Dual {
    Dual(a.value - b.value, derivative: a.derivative - b.derivative)
  }
  public static func - <Number: BinaryFloatingPoint>(a: Number, b: Dual) -> Dual {
    Dual(Double(a)) - b
  }
  public static func - <Number: BinaryFloatingPoint>(a: Dual, b: Number) -> Dual {
    a - Dual(Double(b))
  }

  public static func * (a: Dual, b: Dual) -> Dual {
    Dual(a.value * b.value, derivative: a.value * b.derivative + a.derivative * b.value)
  }
  public static func * <Number: BinaryFloatingPoint>(a: Number, b: Dual) -> Dual {
    Dual(Double(a)) * b
  }
  public static func * <Number: BinaryFloatingPoint>(a: Dual, b: Number) -> Dual {
    a * Dual(Double(b))
  }

  public static func / (a: Dual, b: Dual) -> Dual {
    let quotient = a.value / b.value
    return Dual(quotient, derivative: (a.derivative - quotient * b.derivative) / b.value)
  }
  public static func / <Number: BinaryFloatingPoint>(a: Number, b: Dual) -> Dual {
    Dual(Double(a)) / b
  }
  public static func / <Number: BinaryFloatingPoint>(a: Dual, b: Number) -> Dual {
    a / Dual(Double(b))
  }
}

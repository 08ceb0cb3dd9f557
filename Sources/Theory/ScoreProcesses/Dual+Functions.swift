import Foundation

/// The exponential; (eˣ)′ = eˣ.
public func exp(_ x: Dual) -> Dual {
  let value = exp(x.value)
  return Dual(value, derivative: value * x.derivative)
}

/// eˣ − 1, accurate near 0.
public func expm1(_ x: Dual) -> Dual {
  Dual(expm1(x.value), derivative: exp(x.value) * x.derivative)
}

/// The natural logarithm.
public func log(_ x: Dual) -> Dual { Dual(log(x.value), derivative: x.derivative / x.value) }

/// log(1 + x), accurate near 0.
public func log1p(_ x: Dual) -> Dual {
  Dual(log1p(x.value), derivative: x.derivative / (1 + x.value))
}

/// The sine.
public func sin(_ x: Dual) -> Dual {
  Dual(sin(x.value), derivative: cos(x.value) * x.derivative)
}

/// The cosine.
public func cos(_ x: Dual) -> Dual {
  Dual(cos(x.value), derivative: -sin(x.value) * x.derivative)
}

/// The tangent.
public func tan(_ x: Dual) -> Dual {
  let value = tan(x.value)
  return Dual(value, derivative: (1 + value * value) * x.derivative)
}

/// The hyperbolic tangent.
public func tanh(_ x: Dual) -> Dual {
  let value = tanh(x.value)
  return Dual(value, derivative: (1 - value) * (1 + value) * x.derivative)
}

/// The square root; its derivative is infinite at 0.
public func sqrt(_ x: Dual) -> Dual {
  let value = x.value.squareRoot()
  return Dual(value, derivative: x.derivative == 0 ? 0 : x.derivative / (2 * value))
}

/// The power; a constant exponent takes any base that `pow` takes, a varying one a positive base.
public func pow(_ base: Dual, _ exponent: Dual) -> Dual {
  let value = pow(base.value, exponent.value)
  var derivative = 0.0
  if base.derivative != 0, exponent.value != 0 {
    derivative += exponent.value * pow(base.value, exponent.value - 1) * base.derivative
  }
  if exponent.derivative != 0 { derivative += log(base.value) * value * exponent.derivative }
  return Dual(value, derivative: derivative)
}

/// The power with a constant exponent.
public func pow<Number: BinaryFloatingPoint>(_ base: Dual, _ exponent: Number) -> Dual {
  pow(base, Dual(Double(exponent)))
}

/// The power of a constant base.
public func pow<Number: BinaryFloatingPoint>(_ base: Number, _ exponent: Dual) -> Dual {
  pow(Dual(Double(base)), exponent)
}

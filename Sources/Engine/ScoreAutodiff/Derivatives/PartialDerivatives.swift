import ScoreTensors

// The derivatives of the entrywise functions: one table for both modes.
//
// An entrywise function's Jacobian is diagonal, so its reverse rule (cotangent times partial derivative) and its
// forward rule (tangent times partial derivative) are the same product. Each entry of the table multiplies a direction
// `d` by the partial derivative, as a formula of the input `x` and the result `y`. nil says that the derivative is 0
// everywhere that it exists.

extension UnaryFunction {
  /// `d · ∂f/∂x`.
  func derivative(_ x: Formula, _ y: Formula, times d: Formula) -> Formula? {
    switch self {
    case .negate: -d
    case .abs: d * ScoreAutodiff.sign(x)
    case .sign: nil
    case .square: d * (2 * x)
    case .sqrt: d * (0.5 / y)
    case .rsqrt: d * (-0.5 * (y * ScoreAutodiff.square(y)))
    case .reciprocal: -(d * ScoreAutodiff.square(y))
    case .exp: d * y
    case .expm1: d * (y + 1)
    case .log: d / x
    case .log1p: d / (x + 1)
    case .sin: d * ScoreAutodiff.cos(x)
    case .cos: -(d * ScoreAutodiff.sin(x))
    case .tanh: d * (1 - ScoreAutodiff.square(y))
    case .sigmoid: d * (y * (1 - y))
    case .silu: siluGradient(x, d)
    case .softplus: d * ScoreAutodiff.sigmoid(x)
    case .erf: d * (1.1283791670955126 * ScoreAutodiff.exp(-ScoreAutodiff.square(x)))  // 2/√π
    case .relu: d * ScoreAutodiff.greater(x, 0)
    }
  }
}

extension BinaryFunction {
  /// `d · ∂f/∂a`.
  func derivativeInFirst(_ a: Formula, _ b: Formula, _ y: Formula, times d: Formula) -> Formula? {
    switch self {
    case .add, .subtract: d
    case .multiply: d * b
    case .divide: d / b
    case .maximum: d * (1 - ScoreAutodiff.greater(b, a))
    case .minimum: d * (1 - ScoreAutodiff.greater(a, b))
    case .power:
      if let exponent = b.constantValue {
        exponent == 0 ? nil : d * (exponent * pow(a, exponent - 1))
      } else {
        d * select(b, b * pow(a, b - 1), Formula(0))
      }
    case .greater: nil
    case .siluGradient:
      // b·silu″(a), with silu″ = s(1 − s)(2 + a(1 − 2s)) and s the sigmoid of a.
      d * (b * siluSecondDerivative(a))
    }
  }

  /// `d · ∂f/∂b`.
  func derivativeInSecond(_ a: Formula, _ b: Formula, _ y: Formula, times d: Formula) -> Formula? {
    switch self {
    case .add: d
    case .subtract: -d
    case .multiply: d * a
    case .divide: -(d * (y / b))
    case .maximum: d * ScoreAutodiff.greater(b, a)
    case .minimum: d * ScoreAutodiff.greater(a, b)
    case .power:
      // The logarithm sees no number at which it has no slope, so that further derivatives are numbers too.
      d
        * select(
          ScoreAutodiff.greater(a, 0),
          y * ScoreAutodiff.log(select(ScoreAutodiff.greater(a, 0), a, Formula(1))), Formula(0))
    case .greater: nil
    case .siluGradient: ScoreAutodiff.siluGradient(a, d)
    }
  }
}

private func siluSecondDerivative(_ x: Formula) -> Formula {
  let s = sigmoid(x)
  return s * (1 - s) * (2 + x * (1 - 2 * s))
}

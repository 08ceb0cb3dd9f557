import ScoreTensors

extension Formula {
  static func unary(_ function: UnaryFunction, _ x: Formula) -> Formula {
    Formula(.unary(function), [x], x.shape)
  }

  /// Applies a function to two formulas after broadcasting them to their common shape.
  static func binary(_ function: BinaryFunction, _ x: Formula, _ y: Formula) -> Formula {
    let shape = Shape.broadcast(x.shape, y.shape)
    return Formula(.binary(function), [x.broadcast(to: shape), y.broadcast(to: shape)], shape)
  }
}

/// The entrywise sum, with broadcasting.
public func + (x: Formula, y: Formula) -> Formula { .binary(.add, x, y) }
/// The entrywise difference, with broadcasting.
public func - (x: Formula, y: Formula) -> Formula { .binary(.subtract, x, y) }
/// The entrywise product, with broadcasting.
public func * (x: Formula, y: Formula) -> Formula { .binary(.multiply, x, y) }
/// The entrywise quotient, with broadcasting.
public func / (x: Formula, y: Formula) -> Formula { .binary(.divide, x, y) }
/// Every entry plus a number.
public func + (x: Formula, y: Double) -> Formula { x + Formula(y) }
/// A number plus every entry.
public func + (x: Double, y: Formula) -> Formula { Formula(x) + y }
/// Every entry minus a number.
public func - (x: Formula, y: Double) -> Formula { x - Formula(y) }
/// A number minus every entry.
public func - (x: Double, y: Formula) -> Formula { Formula(x) - y }
/// Every entry times a number.
public func * (x: Formula, y: Double) -> Formula { x * Formula(y) }
/// A number times every entry.
public func * (x: Double, y: Formula) -> Formula { Formula(x) * y }
/// Every entry divided by a number.
public func / (x: Formula, y: Double) -> Formula { x / Formula(y) }
/// A number divided by every entry.
public func / (x: Double, y: Formula) -> Formula { Formula(x) / y }
/// Every entry negated.
public prefix func - (x: Formula) -> Formula { .unary(.negate, x) }

/// The absolute value; its derivative at 0 is 0.
public func abs(_ x: Formula) -> Formula { .unary(.abs, x) }
/// −1, 0 or 1; its derivative is 0.
public func sign(_ x: Formula) -> Formula { .unary(.sign, x) }
/// `x²`.
public func square(_ x: Formula) -> Formula { .unary(.square, x) }
/// `√x`.
public func sqrt(_ x: Formula) -> Formula { .unary(.sqrt, x) }
/// `1/√x`.
public func rsqrt(_ x: Formula) -> Formula { .unary(.rsqrt, x) }
/// `1/x`.
public func reciprocal(_ x: Formula) -> Formula { .unary(.reciprocal, x) }
/// `eˣ`.
public func exp(_ x: Formula) -> Formula { .unary(.exp, x) }
/// `eˣ − 1`, exact near 0.
public func expm1(_ x: Formula) -> Formula { .unary(.expm1, x) }
/// The natural logarithm.
public func log(_ x: Formula) -> Formula { .unary(.log, x) }
/// `log(1 + x)`, exact near 0.
public func log1p(_ x: Formula) -> Formula { .unary(.log1p, x) }
/// The sine of an angle in radians.
public func sin(_ x: Formula) -> Formula { .unary(.sin, x) }
/// The cosine of an angle in radians.
public func cos(_ x: Formula) -> Formula { .unary(.cos, x) }
/// The hyperbolic tangent.
public func tanh(_ x: Formula) -> Formula { .unary(.tanh, x) }
/// `1/(1 + e⁻ˣ)`.
public func sigmoid(_ x: Formula) -> Formula { .unary(.sigmoid, x) }
/// `x/(1 + e⁻ˣ)`, also known as swish.
public func silu(_ x: Formula) -> Formula { .unary(.silu, x) }
/// `log(1 + eˣ)`.
public func softplus(_ x: Formula) -> Formula { .unary(.softplus, x) }
/// The error function.
public func erf(_ x: Formula) -> Formula { .unary(.erf, x) }
/// `max(x, 0)`; its derivative at 0 is 0.
public func relu(_ x: Formula) -> Formula { .unary(.relu, x) }

/// The larger entry, with broadcasting; at a tie the derivative goes to `x`.
public func maximum(_ x: Formula, _ y: Formula) -> Formula { .binary(.maximum, x, y) }
/// The larger of an entry and a number.
public func maximum(_ x: Formula, _ y: Double) -> Formula { maximum(x, Formula(y)) }
/// The smaller entry, with broadcasting; at a tie the derivative goes to `x`.
public func minimum(_ x: Formula, _ y: Formula) -> Formula { .binary(.minimum, x, y) }
/// The smaller of an entry and a number.
public func minimum(_ x: Formula, _ y: Double) -> Formula { minimum(x, Formula(y)) }
/// `xʸ`, with broadcasting; the derivative in `y` is 0 where `x ≤ 0`.
public func pow(_ x: Formula, _ y: Formula) -> Formula { .binary(.power, x, y) }
/// `xʸ` for one exponent.
public func pow(_ x: Formula, _ y: Double) -> Formula { pow(x, Formula(y)) }
/// 1 where `x > y`, else 0, with broadcasting; its derivative is 0.
public func greater(_ x: Formula, _ y: Formula) -> Formula { .binary(.greater, x, y) }
/// 1 where an entry is greater than a number, else 0.
public func greater(_ x: Formula, _ y: Double) -> Formula { greater(x, Formula(y)) }

/// `a` where the condition is not 0, else `b`, with broadcasting; only the chosen side gets a derivative.
///
/// The other side's is multiplied by 0, which gives NaN where that side has an infinite slope, as `log(x)` has at 0: choose
/// its argument too, as in `select(greater(x, 0), log(select(greater(x, 0), x, 1)), 0)`.
public func select(_ condition: Formula, _ a: Formula, _ b: Formula) -> Formula {
  let shape = Shape.broadcast(Shape.broadcast(condition.shape, a.shape), b.shape)
  return Formula(
    .select, [condition, a, b].map { $0.broadcast(to: shape) }, shape)
}

/// `g·silu′(x)`: what the gradient of silu needs, in one function.
func siluGradient(_ x: Formula, _ g: Formula) -> Formula { .binary(.siluGradient, x, g) }

extension Shape {
  /// The common shape of two shapes aligned at their last axes, where extents are equal or 1 (as NumPy does).
  package static func broadcast(_ a: Shape, _ b: Shape) -> Shape {
    let rank = Swift.max(a.rank, b.rank)
    return Shape(
      (0..<rank).map { axis in
        let i = axis - rank + a.rank
        let j = axis - rank + b.rank
        let x = i < 0 ? 1 : a.extents[i]
        let y = j < 0 ? 1 : b.extents[j]
        precondition(x == y || x == 1 || y == 1, "shapes \(a) and \(b) do not broadcast")
        return x == 1 ? y : x
      })
  }
}

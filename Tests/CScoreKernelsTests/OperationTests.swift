import CScoreKernels
import Foundation
import Testing

#if arch(x86_64)
  /// A type with eleven more digits than Double, for references.
  typealias Extended = Float80
#else
  typealias Extended = Double
#endif

/// A one-operand operation, its exact value, and the largest error allowed.
struct Function: Sendable, CustomTestStringConvertible {
  let name: String
  let opcode: sk_opcode
  let exact: @Sendable (Extended) -> Extended
  /// Arguments on which the bound holds, in Float and in Double.
  let floatRange: ClosedRange<Float>
  let doubleRange: ClosedRange<Double>
  /// In units in the last place.
  let floatBound: Double
  let doubleBound: Double

  var testDescription: String { name }

  static let all: [Function] = [
    Function(
      name: "exp", opcode: SK_EXP, exact: { exp($0) }, floatRange: -104...89,
      doubleRange: -746...710, floatBound: 1.1, doubleBound: 1.1),
    Function(
      name: "expm1", opcode: SK_EXPM1, exact: { expm1($0) }, floatRange: -104...89,
      doubleRange: -746...710, floatBound: 1.9, doubleBound: 2.1),
    Function(
      name: "log", opcode: SK_LOG, exact: { log($0) },
      floatRange: 0...Float.greatestFiniteMagnitude,
      doubleRange: 0...Double.greatestFiniteMagnitude, floatBound: 0.9, doubleBound: 0.9),
    Function(
      name: "log1p", opcode: SK_LOG1P, exact: { log1p($0) },
      floatRange: -1...Float.greatestFiniteMagnitude,
      doubleRange: -1...Double.greatestFiniteMagnitude, floatBound: 1.5, doubleBound: 1.5),
    Function(
      name: "sin", opcode: SK_SIN, exact: { sin($0) }, floatRange: -1e5...1e5,
      doubleRange: -5e5...5e5, floatBound: 1.6, doubleBound: 1.6),
    Function(
      name: "cos", opcode: SK_COS, exact: { cos($0) }, floatRange: -1e5...1e5,
      doubleRange: -5e5...5e5, floatBound: 1.6, doubleBound: 1.6),
    Function(
      name: "tanh", opcode: SK_TANH_, exact: { tanh($0) }, floatRange: -20...20,
      doubleRange: -40...40, floatBound: 2.7, doubleBound: 2.6),
    Function(
      name: "sigmoid", opcode: SK_SIGMOID, exact: { 1 / (1 + exp(-$0)) }, floatRange: -103...103,
      doubleRange: -740...740, floatBound: 2.6, doubleBound: 2.5),
    Function(
      name: "silu", opcode: SK_SILU_, exact: { $0 / (1 + exp(-$0)) }, floatRange: -88...1000,
      doubleRange: -708...1000, floatBound: 2.6, doubleBound: 2.2),
    Function(
      name: "softplus", opcode: SK_SOFTPLUS,
      exact: { $0 > 0 ? $0 + log1p(exp(-$0)) : log1p(exp($0)) }, floatRange: -103...1000,
      doubleRange: -740...1000, floatBound: 1.8, doubleBound: 1.8),
    Function(
      name: "erf", opcode: SK_ERF, exact: { erf($0) }, floatRange: -6...6, doubleRange: -7...7,
      floatBound: 2.9, doubleBound: 1.1),
    Function(
      name: "sqrt", opcode: SK_SQRT, exact: { $0.squareRoot() },
      floatRange: 0...Float.greatestFiniteMagnitude,
      doubleRange: 0...Double.greatestFiniteMagnitude, floatBound: 0.5, doubleBound: 0.501),
    Function(
      name: "rsqrt", opcode: SK_RSQRT, exact: { 1 / $0.squareRoot() },
      floatRange: Float.leastNormalMagnitude...Float.greatestFiniteMagnitude,
      doubleRange: Double.leastNormalMagnitude...Double.greatestFiniteMagnitude,
      floatBound: 1.5, doubleBound: 1.5),
    Function(
      name: "reciprocal", opcode: SK_RECIPROCAL, exact: { 1 / $0 }, floatRange: 1e-30...1e30,
      doubleRange: 1e-300...1e300, floatBound: 0.5, doubleBound: 0.501),
    Function(
      name: "square", opcode: SK_SQUARE, exact: { $0 * $0 }, floatRange: -1e15...1e15,
      doubleRange: -1e150...1e150, floatBound: 0.5, doubleBound: 0.501),
  ]
}

/// The accuracy that the tables in the kernels state.
@Suite struct OperationTests {
  /// The distance from `exact`, in units in the last place of T there.
  static func error<T: Scalar>(_ got: T, _ exact: Extended) -> Double {
    let nearest = T(exact)
    if nearest.isNaN { return got.isNaN ? 0 : .infinity }
    if !nearest.isFinite { return got == nearest ? 0 : .infinity }
    let error = Double(abs(Extended(got) - exact) / Extended(nearest.ulp))
    return error.isNaN ? .infinity : error
  }

  static func worst<T: Scalar>(_ function: Function, _ target: Target, _ x: [T]) -> (
    error: Double, x: T
  ) {
    let y = T.map(target, function.opcode, x)
    var worst = (error: 0.0, x: T(0))
    for (x, y) in zip(x, y) {
      let error = Self.error(y, function.exact(Extended(x)))
      if !(error <= worst.error) { worst = (error, x) }
    }
    return worst
  }

  @Test(arguments: Function.all, Target.available)
  func floatIsWithinItsBound(_ function: Function, _ target: Target) {
    // All magnitudes, both signs, and then the range evenly.
    var noise = Noise(1)
    var x: [Float] = []
    while x.count < 30_000 {
      let bits = UInt32(truncatingIfNeeded: noise.bits())
      let value = Float(bitPattern: bits)
      if function.floatRange.contains(value) { x.append(value) }
    }
    let low = Swift.max(function.floatRange.lowerBound, -1000)
    let high = Swift.min(function.floatRange.upperBound, 1000)
    for _ in 0..<30_000 {
      let unit = Float(noise.bits() >> 40) * 0x1p-24
      x.append(low + (high - low) * unit)
      x.append(Swift.max(function.floatRange.lowerBound, 4 * unit - 2))
    }
    // Where a search of all Floats found the largest errors of one function or another.
    x += [
      0x1.feccf2p-5, 0x1.fe3fb2p-5, -0x1.0af4e2p+4, -0x1.0ad9e4p+4, -0x1.0a111ap+2, 0x1.e861fap-2,
      0x1.a88906p-2, 0x1.8d8578p-2, 0x1.90df8p-2, -0x1.30f91ep+1, -0x1.2ef496p+1, 0x1.9f8aaep+4,
      -0x1.76077cp+2, -0x1.76d44p+2, 0x1.669462p+0, 0x1.65dadap-1, -0x1.c295fp-1,
    ]
    x = x.filter(function.floatRange.contains)
    let worst = Self.worst(function, target, x)
    #expect(worst.error <= function.floatBound, "\(worst.error) ulp at \(worst.x)")
  }

  @Test(arguments: Function.all, Target.available)
  func doubleIsWithinItsBound(_ function: Function, _ target: Target) {
    var noise = Noise(2)
    var x: [Double] = []
    while x.count < 20_000 {
      let value = Double(bitPattern: noise.bits())
      if function.doubleRange.contains(value) { x.append(value) }
    }
    let low = Swift.max(function.doubleRange.lowerBound, -1000)
    let high = Swift.min(function.doubleRange.upperBound, 1000)
    for _ in 0..<20_000 {
      let unit = Double(noise.bits() >> 11) * 0x1p-53
      x.append(low + (high - low) * unit)
      x.append(4 * unit - 2)
    }
    x = x.filter(function.doubleRange.contains)
    let worst = Self.worst(function, target, x)
    #expect(worst.error <= function.doubleBound, "\(worst.error) ulp at \(worst.x)")
  }

  /// Values at the borders, where formulas tend to break.
  func checkSpecialValues<T: Scalar>(_: T.Type, _ target: Target) {
    func value(_ opcode: sk_opcode, _ x: T) -> T { T.map(target, opcode, [x])[0] }
    let inf = T.infinity
    for opcode in [
      SK_EXP, SK_EXPM1, SK_LOG, SK_LOG1P, SK_SIN, SK_COS, SK_TANH_, SK_SIGMOID, SK_SILU_,
      SK_SOFTPLUS, SK_ERF, SK_SQRT, SK_RSQRT, SK_RECIPROCAL, SK_NEG, SK_ABS, SK_SQUARE, SK_RELU_,
      SK_SIGN, SK_COPY,
    ] {
      #expect(value(opcode, .nan).isNaN, "opcode \(opcode.rawValue) loses NaN")
    }
    #expect(value(SK_EXP, inf) == inf)
    #expect(value(SK_EXP, -inf) == 0)
    #expect(value(SK_EXP, 0) == 1)
    #expect(value(SK_EXP, 1e6) == inf)
    #expect(value(SK_EXPM1, inf) == inf)
    #expect(value(SK_EXPM1, -inf) == -1)
    #expect(value(SK_LOG, 0) == -inf)
    #expect(value(SK_LOG, inf) == inf)
    #expect(value(SK_LOG, 1) == 0)
    #expect(value(SK_LOG, -1).isNaN)
    #expect(value(SK_LOG, -inf).isNaN)
    #expect(value(SK_LOG1P, -1) == -inf)
    #expect(value(SK_LOG1P, inf) == inf)
    #expect(value(SK_LOG1P, -2).isNaN)
    #expect(value(SK_SIN, inf).isNaN && value(SK_COS, -inf).isNaN)
    #expect(value(SK_COS, 0) == 1)
    #expect(value(SK_TANH_, inf) == 1 && value(SK_TANH_, -inf) == -1)
    #expect(value(SK_SIGMOID, inf) == 1 && value(SK_SIGMOID, -inf) == 0)
    #expect(value(SK_SILU_, inf) == inf && value(SK_SILU_, -inf) == 0)
    #expect(value(SK_SILU_, -1e30) == 0 && value(SK_SILU_, 1e30) == 1e30)
    #expect(value(SK_SOFTPLUS, inf) == inf && value(SK_SOFTPLUS, -inf) == 0)
    #expect(value(SK_ERF, inf) == 1 && value(SK_ERF, -inf) == -1)
    #expect(value(SK_SIGN, -3) == -1 && value(SK_SIGN, 5) == 1 && value(SK_SIGN, 0) == 0)
    #expect(value(SK_RELU_, -3) == 0 && value(SK_RELU_, 5) == 5)
    // Odd functions that keep small arguments: x, x - x³/3 and the like round to x, and the sign of 0 stays.
    for x in [T(0), -0.0, 1e-30, -1e-30, .leastNonzeroMagnitude, .leastNormalMagnitude] {
      for opcode in [SK_EXPM1, SK_LOG1P, SK_TANH_] {
        let y = value(opcode, x)
        #expect(y == x && y.sign == x.sign, "opcode \(opcode.rawValue) at \(x) gives \(y)")
      }
      #expect(value(SK_SIN, x) == x)
    }
  }

  @Test(arguments: Target.available) func specialValues(_ target: Target) {
    checkSpecialValues(Float.self, target)
    checkSpecialValues(Double.self, target)
  }

  @Test(arguments: Target.available) func hugeAnglesAreReducedToo(_ target: Target) {
    for x in [1e6, 1.5e7, 0x1.921fb6p+20, 3e20, 1e38] as [Float] {
      #expect(Float.map(target, SK_SIN, [x])[0] == Float(sin(Double(x))))
      #expect(Float.map(target, SK_COS, [-x])[0] == Float(cos(Double(x))))
    }
    for x in [1e6, 1e15, 0x1.921fb54442d18p+40, 1e200, 1e308] as [Double] {
      #expect(abs(Double.map(target, SK_SIN, [x])[0] - sin(x)) < 1e-15)
    }
  }

  @Test(arguments: Target.available) func everyLengthHasTheSameBits(_ target: Target) {
    var noise = Noise(3)
    let x: [Float] = noise.numbers(67)
    let whole = Float.map(target, SK_EXP, x)
    for count in 0...67 {
      #expect(Float.map(target, SK_EXP, Array(x[..<count])) == Array(whole[..<count]))
    }
  }

  @Test func targetsWithFusedMultiplyAddAgreeToTheBit() {
    let fused = Target.available.filter(\.hasFMA)
    guard fused.count > 1, let first = fused.first else { return }
    var noise = Noise(4)
    let x: [Float] = noise.numbers(1000).map { 20 * $0 }
    for function in Function.all {
      let expected = Float.map(first, function.opcode, x).map(\.bitPattern)
      for target in fused.dropFirst() {
        #expect(Float.map(target, function.opcode, x).map(\.bitPattern) == expected)
      }
    }
  }
}

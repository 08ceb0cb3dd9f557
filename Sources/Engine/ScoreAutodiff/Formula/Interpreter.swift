import Foundation
import ScoreTensors

/// Evaluates formulas node by node in Double, each operation in its plainest form.
///
/// The compiler folds constants with it and tests hold compiled programs to it. It shares no code with the kernels.
package enum Interpreter {
  /// The values of formulas, given those of their inputs by name.
  package static func evaluate(_ outputs: [Formula], _ inputs: [String: Tensor<Double>] = [:])
    -> [Tensor<Double>]
  {
    var values: [ObjectIdentifier: Tensor<Double>] = [:]
    for formula in Formula.topological(outputs) {
      let operands = formula.node.inputs.compactMap { values[ObjectIdentifier($0)] }
      if let name = formula.inputName {
        guard let value = inputs[name] else {
          fatalError("no value for the input \"\(name)\"")
        }
        precondition(
          value.shape == formula.shape,
          "the input \"\(name)\" has shape \(value.shape), expected \(formula.shape)")
        values[ObjectIdentifier(formula.node)] = value
      } else {
        values[ObjectIdentifier(formula.node)] = apply(
          formula.node.operation, operands, formula.shape)
      }
    }
    return outputs.compactMap { values[ObjectIdentifier($0.node)] }
  }

  /// One operation on values; `shape` is the result's.
  package static func apply(_ operation: Operation, _ x: [Tensor<Double>], _ shape: Shape)
    -> Tensor<Double>
  {
    switch operation {
    case .input(let name): fatalError("the input \"\(name)\" has no value of its own")
    case .constant(let value): Tensor(shape, repeating: value)
    case .tensor(let entries): entries.tensor
    case .unary(let function): x[0].map(function.callAsFunction)
    case .binary(let function): x[0].zip(with: x[1], function.callAsFunction)
    case .select:
      Tensor(
        shape, zip(x[0].scalars, zip(x[1].scalars, x[2].scalars)).map { $0 != 0 ? $1.0 : $1.1 })
    case .matmul(let left, let right): matmul(x[0], x[1], left, right, shape)
    case .convolution(let window, let flipped):
      convolved(x[0], x[1], window, flipped: flipped, shape)
    case .convolutionFilterGradient(let window): filterGradient(x[0], x[1], window, shape)
    case .groupNorm, .groupNormGradient: defined(operation, x, shape)
    case .reshape: x[0].reshaped(shape)
    case .stopGradient: x[0]
    case .transpose(let permutation):
      permuted(x[0], shape) { index in
        var source = index
        for (to, from) in permutation.enumerated() { source[from] = index[to] }
        return source
      }
    case .broadcast:
      permuted(x[0], shape) { index in zip(index, x[0].shape.extents).map { $1 == 1 ? 0 : $0 } }
    case .slice(let starts):
      permuted(x[0], shape) { index in zip(index, starts).map { $0 + $1 } }
    case .sum: reduced(x[0], shape, 0, +)
    case .max: reduced(x[0], shape, -Double.infinity) { $1 > $0 || $1.isNaN ? $1 : $0 }
    case .pad(let starts): scattered([(x[0], starts)], shape)
    case .concatenate(let axis): concatenated(x, axis, shape)
    case .gather: gathered(x[0], x[1], shape)
    case .scatter: scatteredRows(x[0], x[1], shape)
    }
  }

  private static func indices(_ shape: Shape) -> [[Int]] {
    (0..<shape.count).map { flat in
      var rest = flat
      var index = [Int](repeating: 0, count: shape.rank)
      for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
        index[axis] = rest % shape.extents[axis]
        rest /= shape.extents[axis]
      }
      return index
    }
  }

  private static func offset(_ index: [Int], _ shape: Shape) -> Int {
    zip(index, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func permuted(_ x: Tensor<Double>, _ shape: Shape, _ source: ([Int]) -> [Int])
    -> Tensor<Double>
  {
    let entries = x.scalars
    return Tensor(shape, indices(shape).map { entries[offset(source($0), x.shape)] })
  }

  private static func scattered(_ parts: [(Tensor<Double>, [Int])], _ shape: Shape)
    -> Tensor<Double>
  {
    var result = [Double](repeating: 0, count: shape.count)
    for (part, starts) in parts {
      for (entry, index) in zip(part.scalars, indices(part.shape)) {
        result[offset(zip(index, starts).map { $0 + $1 }, shape)] = entry
      }
    }
    return Tensor(shape, result)
  }

  private static func concatenated(_ parts: [Tensor<Double>], _ axis: Int, _ shape: Shape)
    -> Tensor<Double>
  {
    var start = 0
    let placed = parts.map { part in
      var starts = [Int](repeating: 0, count: shape.rank)
      starts[axis] = start
      start += part.shape[axis]
      return (part, starts)
    }
    return scattered(placed, shape)
  }

  private static func reduced(
    _ x: Tensor<Double>, _ shape: Shape, _ initial: Double, _ combine: (Double, Double) -> Double
  ) -> Tensor<Double> {
    var result = [Double](repeating: initial, count: shape.count)
    for (entry, index) in zip(x.scalars, indices(x.shape)) {
      let target = offset(zip(index, shape.extents).map { $1 == 1 ? 0 : $0 }, shape)
      result[target] = combine(result[target], entry)
    }
    return Tensor(shape, result)
  }

  private static func matmul(
    _ a: Tensor<Double>, _ b: Tensor<Double>, _ left: Bool, _ right: Bool, _ shape: Shape
  ) -> Tensor<Double> {
    let (m, n) = (shape[-2], shape[-1])
    let k = a.shape[left ? -2 : -1]
    let (x, y) = (a.scalars, b.scalars)
    var result = [Double](repeating: 0, count: shape.count)
    for batch in 0..<(shape.count / Swift.max(1, m * n)) {
      for i in 0..<m {
        for j in 0..<n {
          var total = 0.0
          for p in 0..<k {
            total +=
              x[batch * m * k + (left ? p * m + i : i * k + p)]
              * y[batch * k * n + (right ? j * k + p : p * n + j)]
          }
          result[(batch * m + i) * n + j] = total
        }
      }
    }
    return Tensor(shape, result)
  }

  private static func gathered(_ table: Tensor<Double>, _ rows: Tensor<Double>, _ shape: Shape)
    -> Tensor<Double>
  {
    Tensor(
      shape,
      rows.scalars.flatMap { index in
        row(index, of: table.rows).map { table.row($0) }
          ?? [Double](repeating: 0, count: shape.rowCount)
      })
  }

  private static func scatteredRows(_ x: Tensor<Double>, _ rows: Tensor<Double>, _ shape: Shape)
    -> Tensor<Double>
  {
    var result = [Double](repeating: 0, count: shape.count)
    for (place, index) in rows.scalars.enumerated() {
      guard let row = row(index, of: shape.rows) else { continue }
      for (j, entry) in x.row(place).enumerated() { result[row * shape.rowCount + j] += entry }
    }
    return Tensor(shape, result)
  }

  /// The row that an index names, without its fraction; nil outside the rows, and for what is no number.
  private static func row(_ index: Double, of rows: Int) -> Int? {
    guard let row = Int(exactly: index.rounded(.towardZero)), (0..<rows).contains(row) else {
      return nil
    }
    return row
  }
}

extension UnaryFunction {
  /// The function's value in Double.
  package func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .negate: -x
    case .abs: Swift.abs(x)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : x
    case .square: x * x
    case .sqrt: x.squareRoot()
    case .rsqrt: 1 / x.squareRoot()
    case .reciprocal: 1 / x
    case .exp: Foundation.exp(x)
    case .expm1: Foundation.expm1(x)
    case .log: Foundation.log(x)
    case .log1p: Foundation.log1p(x)
    case .sin: Foundation.sin(x)
    case .cos: Foundation.cos(x)
    case .tanh: Foundation.tanh(x)
    case .sigmoid: 1 / (1 + Foundation.exp(-x))
    case .silu: x / (1 + Foundation.exp(-x))
    case .softplus: Swift.max(x, 0) + Foundation.log1p(Foundation.exp(-Swift.abs(x)))
    case .erf: Foundation.erf(x)
    case .relu: x > 0 ? x : x.isNaN ? x : 0
    }
  }
}

extension BinaryFunction {
  /// The function's value in Double.
  package func callAsFunction(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .maximum: x > y || x.isNaN ? x : y
    case .minimum: x < y || x.isNaN ? x : y
    case .power: Foundation.pow(x, y)
    case .greater: x > y ? 1 : 0
    case .siluGradient:
      { (s: Double) in y * (s * (1 + x * (1 - s))) }(1 / (1 + Foundation.exp(-x)))
    }
  }
}

import ScoreAutodiff
import ScoreTensors
import Testing

/// A formula of inputs together with the range that its inputs are drawn from.
struct OperationCase: Sendable, CustomTestStringConvertible {
  let name: String
  let shapes: [Shape]
  var low = -2.0
  var high = 2.0
  let body: @Sendable ([Formula]) -> Formula

  var testDescription: String { name }

  var inputs: [Formula] { shapes.enumerated().map { .input("x\($0)", $1) } }

  func values(_ seed: UInt64) -> [Tensor<Double>] {
    shapes.enumerated().map { index, shape in
      (RandomKey(seed).folded(UInt64(index)).uniform(shape) as Tensor<Double>)
        .map { low + (high - low) * $0 }
    }
  }

  func named(_ values: [Tensor<Double>]) -> [String: Tensor<Double>] {
    Dictionary(uniqueKeysWithValues: values.enumerated().map { ("x\($0)", $1) })
  }

  /// Every operation with its flags, broadcasts and edge axes.
  static let all: [OperationCase] = unary + binary + structural + composite + images

  static let unary: [OperationCase] = [
    OperationCase(name: "negate", shapes: [[3, 4]]) { -$0[0] },
    OperationCase(name: "abs", shapes: [[3, 4]]) { abs($0[0]) },
    OperationCase(name: "sign", shapes: [[3, 4]]) { sign($0[0]) * $0[0] },
    OperationCase(name: "square", shapes: [[3, 4]]) { square($0[0]) },
    OperationCase(name: "sqrt", shapes: [[3, 4]], low: 0.3) { sqrt($0[0]) },
    OperationCase(name: "rsqrt", shapes: [[3, 4]], low: 0.3) { rsqrt($0[0]) },
    OperationCase(name: "reciprocal", shapes: [[3, 4]], low: 0.3) { reciprocal($0[0]) },
    OperationCase(name: "exp", shapes: [[3, 4]]) { exp($0[0]) },
    OperationCase(name: "expm1", shapes: [[3, 4]]) { expm1($0[0]) },
    OperationCase(name: "log", shapes: [[3, 4]], low: 0.3) { log($0[0]) },
    OperationCase(name: "log1p", shapes: [[3, 4]], low: -0.7) { log1p($0[0]) },
    OperationCase(name: "sin", shapes: [[3, 4]]) { sin($0[0]) },
    OperationCase(name: "cos", shapes: [[3, 4]]) { cos($0[0]) },
    OperationCase(name: "tanh", shapes: [[3, 4]]) { tanh($0[0]) },
    OperationCase(name: "sigmoid", shapes: [[3, 4]]) { sigmoid($0[0]) },
    OperationCase(name: "silu", shapes: [[3, 4]]) { silu($0[0]) },
    OperationCase(name: "softplus", shapes: [[3, 4]]) { softplus($0[0]) },
    OperationCase(name: "erf", shapes: [[3, 4]]) { erf($0[0]) },
    OperationCase(name: "relu", shapes: [[3, 4]]) { relu($0[0]) },
  ]

  static let binary: [OperationCase] = [
    OperationCase(name: "add", shapes: [[3, 4], [4]]) { $0[0] + $0[1] },
    OperationCase(name: "subtract", shapes: [[3, 1], [3, 4]]) { $0[0] - $0[1] },
    OperationCase(name: "multiply", shapes: [[2, 3, 4], [3, 1]]) { $0[0] * $0[1] },
    OperationCase(name: "divide", shapes: [[3, 4], [1, 4]], low: 0.4) { $0[0] / $0[1] },
    OperationCase(name: "maximum", shapes: [[3, 4], [3, 4]]) { maximum($0[0], $0[1]) },
    OperationCase(name: "minimum", shapes: [[3, 4], [4]]) { minimum($0[0], $0[1]) },
    OperationCase(name: "pow", shapes: [[3, 4], [3, 4]], low: 0.3) { pow($0[0], $0[1]) },
    OperationCase(name: "pow 3", shapes: [[3, 4]]) { pow($0[0], 3) },
    OperationCase(name: "greater", shapes: [[3, 4], [4]]) { greater($0[0], $0[1]) * $0[0] },
    OperationCase(name: "select", shapes: [[3, 4], [3, 4], [4]]) {
      select(greater($0[0], 0), $0[1], $0[2]) * $0[0]
    },
    OperationCase(name: "identities", shapes: [[3, 4], [3, 4]], low: 0.4) {
      let (x, y) = ($0[0], $0[1])
      let sums = [0 - x, 0 + x, x + 0, x - 0, -(-x), x + -y, -(x - y)]
      let products = [-1 * x, x * -1, 1 * x, x / 1, x / 4, (x * 2) * 3, 1 / x, x * x]
      let powers = [pow(x, 0), pow(x, 1), pow(x, 2), pow(x, -1)]
      return .concatenated(sums + products + powers, axis: 0)
    },
    OperationCase(name: "numbers", shapes: [[3, 4]], low: 0.4) {
      (1 - $0[0]) / 3 + 2 / $0[0] - (0.5 * $0[0] + 1) * 2
    },
  ]

  static let structural: [OperationCase] = [
    OperationCase(name: "matmul", shapes: [[3, 4], [4, 5]]) { $0[0].matmul($0[1]) },
    OperationCase(name: "matmul ᵀ·", shapes: [[4, 3], [4, 5]]) {
      $0[0].matmul($0[1], transposeSelf: true)
    },
    OperationCase(name: "matmul ·ᵀ", shapes: [[3, 4], [5, 4]]) {
      $0[0].matmul($0[1], transposeOther: true)
    },
    OperationCase(name: "matmul ᵀ·ᵀ", shapes: [[4, 3], [5, 4]]) {
      $0[0].matmul($0[1], transposeSelf: true, transposeOther: true)
    },
    OperationCase(name: "matmul batched", shapes: [[2, 3, 4], [2, 4, 5]]) { $0[0].matmul($0[1]) },
    OperationCase(name: "matmul batched ᵀ·ᵀ", shapes: [[2, 4, 3], [2, 5, 4]]) {
      $0[0].matmul($0[1], transposeSelf: true, transposeOther: true)
    },
    OperationCase(name: "matmul stack by matrix", shapes: [[2, 3, 4], [4, 5]]) {
      $0[0].matmul($0[1])
    },
    OperationCase(name: "matmul broadcast", shapes: [[3, 4], [2, 2, 4, 5]]) {
      $0[0].matmul($0[1])
    },
    OperationCase(name: "reshape", shapes: [[3, 4]]) { square($0[0].reshaped([2, -1])) },
    OperationCase(name: "reshape of a transpose", shapes: [[3, 4]]) {
      square($0[0]).transposed().reshaped([2, 6]) * 3
    },
    OperationCase(name: "reshape within a transpose", shapes: [[4, 6]]) {
      square($0[0]).transposed().reshaped([3, 2, 2, 2]).sum([1, 3])
    },
    OperationCase(name: "transpose", shapes: [[2, 3, 4]]) { $0[0].transposed([2, 0, 1]) },
    OperationCase(name: "broadcast", shapes: [[3, 1]]) { $0[0].broadcast(to: [2, 3, 4]) },
    OperationCase(name: "sum", shapes: [[2, 3, 4]]) { $0[0].sum([0, 2]) },
    OperationCase(name: "sum keeping axes", shapes: [[2, 3, 4]]) {
      $0[0].sum([-2], keepDims: true)
    },
    OperationCase(name: "sum of all", shapes: [[2, 3, 4]]) { $0[0].sum() },
    OperationCase(name: "max", shapes: [[2, 3, 4]]) { $0[0].max([1]) },
    OperationCase(name: "max of all", shapes: [[2, 3, 4]]) { $0[0].max() },
    OperationCase(name: "slice", shapes: [[3, 4]]) { $0[0].slice(axis: 1, 1..<3) },
    OperationCase(name: "pad", shapes: [[3, 4]]) { $0[0].padded(before: [1, 0], after: [0, 2]) },
    OperationCase(name: "concatenate", shapes: [[3, 4], [3, 1], [3, 2]]) {
      .concatenated($0, axis: -1)
    },
    OperationCase(name: "gather", shapes: [[3, 4]]) {
      $0[0].gatherRows(Formula(Tensor<Double>([4], [2, 0, 2, 1])))
    },
    OperationCase(name: "scatter", shapes: [[4, 3], [2, 3]]) { x in
      // The gradient of a gather is a scatter: a formula whose own gradients are checked here.
      vjp(
        [x[1].gatherRows(Formula(Tensor<Double>([4], [1, 0, 1, 1])))], cotangents: [square(x[0])],
        withRespectTo: [x[1]])[0] * x[1]
    },
  ]

  static let composite: [OperationCase] = [
    OperationCase(name: "mean", shapes: [[3, 4]]) { $0[0].mean([1]) },
    OperationCase(name: "logSumExp", shapes: [[3, 4]]) { $0[0].logSumExp([1]) },
    OperationCase(name: "softmax", shapes: [[3, 4]]) { $0[0].softmax() },
    OperationCase(name: "dot", shapes: [[3, 4], [3, 4]]) { $0[0].dot($0[1], [1]) },
    // A value beside a view of it: two loops.
    OperationCase(name: "sum with its transpose", shapes: [[4, 4]]) {
      let a = exp($0[0])
      return a + a.transposed()
    },
    OperationCase(name: "rows over their first", shapes: [[3, 20]]) {
      let a = exp($0[0])
      return a / a.slice(axis: 1, 0..<1)
    },
    OperationCase(name: "symmetrised softmax", shapes: [[5, 5]]) {
      let p = $0[0].softmax()
      return p + p.transposed()
    },
    OperationCase(name: "joined by way of a third", shapes: [[4, 4]]) {
      let (a, b) = (sin($0[0]), cos($0[0]))
      return (a * b) + (b.transposed() - a) * (a.transposed() * b)
    },
    OperationCase(name: "product with a transpose", shapes: [[4, 4]]) {
      (exp($0[0]) * sin($0[0].transposed())).sum()
    },
    OperationCase(name: "layer", shapes: [[3, 4], [5, 4], [5]]) {
      silu($0[0].matmul($0[1], transposeOther: true) + $0[2])
    },
  ]
}

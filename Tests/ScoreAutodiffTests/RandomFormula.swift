import ScoreAutodiff
import ScoreTensors

/// A repeatable source of choices.
struct Choices: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  /// SplitMix64 (Steele et al. 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// Formulas made by chance, of any operation, whose values stay of order one.
struct RandomFormula {
  let parameters: [Formula]
  let arguments: [Formula]
  let outputs: [Formula]
  let values: [String: Tensor<Double>]

  init(seed: UInt64, rows: Int, steps: Int) {
    var choices = Choices(seed)
    let columns = Int.random(in: 1...9, using: &choices)
    let hidden = Int.random(in: 1...9, using: &choices)
    parameters = [
      .input("w", [hidden, columns]), .input("v", [columns, hidden]), .input("b", [columns]),
    ]
    arguments = [
      .input("x", [rows, columns]), .input("c", [1, columns]), .input("s", [rows, 1]),
      .input("i", [rows]),
    ]
    var pool = [parameters[2], arguments[0], arguments[1], arguments[2]]
    pool.append(Formula(RandomKey(seed).normal([columns]) as Tensor<Double>))
    for _ in 0..<steps {
      let x = pool[Int.random(in: max(0, pool.count - 12)..<pool.count, using: &choices)]
      let y = pool.randomElement(using: &choices) ?? x
      pool.append(Self.step(x, y, parameters, arguments, &choices))
    }
    var outputs = pool.suffix(3).map { $0 }
    // Gradients make graphs that nobody would write by hand.
    let loss = outputs.map { sin($0).sum() }.reduce(Formula(0), +)
    outputs += gradient(of: loss, withRespectTo: [arguments[0], parameters[0], parameters[2]])
    self.outputs = outputs + [loss]
    var values: [String: Tensor<Double>] = [:]
    for (index, input) in (parameters + arguments).enumerated() {
      let numbers: Tensor<Double> = RandomKey(seed).folded(UInt64(index)).normal(input.shape)
      values[input.inputName ?? ""] = numbers
    }
    values["i"] = Tensor(
      [rows], (0..<rows).map { _ in Double.random(in: 0..<3, using: &choices).rounded(.down) })
    self.values = values
  }

  private static func step(
    _ x: Formula, _ y: Formula, _ parameters: [Formula], _ arguments: [Formula],
    _ choices: inout Choices
  ) -> Formula {
    let fits =
      x.shape.rank == y.shape.rank
      && zip(x.shape.extents, y.shape.extents).allSatisfy { $0 == $1 || $0 == 1 || $1 == 1 }
    let other = fits ? y : x
    let columns = arguments[0].shape[1]
    switch Int.random(in: 0..<29, using: &choices) {
    case 0: return x + other
    case 1: return tanh(x) * sigmoid(other)
    case 2: return x - 0.5 * other
    case 3: return x / (1 + square(other))
    case 4: return maximum(x, other)
    case 5: return minimum(sin(x), cos(other))
    case 6: return select(greater(x, 0), silu(x), softplus(other) - 1)
    case 7: return exp(-square(x))
    case 8: return log1p(abs(x)) + erf(other)
    case 9: return sqrt(1 + square(x)) * rsqrt(2 + square(other))
    case 10, 11, 12:
      // Dense layers, in the forms that epilogues look for.
      guard x.shape.rank == 2, x.shape[1] == columns else { return relu(x) }
      let h = x.matmul(parameters[0], transposeOther: true)
      let back = (Bool.random(using: &choices) ? silu(h) : h).matmul(
        parameters[1], transposeOther: true)
      let scaled = Bool.random(using: &choices) ? back + parameters[2] : back + x
      return Bool.random(using: &choices) ? silu(scaled + parameters[2]) : 0.3 * scaled
    case 13: return x.mean([x.shape.rank - 1], keepDims: true)
    case 14: return x.sum([0], keepDims: true) / Double(x.shape[0])
    case 15: return x.max([-1], keepDims: true)
    case 16: return x.softmax()
    case 17:
      guard x.shape[-1] > 1 else { return x * x }
      return x.slice(axis: -1, 0..<x.shape[-1] - 1).padded(
        before: [Int](repeating: 0, count: x.shape.rank - 1) + [1],
        after: [Int](repeating: 0, count: x.shape.rank))
    case 18:
      return Formula.concatenated([x, tanh(x)], axis: x.shape.rank - 1)
        .slice(axis: -1, 1..<x.shape[-1] + 1)
    case 19:
      guard x.shape.rank == 2 else { return -x }
      return tanh(x.matmul(x, transposeSelf: true)).matmul(x, transposeOther: true).transposed()
        * 0.1
    case 20:
      return x.reshaped([-1, 1]).broadcast(to: [x.shape.count, 2]).slice(axis: 1, 1..<2)
        .reshaped(x.shape)
    case 21:
      guard x.shape.rank == 2, x.shape[0] >= 3 else { return pow(1 + square(x), 0.7) }
      return x.gatherRows(arguments[3])
    case 22:
      return x.transposed(Array((0..<x.shape.rank).reversed())).logSumExp([-1])
        .reshaped([1, -1]).sum([1], keepDims: true) + x
    case 23: return (x + 1).stoppingGradient * other
    case 24: return -(x * 2) * 3 + 0 * other
    case 25:
      guard x.shape.rank == 2 else { return cos(x) }
      let image = x.reshaped([x.shape[0], 1, x.shape[1], 1] as Shape)
      let filter = parameters[2].slice(axis: 0, 0..<1).reshaped([1, 1, 1, 1] as Shape)
        .broadcast(to: [3, 3, 1, 1])
      return (0.3 * image.convolution(filter, padding: 1)).reshaped(x.shape) + other
    case 26:
      guard x.shape == [arguments[0].shape[0], columns] else { return sin(x) }
      return tanh(x.reshaped([x.shape[0], 1, 1, columns] as Shape))
        .groupNorm(groups: 1, scale: parameters[2], shift: x.sum([0]), epsilon: 1, silu: true)
        .reshaped(x.shape) * 0.5
    default: return expm1(0.3 * x) - reciprocal(1.5 + square(other))
    }
  }
}

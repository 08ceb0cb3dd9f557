import ScoreAutodiff
import ScoreTensors

extension Choices {
  mutating func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  /// Whether an event with one chance in `n` happens.
  mutating func one(in n: Int) -> Bool { Int.random(in: 0..<n, using: &self) == 0 }

  mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: list.indices, using: &self)] }

  /// Mostly one of the newest.
  mutating func recent<T>(_ list: [T]) -> T {
    one(in: 3) ? pick(list) : list[draw(max(0, list.count - 6)...list.count - 1)]
  }

  mutating func permutation(_ count: Int) -> [Int] { Array(0..<count).shuffled(using: &self) }
}

/// Formulas made by chance to mislead the compiler: few shapes, most of them square, so that values meet their own
/// transposes, slices, reductions and gradients; sums of many kinds behind products; values that are outputs, or outputs
/// twice, and read later; chains beyond the limits of a loop.
struct EntangledFormula {
  var parameters: [Formula]
  var arguments: [Formula]
  var outputs: [Formula] = []
  private(set) var values: [Tensor<Double>] = []
  private var pool: [Formula] = []
  private var choices: Choices
  /// Whether values may jump where two numbers of different roundings meet.
  let jumps: Bool
  /// A value with a cotangent, and variables with tangents, for the duality of the modes.
  private(set) var dual: (y: Formula, cotangent: Formula, x: [Formula], tangents: [Formula])

  init(seed: UInt64, steps: Int) {
    choices = Choices(seed)
    jumps = seed % 3 == 0
    dual = (Formula(0), Formula(0), [], [])
    // One in eight is large enough for workers to share.
    let isLarge = seed % 8 == 7
    let side = choices.pick(
      isLarge ? [32, 40, 64] : [1, 2, 2, 3, 4, 4, 5, 8, 9, 16, 17, seed % 29 == 0 ? 0 : 6])
    let other = choices.pick([1, side, side, 2, 3, 4, 7, 16, 33])
    parameters = [
      .input("w", [side, side]), .input("v", [other, side]), .input("b", [side]),
      .input("p", [side, other]),
    ]
    arguments = [
      .input("x", [side, side]), .input("y", [side, other]), .input("z", [2, side, side]),
      .input("c", [1, side]), .input("s", [side, 1]), .input("i", [side]),
    ]
    pool = parameters + arguments.dropLast()
    pool.append(Formula(RandomKey(seed).normal([side, side]) as Tensor<Double>))
    pool += [exp(-square(arguments[0])), tanh(arguments[1])]
    for _ in 0..<steps {
      var next = step()
      if next.shape.count > (isLarge ? 8500 : 1500) || next.shape.rank > 5 {
        next = scaledSum(next)
      }
      pool.append(choices.one(in: 3) ? tanh(next) : next)
    }
    // Any values may be outputs, as they are or as views, and one of them twice.
    for _ in 0..<choices.draw(2...5) { outputs.append(choices.recent(pool)) }
    if choices.one(in: 3) { outputs.append(view(choices.pick(outputs))) }
    if choices.one(in: 4) { outputs.append(choices.pick(outputs)) }
    if choices.one(in: 4) { outputs.append(choices.pick(parameters + arguments)) }
    let variables = [arguments[0], arguments[1], parameters[0], parameters[2]]
    let loss = outputs.map { sin($0).sum() }.reduce(Formula(0), +)
    var slopes = gradient(of: loss, withRespectTo: variables)
    outputs += slopes
    if choices.one(in: 3) {
      let second = slopes.map { sin($0).sum() }.reduce(Formula(0), +)
      slopes =
        choices.one(in: 2)
        ? gradient(of: second, withRespectTo: Array(variables.prefix(2)))
        : jvp([second], withRespectTo: [arguments[0]], tangents: [tanh(arguments[0])])
      outputs += slopes
    }
    if choices.one(in: 2) { outputs.append(loss) }
    // What no gradient reads.
    for _ in 0..<choices.draw(0...2) { outputs.append(choices.recent(pool)) }
    let target = pool[pool.count - 1]
    dual = (target, cos(target), Array(variables.prefix(3)), variables.prefix(3).map { sin($0) })
    for (index, input) in (parameters + arguments).enumerated() {
      values.append(RandomKey(seed).folded(UInt64(index)).normal(input.shape))
    }
    values[values.count - 1] = Tensor(
      [side], (0..<side).map { _ in Double(choices.draw(-1...side)) })
  }

  // MARK: Views

  private func mean(_ x: Formula) -> Formula { x.sum() / Double(max(1, x.shape.count)) }

  private func scaledSum(_ x: Formula) -> Formula {
    x.sum([0]) / Double(max(1, x.shape[0]))
  }

  /// Some view of a value, or a copy that looks like one.
  private mutating func view(_ x: Formula) -> Formula {
    let rank = x.shape.rank
    guard rank > 0 else { return x.expanded(at: 0) }
    let axis = choices.draw(0...rank - 1)
    let extent = x.shape.extents[axis]
    var none = [Int](repeating: 0, count: rank)
    switch choices.draw(0...9) {
    case 0, 1, 2: return x.transposed(choices.permutation(rank))
    case 3:
      guard let factor = [2, 3, 5, 4].first(where: { extent > $0 && extent % $0 == 0 }) else {
        return x.reshaped(Shape(x.shape.extents.reversed()))
      }
      var extents = x.shape.extents
      extents.replaceSubrange(axis...axis, with: [factor, extent / factor])
      return x.reshaped(Shape(extents))
    case 4:
      guard rank > 1, axis > 0 else { return x.reshaped([x.shape.count] as Shape) }
      var extents = x.shape.extents
      extents.replaceSubrange(axis - 1...axis, with: [extents[axis - 1] * extents[axis]])
      return x.reshaped(Shape(extents))
    case 5: return x.expanded(at: choices.draw(0...rank))
    case 6:
      guard extent > 0 else { return x }
      let start = choices.draw(0...extent - 1)
      return x.slice(axis: axis, start..<choices.draw(start + 1...extent))
    case 7:
      none[axis] = 1
      return x.padded(
        before: choices.one(in: 2) ? none : none.map { 2 * $0 },
        after: choices.one(in: 2) ? none : [Int](repeating: 0, count: rank))
    case 8: return x.broadcast(to: Shape([2] + x.shape.extents))
    default: return .concatenated([x, choices.one(in: 2) ? x : sin(x)], axis: axis)
    }
  }

  private func broadcasts(_ shape: Shape, to target: Shape) -> Bool {
    shape.rank <= target.rank
      && zip(shape.extents.reversed(), target.extents.reversed()).allSatisfy { $0 == $1 || $0 == 1 }
  }

  /// A value in a form that an entrywise operation takes beside `shape`.
  private mutating func fitted(_ y: Formula, _ shape: Shape) -> Formula {
    var forms: [Formula] = []
    if broadcasts(y.shape, to: shape) { forms.append(y) }
    if y.shape.count == shape.count { forms.append(y.reshaped(shape)) }
    if y.shape.rank == shape.rank && y.shape.rank > 1 {
      for _ in 0..<3 {
        let turned = y.transposed(choices.permutation(y.shape.rank))
        if broadcasts(turned.shape, to: shape) { forms.append(turned) }
      }
      if zip(y.shape.extents, shape.extents).allSatisfy({ $0 >= $1 }) {
        let starts = zip(y.shape.extents, shape.extents).map { choices.draw(0...$0 - $1) }
        forms.append(y.slice(from: starts, shape))
      }
      if zip(y.shape.extents, shape.extents).allSatisfy({ $0 <= $1 }) {
        let before = zip(y.shape.extents, shape.extents).map { choices.draw(0...$1 - $0) }
        let after = (0..<shape.rank).map { shape.extents[$0] - y.shape.extents[$0] - before[$0] }
        forms.append(y.padded(before: before, after: after))
      }
      for axis in 0..<shape.rank {
        let sum = y.sum([axis], keepDims: true) / Double(max(1, y.shape.extents[axis]))
        if broadcasts(sum.shape, to: shape) { forms.append(sum) }
      }
    }
    return forms.isEmpty ? mean(y) : choices.pick(forms)
  }

  // MARK: Steps

  private mutating func step() -> Formula {
    let (x, y) = (choices.recent(pool), choices.recent(pool))
    let rank = x.shape.rank
    switch choices.draw(0...25) {
    case 0, 1, 2: return binary(x, fitted(y, x.shape))
    case 3: return unary(x)
    case 4, 5:
      // A value with itself seen otherwise.
      var other = fitted(x, x.shape)
      if rank > 1 && choices.one(in: 2) {
        other = fitted(x.transposed(choices.permutation(rank)), x.shape)
      }
      return binary(x, other)
    case 6, 7: return view(x)
    case 8: return binary(view(x), fitted(y, x.shape).sum())
    case 9, 10, 11: return dense(x)
    case 12, 13: return product(x, y)
    case 14: return reduction(x)
    case 15:
      guard rank > 0, x.shape.count > 0 else { return cos(x) }
      let axis = choices.draw(0...rank - 1)
      return choices.one(in: 2)
        ? x.softmax(axis: axis) : x - x.logSumExp([axis], keepDims: true)
    case 16:
      guard rank == 2 else { return unary(x) }
      return x.gatherRows(arguments[5])
    case 17:
      guard rank == 2, x.shape[0] == arguments[5].shape[0] else { return unary(x) }
      // The gradient of a gather is a scatter.
      return vjp([x.gatherRows(arguments[5])], cotangents: [x], withRespectTo: [x])[0]
    case 18: return (choices.one(in: 2) ? x : view(x)).stoppingGradient
    case 19: return chain(x)
    case 20:
      // A gradient of anything so far in anything before it.
      return vjp([x], cotangents: [cos(x)], withRespectTo: [y])[0] * 0.3
    case 21: return convolution(x)
    case 23, 24: return residual(x)
    case 22:
      guard rank > 0 else { return x }
      let axis = choices.draw(0...rank - 1)
      let second = fitted(y, x.shape).broadcast(to: x.shape)
      return .concatenated(
        choices.one(in: 2) ? [x, second] : [second, tanh(x), x], axis: axis)
    default:
      let other = fitted(choices.one(in: 2) ? x : y, x.shape)
      guard jumps else { return x * sigmoid(other) }
      return choices.pick([
        maximum(x, other), minimum(x, other), select(greater(x, other), x, cos(other)),
        select(greater(x, 0), other, x), relu(x) + relu(other), abs(x) - sign(other),
      ])
    }
  }

  private mutating func unary(_ x: Formula) -> Formula {
    choices.pick([
      -x, square(tanh(x)), sqrt(1 + square(x)), rsqrt(2 + square(x)), exp(-square(x)),
      expm1(0.3 * tanh(x)), log1p(square(x)), sin(x), cos(x), tanh(x), sigmoid(x), silu(x),
      softplus(x), erf(x), pow(1 + square(x), 0.7), x * -0.5, x / 3, 2 - x, x - 0, 0 * x,
      reciprocal(1.5 + square(x)),
    ])
  }

  private mutating func binary(_ x: Formula, _ y: Formula) -> Formula {
    choices.pick([
      x + y, x + y, y + x, x - y, y - x, tanh(x) * y, x * sigmoid(y), x / (1 + square(y)),
      (x + y) * 0.5 + x, x - (-y), silu(x + y), tanh(y + x) - x, sin(x) * sin(y), x + y + y,
    ])
  }

  private mutating func reduction(_ x: Formula) -> Formula {
    let rank = x.shape.rank
    guard rank > 0 else { return x }
    let axes = choices.permutation(rank).prefix(choices.draw(1...rank)).sorted()
    let keep = choices.one(in: 2)
    let count = Double(max(1, axes.reduce(1) { $0 * x.shape.extents[$1] }))
    let isEmpty = x.shape.count == 0
    let y =
      switch choices.draw(0...(jumps ? 4 : 3)) {
      case 0, 1: x.sum(axes, keepDims: keep) / count
      case 2: isEmpty ? x.sum(axes, keepDims: keep) : x.logSumExp(axes, keepDims: keep)
      case 3: square(x).sum(axes, keepDims: keep) / count
      default: isEmpty ? x.sum(axes, keepDims: keep) : x.max(axes, keepDims: keep)
      }
    return keep && choices.one(in: 2) ? x - y : y
  }

  /// Beyond 16 inputs, 8 outputs or 64 operations of one loop.
  private mutating func chain(_ x: Formula) -> Formula {
    var y = x
    for index in 0..<choices.draw(4...24) {
      let other = fitted(choices.pick(pool), x.shape)
      y = choices.pick([
        y * 0.5 + other, tanh(y) - other, sin(y + Double(index)), y - other * 0.25,
        0.7 * y + (index % 2 == 0 ? 0.0 : -0.0),
      ])
      if choices.one(in: 4) { pool.append(y) }
    }
    return y
  }

  /// What may stand behind a product: biases and values of all kinds, in any order, and an activation.
  private mutating func epilogue(_ product: Formula) -> Formula {
    var y = product
    let shape = y.shape
    for _ in 0..<choices.draw(0...3) {
      if choices.one(in: 4) { pool.append(y) }
      let likely = pool.filter { broadcasts($0.shape, to: shape) }
      var other = fitted(
        likely.isEmpty || choices.one(in: 3) ? choices.pick(pool) : choices.pick(likely), shape)
      switch choices.draw(0...4) {
      case 0:
        other = unary(other)
        pool.append(other)
      case 1: other = unary(other)
      default: break
      }
      y = choices.one(in: 2) ? y + other : other + y
      if choices.one(in: 8) { y = y + other }
    }
    if choices.one(in: 4) { pool.append(y) }
    return choices.pick([y, silu(y), silu(y), tanh(y), jumps ? relu(y) : y])
  }

  private mutating func dense(_ x: Formula) -> Formula {
    let side = arguments[0].shape[1]
    guard x.shape.rank >= 2, x.shape[-1] == side || x.shape[-2] == side else {
      return epilogue(fitted(x, arguments[0].shape) * arguments[0])
    }
    let weight = choices.pick([parameters[0], parameters[0], parameters[1], tanh(parameters[0])])
    let turnsWeight = weight.shape[0] != side || choices.one(in: 2)
    let fits = (turnsWeight ? weight.shape[1] : weight.shape[0]) == side
    guard fits else { return unary(x) }
    let size = 1 / Double(max(1, side)).squareRoot()
    let turns = x.shape[-1] != side || (x.shape[-2] == side && choices.one(in: 3))
    return epilogue(
      (choices.one(in: 4) && side < 9 ? x : x * size).matmul(
        weight, transposeSelf: turns, transposeOther: turnsWeight))
  }

  /// A value that nothing else reads, with a product of a rearranged copy added where it lies, and the sum rearranged alike.
  private mutating func residual(_ x: Formula) -> Formula {
    let side = arguments[0].shape[1]
    guard x.shape.rank == 2, x.shape[1] == side else { return unary(x) }
    let shape = x.shape
    let turned = Shape(shape.extents.reversed())
    let form = choices.pick([turned, shape, [shape.count], [1, shape.count], turned])
    func rearranged(_ y: Formula) -> Formula { y.transposed().reshaped(form) }
    let y = unary(x) + 1
    let inner = choices.pick([
      tanh(rearranged(y)), rearranged(y), rearranged(y) - rearranged(y).sum([0], keepDims: true),
      rearranged(y) + y.reshaped(form),
    ])
    // Scaled so that values stay of order one, on either side of the product.
    let size = 1 / Double(max(1, side)).squareRoot()
    let weight = choices.one(in: 2) ? parameters[0] : tanh(parameters[0])
    let matrix = inner.reshaped(shape)
    let z =
      choices.one(in: 2) ? matrix.matmul(weight * size) : (matrix * size).matmul(weight)
    let sum = choices.one(in: 2) ? z + y : y + z
    let activated = choices.pick([sum, silu(sum), sum + parameters[2]])
    return choices.pick([
      rearranged(activated) * 0.5, activated, sin(rearranged(sum)) + activated.reshaped(form),
    ]).reshaped(shape)
  }

  /// A product of any two values that have an extent in common, with broadcast leading axes.
  private mutating func product(_ x: Formula, _ y: Formula) -> Formula {
    guard x.shape.rank >= 2 else { return binary(x, fitted(y, x.shape)) }
    var other = y.shape.rank >= 2 ? y : x
    let (left, right) = (choices.one(in: 2), choices.one(in: 2))
    let depth = x.shape[left ? -2 : -1]
    let leads = Shape(Array(other.shape.extents.dropLast(2)))
    let own = Shape(Array(x.shape.extents.dropLast(2)))
    let agree = zip(leads.extents.reversed(), own.extents.reversed()).allSatisfy {
      $0 == $1 || $0 == 1 || $1 == 1
    }
    if !agree { other = other.sum(Array(0..<leads.rank)) * 0.3 }
    if other.shape[right ? -1 : -2] != depth {
      if other.shape[right ? -2 : -1] == depth {
        return epilogue(
          scaled(x, depth).matmul(other, transposeSelf: left, transposeOther: !right))
      }
      return epilogue(scaled(x, depth).matmul(x, transposeSelf: left, transposeOther: !left))
    }
    return epilogue(scaled(x, depth).matmul(other, transposeSelf: left, transposeOther: right))
  }

  private func scaled(_ x: Formula, _ depth: Int) -> Formula {
    tanh(x) * (1 / Double(max(1, depth)).squareRoot())
  }

  private mutating func convolution(_ x: Formula) -> Formula {
    guard x.shape.rank >= 2, x.shape.rank <= 3, x.shape.count > 0 else { return unary(x) }
    let batch = x.shape.rank == 3 ? x.shape[0] : 1
    let image = x.reshaped(
      choices.one(in: 2)
        ? [batch, x.shape[-2], x.shape[-1], 1] : [batch, 1, x.shape[-2], x.shape[-1]] as Shape)
    let channels = image.shape[3]
    let kernel = choices.pick([1, 1, 2, 3])
    let filter = fitted(choices.pick(pool), [kernel, kernel, channels, channels] as Shape)
      .broadcast(to: [kernel, kernel, channels, channels])
    let y = image.convolution(
      tanh(filter) * (0.7 / Double(kernel * kernel * channels).squareRoot()),
      before: [kernel / 2, kernel / 2], after: [(kernel - 1) / 2, (kernel - 1) / 2])
    return epilogue(y).reshaped(x.shape)
  }
}

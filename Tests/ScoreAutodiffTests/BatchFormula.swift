import ScoreAutodiff
import ScoreTensors

/// Formulas made by chance of rows, sequences and images, `[n, …]`, none of which looks at another: networks of any
/// convolutions, normalisations, pooling, attention and dense layers, with biases, an image's own biases and skips in every
/// order, and their gradients. The same seed gives the same formula for any number of rows.
struct BatchFormula {
  /// Inputs that all rows share and that stay fixed between runs.
  private(set) var parameters: [Formula] = []
  /// A shared argument, then arguments of rows.
  let arguments: [Formula]
  /// Values of rows.
  private(set) var rowOutputs: [Formula] = []
  /// Gradients in what all rows share.
  private(set) var sharedOutputs: [Formula] = []
  let jumps: Bool
  private let rows: Int
  private let seed: UInt64
  private var choices: Choices
  private var pool: [Formula] = []
  private let (shared, embedding): (Formula, Formula)

  var outputs: [Formula] { rowOutputs + sharedOutputs }

  /// Formulas for many rows have small ones.
  init(seed: UInt64, rows: Int, steps: Int, hasManyRows: Bool = false) {
    (self.rows, self.seed) = (rows, seed)
    choices = Choices(seed)
    jumps = seed % 3 == 0
    let sides = hasManyRows ? [1, 2, 3, 4] : [1, 1, 2, 3, 4, 4, 5, 6, 8]
    let (height, width) = (choices.pick(sides), choices.pick(sides))
    let channels = choices.pick(hasManyRows ? [1, 3, 4, 8] : [1, 2, 3, 4, 4, 6, 8, 8, 16, 17, 32])
    shared = .input("t", [1, choices.pick([1, 3, channels])])
    embedding = .input("e", [rows, choices.pick([1, 5, channels])])
    let image = Formula.input("x", [rows, height, width, channels])
    let second = Formula.input("y", [rows, height, width, channels])
    arguments = [shared, embedding, image, second]
    pool = [image, second, choices.one(in: 2) ? embedding : sin(embedding)]
    for _ in 0..<steps {
      var next = step()
      if next.shape.extents.dropFirst().reduce(1, *) > (hasManyRows ? 200 : 1200) {
        next = next.sum([1], keepDims: true) * 0.2
      }
      pool.append(choices.one(in: 4) ? tanh(next) : next)
    }
    for _ in 0..<choices.draw(1...3) { rowOutputs.append(choices.recent(pool)) }
    if choices.one(in: 4) { rowOutputs.append(choices.pick(rowOutputs)) }
    if choices.one(in: 6) { rowOutputs.append(image) }
    let cotangents = rowOutputs.map { cos($0) }
    let slopes = vjp(rowOutputs, cotangents: cotangents, withRespectTo: [image, embedding])
    sharedOutputs = vjp(
      rowOutputs, cotangents: cotangents, withRespectTo: parameters + [shared])
    if choices.one(in: 3) {
      rowOutputs +=
        choices.one(in: 2)
        ? vjp(slopes, cotangents: slopes.map { sin($0) }, withRespectTo: [image])
        : jvp(slopes, withRespectTo: [image], tangents: [second])
    }
    rowOutputs += slopes
    // What no gradient reads.
    for _ in 0..<choices.draw(0...2) { rowOutputs.append(choices.recent(pool)) }
  }

  /// Rows of entries that do not depend on how many there are.
  func values(_ range: Range<Int>) -> [Tensor<Double>] {
    arguments.enumerated().map { index, input in
      let key = RandomKey(seed + 7).folded(UInt64(index))
      if input.inputName == shared.inputName { return key.normal(input.shape) }
      return Tensor(
        input.shape.withRows(range.count),
        range.flatMap {
          (key.folded(UInt64($0)).normal(input.shape.withRows(1)) as Tensor<Double>).scalars
        })
    }
  }

  var parameterValues: [Tensor<Double>] {
    parameters.enumerated().map { RandomKey(seed + 8).folded(UInt64($0)).normal($1.shape) }
  }

  // MARK: Parts

  /// A parameter, one that exists where there is one of this shape.
  private mutating func parameter(_ shape: Shape) -> Formula {
    let known = parameters.filter { $0.shape == shape }
    if !known.isEmpty && choices.one(in: 2) { return choices.pick(known) }
    parameters.append(.input("p\(parameters.count)", shape))
    return parameters[parameters.count - 1]
  }

  private mutating func channelRow(_ channels: Int) -> Formula {
    switch choices.draw(0...3) {
    case 0, 1: return parameter([channels])
    case 2: return tanh(parameter([channels]))
    default:
      // Computed in every run, the same for all rows.
      return shared.matmul(parameter([shared.shape[1], channels])).reshaped([channels] as Shape)
    }
  }

  private mutating func ownRow(_ channels: Int) -> Formula {
    let e = choices.one(in: 2) ? embedding : silu(embedding)
    let row = e.matmul(parameter([embedding.shape[1], channels]))
    switch choices.draw(0...3) {
    case 0: return row + parameter([channels])
    case 1: return tanh(row)
    case 2: return embedding.shape[1] == channels ? embedding : row
    default: return row
    }
  }

  /// A value of rows in a form that goes with `shape` entry by entry, or by repeating.
  private mutating func fitted(_ y: Formula, _ shape: Shape) -> Formula {
    if y.shape == shape { return y }
    let rank = shape.rank
    if rank == 4 && y.shape.rank == 4 {
      let turned = y.transposed([0, 2, 1, 3])
      if turned.shape == shape { return turned }
      if y.shape[3] == shape[3] {
        if shape.extents[1...2] == [2 * y.shape[1], 2 * y.shape[2]] { return y.upsampled() }
        return y.sum([1, 2], keepDims: true) * (1 / Double(y.shape[1] * y.shape[2]))
      }
    }
    if y.shape.count == shape.count { return y.reshaped(shape) }
    let own = y.shape.rank == 2 ? y : y.sum(Array(1..<y.shape.rank - 1)) * 0.3
    let row =
      own.shape[1] == shape[-1] ? own : 0.3 * own.matmul(parameter([own.shape[1], shape[-1]]))
    return row.reshaped(
      Shape([rows] + [Int](repeating: 1, count: rank - 2) + [shape[-1]]))
  }

  /// Sums behind a product in any order, and an activation.
  private mutating func epilogue(_ product: Formula) -> Formula {
    var y = product
    let shape = y.shape
    let channels = shape[-1]
    for _ in 0..<choices.draw(0...3) {
      if choices.one(in: 5) { pool.append(y) }
      var other: Formula
      switch choices.draw(0...5) {
      case 0, 1: other = channelRow(channels)
      case 2:
        other = ownRow(channels).reshaped(
          Shape([rows] + [Int](repeating: 1, count: shape.rank - 2) + [channels]))
      default:
        let same = pool.filter { $0.shape == shape }
        other = same.isEmpty ? fitted(choices.recent(pool), shape) : choices.recent(same)
        if choices.one(in: 2) {
          other = unary(other)
          if choices.one(in: 2) { pool.append(other) }
        }
      }
      y = choices.one(in: 2) ? y + other : other + y
      if choices.one(in: 10) { y = y + other }
    }
    if choices.one(in: 4) { pool.append(y) }
    return choices.pick([y, y, silu(y), silu(y), tanh(y), jumps ? relu(y) : y])
  }

  private mutating func unary(_ x: Formula) -> Formula {
    choices.pick([
      -x, sin(x), cos(x), tanh(x), silu(x), sigmoid(x), exp(-square(x)), softplus(x), 0.5 * x,
      x + 1, rsqrt(2 + square(x)), erf(x),
    ])
  }

  // MARK: Steps

  private mutating func step() -> Formula {
    let (x, y) = (choices.recent(pool), choices.recent(pool))
    switch choices.draw(0...9) {
    case 0: return unary(x)
    case 1, 2:
      let other = fitted(y, x.shape)
      return choices.pick([
        x + other, other + x, x - other, tanh(x) * other, x * sigmoid(other), silu(x + other),
        jumps ? maximum(x, other) : x / (1 + square(other)),
      ])
    case 3:
      let axis = x.shape.rank - 1
      let centred = x - x.mean([axis], keepDims: true)
      return choices.pick([
        centred * rsqrt(square(centred).mean([axis], keepDims: true) + 1e-2),
        x.softmax(axis: choices.draw(1...axis)), x - x.logSumExp([axis], keepDims: true),
        choices.one(in: 4) ? x.stoppingGradient : centred,
      ])
    case 4:
      return vjp([x], cotangents: [cos(x)], withRespectTo: [y])[0] * 0.3
    default:
      return x.shape.rank == 4 ? imageStep(x, y) : x.shape.rank == 3 ? sequenceStep(x) : rowStep(x)
    }
  }

  private mutating func rowStep(_ x: Formula) -> Formula {
    let columns = x.shape[1]
    switch choices.draw(0...7) {
    case 6:
      // Rows as columns.
      let width = choices.pick([1, 3, 8, columns])
      let turned = parameter([width, columns]).matmul(tanh(x), transposeOther: true)
      return choices.pick([turned, turned + parameter([width]).expanded(at: 1), silu(turned)])
        .transposed()
    case 0:
      return (0.4 * tanh(x.expanded(at: 2))).matmul(x.expanded(at: 1))
    case 1:
      let image = arguments[2].shape
      return tanh(ownRow(image[3])).reshaped([rows, 1, 1, image[3]] as Shape) + arguments[2]
    default:
      let width = choices.pick([1, 3, 8, 17, columns, columns])
      let turns = choices.one(in: 2)
      let weight = parameter(turns ? [width, columns] : [columns, width])
      return epilogue(
        (x * (1 / Double(columns).squareRoot())).matmul(weight, transposeOther: turns))
    }
  }

  private mutating func sequenceStep(_ x: Formula) -> Formula {
    let (length, width) = (x.shape[1], x.shape[2])
    switch choices.draw(0...5) {
    case 0: return x.transposed()
    case 1:
      let (q, k) = (x.matmul(parameter([width, 3])), x.matmul(parameter([width, 3])))
      return epilogue((q.matmul(k, transposeOther: true) * 0.5).softmax().matmul(x))
    case 2: return x.sum([choices.draw(1...2)]) * 0.3
    case 3: return x.reshaped([rows, length, 1, width] as Shape)
    case 4:
      return epilogue(tanh(x).matmul(x, transposeSelf: true) * (1 / Double(length)))
    default:
      return epilogue(
        (x * (1 / Double(width).squareRoot())).matmul(
          parameter([width, choices.pick([width, 2, 8])])))
    }
  }

  private mutating func imageStep(_ x: Formula, _ y: Formula) -> Formula {
    let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
    switch choices.draw(0...15) {
    case 0, 1, 2, 3, 4: return convolution(x)
    case 5, 6, 7:
      let divisors = (1...channels).filter { channels % $0 == 0 }
      return x.groupNorm(
        groups: choices.pick(divisors), scale: channelRow(channels), shift: channelRow(channels),
        epsilon: 0.1, silu: choices.one(in: 2))
    case 8:
      let factors = [2, 3].filter { height % $0 == 0 && width % $0 == 0 }
      return factors.isEmpty
        ? x.transposed([0, 2, 1, 3]) : { $0.averagePooled($1, $1) }(x, choices.pick(factors))
    case 9: return height * width <= 16 ? x.upsampled() : x.transposed([0, 2, 1, 3])
    case 10:
      let same = pool.filter {
        $0.shape.rank == 4 && $0.shape[1] == height && $0.shape[2] == width
      }
      let parts = choices.one(in: 2) ? [x, choices.pick(same)] : [choices.pick(same), sin(x), x]
      return .concatenated(parts, axis: 3)
    case 11:
      let axis = choices.draw(1...3)
      let extent = x.shape[axis]
      let start = choices.draw(0...extent - 1)
      return x.slice(axis: axis, start..<choices.draw(start + 1...extent))
    case 12:
      var before = [0, 0, 0, 0]
      before[choices.draw(1...3)] = 1
      return x.padded(before: before, after: choices.one(in: 2) ? before : [0, 0, 0, 0])
    case 13: return x.reshaped([rows, height * width, channels] as Shape)
    case 14:
      return x - x.sum([1, 2], keepDims: true) * (1 / Double(height * width))
    default: return x.sum([1, 2]) * (1 / Double(height * width))
    }
  }

  private mutating func convolution(_ x: Formula) -> Formula {
    let channels = x.shape[3]
    let results = choices.pick([1, 3, 4, 8, 16, channels, channels, channels])
    let kernel = choices.pick([1, 1, 2, 3, 3, 3, 5])
    var (before, after) = ([kernel / 2, kernel / 2], [(kernel - 1) / 2, (kernel - 1) / 2])
    var (stride, spread) = (1, 1)
    if choices.one(in: 3) {
      (stride, spread) = choices.pick([(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (2, 3)])
      // One-sided paddings, and crops where enough is left.
      for axis in 0..<2 {
        let extent = (x.shape[axis + 1] - 1) * spread + 1
        before[axis] = choices.draw(-1...2)
        after[axis] = max(choices.draw(-1...2), kernel - extent - before[axis])
      }
    }
    var weight = parameter([kernel, kernel, channels, results])
    if choices.one(in: 8) { weight = weight - weight.mean([0, 1, 2], keepDims: true) }
    let filter =
      choices.one(in: 5)
      ? tanh(weight) : choices.one(in: 6) ? weight * (1 + 0.1 * shared.sum()) : weight
    let scale = 0.7 / Double(kernel * kernel * channels).squareRoot()
    let y = (choices.one(in: 3) ? tanh(x) : x * scale).convolution(
      filter, stride: stride, spread: spread, before: before, after: after)
    guard y.shape.extents.dropFirst().reduce(1, *) <= 2000 else { return x }
    return epilogue(y)
  }
}

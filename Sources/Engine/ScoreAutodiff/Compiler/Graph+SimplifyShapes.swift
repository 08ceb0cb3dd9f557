import ScoreTensors

extension Graph {
  mutating func addReshape(_ x: Int, _ shape: Shape) -> Int {
    if self.shape(x) == shape { return x }
    if case .reshape = values[x].operation { return addReshape(values[x].inputs[0], shape) }
    if let source = broadcastSource(x),
      let smaller = Self.reshapedSource(self.shape(source), self.shape(x), shape)
    {
      return addBroadcast(addReshape(source, smaller), shape)
    }
    return intern(.reshape, [x], shape)
  }

  /// The shape of a broadcast's source after a reshape that only adds or drops axes of extent 1.
  private static func reshapedSource(_ source: Shape, _ old: Shape, _ new: Shape) -> Shape? {
    let oldAxes = old.extents.indices.filter { old.extents[$0] != 1 }
    let newAxes = new.extents.indices.filter { new.extents[$0] != 1 }
    guard oldAxes.map({ old.extents[$0] }) == newAxes.map({ new.extents[$0] }) else { return nil }
    var extents = new.extents
    for (from, to) in zip(oldAxes, newAxes) { extents[to] = source.extents[from] }
    return Shape(extents)
  }

  mutating func addTranspose(_ permutation: [Int], _ x: Int, _ shape: Shape) -> Int {
    if permutation == Array(permutation.indices) { return x }
    let old = self.shape(x)
    if case .transpose(let inner) = values[x].operation {
      return addTranspose(permutation.map { inner[$0] }, values[x].inputs[0], shape)
    }
    if let source = broadcastSource(x) {
      let extents = permutation.map { self.shape(source).extents[$0] }
      return addBroadcast(addTranspose(permutation, source, Shape(extents)), shape)
    }
    // Axes of extent 1 may move freely.
    let moved = permutation.filter { old.extents[$0] != 1 }
    if moved == moved.sorted() { return addReshape(x, shape) }
    return intern(.transpose(permutation), [x], shape)
  }

  mutating func addBroadcast(_ x: Int, _ shape: Shape) -> Int {
    if self.shape(x) == shape { return x }
    if let value = constant(x) { return constant(value, shape) }
    return intern(.broadcast, [broadcastSource(x) ?? x], shape)
  }

  mutating func addReduction(_ operation: Operation, _ x: Int, _ shape: Shape) -> Int {
    var isSum = true
    var axes: [Int] = []
    switch operation {
    case .sum(let list): axes = list
    case .max(let list): (axes, isSum) = (list, false)
    default: break
    }
    let full = self.shape(x)
    axes.removeAll { full.extents[$0] == 1 }
    if axes.isEmpty { return x }
    if axes.contains(where: { full.extents[$0] == 0 }) {
      return constant(isSum ? 0 : -.infinity, shape)
    }
    if let source = broadcastSource(x) {
      let repeated = axes.filter { self.shape(source).extents[$0] == 1 }
      if !repeated.isEmpty {
        var extents = full.extents
        for axis in repeated { extents[axis] = 1 }
        let once = addBroadcast(source, Shape(extents))
        let rest = axes.filter { !repeated.contains($0) }
        let result = add(isSum ? .sum(rest) : .max(rest), [once], shape)
        let count = repeated.reduce(1) { $0 * full.extents[$1] }
        return isSum
          ? add(.binary(.multiply), [result, constant(Double(count), shape)], shape) : result
      }
    }
    if isSum, let sum = addShortSum(x, axes, shape) { return sum }
    return intern(isSum ? .sum(axes) : .max(axes), [x], shape)
  }

  /// The sum of a few wide slices, as entrywise additions that join what is around them; nil where a reduction is better.
  private mutating func addShortSum(_ x: Int, _ axes: [Int], _ shape: Shape) -> Int? {
    let full = self.shape(x)
    guard let last = axes.last, full.extents[(last + 1)...].reduce(1, *) >= 16,
      axes.reduce(1, { $0 * full.extents[$1] }) <= 8, axes.allSatisfy({ full.extents[$0] > 1 })
    else { return nil }
    var parts = [[Int](repeating: 0, count: full.rank)]
    for axis in axes {
      parts = parts.flatMap { start in
        (0..<full.extents[axis]).map { index in
          var start = start
          start[axis] = index
          return start
        }
      }
    }
    var terms = parts.map { addSlice($0, x, shape) }
    while terms.count > 1 {
      terms = stride(from: 0, to: terms.count, by: 2).map {
        $0 + 1 < terms.count
          ? add(.binary(.add), [terms[$0], terms[$0 + 1]], shape) : terms[$0]
      }
    }
    return terms[0]
  }

  mutating func addSlice(_ starts: [Int], _ x: Int, _ shape: Shape) -> Int {
    if self.shape(x) == shape { return x }
    let value = values[x]
    switch value.operation {
    case .slice(let inner):
      return addSlice(zip(starts, inner).map { $0 + $1 }, value.inputs[0], shape)
    case .broadcast:
      let source = self.shape(value.inputs[0])
      let kept = source.extents.map { $0 != 1 }
      let smaller = addSlice(
        zip(starts, kept).map { $1 ? $0 : 0 }, value.inputs[0],
        Shape(zip(shape.extents, kept).map { $1 ? $0 : 1 }))
      return addBroadcast(smaller, shape)
    case .concatenate(let axis):
      var begin = 0
      for part in value.inputs {
        let end = begin + self.shape(part).extents[axis]
        if starts[axis] >= begin && starts[axis] + shape.extents[axis] <= end {
          var inside = starts
          inside[axis] -= begin
          return addSlice(inside, part, shape)
        }
        begin = end
      }
    case .pad(let offsets):
      let inner = self.shape(value.inputs[0])
      let inside = zip(starts, offsets).map { $0 - $1 }
      if inside.indices.allSatisfy({
        inside[$0] >= 0 && inside[$0] + shape.extents[$0] <= inner.extents[$0]
      }) {
        return addSlice(inside, value.inputs[0], shape)
      }
    default: break
    }
    return intern(.slice(starts), [x], shape)
  }

  /// The constant that an operation on constants gives.
  func folded(_ operation: Operation, _ inputs: [Int]) -> Double? {
    guard !inputs.isEmpty else { return nil }
    var x: [Double] = []
    for input in inputs {
      guard let value = constant(input) else { return nil }
      x.append(value)
    }
    switch operation {
    case .unary(let function): return function(x[0])
    case .binary(let function): return function(x[0], x[1])
    case .select: return x[0] != 0 ? x[1] : x[2]
    case .reshape, .transpose, .broadcast, .slice, .stopGradient: return x[0]
    case .max: return shape(inputs[0]).count > 0 ? x[0] : nil
    case .pad: return x[0] == 0 ? 0 : nil
    case .concatenate: return x.allSatisfy { $0 == x[0] } ? x[0] : nil
    case .sum(let axes):
      let count = axes.reduce(1) { $0 * shape(inputs[0]).extents[$1] }
      return count == 0 ? 0 : x[0] * Double(count)
    case .matmul(let left, _):
      let depth = shape(inputs[0])[left ? -2 : -1]
      return depth == 0 ? 0 : x[0] * x[1] * Double(depth)
    default: return nil
    }
  }

  /// The constant value that an operation on constants gives, where it is worth having.
  mutating func folded(_ operation: Operation, _ inputs: [Int], _ shape: Shape) -> Int? {
    if let value = folded(operation, inputs) { return constant(value, shape) }
    if case .broadcast = operation { return nil }  // a view of the source, which is smaller
    let largest = 1 << 14
    guard !inputs.isEmpty, shape.count <= largest,
      inputs.allSatisfy({ self.shape($0).count <= largest })
    else { return nil }
    var operands: [Tensor<Double>] = []
    for input in inputs {
      switch values[input].operation {
      case .constant(let value): operands.append(Tensor(self.shape(input), repeating: value))
      case .tensor(let entries): operands.append(entries.tensor)
      default: return nil
      }
    }
    let result = Interpreter.apply(operation, operands, shape)
    return add(.tensor(ConstantEntries(tensor: result)), [], shape)
  }
}

import ScoreTensors

extension Graph {
  /// The simplest value equal to an operation on values.
  mutating func add(_ operation: Operation, _ inputs: [Int], _ shape: Shape) -> Int {
    if let folded = folded(operation, inputs, shape) { return folded }
    switch operation {
    case .tensor(let entries):
      return entries.tensor.count == 1
        ? constant(entries.tensor.scalars[0], shape) : intern(operation, inputs, shape)
    case .input, .constant, .gather, .scatter: return intern(operation, inputs, shape)
    case .stopGradient: return inputs[0]
    case .unary(let function): return addUnary(function, inputs[0], shape)
    case .binary(let function): return addBinary(function, inputs[0], inputs[1], shape)
    case .select:
      if let condition = constant(inputs[0]) { return condition != 0 ? inputs[1] : inputs[2] }
      return addEntrywise(.select, inputs, shape)
    case .matmul: return addMatmul(operation, inputs, shape)
    case .convolution, .convolutionFilterGradient, .groupNorm, .groupNormGradient:
      let isEmpty = inputs.contains { self.shape($0).count == 0 }
      return isEmpty ? constant(0, shape) : intern(operation, inputs, shape)
    case .reshape: return addReshape(inputs[0], shape)
    case .transpose(let permutation): return addTranspose(permutation, inputs[0], shape)
    case .broadcast: return addBroadcast(inputs[0], shape)
    case .sum, .max: return addReduction(operation, inputs[0], shape)
    case .slice(let starts): return addSlice(starts, inputs[0], shape)
    case .pad(let starts):
      return shape == self.shape(inputs[0]) ? inputs[0] : intern(.pad(starts), inputs, shape)
    case .concatenate(let axis):
      let parts = inputs.filter { self.shape($0).extents[axis] > 0 }
      return parts.count == 1 ? parts[0] : intern(operation, parts, shape)
    }
  }

  // MARK: Entrywise functions

  private mutating func addUnary(_ function: UnaryFunction, _ x: Int, _ shape: Shape) -> Int {
    if function == .negate, case .unary(.negate) = values[x].operation {
      return values[x].inputs[0]
    }
    return addEntrywise(.unary(function), [x], shape)
  }

  private mutating func addBinary(_ function: BinaryFunction, _ x: Int, _ y: Int, _ shape: Shape)
    -> Int
  {
    switch (function, constant(x), constant(y)) {
    case (.add, 0, _), (.multiply, 1, _): return y
    case (.add, _, 0), (.subtract, _, 0), (.multiply, _, 1), (.divide, _, 1), (.power, _, 1):
      return x
    case (.subtract, 0, _), (.multiply, -1, _): return add(.unary(.negate), [y], shape)
    case (.multiply, _, -1): return add(.unary(.negate), [x], shape)
    case (.power, _, 2): return add(.unary(.square), [x], shape)
    case (.power, _, -1), (.divide, 1, _):
      return add(.unary(.reciprocal), [function == .divide ? y : x], shape)
    case (.divide, _, let d?)
    where d.significand == 1 && Self.isNormalFloat(d) && Self.isNormalFloat(1 / d):
      return add(.binary(.multiply), [x, constant(1 / d, shape)], shape)
    case (.multiply, let c?, nil):
      // Constants stand second.
      return add(.binary(.multiply), [y, constant(c, shape)], shape)
    case (.multiply, nil, let c?):
      if case .binary(.multiply) = values[x].operation, let inner = constant(values[x].inputs[1]),
        [inner, c, inner * c].allSatisfy(Self.isNormalFloat)
      {
        return add(
          .binary(.multiply), [values[x].inputs[0], constant(inner * c, shape)], shape)
      }
    case (.add, nil, nil):
      if case .unary(.negate) = values[y].operation {
        return add(.binary(.subtract), [x, values[y].inputs[0]], shape)
      }
    case (.multiply, nil, nil) where x == y: return add(.unary(.square), [x], shape)
    default: break
    }
    return addEntrywise(.binary(function), [x, y], shape)
  }

  /// Whether a constant is a normal number in both scalar types, for the graph does not know which one it will run in.
  private static func isNormalFloat(_ constant: Double) -> Bool { Float(constant).isNormal }

  /// A function of repeated entries is computed once and then repeated.
  private mutating func addEntrywise(_ operation: Operation, _ inputs: [Int], _ shape: Shape)
    -> Int
  {
    var reduced = [Int](repeating: 1, count: shape.rank)
    for input in inputs where constant(input) == nil {
      for (axis, extent) in self.shape(broadcastSource(input) ?? input).extents.enumerated() {
        reduced[axis] = max(reduced[axis], extent)
      }
    }
    let small = Shape(reduced)
    if small.count >= shape.count { return intern(operation, inputs, shape) }
    let sources = inputs.map { input in
      constant(input).map { constant($0, small) }
        ?? addBroadcast(broadcastSource(input) ?? input, small)
    }
    return addBroadcast(intern(operation, sources, small), shape)
  }

  // MARK: Matrix products

  private mutating func addMatmul(_ operation: Operation, _ inputs: [Int], _ shape: Shape) -> Int {
    guard case .matmul(var left, var right) = operation else { return -1 }
    var (a, b) = (inputs[0], inputs[1])
    if self.shape(a)[left ? -2 : -1] == 0 { return constant(0, shape) }
    while let source = lastAxesExchanged(a) { (a, left) = (source, !left) }
    while let source = lastAxesExchanged(b) { (b, right) = (source, !right) }
    let rank = shape.rank
    // Rows that are all the same are multiplied once; so are columns.
    for (isLeft, axis) in [
      (true, left ? rank - 1 : rank - 2), (false, right ? rank - 2 : rank - 1),
    ] {
      let operand = isLeft ? a : b
      guard let source = broadcastSource(operand), self.shape(source).extents[axis] == 1,
        self.shape(operand).extents[axis] > 1
      else { continue }
      var extents = self.shape(operand).extents
      extents[axis] = 1
      let one = addBroadcast(source, Shape(extents))
      var result = shape.extents
      result[isLeft ? rank - 2 : rank - 1] = 1
      let product = add(
        .matmul(transposeLeft: left, transposeRight: right), isLeft ? [one, b] : [a, one],
        Shape(result))
      return addBroadcast(product, shape)
    }
    return intern(.matmul(transposeLeft: left, transposeRight: right), [a, b], shape)
  }

  /// The value of which this one is the transpose in its last two axes.
  private func lastAxesExchanged(_ id: Int) -> Int? {
    guard case .transpose(let permutation) = values[id].operation else { return nil }
    var exchange = Array(permutation.indices)
    exchange.swapAt(exchange.count - 1, exchange.count - 2)
    return permutation == exchange ? values[id].inputs[0] : nil
  }
}

import CScoreKernels
import ScoreTensors

extension Lowering {
  // MARK: Matrix products

  mutating func lowerProduct(_ id: Int, _ epilogue: Grouping.Epilogue) {
    guard case .matmul(let left, let right) = graph[id].operation else { return }
    let shape = graph.shape(id)
    let (a, b) = (graph[id].inputs[0], graph[id].inputs[1])
    let fixed = grouping.isFixed[id]
    let batch = shape.extents.dropLast(2).reduce(1, *)
    let (m, n) = (shape[-2], shape[-1])
    let k = graph.shape(a)[left ? -2 : -1]
    let first = matrix(view(of: a), transposed: left, batch: batch)
    let second = matrix(view(of: b), transposed: right, batch: batch)
    var task = GemmTask(batch: batch, m: m, n: n, k: k, a: first, b: second, out: -1)
    var accesses = [
      batch == 1 && !first.transposed
        ? rowAccess(first.buffer, first.offset, m, first.leading, k) : wholeAccess(first.buffer),
      wholeAccess(second.buffer),
    ]
    if let bias = epilogue.bias {
      // One row of a product may be added to a number repeated: then the row is written out.
      let source = graph.broadcastSource(bias).flatMap { graph.shape($0).count == n ? $0 : nil }
      let row = contiguous(view(of: source ?? bias))
      task.bias = (row.buffer, row.offset)
      accesses.append(wholeAccess(row.buffer))
    }
    task.accumulates = epilogue.accumulates != nil
    task.out = result(of: epilogue)
    accesses.append(rowAccess(task.out, 0, m, n, n, isWrite: true))
    if let activation = epilogue.activation {
      switch graph[activation].operation {
      case .unary(.silu): task.activation = SK_SILU
      case .unary(.tanh): task.activation = SK_TANH
      case .unary(.relu): task.activation = SK_RELU
      default: task.activation = SK_TIMES
      }
      let sumIsNeeded =
        grouping.isOutput[epilogue.sum] || grouping.uses[epilogue.sum].count > 1
      if task.activation == SK_TIMES {
        let slope = buffer(of: graph[activation].inputs[0])
        task.preActivation = slope
        accesses.append(rowAccess(slope, 0, m, n, n))
      } else if sumIsNeeded {
        let before = buffer(of: epilogue.sum)
        task.preActivation = before
        accesses.append(rowAccess(before, 0, m, n, n, isWrite: true))
        if grouping.keepsSlope(epilogue) {
          task.activation = SK_SILU_SLOPE
          slopes.insert(epilogue.sum)
        }
      }
    }
    // A stack of one is rounded no more than a stack of many, and what is packed for rounding is.
    if batch == 1, products == .full || shape.rank == 2 {
      task.packed = packedPlace(second, n: n, k: k, inFixedTask: fixed)
    }
    task.isRounded = task.packed != nil && products == .bfloat16
    let cost = 2 * Double(batch) * Double(m) * Double(n) * Double(k) / 50
    // Whoever has rows packs all of b, which is little only beside many rows.
    task.unitsAreColumns = batch == 1 && task.packed == nil && n >= 256 && cost > 300_000
    let unitsAreRows = batch == 1 && !task.unitsAreColumns
    add(
      Task(
        work: .gemm(task), units: task.unitsAreColumns ? n : batch == 1 ? m : batch,
        unitsAreRows: unitsAreRows, granule: task.unitsAreColumns ? 32 : batch == 1 ? nil : 1,
        cost: 50 + cost,
        accesses: unitsAreRows
          ? accesses : accesses.map { wholeAccess($0.buffer, isWrite: $0.isWrite) }),
      fixed: fixed)
  }

  /// The number of a packed right-hand matrix, where it stays the same between runs.
  mutating func packedPlace(_ operand: MatrixOperand, n: Int, k: Int, inFixedTask fixed: Bool)
    -> Int?
  {
    if fixed || !buffers[operand.buffer].isFixed { return nil }
    let matrix = PackedMatrix(operand: operand, n: n, k: k)
    if let known = packed.firstIndex(of: matrix) { return known }
    packed.append(matrix)
    return packed.count - 1
  }

  private func rowAccess(
    _ buffer: Int, _ offset: Int, _ rows: Int, _ leading: Int, _ width: Int, isWrite: Bool = false
  ) -> Access {
    var view = View(buffer, [rows, width])
    view.offset = offset
    view.strides[0] = leading
    return access(view, isWrite: isWrite)
  }

  /// The last two axes as a matrix that the kernels take, copied where they cannot.
  private mutating func matrix(_ view: View, transposed: Bool, batch: Int) -> MatrixOperand {
    let rank = view.extents.count
    let (rows, columns) = (view.extents[rank - 2], view.extents[rank - 1])
    let (down, across) = (view.strides[rank - 2], view.strides[rank - 1])
    var outer = view
    outer.extents = Array(view.extents.dropLast(2))
    outer.strides = Array(view.strides.dropLast(2))
    outer = outer.collapsed
    if view.count == 0 {
      return MatrixOperand(
        buffer: view.buffer, offset: view.offset, leading: max(1, columns), transposed: transposed)
    }
    let batchStride = outer.strides.first ?? 0
    if outer.extents.count <= 1 {
      if columns <= 1 || across == 1, rows <= 1 || down >= max(1, columns) {
        return MatrixOperand(
          buffer: view.buffer, offset: view.offset,
          leading: rows <= 1 ? max(1, columns) : down, transposed: transposed,
          batchStride: batchStride)
      }
      if rows <= 1 || down == 1, columns <= 1 || across >= max(1, rows) {
        return MatrixOperand(
          buffer: view.buffer, offset: view.offset,
          leading: columns <= 1 ? max(1, rows) : across, transposed: !transposed,
          batchStride: batchStride)
      }
    }
    return matrix(contiguous(view), transposed: transposed, batch: batch)
  }

  // MARK: Entrywise programs

  mutating func lowerEntrywise(_ members: [Int]) {
    let shape = graph.shape(members[0])
    var task = ElementwiseTask(shape: shape, inputs: [], outputs: [], operations: [])
    var register: [Int: Int] = [:]
    var registerOfView: [View: Int] = [:]
    var registerOfConstant: [UInt64: Int] = [:]
    let inside = Set(members)
    for member in members {
      for input in graph[member].inputs where !inside.contains(input) && register[input] == nil {
        guard graph.constant(input) == nil else { continue }
        let view = view(of: input)
        let number = registerOfView[view] ?? task.inputs.count
        if number == task.inputs.count { task.inputs.append(view) }
        registerOfView[view] = number
        register[input] = number
      }
    }
    let inputs = task.inputs.count
    var cost = 0.0
    for member in members {
      for input in graph[member].inputs {
        guard let value = graph.constant(input) else { continue }
        if registerOfConstant[value.bitPattern] == nil {
          registerOfConstant[value.bitPattern] = inputs + task.operations.count
          task.operations.append(
            sk_operation(opcode: UInt16(SK_CONSTANT.rawValue), a: 0, b: 0, c: 0, imm: value))
        }
        register[input] = registerOfConstant[value.bitPattern]
      }
      let operands = graph[member].inputs.map { UInt16(register[$0] ?? 0) }
      let isSlope =
        graph[member].operation == .binary(.siluGradient)
        && slopes.contains(graph[member].inputs[0])
      let code = isSlope ? SK_MUL : graph[member].operation.opcode
      register[member] = inputs + task.operations.count
      cost += graph[member].operation.isTranscendental ? 0.6 : 0.06
      task.operations.append(
        sk_operation(
          opcode: UInt16(code.rawValue), a: operands[0],
          b: operands.count > 1 ? operands[1] : 0, c: operands.count > 2 ? operands[2] : 0, imm: 0))
    }
    for member in members where grouping.isNeededOutside(member) {
      task.outputs.append((buffer(of: member), register[member] ?? 0))
    }
    let accesses =
      task.inputs.map { access($0, isWrite: false) }
      + task.outputs.map { access(View($0.buffer, shape), isWrite: true) }
    let lead = shape.extents.firstIndex { $0 != 1 }
    add(
      Task(
        work: .elementwise(task), units: lead.map { shape.extents[$0] } ?? 1,
        unitsAreRows: lead == 0,
        cost: 100 + Double(shape.count) * (cost + 0.1 * Double(accesses.count)),
        accesses: accesses),
      fixed: grouping.isFixed[members[0]])
  }

  // MARK: Reductions

  mutating func lowerReduction(_ id: Int, _ axes: [Int], isSum: Bool) {
    let fixed = grouping.isFixed[id]
    var source = contiguous(view(of: graph[id].inputs[0]))
    // Neighbouring axes (axes of extent 1 between them do not count) are one; the last run goes first.
    var runs: [Range<Int>] = []
    for axis in axes {
      if let last = runs.last,
        source.extents[last.upperBound..<axis].allSatisfy({ $0 == 1 })
      {
        runs[runs.count - 1] = last.lowerBound..<axis + 1
      } else {
        runs.append(axis..<axis + 1)
      }
    }
    for (number, run) in runs.reversed().enumerated() {
      let extents = source.extents
      let outer = extents[..<run.lowerBound].reduce(1, *)
      let inner = extents[run.upperBound...].reduce(1, *)
      var result = extents
      for axis in run { result[axis] = 1 }
      let isLast = number == runs.count - 1
      let out = isLast ? buffer(of: id) : makeBuffer(outer * inner, fixed: fixed)
      let target = View(out, Shape(result))
      let lead = extents[..<run.lowerBound].firstIndex { $0 != 1 }
      add(
        Task(
          work: .reduce(
            ReduceTask(
              isSum: isSum, outer: outer, reduce: extents[run].reduce(1, *), inner: inner,
              source: source, out: out)),
          units: lead.map { extents[$0] } ?? inner, unitsAreRows: lead == 0,
          granule: lead == nil ? 16 : nil, cost: 50 + Double(source.count) * 0.15,
          accesses: lead != nil
            ? [access(source, isWrite: false), access(target, isWrite: true)]
            : [wholeAccess(source.buffer), wholeAccess(out, isWrite: true)]),
        fixed: fixed)
      source = target
    }
  }
}

extension Operation {
  /// The kernel's code for an entrywise operation.
  var opcode: sk_opcode {
    switch self {
    case .unary(let function): function.opcode
    case .binary(let function): function.opcode
    default: SK_SELECT
    }
  }

  var isTranscendental: Bool {
    switch self {
    case .unary(let function):
      switch function {
      case .negate, .abs, .sign, .square, .relu: false
      default: true
      }
    case .binary(.power), .binary(.siluGradient), .binary(.divide): true
    default: false
    }
  }
}

extension UnaryFunction {
  var opcode: sk_opcode {
    switch self {
    case .negate: SK_NEG
    case .abs: SK_ABS
    case .sign: SK_SIGN
    case .square: SK_SQUARE
    case .sqrt: SK_SQRT
    case .rsqrt: SK_RSQRT
    case .reciprocal: SK_RECIPROCAL
    case .exp: SK_EXP
    case .expm1: SK_EXPM1
    case .log: SK_LOG
    case .log1p: SK_LOG1P
    case .sin: SK_SIN
    case .cos: SK_COS
    case .tanh: SK_TANH_
    case .sigmoid: SK_SIGMOID
    case .silu: SK_SILU_
    case .softplus: SK_SOFTPLUS
    case .erf: SK_ERF
    case .relu: SK_RELU_
    }
  }
}

extension BinaryFunction {
  var opcode: sk_opcode {
    switch self {
    case .add: SK_ADD
    case .subtract: SK_SUB
    case .multiply: SK_MUL
    case .divide: SK_DIV
    case .maximum: SK_MAX
    case .minimum: SK_MIN
    case .power: SK_POW
    case .greater: SK_GREATER
    case .siluGradient: SK_SILU_GRAD
    }
  }
}

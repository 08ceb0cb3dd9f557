import CScoreKernels
import ScoreTensors

extension Lowering {
  // MARK: Convolutions

  /// The kernels' description of a convolution of `image` to `result` under a filter of `rows × columns`.
  private func convolution(
    _ window: ConvolutionWindow, image: Shape, result: Shape, rows: Int, columns: Int
  ) -> sk_convolution {
    sk_convolution(
      height: Int64(image[1]), width: Int64(image[2]), channels: Int64(image[3]),
      out_height: Int64(result[1]), out_width: Int64(result[2]), out_channels: Int64(result[3]),
      kernel_height: Int64(rows), kernel_width: Int64(columns), stride: Int64(window.stride),
      spread: Int64(window.spread), top: Int64(window.top), left: Int64(window.left))
  }

  mutating func lowerConvolution(_ id: Int, _ epilogue: Grouping.Epilogue) {
    guard case .convolution(let window, let flipped) = graph[id].operation else { return }
    let (source, filter) = (graph[id].inputs[0], graph[id].inputs[1])
    let image = contiguous(view(of: source))
    var bias: View?
    if let value = epilogue.bias {
      bias = contiguous(view(of: graph.broadcastSource(value) ?? value))
    }
    let (from, to) = (graph.shape(source), graph.shape(id))
    if window.isPointwise(image: from, result: to, filter: graph.shape(filter)) {
      lowerPointwise(id, epilogue, flipped: flipped, image, bias)
      return
    }
    let shape = convolution(
      window, image: from, result: to, rows: graph.shape(filter)[0],
      columns: graph.shape(filter)[1])
    let weights = packedFilter(shape, flipped: flipped, filter)
    var task = ConvolutionTask(
      shape: shape, source: (image.buffer, image.offset), filter: weights, out: -1)
    var accesses = [access(image, isWrite: false), wholeAccess(weights)]
    if let bias {
      task.bias = (bias.buffer, bias.offset, bias.extents[0] == 1 ? 0 : to[3])
      accesses.append(
        bias.extents[0] == 1 ? wholeAccess(bias.buffer) : access(bias, isWrite: false))
    }
    task.accumulates = epilogue.accumulates != nil
    task.out = result(of: epilogue)
    accesses.append(access(View(task.out, to), isWrite: true))
    let macs = Double(to.count) * Double(graph.shape(filter)[0] * graph.shape(filter)[1] * from[3])
    add(
      Task(
        work: .convolution(task), units: to[0], unitsAreRows: to[0] > 1, cost: 100 + macs / 50,
        accesses: accesses),
      fixed: grouping.isFixed[id])
  }

  /// The buffer that a product with an epilogue writes: its own, or that of the value it is added to.
  mutating func result(of epilogue: Grouping.Epilogue) -> Int {
    let value = epilogue.activation ?? epilogue.sum
    guard let accumulated = epilogue.accumulates else { return buffer(of: value) }
    let out = buffer(of: accumulated)
    adopt(value, buffer: out)
    return out
  }

  /// A filter packed for a convolution: once where several convolutions read it alike, and when parameters are bound
  /// where it depends on them alone.
  private mutating func packedFilter(_ shape: sk_convolution, flipped: Bool, _ filter: Int) -> Int {
    let source = contiguous(view(of: filter))
    let key = PackedFilter(source: source, shape: shape.numbers, flipped: flipped)
    if let known = packedFilters[key] { return known }
    let count =
      withUnsafePointer(to: shape) { shape in
        isDouble
          ? sk_conv_packed_count_f64(kernels.table, shape)
          : sk_conv_packed_count_f32(kernels.table, shape)
      }
    let fixed = grouping.isFixed[filter]
    let out = makeBuffer(Int(count), fixed: fixed)
    packedFilters[key] = out
    add(
      Task(
        work: .filterPack(
          FilterPackTask(
            shape: shape, flipped: flipped, source: (source.buffer, source.offset), out: out)),
        units: 1, unitsAreRows: false, cost: 50 + Double(count),
        accesses: [wholeAccess(source.buffer), wholeAccess(out, isWrite: true)]),
      fixed: fixed)
    return out
  }

  /// A 1 × 1 convolution: the product of all pixels with a matrix.
  private mutating func lowerPointwise(
    _ id: Int, _ epilogue: Grouping.Epilogue, flipped: Bool, _ image: View, _ bias: View?
  ) {
    let shape = graph.shape(id)
    let channels = graph.shape(graph[id].inputs[0])[3]
    let filter = contiguous(view(of: graph[id].inputs[1]))
    let pixels = shape[1] * shape[2]
    let weights = MatrixOperand(
      buffer: filter.buffer, offset: filter.offset, leading: flipped ? channels : shape[3],
      transposed: flipped)
    var task = GemmTask(
      m: shape[0] * pixels, n: shape[3], k: channels,
      a: MatrixOperand(
        buffer: image.buffer, offset: image.offset, leading: channels, transposed: false),
      b: weights, out: -1, rowsPerUnit: pixels)
    var accesses = [access(image, isWrite: false), wholeAccess(weights.buffer)]
    if let bias {
      task.bias = (bias.buffer, bias.offset)
      accesses.append(wholeAccess(bias.buffer))
    }
    task.accumulates = epilogue.accumulates != nil
    task.out = result(of: epilogue)
    accesses.append(access(View(task.out, shape), isWrite: true))
    let fixed = grouping.isFixed[id]
    task.packed = packedPlace(weights, n: task.n, k: task.k, inFixedTask: fixed)
    task.isRounded = task.packed != nil && products == .bfloat16
    add(
      Task(
        work: .gemm(task), units: shape[0], unitsAreRows: shape[0] > 1,
        cost: 50 + Double(task.m) * Double(task.n) * Double(task.k) / 25, accesses: accesses),
      fixed: fixed)
  }

  mutating func lowerFilterGradient(_ id: Int, _ window: ConvolutionWindow) {
    let (x, g) = (graph[id].inputs[0], graph[id].inputs[1])
    let (image, gradient) = (contiguous(view(of: x)), contiguous(view(of: g)))
    let (from, to, filter) = (graph.shape(x), graph.shape(g), graph.shape(id))
    let out = buffer(of: id)
    let accesses = [
      wholeAccess(image.buffer), wholeAccess(gradient.buffer), wholeAccess(out, isWrite: true),
    ]
    let cost = 100 + Double(to.count) * Double(filter[0] * filter[1] * from[3]) / 25
    let fixed = grouping.isFixed[id]
    if window.isPointwise(image: from, result: to, filter: filter) {
      let task = GemmTask(
        m: from[3], n: to[3], k: to.count / to[3],
        a: MatrixOperand(
          buffer: image.buffer, offset: image.offset, leading: from[3], transposed: true),
        b: MatrixOperand(
          buffer: gradient.buffer, offset: gradient.offset, leading: to[3], transposed: false),
        out: out)
      add(
        Task(
          work: .gemm(task), units: task.m, unitsAreRows: false, cost: cost, accesses: accesses),
        fixed: fixed)
      return
    }
    let shape = convolution(
      window, image: from, result: to, rows: filter[0], columns: filter[1])
    add(
      Task(
        work: .filterGradient(
          FilterGradientTask(
            shape: shape, images: from[0], source: (image.buffer, image.offset),
            gradient: (gradient.buffer, gradient.offset), out: out)),
        units: filterUnits(shape), unitsAreRows: false, granule: 1, cost: cost,
        accesses: accesses),
      fixed: fixed)
  }

  private func filterUnits(_ shape: sk_convolution) -> Int {
    withUnsafePointer(to: shape) { shape in
      Int(
        isDouble
          ? sk_conv_filter_units_f64(kernels.table, shape)
          : sk_conv_filter_units_f32(kernels.table, shape))
    }
  }

  // MARK: Group normalisation

  mutating func lowerGroupNorm(_ id: Int, _ norm: GroupNormalization) {
    let (base, reads) = groupNormTask(id, norm)
    var task = base
    let out = buffer(of: id)
    task.out = out
    let shape = graph.shape(id)
    add(
      Task(
        work: .groupNorm(task), units: shape[0], unitsAreRows: shape[0] > 1,
        cost: 100 + Double(shape.count) * (norm.silu ? 1 : 0.5),
        accesses: reads + [access(View(out, shape), isWrite: true)]),
      fixed: grouping.isFixed[id])
  }

  /// All wanted gradients of one normalisation by one call; those of scale and shift are sums over the images in order.
  mutating func lowerGroupNormGradients(_ members: [Int]) {
    guard case .groupNormGradient(let norm, _) = graph[members[0]].operation else { return }
    let (base, reads) = groupNormTask(members[0], norm)
    var (task, accesses) = (base, reads)
    let shape = graph.shape(graph[members[0]].inputs[0])
    let gradient = contiguous(view(of: graph[members[0]].inputs[3]))
    task.gradient = (gradient.buffer, gradient.offset)
    accesses.append(access(gradient, isWrite: false))
    for member in members {
      guard case .groupNormGradient(_, let variable) = graph[member].operation else { continue }
      let out = buffer(of: member)
      switch variable {
      case .input: task.out = out
      case .scale: task.scaleGradient = out
      case .shift: task.shiftGradient = out
      }
      accesses.append(
        variable == .input
          ? access(View(out, shape), isWrite: true) : wholeAccess(out, isWrite: true))
    }
    add(
      Task(
        work: .groupNorm(task), units: task.sumsImages ? norm.groups : shape[0],
        unitsAreRows: !task.sumsImages && shape[0] > 1,
        // Whole lines of memory.
        granule: task.sumsImages ? max(1, 16 * norm.groups / max(1, shape[3])) : nil,
        cost: 100 + Double(shape.count) * (norm.silu ? 2 : 1), accesses: accesses),
      fixed: grouping.isFixed[members[0]])
  }

  private mutating func groupNormTask(_ id: Int, _ norm: GroupNormalization)
    -> (GroupNormTask, [Access])
  {
    let inputs = graph[id].inputs
    let shape = graph.shape(inputs[0])
    let image = contiguous(view(of: inputs[0]))
    let (scale, shift) = (contiguous(view(of: inputs[1])), contiguous(view(of: inputs[2])))
    let task = GroupNormTask(
      images: shape[0], pixels: shape[1] * shape[2], channels: shape[3], norm: norm,
      source: (image.buffer, image.offset), scale: (scale.buffer, scale.offset),
      shift: (shift.buffer, shift.offset))
    return (
      task,
      [access(image, isWrite: false), wholeAccess(scale.buffer), wholeAccess(shift.buffer)]
    )
  }
}

extension sk_convolution {
  /// All its numbers.
  fileprivate var numbers: [Int] {
    [
      height, width, channels, out_height, out_width, out_channels, kernel_height, kernel_width,
      stride, spread, top, left,
    ].map { Int($0) }
  }
}

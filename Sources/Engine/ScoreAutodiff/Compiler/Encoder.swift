import CScoreKernels
import ScoreTensors

/// Turns tasks into instructions, once every buffer has its place.
struct Encoder {
  let buffers: [Buffer]
  let isDouble: Bool
  let kernels: Kernels
  let side: SideMemory
  let parameters: Int
  let arguments: Int
  /// Where each packed matrix lies.
  var packed: [Location] = []
  /// The scratch memory that a worker needs for any of the instructions so far.
  private(set) var scratchBytes = 64

  init(
    buffers: [Buffer], isDouble: Bool, kernels: Kernels, side: SideMemory, parameters: Int,
    arguments: Int
  ) {
    self.buffers = buffers
    self.isDouble = isDouble
    self.kernels = kernels
    self.side = side
    self.parameters = parameters
    self.arguments = arguments
  }

  /// The address of an entry of a buffer.
  func location(_ buffer: Int, _ entry: Int = 0) -> Location {
    let size = isDouble ? 8 : 4
    let first = CompiledProgram.Segment.first
    let segment: Int
    var start = buffers[buffer].offset
    switch buffers[buffer].home {
    case .arena: segment = CompiledProgram.Segment.arena
    case .bound: segment = CompiledProgram.Segment.bound
    case .constant(let offset): (segment, start) = (CompiledProgram.Segment.constants, offset)
    case .parameter(let index): segment = first + index
    case .argument(let index): segment = first + parameters + index
    case .output(let index): segment = first + parameters + arguments + index
    }
    return Location(segment: Int32(segment), offset: (start + entry) * size)
  }

  mutating func encode(_ task: Task) -> Instruction {
    var units = 0
    var granule = 1
    if case .units(let count, let multiple) = task.split { (units, granule) = (count, multiple) }
    return Instruction(
      work: encode(task.work, units: task.units), units: units, granule: granule,
      allUnits: task.units, waits: task.waits)
  }

  private mutating func encode(_ work: Task.Work, units: Int) -> Instruction.Work {
    switch work {
    case .gemm(let task): return .gemm(encode(task))
    case .convolution(let task): return .convolution(encode(task))
    case .filterPack(let task): return .filterPack(encode(task))
    case .filterGradient(let task): return .filterGradient(encode(task))
    case .groupNorm(let task): return .groupNorm(encode(task))
    case .elementwise(let task): return .elementwise(encode(task, units: units))
    case .reduce(let task):
      let byOuter = task.outer > 1
      return .reduce(
        Instruction.Reduce(
          isSum: task.isSum, outer: task.outer, reduce: task.reduce, inner: task.inner,
          source: location(task.source.buffer, task.source.offset), out: location(task.out),
          outerUnit: byOuter ? task.outer / units : 0))
    case .copy(let source, let target): return .copy(encode(source, target))
    case .fill(let buffer, let value):
      return .fill(
        target: location(buffer), unit: buffers[buffer].count / units, value: value)
    case .rows(let task):
      return .rows(
        Instruction.Rows(
          isGather: task.isGather, rows: task.rows, columns: task.columns,
          tableRows: task.tableRows, source: location(task.source.buffer, task.source.offset),
          index: location(task.index.buffer, task.index.offset), out: location(task.out)))
    }
  }

  private mutating func encode(_ task: GemmTask) -> Instruction.Gemm {
    // A share may have any number of rows up to all of them.
    let (m, n, k) = (Int64(task.m), Int64(task.n), Int64(task.k))
    require(isDouble ? sk_gemm_scratch_f64(m, n, k) : sk_gemm_scratch_f32(m, n, k))
    if task.isRounded { require(sk_gemm_bf16_scratch(m, k)) }
    return Instruction.Gemm(
      batch: task.batch, m: task.m, n: task.n, k: task.k,
      a: location(task.a.buffer, task.a.offset), lda: task.a.leading, transA: task.a.transposed,
      aStride: task.a.batchStride,
      b: task.packed.map { packed[$0] } ?? location(task.b.buffer, task.b.offset),
      ldb: task.b.leading, transB: task.b.transposed, bStride: task.b.batchStride,
      isPacked: task.packed != nil, isRounded: task.isRounded, out: location(task.out),
      accumulates: task.accumulates,
      bias: task.bias.map { location($0.buffer, $0.offset) } ?? .none,
      activation: task.activation,
      before: task.preActivation.map { location($0) } ?? .none, rowsPerUnit: task.rowsPerUnit,
      unitsAreColumns: task.unitsAreColumns)
  }

  /// Makes room for a kernel's scratch memory.
  mutating func require(_ bytes: Int) { scratchBytes = max(scratchBytes, bytes) }

  private mutating func encode(_ task: ElementwiseTask, units: Int) -> Instruction.Elementwise {
    var program = sk_program()
    let (extents, strides) = Self.collapsed(task)
    program.rank = Int32(extents.count)
    program.input_count = Int32(task.inputs.count)
    program.output_count = Int32(task.outputs.count)
    program.operation_count = Int32(task.operations.count)
    Self.fill(&program.size, extents.map(Int64.init))
    Self.fill(
      &program.view,
      strides.map { steps in
        var view = sk_view()
        Self.fill(&view.stride, steps.map(Int64.init))
        return view
      })
    Self.fill(&program.output, task.outputs.map { UInt16($0.register) })
    Self.fill(&program.operation, task.operations)
    let pointer = side.pointer([program])
    let scratch =
      isDouble
      ? sk_program_scratch_f64(pointer) : sk_program_scratch_f32(pointer)
    require(scratch + Execution.pointerBytes)
    return Instruction.Elementwise(
      program: pointer, inputs: side.pointer(task.inputs.map { location($0.buffer, $0.offset) }),
      outputs: side.pointer(task.outputs.map { location($0.buffer) }),
      unit: task.shape.count / units)
  }

  /// The index space of a program with as few axes as all its views allow.
  private static func collapsed(_ task: ElementwiseTask) -> (extents: [Int], strides: [[Int]]) {
    var extents: [Int] = []
    var strides = [[Int]](repeating: [], count: task.inputs.count)
    for (axis, extent) in task.shape.extents.enumerated() where extent != 1 {
      let steps = task.inputs.map { $0.strides[axis] }
      let merges =
        !extents.isEmpty
        && zip(strides, steps).allSatisfy { $0[$0.count - 1] == $1 * extent }
      if merges {
        extents[extents.count - 1] *= extent
        for input in strides.indices { strides[input][strides[input].count - 1] = steps[input] }
      } else {
        extents.append(extent)
        for input in strides.indices { strides[input].append(steps[input]) }
      }
    }
    return (extents, strides)
  }

  private mutating func encode(_ source: View, _ target: View) -> Instruction.Copy {
    var layout: (extents: [Int64], source: [Int64], target: [Int64]) = ([], [], [])
    for axis in source.extents.indices where source.extents[axis] != 1 {
      layout.extents.append(Int64(source.extents[axis]))
      layout.source.append(Int64(source.strides[axis]))
      layout.target.append(Int64(target.strides[axis]))
    }
    if layout.extents.isEmpty { layout = ([1], [0], [0]) }
    let memory = side.pointer(layout.extents + layout.source + layout.target)
    return Instruction.Copy(
      rank: Int32(layout.extents.count), layout: memory,
      source: location(source.buffer, source.offset),
      target: location(target.buffer, target.offset))
  }

  /// Copies elements to the front of an array that C sees.
  private static func fill<Tuple: BitwiseCopyable, T: BitwiseCopyable>(
    _ tuple: inout Tuple, _ elements: [T]
  ) {
    precondition(
      elements.count * MemoryLayout<T>.stride <= MemoryLayout<Tuple>.size,
      "\(elements.count) elements are more than the kernel takes")
    withUnsafeMutableBytes(of: &tuple) { bytes in
      elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }
}

import CScoreKernels
import ScoreTensors

/// What compiling leaves behind: instructions, constants and sizes. Immutable, so any number of runs may share it.
final class CompiledProgram: @unchecked Sendable {
  /// The memory segments of a run, in this order; then parameters, arguments and outputs.
  enum Segment {
    static let arena = 0
    static let constants = 1
    static let bound = 2
    static let first = 3
  }

  let isDouble: Bool
  let products: ProductPrecision
  let kernels: Kernels
  let parameterShapes: [Shape]
  let argumentShapes: [Shape]
  let outputShapes: [Shape]
  /// Run every time.
  let instructions: UnsafeMutableBufferPointer<Instruction>
  /// Run after them, in any order and several at a time.
  let leaves: UnsafeMutableBufferPointer<Instruction>
  /// Run once, when parameters are bound.
  let fixedInstructions: UnsafeMutableBufferPointer<Instruction>
  /// Run once, after them, in any order: filters packed straight from parameters.
  let filterPacks: UnsafeMutableBufferPointer<Instruction>
  /// Matrices to pack when parameters are bound, with their places in the bound segment.
  let packings: [Packing]
  let constants: UnsafeMutableRawPointer
  let arenaBytes: Int
  let boundBytes: Int
  let scratchBytes: Int
  /// Whether several workers pay.
  let isShared: Bool
  /// The tasks as the lowering left them, for descriptions.
  let tasks: [Task]
  let fixedTasks: [Task]
  let buffers: [Buffer]
  private let side: SideMemory

  struct Packing {
    let n: Int
    let k: Int
    let b: Location
    let ldb: Int
    let transB: Bool
    let place: Location
    /// The rows of the matrix as it lies.
    var rows: Int { transB ? n : k }
  }

  init(
    parameters: [Formula], arguments: [Formula], outputs: [Formula], isDouble: Bool,
    products: ProductPrecision, kernels: Kernels, leavesLast: Bool
  ) {
    self.isDouble = isDouble
    self.products = products
    self.kernels = kernels
    parameterShapes = parameters.map(\.shape)
    argumentShapes = arguments.map(\.shape)
    outputShapes = outputs.map(\.shape)

    let places = Self.places(parameters: parameters, arguments: arguments, outputs: outputs)
    let (all, ids) = Graph.of(outputs)
    let (graph, roots) = all.pruned(ids)
    let grouping = Grouping(
      graph, outputs: roots, fixedInputs: Set(parameters.compactMap(\.inputName)))
    var lowering = Lowering(
      graph, grouping, places: places, outputs: roots, kernels: kernels, isDouble: isDouble,
      products: products)

    let leafCount = leavesLast ? lowering.moveLeavesLast() : 0
    let size = isDouble ? 8 : 4
    arenaBytes =
      size * MemoryPlan.place(lowering.tasks, &lowering.buffers, alignment: 64 / size)
    Partition.assign(&lowering.tasks, lowering.buffers)
    var bound = 0
    for index in lowering.buffers.indices where lowering.buffers[index].home == .bound {
      lowering.buffers[index].offset = bound / size
      bound += (lowering.buffers[index].count * size + 63) / 64 * 64
    }
    let side = SideMemory()
    var encoder = Encoder(
      buffers: lowering.buffers, isDouble: isDouble, kernels: kernels, side: side,
      parameters: parameters.count, arguments: arguments.count)
    packings = lowering.packed.map { matrix in
      let (n, k) = (Int64(matrix.n), Int64(matrix.k))
      let count =
        switch (isDouble, products) {
        case (true, _): sk_gemm_packed_count_f64(kernels.table, n, k)
        case (false, .full): sk_gemm_packed_count_f32(kernels.table, n, k)
        case (false, .bfloat16): sk_gemm_bf16_packed_count(kernels.table, n, k)
        }
      let place = Location(segment: Int32(Segment.bound), offset: bound)
      bound += (Int(count) * size + 63) / 64 * 64
      let operand = matrix.operand
      return Packing(
        n: matrix.n, k: matrix.k, b: encoder.location(operand.buffer, operand.offset),
        ldb: operand.leading, transB: operand.transposed, place: place)
    }
    encoder.packed = packings.map(\.place)
    boundBytes = bound
    let run = lowering.tasks.map { encoder.encode($0) }
    let isFree = Self.freeFilterPacks(lowering.fixedTasks, lowering.buffers)
    let fixed = lowering.fixedTasks.map { encoder.encode($0) }
    instructions = side.array(run.dropLast(leafCount))
    leaves = side.array(run.suffix(leafCount))
    fixedInstructions = side.array(zip(fixed, isFree).filter { !$0.1 }.map { $0.0 })
    filterPacks = side.array(zip(fixed, isFree).filter { $0.1 }.map { $0.0 })
    scratchBytes = (encoder.scratchBytes + 127) / 64 * 64
    isShared = leafCount == 0 && run.contains { $0.units > 0 }

    if isDouble {
      constants = UnsafeMutableRawPointer(side.pointer(lowering.constants))
    } else {
      constants = UnsafeMutableRawPointer(side.pointer(lowering.constants.map { Float($0) }))
    }
    self.side = side
    tasks = lowering.tasks
    fixedTasks = lowering.fixedTasks
    buffers = lowering.buffers
  }

  /// Which of the tasks pack a filter that nothing computes, for nobody among the tasks to read.
  private static func freeFilterPacks(_ tasks: [Task], _ buffers: [Buffer]) -> [Bool] {
    var uses: [Int: Int] = [:]
    for access in tasks.flatMap(\.accesses) { uses[access.buffer, default: 0] += 1 }
    return tasks.map { task in
      guard case .filterPack(let pack) = task.work, uses[pack.out] == 1 else { return false }
      switch buffers[pack.source.buffer].home {
      case .parameter, .constant: return true
      default: return false
      }
    }
  }

  /// Which memory each input is.
  private static func places(parameters: [Formula], arguments: [Formula], outputs: [Formula])
    -> [String: Buffer.Home]
  {
    var places: [String: Buffer.Home] = [:]
    var shapes: [String: Shape] = [:]
    func enter(_ formula: Formula, _ home: Buffer.Home) {
      guard let name = formula.inputName else {
        fatalError("parameters and arguments are inputs, not computed formulas")
      }
      precondition(places[name] == nil, "the input \"\(name)\" is listed twice")
      places[name] = home
      shapes[name] = formula.shape
    }
    for (index, parameter) in parameters.enumerated() { enter(parameter, .parameter(index)) }
    for (index, argument) in arguments.enumerated() { enter(argument, .argument(index)) }
    for formula in Formula.topological(outputs) {
      precondition(
        formula.shape.rank <= SK_MAX_RANK,
        "\(formula.shape) has more than \(SK_MAX_RANK) axes")
      guard let name = formula.inputName else { continue }
      precondition(
        shapes[name] == formula.shape,
        "the input \"\(name)\" of shape \(formula.shape) is listed as \(shapes[name]?.description ?? "nothing")"
      )
    }
    return places
  }

  /// The number of memory segments of a run.
  var segmentCount: Int {
    Segment.first + parameterShapes.count + argumentShapes.count + outputShapes.count
  }

  var firstArgument: Int { Segment.first + parameterShapes.count }
  var firstOutput: Int { firstArgument + argumentShapes.count }
}

/// Arrays with fixed addresses, freed together.
final class SideMemory {
  private var blocks: [UnsafeMutableRawPointer] = []

  /// A copy of plain data.
  func array<T: BitwiseCopyable>(_ elements: some Collection<T>) -> UnsafeMutableBufferPointer<T> {
    UnsafeMutableBufferPointer(start: pointer(Array(elements)), count: elements.count)
  }

  /// The address of a copy of plain data.
  func pointer<T: BitwiseCopyable>(_ elements: [T]) -> UnsafeMutablePointer<T> {
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, elements.count) * MemoryLayout<T>.stride,
      alignment: max(64, MemoryLayout<T>.alignment))
    blocks.append(block)
    let target = block.bindMemory(to: T.self, capacity: elements.count)
    _ = UnsafeMutableBufferPointer(start: target, count: elements.count)
      .initialize(fromContentsOf: elements)
    return target
  }

  deinit {
    for block in blocks { block.deallocate() }
  }
}

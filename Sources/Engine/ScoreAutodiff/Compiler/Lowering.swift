import CScoreKernels
import ScoreTensors

/// Turns groups of values into tasks on buffers.
///
/// Tasks that depend on parameters and constants alone go to `fixedTasks`, which run once, when parameters are bound;
/// the others go to `tasks`, which run every time.
struct Lowering {
  let graph: Graph
  let grouping: Grouping
  var buffers: [Buffer] = []
  var tasks: [Task] = []
  var fixedTasks: [Task] = []
  /// Entries of all constants, and of constant fills one each.
  var constants: [Double] = []
  /// Matrices to pack when parameters are bound.
  var packed: [PackedMatrix] = []
  /// The buffers of packed filters.
  var packedFilters: [PackedFilter: Int] = [:]
  /// Values before SiLU whose buffers hold SiLU's derivative there instead.
  var slopes: Set<Int> = []
  let kernels: Kernels
  let isDouble: Bool
  let products: ProductPrecision
  private var bufferOf: [Int: Int] = [:]
  private var views: [Int: View] = [:]
  private var copies: [View: View] = [:]
  private let places: [String: Buffer.Home]

  /// A right-hand matrix that stays the same between runs.
  struct PackedMatrix: Hashable {
    let operand: MatrixOperand
    let n: Int
    let k: Int
  }

  /// A filter as convolutions of one shape read it; the shape is all that the kernels know of them.
  struct PackedFilter: Hashable {
    let source: View
    let shape: [Int]
    let flipped: Bool
  }

  init(
    _ graph: Graph, _ grouping: Grouping, places: [String: Buffer.Home], outputs: [Int],
    kernels: Kernels, isDouble: Bool, products: ProductPrecision
  ) {
    self.kernels = kernels
    self.isDouble = isDouble
    self.products = products
    self.graph = graph
    self.grouping = grouping
    self.places = places
    for group in grouping.schedule() { lower(group) }
    for (index, output) in outputs.enumerated() { store(output, index) }
  }

  // MARK: Values and views

  mutating func makeBuffer(_ count: Int, fixed: Bool) -> Int {
    buffers.append(Buffer(count: count, home: fixed ? .bound : .arena))
    return buffers.count - 1
  }

  /// The buffer of a computed value.
  mutating func buffer(of id: Int) -> Int {
    if let buffer = bufferOf[id] { return buffer }
    let buffer = makeBuffer(graph.shape(id).count, fixed: grouping.isFixed[id])
    bufferOf[id] = buffer
    return buffer
  }

  /// How a value is read.
  mutating func view(of id: Int) -> View {
    if let view = views[id] { return view }
    let view = makeView(of: id)
    views[id] = view
    return view
  }

  private mutating func makeView(of id: Int) -> View {
    let value = graph[id]
    switch value.operation {
    case .input(let name):
      let home = places[name] ?? .argument(-1)
      if let known = buffers.firstIndex(where: { $0.home == home }) {
        return View(known, value.shape)
      }
      buffers.append(Buffer(count: value.shape.count, home: home))
      return View(buffers.count - 1, value.shape)
    case .constant(let number):
      let single = [Int](repeating: 1, count: value.shape.rank)
      return View(constantBuffer([number]), Shape(single)).broadcast(value.shape)
    case .tensor(let entries): return View(constantBuffer(entries.tensor.scalars), value.shape)
    case .reshape:
      let source = view(of: value.inputs[0])
      return source.reshaped(value.shape) ?? contiguous(source).reshaped(value.shape) ?? source
    case .transpose(let permutation): return view(of: value.inputs[0]).transposed(permutation)
    case .broadcast: return view(of: value.inputs[0]).broadcast(value.shape)
    case .slice(let starts): return view(of: value.inputs[0]).sliced(starts, value.shape)
    default: return View(buffer(of: id), value.shape)
    }
  }

  private mutating func constantBuffer(_ entries: [Double]) -> Int {
    buffers.append(Buffer(count: entries.count, home: .constant(constants.count)))
    constants += entries
    return buffers.count - 1
  }

  /// The same entries row-major in memory: the view itself, or a copy.
  mutating func contiguous(_ view: View) -> View {
    if view.isContiguous { return view }
    if let copy = copies[view] { return copy }
    let target = View(
      makeBuffer(view.count, fixed: buffers[view.buffer].isFixed), Shape(view.extents))
    addCopy(from: view, to: target)
    copies[view] = target
    return target
  }

  // MARK: Leaves

  /// Puts the products and filter gradients that go to outputs, and that no other task reads or adds to, at the end, dear ones
  /// first; returns their number. They do not depend on each other.
  mutating func moveLeavesLast() -> Int {
    var uses = [Int](repeating: 0, count: buffers.count)
    for access in tasks.flatMap(\.accesses) { uses[access.buffer] += 1 }
    func isLeaf(_ task: Task) -> Bool {
      switch task.work {
      case .gemm, .filterGradient:
        task.accesses.allSatisfy { access in
          guard access.isWrite else { return true }
          guard case .output = buffers[access.buffer].home else { return false }
          return uses[access.buffer] == 1
        }
      default: false
      }
    }
    let leaves = tasks.filter(isLeaf).sorted { $0.cost > $1.cost }
    tasks = tasks.filter { !isLeaf($0) } + leaves
    return leaves.count
  }

  // MARK: Tasks

  mutating func add(_ task: Task, fixed: Bool) {
    guard task.accesses.contains(where: { $0.isWrite && buffers[$0.buffer].count > 0 }) else {
      return
    }
    if fixed { fixedTasks.append(task) } else { tasks.append(task) }
  }

  mutating func addCopy(from source: View, to target: View) {
    let lead = source.extents.firstIndex { $0 != 1 }
    let reads = access(source, isWrite: false)
    let writes = access(target, isWrite: true)
    add(
      Task(
        work: .copy(source: source, target: target),
        units: lead.map { source.extents[$0] } ?? 1,
        unitsAreRows: lead == 0 && writes.alignedRows != nil,
        cost: 20 + Double(source.count) * (source.isContiguous ? 0.1 : 0.4),
        accesses: [reads, writes]),
      fixed: buffers[target.buffer].isFixed)
  }

  /// A value's entries to places of a buffer; one that has no strides is copied from before its reshape.
  private mutating func addCopy(of id: Int, to target: View) {
    if case .reshape = graph[id].operation {
      let source = graph[id].inputs[0]
      if view(of: source).reshaped(graph.shape(id)) == nil,
        let place = target.reshaped(graph.shape(source))
      {
        addCopy(of: source, to: place)
        return
      }
    }
    addCopy(from: view(of: id), to: target)
  }

  func access(_ view: View, isWrite: Bool) -> Access {
    Access(
      buffer: view.buffer, isWrite: isWrite,
      alignedRows: view.alignedRows(bufferCount: buffers[view.buffer].count))
  }

  func wholeAccess(_ buffer: Int, isWrite: Bool = false) -> Access {
    Access(buffer: buffer, isWrite: isWrite, alignedRows: nil)
  }

  private mutating func lower(_ group: Int) {
    let members = grouping.members[group]
    if let epilogue = grouping.epilogues[group] {
      if case .matmul = graph[members[0]].operation {
        lowerProduct(members[0], epilogue)
      } else {
        lowerConvolution(members[0], epilogue)
      }
    } else if graph[members[0]].isEntrywise {
      lowerEntrywise(members)
    } else {
      lowerSingle(members)
    }
  }

  /// Makes buffer `from` the memory of value `id`.
  mutating func adopt(_ id: Int, buffer: Int) {
    bufferOf[id] = buffer
    // Copies of what the buffer held before.
    copies = copies.filter { $0.key.buffer != buffer }
    packedFilters = packedFilters.filter { $0.key.source.buffer != buffer }
  }

  private mutating func lowerSingle(_ members: [Int]) {
    let id = members[0]
    let value = graph[id]
    let fixed = grouping.isFixed[id]
    switch value.operation {
    case .sum(let axes): lowerReduction(id, axes, isSum: true)
    case .max(let axes): lowerReduction(id, axes, isSum: false)
    case .concatenate(let axis):
      let target = View(buffer(of: id), value.shape)
      var starts = [Int](repeating: 0, count: value.shape.rank)
      for part in value.inputs {
        addCopy(of: part, to: target.sliced(starts, graph.shape(part)))
        starts[axis] += graph.shape(part).extents[axis]
      }
    case .pad(let starts):
      let target = View(buffer(of: id), value.shape)
      addFill(target.buffer, 0, rows: target, fixed: fixed)
      addCopy(
        from: view(of: value.inputs[0]),
        to: target.sliced(starts, graph.shape(value.inputs[0])))
    case .convolutionFilterGradient(let window): lowerFilterGradient(id, window)
    case .groupNorm(let norm): lowerGroupNorm(id, norm)
    case .groupNormGradient: lowerGroupNormGradients(members)
    case .gather, .scatter: lowerRows(id, isGather: value.operation == .gather)
    default: fatalError("no kernel for \(value.operation)")
    }
  }

  private mutating func addFill(_ buffer: Int, _ value: Double, rows: View, fixed: Bool) {
    let lead = rows.extents.firstIndex { $0 != 1 }
    add(
      Task(
        work: .fill(buffer: buffer, value: value), units: lead.map { rows.extents[$0] } ?? 1,
        unitsAreRows: lead == 0,
        cost: 20 + Double(rows.count) * 0.05, accesses: [access(rows, isWrite: true)]),
      fixed: fixed)
  }

  private mutating func lowerRows(_ id: Int, isGather: Bool) {
    let value = graph[id]
    let source = contiguous(view(of: value.inputs[0]))
    let index = contiguous(view(of: value.inputs[1]))
    let out = buffer(of: id)
    add(
      Task(
        work: .rows(
          RowsTask(
            isGather: isGather, rows: index.count, columns: value.shape.rowCount,
            tableRows: isGather ? source.extents[0] : value.shape.rows,
            source: (source.buffer, source.offset), index: index, out: out)),
        units: 1, unitsAreRows: false, cost: 20 + Double(value.shape.count) * 0.2,
        accesses: [
          wholeAccess(source.buffer), wholeAccess(index.buffer), wholeAccess(out, isWrite: true),
        ]),
      fixed: grouping.isFixed[id])
  }

  /// Puts a value where output `index` is wanted: by computing it there, or else by a copy.
  private mutating func store(_ id: Int, _ index: Int) {
    if let value = graph.constant(id) {
      buffers.append(Buffer(count: graph.shape(id).count, home: .output(index)))
      addFill(
        buffers.count - 1, value, rows: View(buffers.count - 1, graph.shape(id)), fixed: false)
      return
    }
    let view = view(of: id)
    let buffer = buffers[view.buffer]
    if buffer.home == .arena && view.isContiguous && view.offset == 0 && view.count == buffer.count
    {
      buffers[view.buffer].home = .output(index)
      return
    }
    buffers.append(Buffer(count: view.count, home: .output(index)))
    addCopy(from: view, to: View(buffers.count - 1, graph.shape(id)))
  }
}

import ScoreTensors

/// Which values are computed together, by one call of a kernel.
///
/// First each matrix product takes in the sum, bias and activation behind it, which its kernel does while the product
/// is still in registers; so does each convolution with sum and bias. Then entrywise values of one shape are joined as long as no cycle arises and the kernel's
/// limits hold. Everything else is a group of its own; views belong to no group, since they cost nothing.
struct Grouping {
  /// What a matrix product or convolution does beside multiplying.
  struct Epilogue {
    /// A value that the product is added to, in its memory.
    var accumulates: Int?
    /// A value whose entries are added to every row.
    var bias: Int?
    /// The sum of product, accumulated value and bias.
    var sum: Int
    /// The activation of the sum, where it is part of the group; or its product with a slope that another product keeps.
    var activation: Int?
  }

  /// Limits of an elementwise program.
  static let maximumInputs = 16
  static let maximumOutputs = 8
  static let maximumOperations = 64

  let graph: Graph
  let uses: [[Int]]
  let isOutput: [Bool]
  /// Whether a value depends on constants and parameters alone.
  let isFixed: [Bool]
  /// The group of each value, or −1.
  private(set) var groupOf: [Int]
  /// The values of each group in order; empty where the group was joined to another.
  private(set) var members: [[Int]] = []
  /// The epilogue of the group of a matrix product.
  private(set) var epilogues: [Int: Epilogue] = [:]

  init(_ graph: Graph, outputs: [Int], fixedInputs: Set<String>) {
    self.graph = graph
    var uses = [[Int]](repeating: [], count: graph.values.count)
    var isFixed = [Bool](repeating: false, count: graph.values.count)
    for (id, value) in graph.values.enumerated() {
      for input in Set(value.inputs) { uses[input].append(id) }
      if case .input(let name) = value.operation {
        isFixed[id] = fixedInputs.contains(name)
      } else {
        isFixed[id] = value.inputs.allSatisfy { isFixed[$0] }
      }
    }
    self.uses = uses
    self.isFixed = isFixed
    var isOutput = [Bool](repeating: false, count: graph.values.count)
    for output in outputs { isOutput[output] = true }
    self.isOutput = isOutput
    groupOf = [Int](repeating: -1, count: graph.values.count)
    for (id, value) in graph.values.enumerated() {
      if case .matmul = value.operation { addEpilogue(of: id) }
      if case .convolution = value.operation { addEpilogue(ofConvolution: id) }
    }
    for (id, value) in graph.values.enumerated() where groupOf[id] < 0 && value.isComputed {
      addGroup(gradientsOfSameNorm(as: id), nil)
      if value.isEntrywise { join(id) }
    }
  }

  /// The computed value, constant or input that a value is a view of.
  func root(_ id: Int) -> Int {
    var id = id
    while graph[id].isView { id = graph[id].inputs[0] }
    return id
  }

  /// The groups that a group reads from.
  func dependencies(_ group: Int) -> Set<Int> {
    var result: Set<Int> = []
    for member in members[group] {
      for input in graph[member].inputs {
        let other = groupOf[root(input)]
        if other >= 0 && other != group { result.insert(other) }
      }
    }
    return result
  }

  /// Whether a value is read outside its group.
  func isNeededOutside(_ id: Int) -> Bool {
    isOutput[id] || uses[id].contains { groupOf[$0] != groupOf[id] }
  }

  /// The groups in an order that respects their dependencies.
  ///
  /// What has just been computed is used next, while it is in the cache; of several candidates, the one that nothing
  /// else waits for comes first.
  func schedule() -> [Int] {
    let groups = members.indices.filter { !members[$0].isEmpty }
    var waiting = [Int](repeating: 0, count: members.count)
    var dependents = [[Int]](repeating: [], count: members.count)
    for group in groups {
      let needs = dependencies(group)
      waiting[group] = needs.count
      for need in needs { dependents[need].append(group) }
    }
    var ready = Array(groups.filter { waiting[$0] == 0 }.reversed())
    var order: [Int] = []
    while let group = ready.popLast() {
      order.append(group)
      var freed: [Int] = []
      for dependent in dependents[group].sorted() {
        waiting[dependent] -= 1
        if waiting[dependent] == 0 { freed.append(dependent) }
      }
      ready += freed.filter { !dependents[$0].isEmpty }.reversed()
      ready += freed.filter { dependents[$0].isEmpty }.reversed()
    }
    return order
  }

  /// Makes values a group.
  mutating func addGroup(_ values: [Int], _ epilogue: Epilogue?) {
    for id in values { groupOf[id] = members.count }
    epilogues[members.count] = epilogue
    members.append(values)
  }

  // MARK: Matrix products

  private mutating func addEpilogue(of product: Int) {
    var all = [product]
    var epilogue = Epilogue(sum: product)
    let shape = graph.shape(product)
    if shape.extents.dropLast(2).allSatisfy({ $0 == 1 }) {
      // (product + accumulated) + bias is the order in which the kernel adds.
      while let sum = soleUse(of: epilogue.sum), case .binary(.add) = graph[sum].operation,
        groupOf[sum] < 0, isFixed[sum] == isFixed[product]
      {
        let inputs = graph[sum].inputs
        let other = inputs[0] == epilogue.sum ? inputs[1] : inputs[0]
        if other == epilogue.sum { break }
        if epilogue.bias == nil, isRow(other, shape) {
          epilogue.bias = other
        } else if epilogue.bias == nil, epilogue.accumulates == nil,
          mayAccumulate(other, product, sum)
        {
          epilogue.accumulates = other
        } else if epilogue.bias == nil, shape[-2] == 1 {
          epilogue.bias = other
        } else {
          break
        }
        epilogue.sum = sum
        all.append(sum)
      }
      if let activation = uses[epilogue.sum].first(where: {
        groupOf[$0] < 0 && isFixed[$0] == isFixed[product]
          && (graph[$0].isKernelActivation || isProductWithSlope($0, of: epilogue.sum))
      }) {
        epilogue.activation = activation
        all.append(activation)
      }
    }
    addGroup(all, epilogue)
  }

  /// Whether a product's activation is SiLU, and all that the value before it is still needed for is SiLU's derivative, which may
  /// then be kept in its place.
  func keepsSlope(_ epilogue: Epilogue) -> Bool {
    guard let activation = epilogue.activation, graph[activation].operation == .unary(.silu),
      !isOutput[epilogue.sum], uses[epilogue.sum].count > 1
    else { return false }
    return uses[epilogue.sum].allSatisfy { use in
      use == activation || isSlopeTimes(use, epilogue.sum)
    }
  }

  /// Whether a value is the derivative of SiLU at `sum` times another value.
  private func isSlopeTimes(_ id: Int, _ sum: Int) -> Bool {
    graph[id].operation == .binary(.siluGradient) && graph[id].inputs[0] == sum
      && graph[id].inputs[1] != sum
  }

  /// Whether a value is a product's sum, which nothing else reads, times a slope that another product keeps.
  private func isProductWithSlope(_ id: Int, of sum: Int) -> Bool {
    guard soleUse(of: sum) == id, graph[id].inputs.count == 2, graph[id].inputs[1] == sum else {
      return false
    }
    let before = graph[id].inputs[0]
    guard groupOf[before] >= 0, let epilogue = epilogues[groupOf[before]] else { return false }
    return epilogue.sum == before && isSlopeTimes(id, before) && keepsSlope(epilogue)
  }

  func soleUse(of id: Int) -> Int? {
    uses[id].count == 1 && !isOutput[id] ? uses[id][0] : nil
  }

  /// Whether a value adds the same row to each row of a matrix.
  private func isRow(_ id: Int, _ shape: Shape) -> Bool {
    guard let source = graph.broadcastSource(id) else { return false }
    return graph.shape(source).count == shape[-1] && graph.shape(source)[-1] == shape[-1]
      && graph.constant(source) == nil
  }

  /// Whether a product may be added to `value` where it lies: it is computed, and what else reads it comes before.
  func mayAccumulate(_ value: Int, _ product: Int, _ sum: Int) -> Bool {
    guard graph[value].isComputed, !isFixed[value] || isFixed[sum] else { return false }
    var readers: [Int] = []
    var pending = [value]
    while let id = pending.popLast() {
      if isOutput[id] { return false }
      for use in uses[id] where use != sum {
        if graph[use].isView { pending.append(use) } else { readers.append(use) }
      }
    }
    if readers.isEmpty { return true }
    var before: Set<Int> = []
    pending = [product]
    let earliest = readers.reduce(value, min)
    while let id = pending.popLast() {
      for input in graph[id].inputs where input >= earliest && before.insert(input).inserted {
        pending.append(input)
      }
    }
    return readers.allSatisfy(before.contains)
  }

  // MARK: Entrywise values

  /// Joins the group of a new value with the groups of its inputs where that is sound.
  private mutating func join(_ id: Int) {
    for input in graph[id].inputs where graph[input].isEntrywise {
      let (own, other) = (groupOf[id], groupOf[input])
      guard own != other, epilogues[other] == nil, graph.shape(input) == graph.shape(id),
        isFixed[input] == isFixed[id], fits(members[other] + members[own]),
        !readsItsViews(members[other] + members[own]), !reaches(other, from: own)
      else { continue }
      for member in members[own] { groupOf[member] = other }
      members[other] = (members[other] + members[own]).sorted()
      members[own] = []
    }
  }

  /// Whether one elementwise program can compute these values.
  private func fits(_ values: [Int]) -> Bool {
    let all = Set(values)
    var inputs: Set<Int> = []
    var constants: Set<Double> = []
    var outputs = 0
    for value in values {
      for input in graph[value].inputs where !all.contains(input) {
        if let constant = graph.constant(input) {
          constants.insert(constant)
        } else {
          inputs.insert(input)
        }
      }
      if isOutput[value] || uses[value].contains(where: { !all.contains($0) }) { outputs += 1 }
    }
    return inputs.count <= Self.maximumInputs && outputs <= Self.maximumOutputs
      && values.count + constants.count <= Self.maximumOperations
  }

  /// Whether one of these values reads another through a view, in an order that a loop over their entries has not made yet.
  private func readsItsViews(_ values: [Int]) -> Bool {
    let all = Set(values)
    return values.contains { value in
      graph[value].inputs.contains { graph[$0].isView && all.contains(root($0)) }
    }
  }

  /// Whether `from` needs `target` by way of a third group.
  private func reaches(_ target: Int, from: Int) -> Bool {
    var pending = Array(dependencies(from).subtracting([target]))
    var seen = Set(pending)
    while let group = pending.popLast() {
      if group == target { return true }
      for next in dependencies(group) where seen.insert(next).inserted { pending.append(next) }
    }
    return false
  }
}

extension Graph.Value {
  var isEntrywise: Bool {
    switch operation {
    case .unary, .binary, .select: true
    default: false
    }
  }

  var isView: Bool {
    switch operation {
    case .reshape, .transpose, .broadcast, .slice: true
    default: false
    }
  }

  var isComputed: Bool {
    switch operation {
    case .input, .constant, .tensor: false
    default: !isView
    }
  }

  var isKernelActivation: Bool {
    switch operation {
    case .unary(.silu), .unary(.tanh), .unary(.relu): true
    default: false
    }
  }
}

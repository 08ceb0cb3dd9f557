import ScoreTensors

/// The compiler's own form of formulas: a list of values, each an operation on earlier ones, none of them twice.
///
/// Formulas enter through ``add(_:_:_:)``, which simplifies as it goes; equal values are one value, so common
/// subexpressions are found by construction. A simplified value has the bits of the formula it stands for, whatever the
/// batch size, except where constants are combined, where repeated entries are added (a product) and where the sum of a
/// few wide slices becomes entrywise additions; the sign of a zero may be another (0 − x is −x, and x + 0 is x). No product is
/// contracted with a sum.
struct Graph {
  /// One value.
  struct Value: Hashable {
    let operation: Operation
    let inputs: [Int]
    let shape: Shape
  }

  private(set) var values: [Value] = []
  private var known: [Value: Int] = [:]

  /// The graph of formulas, and the values that they became.
  static func of(_ formulas: [Formula]) -> (graph: Graph, outputs: [Int]) {
    var graph = Graph()
    var place: [ObjectIdentifier: Int] = [:]
    for formula in Formula.topological(formulas) {
      place[ObjectIdentifier(formula.node)] = graph.add(
        formula.node.operation, formula.node.inputs.compactMap { place[ObjectIdentifier($0)] },
        formula.shape)
    }
    return (graph, formulas.compactMap { place[ObjectIdentifier($0.node)] })
  }

  subscript(id: Int) -> Value { values[id] }

  func shape(_ id: Int) -> Shape { values[id].shape }

  /// The number in every entry of a constant value.
  func constant(_ id: Int) -> Double? {
    if case .constant(let value) = values[id].operation { value } else { nil }
  }

  /// The value before it was broadcast, where it was.
  func broadcastSource(_ id: Int) -> Int? {
    if case .broadcast = values[id].operation { values[id].inputs[0] } else { nil }
  }

  /// The value with these parts, made where it does not exist yet.
  mutating func intern(_ operation: Operation, _ inputs: [Int], _ shape: Shape) -> Int {
    let value = Value(operation: operation, inputs: inputs, shape: shape)
    if let id = known[value] { return id }
    values.append(value)
    known[value] = values.count - 1
    return values.count - 1
  }

  mutating func constant(_ value: Double, _ shape: Shape) -> Int {
    intern(.constant(value), [], shape)
  }

  /// Keeps what `outputs` lean on, in order; returns where the outputs went.
  func pruned(_ outputs: [Int]) -> (graph: Graph, outputs: [Int]) {
    var needed = [Bool](repeating: false, count: values.count)
    for output in outputs { needed[output] = true }
    for id in values.indices.reversed() where needed[id] {
      for input in values[id].inputs { needed[input] = true }
    }
    var graph = Graph()
    var place = [Int](repeating: -1, count: values.count)
    for id in values.indices where needed[id] {
      let value = values[id]
      place[id] = graph.intern(value.operation, value.inputs.map { place[$0] }, value.shape)
    }
    return (graph, outputs.map { place[$0] })
  }
}

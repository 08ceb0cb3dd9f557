import ScoreTensors

/// A formula over tensors: an immutable value that says how a result follows from its inputs.
///
/// A formula is a handle on a node of a directed acyclic graph; a node holds an operation, its inputs and the shape of
/// its result. Writing a formula computes nothing. `gradient`, `vjp` and `jvp` turn formulas into formulas, and
/// ``Program`` compiles formulas for `Float` or `Double` and runs them. There is no builder, no tape and no global
/// state: formulas are made, shared and dropped like numbers, on any thread.
///
/// ```swift
/// let x = Formula.input("x", [8, 2])
/// let energy = (0.5 * square(x)).sum()
/// let force = -gradient(of: energy, withRespectTo: x)
/// let program = Program<Float>(arguments: [x], outputs: [force])
/// ```
///
/// Shapes are checked when a formula is written: a mismatch is a programmer's mistake and stops with both shapes.
///
/// To add an operation: give it a case in ``Operation``, a rule in `Rules+Reverse.swift` and in `Rules+Forward.swift`
/// (a rule returns formulas, so that derivatives nest), a line in `Interpreter.swift`, and a kernel in `Lowering`;
/// the tests over all operations then hold it to finite differences and to the interpreter.
public struct Formula: Sendable {
  package let node: Node

  package init(_ operation: Operation, _ inputs: [Formula], _ shape: Shape) {
    node = Node(operation, inputs.map(\.node), shape)
  }

  package init(_ node: Node) { self.node = node }

  /// The shape of the result.
  public var shape: Shape { node.shape }

  /// A constant with no axes; it mixes with any shape.
  public init(_ value: Double) { self.init(.constant(value), [], []) }

  /// The same number in every entry of a shape.
  public init(repeating value: Double, _ shape: Shape) { self.init(.constant(value), [], shape) }

  /// Numbers known now; they are rounded to the scalar type when a program is compiled.
  public init<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>) {
    self.init(
      .tensor(ConstantEntries(tensor: Tensor<Double>(tensor))), [], tensor.shape)
  }

  /// A value that is given when the program runs.
  ///
  /// Inputs are known by name: two inputs of one name are the same value and must have one shape.
  public static func input(_ name: String, _ shape: Shape) -> Formula {
    Formula(.input(name), [], shape)
  }

  /// The name, where the formula is an input.
  public var inputName: String? {
    if case .input(let name) = node.operation { name } else { nil }
  }

  package var inputs: [Formula] { node.inputs.map { Formula($0) } }

  /// The formula's value where it is one constant number in every entry.
  package var constantValue: Double? {
    switch node.operation {
    case .constant(let value): value
    case .broadcast, .reshape: inputs[0].constantValue
    default: nil
    }
  }
}

/// A node of a formula's graph.
///
/// Immutable while shared, hence safe to use from any thread.
package final class Node: @unchecked Sendable {
  package let operation: Operation
  package let shape: Shape
  // Written by deinit alone, when nobody else holds the node.
  package private(set) var inputs: [Node]

  init(_ operation: Operation, _ inputs: [Node], _ shape: Shape) {
    self.operation = operation
    self.inputs = inputs
    self.shape = shape
  }

  // Releases long chains in a loop: recursion would overflow the stack on graphs of many thousand nodes.
  deinit {
    var pending = inputs
    inputs = []
    while var node = pending.popLast() {
      if isKnownUniquelyReferenced(&node) {
        pending.append(contentsOf: node.inputs)
        node.inputs = []
      }
    }
  }
}

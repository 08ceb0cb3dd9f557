import ScoreTensors

/// The tensors of a network by name, in a fixed order.
public struct Parameters<Scalar: TensorScalar>: Sendable, Equatable {
  /// The names, in order.
  public let names: [String]
  /// The tensors, in the order of the names.
  public var tensors: [Tensor<Scalar>]

  /// Creates parameters from names and tensors in the same order; no name occurs twice.
  public init(names: [String], tensors: [Tensor<Scalar>]) {
    precondition(
      names.count == tensors.count && Set(names).count == names.count,
      "\(names.count) names for \(tensors.count) tensors, or a name twice")
    self.names = names
    self.tensors = tensors
  }

  /// Draws the parameters of a network: each from the key folded with its name, whatever the others are.
  public init(drawing parameters: [Parameter], key: RandomKey) {
    self.init(
      names: parameters.map(\.name),
      tensors: parameters.map { $0.initializer.values($0.shape, key: key.folded($0.name)) })
  }

  /// The tensor of a name, or nil.
  public subscript(name: String) -> Tensor<Scalar>? {
    names.firstIndex(of: name).map { tensors[$0] }
  }

  /// The number of entries in all.
  public var count: Int { tensors.reduce(0) { $0 + $1.count } }
}

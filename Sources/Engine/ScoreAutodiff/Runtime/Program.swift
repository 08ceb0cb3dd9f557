import ScoreTensors

/// Formulas compiled for one scalar type and one set of shapes.
public struct Program<Scalar: TensorScalar>: Sendable {
  private let parameters: [Formula]
  private let arguments: [Formula]
  private let outputs: [Formula]

  /// Compiles formulas of parameters, which stay fixed between runs, and arguments, which change.
  public init(parameters: [Formula] = [], arguments: [Formula], outputs: [Formula]) {
    self.parameters = parameters
    self.arguments = arguments
    self.outputs = outputs
  }

  /// The shapes that the arguments must have.
  public var argumentShapes: [Shape] { arguments.map(\.shape) }
  /// The shapes of the outputs.
  public var outputShapes: [Shape] { outputs.map(\.shape) }

  /// Fixes the parameters: work that depends on them alone is done now, once.
  public func bind(_ parameters: [Tensor<Scalar>]) -> BoundProgram<Scalar> {
    BoundProgram(
      names: (self.parameters + arguments).compactMap(\.inputName), outputs: outputs,
      parameters: parameters)
  }

  /// The outputs for parameters (if there are any) and arguments; convenient, not fast.
  public func callAsFunction(
    _ arguments: [Tensor<Scalar>], parameters: [Tensor<Scalar>] = [], pool: ThreadPool? = nil
  ) -> [Tensor<Scalar>] {
    bind(parameters)(arguments, pool: pool)
  }
}

/// A program whose parameters are fixed.
public struct BoundProgram<Scalar: TensorScalar>: Sendable {
  let names: [String]
  let outputs: [Formula]
  let parameters: [Tensor<Scalar>]

  /// The outputs for arguments.
  public func callAsFunction(_ arguments: [Tensor<Scalar>], pool: ThreadPool? = nil)
    -> [Tensor<Scalar>]
  {
    let values = (parameters + arguments).map { Tensor<Double>($0) }
    return Interpreter.evaluate(
      outputs, Dictionary(uniqueKeysWithValues: zip(names, values))
    ).map { Tensor<Scalar>($0) }
  }

  /// Memory for runs on the workers of a pool.
  public func makeWorkspace(pool: ThreadPool? = nil) -> Workspace<Scalar> { Workspace(pool: pool) }

  /// Runs into tensors that exist already; allocates nothing.
  public func run(
    _ arguments: [Tensor<Scalar>], into results: inout [Tensor<Scalar>],
    _ workspace: Workspace<Scalar>
  ) {
    results = callAsFunction(arguments, pool: workspace.pool)
  }
}

/// The memory that one run of a program needs; several runs at a time need one each.
public final class Workspace<Scalar: TensorScalar>: @unchecked Sendable {
  let pool: ThreadPool?
  init(pool: ThreadPool?) { self.pool = pool }
}

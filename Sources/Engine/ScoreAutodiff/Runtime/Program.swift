import CScoreKernels
import ScoreTensors

/// Formulas compiled for one scalar type and one set of shapes.
///
/// Compiling goes through these steps:
/// 1. ``Graph`` makes equal subformulas one value, folds constants and simplifies; work on repeated rows is done once.
/// 2. ``Grouping`` joins entrywise values into fused loops, and bias and activation to matrix products.
/// 3. ``Lowering`` turns groups into kernel calls on buffers. Transposes, slices and broadcasts become strides; what
///    depends on parameters alone is set apart, to be done once.
/// 4. ``MemoryPlan`` places buffers in one arena; ``Partition`` shares tasks among workers and says where they meet.
/// 5. ``Encoder`` writes a list of plain instructions, which ``Execution`` walks.
///
/// No step changes the order of any sum, so a row's bits depend neither on the number of rows nor on the workers.
///
/// ```swift
/// let x = Formula.input("x", [64, 2])
/// let w = Formula.input("w", [2, 2])
/// let program = Program<Float>(parameters: [w], arguments: [x], outputs: [silu(x.matmul(w))])
/// let layer = program.bind([weights])
/// let y = layer([batch])[0]
/// ```
///
/// Parameters and arguments are inputs; every input of the outputs is listed once. Compiling takes time in the order of
/// a millisecond for a network; a program is a value that may be shared between threads.
public struct Program<Scalar: TensorScalar>: Sendable {
  let compiled: CompiledProgram

  /// Compiles formulas of parameters, which stay fixed between runs, and arguments, which change.
  ///
  /// Products other than full ones are Float's alone.
  public init(
    parameters: [Formula] = [], arguments: [Formula], outputs: [Formula],
    products: ProductPrecision = .full, kernels: Kernels = .best
  ) {
    self.init(
      parameters: parameters, arguments: arguments, outputs: outputs, products: products,
      kernels: kernels, leavesLast: false)
  }

  /// The same; `leavesLast` puts the products that nothing but the caller waits for at the end, where threads without work of
  /// their own may take some of them. Such a program runs on one thread beside those, and what its leaves read lives as long.
  package init(
    parameters: [Formula], arguments: [Formula], outputs: [Formula],
    products: ProductPrecision = .full, kernels: Kernels = .best, leavesLast: Bool
  ) {
    precondition(
      products == .full || MemoryLayout<Scalar>.size == 4,
      "\(Scalar.typeName) programs have full products, not \(products)")
    compiled = CompiledProgram(
      parameters: parameters, arguments: arguments, outputs: outputs,
      isDouble: MemoryLayout<Scalar>.size == 8, products: products, kernels: kernels,
      leavesLast: leavesLast)
  }

  /// The shapes that the parameters must have.
  public var parameterShapes: [Shape] { compiled.parameterShapes }
  /// The shapes that the arguments must have.
  public var argumentShapes: [Shape] { compiled.argumentShapes }
  /// The shapes of the outputs.
  public var outputShapes: [Shape] { compiled.outputShapes }

  /// Fixes the parameters: work that depends on them alone is done now, once, and weight matrices are packed.
  public func bind(_ parameters: [Tensor<Scalar>]) -> BoundProgram<Scalar> {
    BoundProgram(compiled, parameters)
  }

  /// The outputs for parameters, where there are any, and arguments; convenient, but binds and allocates.
  public func callAsFunction(
    _ arguments: [Tensor<Scalar>], parameters: [Tensor<Scalar>] = [], pool: ThreadPool? = nil
  ) -> [Tensor<Scalar>] {
    bind(parameters)(arguments, pool: pool)
  }
}

/// Compiles a function of formulas: the inputs get the shapes given, in order.
public func compile<Scalar: TensorScalar>(
  _ shapes: [Shape], as type: Scalar.Type = Float.self, _ body: ([Formula]) -> [Formula]
) -> BoundProgram<Scalar> {
  let inputs = shapes.enumerated().map { Formula.input("argument \($0)", $1) }
  return Program<Scalar>(arguments: inputs, outputs: body(inputs)).bind([])
}

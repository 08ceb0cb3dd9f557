import Foundation
import ScoreAutodiff
import ScoreModels
import ScoreNetworks
import ScoreTensors

/// Fits a network to noisy targets by least squares, for scores that have no kernel or live on another state.
///
/// ```
/// L = mean over rows of w ‖F(x, c) − y‖²/outputs
/// ```
///
/// Score matching from short steps of a simulation and the velocity score of critically damped Langevin diffusion are
/// such regressions: the mean of the targets given (x, c) is what the network learns. `Trainer` serves the linear family.
/// A copy shares the memory in which gradients are computed: one of them steps at a time.
///
/// `save(to:)` writes all of its state, and `restore(from:)` takes it up, so that under the same batches a training that was
/// stopped ends in the bits of one that was not.
public struct RegressionTrainer<Scalar: TensorScalar> {
  /// Rows of one step.
  public let batchSize: Int
  /// The steps over which the learning rate falls along a cosine, to a thousandth at last.
  public let steps: Int
  /// The learning rate at the start.
  public let learningRate: Double

  private let network: any Network
  private let names: [String]
  private let widths: (inputs: Int, conditions: Int, outputs: Int)
  private let pool: ThreadPool
  private let gradient: ShardedGradient<Scalar>
  private var optimizer: Adam<Scalar>
  private var tensors: [Tensor<Scalar>]

  /// Creates a trainer of a multilayer perceptron before its first step.
  /// - Throws: `TrainingError` unless all sizes are 1 or more, inputs, conditions and outputs at most 2²⁴, the width
  ///   16,384, the layers 256 and the batch 2²⁰, and the learning rate positive, and where the machine has less memory than the
  ///   network or a step takes.
  public init(
    inputs: Int, conditions: Int, outputs: Int, width: Int = 64, layers: Int = 2, batchSize: Int,
    steps: Int, learningRate: Double = 2e-3, seed: UInt64 = 0, pool: ThreadPool
  ) throws(TrainingError) {
    try Self.check([
      ("inputs", inputs, ModelConfiguration.mostEntries),
      ("conditions", conditions, ModelConfiguration.mostEntries),
      ("outputs", outputs, ModelConfiguration.mostEntries),
      ("width", width, NetworkSpec.mostWidth), ("layers", layers, NetworkSpec.mostDepth),
    ])
    try self.init(
      MLP(
        inputs: inputs, conditions: conditions, width: width, layers: layers, outputs: outputs),
      inputs: inputs, conditions: conditions, outputs: outputs, batchSize: batchSize, steps: steps,
      learningRate: learningRate, seed: seed, pool: pool)
  }

  /// Creates a trainer of any network before its first step.
  /// - Parameter network: takes `[n, inputs]` and a condition `[n, conditions]` to `[n, outputs]`, row by row.
  /// - Throws: `TrainingError` as the other, and where the network gives another shape, or a row by others, or does not name the
  ///   parameters that it takes.
  public init(
    _ network: any Network, inputs: Int, conditions: Int, outputs: Int, batchSize: Int,
    steps: Int, learningRate: Double = 2e-3, seed: UInt64 = 0, pool: ThreadPool
  ) throws(TrainingError) {
    try Self.check([
      ("inputs", inputs, ModelConfiguration.mostEntries),
      ("conditions", conditions, ModelConfiguration.mostEntries),
      ("outputs", outputs, ModelConfiguration.mostEntries),
      ("batch size", batchSize, TrainingOptions.mostBatchSize), ("steps", steps, .max),
    ])
    guard learningRate > 0, learningRate.isFinite else {
      throw TrainingError(
        "the regression has learning rate \(learningRate); expected a number above 0")
    }
    self.batchSize = batchSize
    self.steps = steps
    self.learningRate = learningRate
    self.network = network
    self.pool = pool
    widths = (inputs, conditions, outputs)
    try Adam<Scalar>.checkMemory(of: network.parameters, "regression's network")
    try Self.check(network, widths)
    let parameters = Parameters<Scalar>(
      drawing: network.parameters, key: RandomKey(seed).folded("parameters"))
    names = parameters.names
    tensors = parameters.tensors
    optimizer = Adam(tensors)
    gradient = try ShardedGradient(
      batch: batchSize, parameters: network.parameters.map(\.formula),
      trained: Array(network.parameters.indices), pool: pool
    ) { rows in
      let x = Self.input("x", [rows, inputs])
      let c = Self.input("c", [rows, conditions])
      let y = Self.input("y", [rows, outputs])
      let w = Self.input("w", [rows, 1])
      let squares = w * square(network(x, condition: c) - y)
      return ([x, c, y, w], squares.sum() / Double(rows * outputs))
    }
  }

  private static func check(
    _ sizes: [(name: String, value: Int, most: Int)]
  ) throws(TrainingError) {
    for (name, value, most) in sizes where value < 1 || value > most {
      throw TrainingError(
        "the regression has \(name) \(value); expected \(value < 1 ? "1 or more" : "at most \(most)")"
      )
    }
  }

  private static func check(
    _ network: any Network, _ widths: (inputs: Int, conditions: Int, outputs: Int)
  ) throws(TrainingError) {
    let check = NetworkCheck(
      name: "the regression's network", parameters: network.parameters, inputs: widths.inputs,
      conditions: widths.conditions, outputs: widths.outputs
    ) { network($0, condition: $1) }
    do { try check.check() } catch { throw TrainingError("\(error)") }
  }

  private static func input(_ name: String, _ shape: Shape) -> Formula {
    ModelConfiguration.input(name, shape)
  }

  /// Steps done.
  public var step: Int { optimizer.steps }

  /// Does one step on a batch of `batchSize` rows; weights are 1 where none are given.
  ///
  /// - Returns: the loss of the batch.
  /// - Parameters:
  ///   - x: `[batchSize, inputs]`.
  ///   - c: `[batchSize, conditions]`.
  ///   - y: `[batchSize, outputs]`.
  /// - Throws: `TrainingError` where a shape is another, a number is not finite, a weight is below 0, or the loss is no longer
  ///   finite; the parameters stay as they were.
  @discardableResult
  public mutating func advance(
    inputs x: Tensor<Scalar>, conditions c: Tensor<Scalar>, targets y: Tensor<Scalar>,
    weights: [Double]? = nil
  ) throws(TrainingError) -> Double {
    for (name, shape, width) in [
      ("inputs", x.shape, widths.inputs), ("conditions", c.shape, widths.conditions),
      ("targets", y.shape, widths.outputs), ("weights", [weights?.count ?? batchSize, 1], 1),
    ] where shape != [batchSize, width] {
      throw TrainingError(
        "the regression's \(name) have shape \(shape); expected \(Shape([batchSize, width]))")
    }
    for (name, values) in [("inputs", x), ("conditions", c), ("targets", y)] where !values.isFinite
    {
      throw TrainingError(
        "the regression's \(name) hold a number that is not finite; expected finite ones")
    }
    if let bad = weights?.first(where: { !($0 >= 0 && Scalar($0).isFinite) }) {
      throw TrainingError(
        "a weight of the regression is \(bad.inSentence); expected finite ones of 0 or more")
    }
    let weights = Tensor<Scalar>(
      [batchSize, 1],
      weights?.map { Scalar($0) } ?? [Scalar](repeating: 1, count: batchSize))
    let (loss, norm) = gradient(tensors, [x, c, y, weights])
    guard loss.isFinite, norm.isFinite else {
      throw TrainingError(
        "the regression diverged at step \(step + 1): the loss is \(loss.inSentence)")
    }
    let share = min(1, Double(step) / Double(steps))
    optimizer.step(
      &tensors, at: Array(tensors.indices), gradients: gradient.gradients,
      scale: norm > 1 ? 1 / norm : 1,
      rate: learningRate * max(0.5 * (1 + cos(.pi * share)), 1e-3),
      decay: min(0.995, Double(1 + step) / Double(10 + step)), pool: pool)
    return loss
  }

  /// Writes the whole state, in the form of a run's checkpoint: `parameters/NAME`, `average/NAME` and Adam's moments.
  /// - Throws: `FileError` where it cannot be written, and, before anything is, where an entry of it is not finite.
  public func save(to path: String) throws(FileError) {
    let checkpoint = optimizer.checkpoint(of: Parameters(names: names, tensors: tensors))
    try checkpoint.checkFinite(at: step, for: path)
    try checkpoint.write(to: path)
  }

  /// Takes up the state that one of the same network saved; the next step is the one after. What is not in the file, the
  /// learning rate, the steps and the batch size, are this one's own.
  /// - Throws: `FileError` where the file cannot be read, or a tensor is missing or has another shape; nothing is changed then.
  public mutating func restore(from path: String) throws(FileError) {
    tensors = try optimizer.restore(Safetensors(contentsOf: path), of: names, from: path).tensors
  }

  /// The averaged parameters by name.
  public var averagedParameters: Parameters<Scalar> {
    Parameters(names: names, tensors: optimizer.average)
  }

  /// The network with averaged parameters, compiled for batches of `rows` rows.
  /// - Throws: `TrainingError` unless there are from 1 to 2²⁰ rows.
  public func function(rows: Int) throws(TrainingError) -> RegressionFunction<Scalar> {
    try Self.check([("batch size", rows, TrainingOptions.mostBatchSize)])
    let x = Self.input("x", [rows, widths.inputs])
    let c = Self.input("c", [rows, widths.conditions])
    return RegressionFunction(
      program: Program<Scalar>(
        parameters: network.parameters.map(\.formula), arguments: [x, c],
        outputs: [network(x, condition: c)]
      ).bind(optimizer.average))
  }
}

/// A fitted network for batches of one size.
public struct RegressionFunction<Scalar: TensorScalar>: Sendable {
  fileprivate let program: BoundProgram<Scalar>

  /// F(x, c), row by row.
  /// - Throws: `TrainingError` for a batch of another shape than it was compiled for.
  public func callAsFunction(
    _ x: Tensor<Scalar>, conditions c: Tensor<Scalar>
  ) throws(TrainingError) -> Tensor<Scalar> {
    for ((name, found), expected) in zip(
      [("inputs", x.shape), ("conditions", c.shape)], program.argumentShapes)
    where found != expected {
      throw TrainingError(
        "the regression's \(name) have shape \(found); expected \(expected), that of the batches that the function is for"
      )
    }
    return program([x, c])[0]
  }
}

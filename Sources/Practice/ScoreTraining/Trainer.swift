import Foundation
import ScoreAutodiff
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// Trains a score network by score matching, one step at a time.
///
/// Step k is a function of the state after step k − 1 and of (seed, k) alone, so a run that is stopped and resumed ends
/// in the same bits as one that was not. A copy shares the memory in which gradients are computed: one of them steps at a
/// time.
public struct Trainer<Scalar: TensorScalar> {
  /// The options.
  public let options: TrainingOptions
  /// What is trained.
  public let model: ModelConfiguration
  /// The loss, with its process.
  public let loss: ScoreMatchingLoss
  /// The state of the optimiser, with the averaged parameters.
  public package(set) var optimizer: Adam<Scalar>

  private let batches: TrainingBatches<Scalar>
  private let names: [String]
  private let trained: [Int]
  private let gradient: ShardedGradient<Scalar>
  let pool: ThreadPool
  private var tensors: [Tensor<Scalar>]
  /// The batch of the step to come, drawn while the last one was under way.
  private var prepared: (step: Int, batch: ScoreMatchingLoss.Batch<Scalar>)?

  /// What one step did.
  public struct Report: Sendable, Equatable {
    /// The step, counted from 1.
    public var step: Int
    /// The loss of its batch.
    public var loss: Double
    /// The norm of the gradient before clipping.
    public var gradientNorm: Double
    public var learningRate: Double
  }

  /// Draws as many samples as it is asked for, a function of the key.
  public typealias Draw = @Sendable (_ count: Int, _ key: RandomKey) throws -> TrainingData<Scalar>

  /// Draws as many points of a flow as it is asked for, a function of the key.
  public typealias DrawPoints =
    @Sendable (_ count: Int, _ key: RandomKey) throws ->
    FlowPoints<Scalar>

  /// Creates a trainer on a set of samples before its first step.
  /// - Parameter initial: parameters to begin with, as those of a model that was trained on other data; drawn where there are none.
  /// - Throws: where options are out of range, the data do not fit the model, a step takes more memory than the machine has, or
  ///   initial parameters are not the model's.
  public init(
    _ model: ModelConfiguration, process: any LinearProcess, data: TrainingData<Scalar>,
    options: TrainingOptions, from initial: Parameters<Scalar>? = nil, pool: ThreadPool
  ) throws {
    try self.init(
      model, process: process, source: .set(data), options: options, pool: pool)
    try begin(with: initial)
  }

  /// Creates a trainer whose samples are drawn anew for each step, as from a simulation, before its first step.
  ///
  /// No sample is seen twice, so nothing is learnt by heart, and nothing but the time of the draws limits how much is learnt.
  /// - Parameter draw: called by each step, before its gradient, on the caller's thread; the draws of the first step are also taken
  ///   here, for their deviation, which EDM's weighting and times know.
  /// - Throws: as the other, and `TrainingError` where samples cannot be drawn; so does each step.
  public init(
    _ model: ModelConfiguration, process: any LinearProcess, options: TrainingOptions,
    pool: ThreadPool, drawing draw: @escaping Draw
  ) throws {
    try self.init(
      model, process: process, source: .drawn(draw), options: options, pool: pool)
  }

  /// Creates a trainer of a consistency function, x̂₀ = f(x_t, t), on points of a flow that are drawn anew for each step.
  ///
  /// ```
  /// L = E |F − F*|² / D,   F* what the network would give for x̂₀ = x_ε/α_ε
  /// ```
  ///
  /// It is the denoising loss with noise that is not drawn but led to, z = (x_t − α x̂₀)/σ, and so that its least value is 0. The
  /// weighting and the times of the options have no part in it: the points have their times.
  /// - Parameters:
  ///   - initial: parameters to begin with, as those of the score whose flow it is; drawn where there are none.
  ///   - draw: called by each step, before its gradient, on the caller's thread, and here for the first.
  /// - Throws: as the others; where the options name another loss than `denoising`, or a noise level; for models whose network gives ε̂
  ///   or the score, of which a small error at T is a large one of x̂₀; and where initial parameters are not the model's.
  public init(
    _ model: ModelConfiguration, process: any LinearProcess, options: TrainingOptions,
    from initial: Parameters<Scalar>? = nil, pool: ThreadPool,
    drawingPoints draw: @escaping DrawPoints
  ) throws {
    guard options.objective == .denoising, options.noiseLevel == nil else {
      throw TrainingError(
        "a consistency function is asked for with the loss \(options.objective.rawValue)\(options.noiseLevel == nil ? "" : " at one noise level"); expected the loss denoising at all levels"
      )
    }
    guard model.preconditioning.isBoundedInData(under: process) else {
      throw TrainingError(
        "a consistency function is asked for with the parametrization \(model.preconditioning.text), of which small errors at T are large ones of x0; expected gaussian, edm, x0, or v where the noise is no larger than data"
      )
    }
    try self.init(
      model, process: process, source: .points(draw), options: options, pool: pool)
    try begin(with: initial)
  }

  /// Takes other parameters for those that were drawn.
  private mutating func begin(with initial: Parameters<Scalar>?) throws {
    guard let initial else { return }
    // The model says what does not fit.
    _ = try ScoreModel(model, process: loss.process, parameters: initial, pool: pool)
    tensors = initial.tensors
    optimizer = Adam(tensors, averages: options.averageDecay > 0)
  }

  private init(
    _ model: ModelConfiguration, process: any LinearProcess, source: TrainingBatches<Scalar>.Source,
    options: TrainingOptions, pool: ThreadPool
  ) throws {
    try options.check()
    try model.check()
    let key = RandomKey(options.seed)
    let deviation = try source.deviation(for: model, batch: options.batchSize, key: key)
    self.options = options
    self.model = model
    guard options.objective != .hyvarinen || model.dimensions <= 64 else {
      throw TrainingError(
        "the loss hyvarinen takes a derivative a dimension and the samples have \(model.dimensions); expected 64 at most, or the loss sliced-vr"
      )
    }
    let loss = try ScoreMatchingLoss(
      process: process, objective: options.objective, weighting: options.weighting,
      times: options.times, stratified: options.stratifiesTimes,
      dataDeviation: deviation, noiseLevel: options.noiseLevel)
    self.loss = loss
    try Adam<Scalar>.checkMemory(of: model.parameters, "network")
    batches = TrainingBatches(
      source: source, size: options.batchSize, loss: loss, model: model,
      labelDropout: options.labelDropout ?? TrainingOptions.usualLabelDropout, key: key)
    let parameters = model.parameters
    let initial = Parameters<Scalar>(drawing: parameters, key: key.folded("parameters"))
    names = initial.names
    trained = parameters.indices.filter { parameters[$0].isTrained }
    optimizer = Adam(initial.tensors, averages: options.averageDecay > 0)

    gradient = try ShardedGradient(
      batch: options.batchSize, parameters: parameters.map(\.formula), trained: trained, pool: pool
    ) { rows in
      let x = ModelConfiguration.input("noised", [rows, model.dimensions])
      let columns = ModelConfiguration.input("columns", [rows, model.columns])
      let noise = ModelConfiguration.input("noise", x.shape)
      let weights = ModelConfiguration.input("weights", [rows, loss.weightColumns])
      return (
        [x, columns, noise, weights],
        loss.value(model.noise(x, columns: columns), at: x, noise: noise, weights: weights)
      )
    }
    self.pool = pool
    tensors = initial.tensors
  }

  /// Whether all threads compute one shard of a batch after another together, as they do where shards are fewer.
  package var sharesShards: Bool { gradient.sharesShards }

  /// The samples that batches are drawn from; nil where they are made for each batch.
  var trainingSet: TrainingData<Scalar>? { batches.set }

  /// Steps done.
  public var step: Int { optimizer.steps }
  /// Whether all steps are done.
  public var isFinished: Bool { step >= options.steps }

  /// The parameters as the last step left them.
  public package(set) var parameters: Parameters<Scalar> {
    get { Parameters(names: names, tensors: tensors) }
    set { tensors = newValue.tensors }
  }

  /// The moving average of the parameters, or the parameters where its decay is 0: what samples and likelihoods should use.
  public var averagedParameters: Parameters<Scalar> {
    optimizer.average.isEmpty ? parameters : Parameters(names: names, tensors: optimizer.average)
  }

  /// Does one step.
  /// - Throws: `TrainingError` where samples cannot be drawn, or the loss or the gradient is no longer finite; the parameters stay
  ///   as they were.
  @discardableResult
  public mutating func advance() throws(TrainingError) -> Report {
    let number = step + 1
    let ready = prepared?.step == number ? prepared?.batch : nil
    prepared = nil
    let batch = if let ready { ready } else { try batches(number) }
    let (value, norm, next) = gradient(
      tensors, batch.arguments,
      meanwhile: { [batches, options] in
        number < options.steps ? batches.prepared(number + 1) : nil
      })
    prepared = next.map { (number + 1, $0) }
    guard value.isFinite, norm.isFinite else {
      throw TrainingError(
        "training diverged at step \(number): the loss is \(value.inSentence) and the gradient's norm \(norm.inSentence); a lower learning rate may help"
      )
    }
    let rate = options.learningRate(at: number)
    let decay = min(options.averageDecay, Double(1 + number) / Double(10 + number))
    optimizer.step(
      &tensors, at: trained, gradients: gradient.gradients,
      scale: norm > options.clip ? options.clip / norm : 1, rate: rate, decay: decay, pool: pool)
    return Report(step: number, loss: value, gradientNorm: norm, learningRate: rate)
  }

  /// The model with averaged parameters.
  public func averagedModel(pool: ThreadPool) throws -> ScoreModel<Scalar> {
    try ScoreModel(model, process: loss.process, parameters: averagedParameters, pool: pool)
  }
}

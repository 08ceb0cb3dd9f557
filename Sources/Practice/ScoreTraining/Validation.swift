import ScoreModels
import ScoreProcesses
import ScoreTensors

/// The loss of a model on held-out samples, beside that on as many training samples at the same times and under the same noises.
///
/// ```
/// L(x)       = mean over draws k of w(t_k) |ε̂(α x + σ z_k, t_k) − z_k|² / D        or another form of `ScoreMatchingLoss`
/// validation = mean of L over held-out samples
/// training   = mean of L over training samples
/// gap        = validation − training
/// ```
///
/// What a model has learnt of the density it knows of held-out samples as well; what it has learnt by heart lowers the loss of
/// the training samples alone. Times and noises are most of what losses differ by. They are a function of the seed, the pair and
/// the draw, so the gap has a small error, and so has the change from one evaluation to another.
///
/// Draw k of K has its times in the k-th of K equal shares of their density, and in strata there, one a pair, in an order of its
/// own; all are drawn apart where the loss draws a batch's apart. Each sample is taken under its own class and covariates, of
/// which none are hidden. Of many samples some are taken, evenly; where training samples are fewer, each has several draws more.
///
/// An evaluation costs 2 K evaluations of the field a pair, and derivatives in the forms that take some.
public struct Validation<Scalar: TensorScalar>: Sendable {
  /// What is evaluated.
  public let model: ModelConfiguration
  /// The loss.
  public let loss: ScoreMatchingLoss
  /// The draws of time and noise of each sample, K.
  public let draws: Int

  private let heldOut: Side
  private let training: Side
  private let key: RandomKey
  /// The times of each draw, one a pair.
  private let times: [[Double]]

  /// The held-out samples that are taken, and with them the pairs.
  public var count: Int { heldOut.rows.count }

  /// The most draws a sample.
  public static var mostDraws: Int { 4096 }

  /// Some of the samples of a set, in the order of pairs.
  private struct Side: Sendable {
    let data: TrainingData<Scalar>
    let rows: [Int]

    /// The field of the samples, each under its own conditions.
    func field(
      of field: any DifferentiableScoreField<Scalar>
    ) throws -> any DifferentiableScoreField<Scalar> {
      guard var model = field as? ScoreModel<Scalar> else { return field }
      if model.configuration.classes > 0, let labels = data.labels {
        model = try model.conditioned(onRows: rows.map { labels[$0] })
      }
      if model.configuration.covariates > 0, let covariates = data.covariates {
        model = try model.conditioned(onRows: covariates.rows(rows))
      }
      return model
    }
  }

  /// Chooses samples, times and noises; takes up the memory of a number for each draw of each pair.
  ///
  /// - Parameters:
  ///   - heldOut: samples that training does not see, two or more.
  ///   - training: samples that it does see.
  ///   - draws: K; as many as make 8192 of all pairs where none are given, from 4 to 64.
  ///   - most: the most samples that are taken, 2 or more.
  ///   - seed: of the times and noises.
  /// - Throws: `TrainingError` where samples do not fit the model, or lack its labels or covariates, or a number is out of range.
  public init(
    _ model: ModelConfiguration, loss: ScoreMatchingLoss, heldOut: TrainingData<Scalar>,
    training: TrainingData<Scalar>, draws: Int? = nil, most: Int = 2048, seed: UInt64 = 0
  ) throws(TrainingError) {
    try heldOut.check(for: model, as: "held-out")
    try training.check(for: model)
    let total = heldOut.samples.rows
    guard total >= 2 else {
      throw TrainingError(
        "there is \(total) held-out sample; expected two or more, over which a mean has an error")
    }
    guard most >= 2 else {
      throw TrainingError("the most held-out samples are \(most); expected 2 or more")
    }
    let count = min(total, most)
    let draws = draws ?? min(64, max(4, (8192 + count - 1) / count))
    guard (1...Self.mostDraws).contains(draws) else {
      throw TrainingError("the draws are \(draws) a sample; expected from 1 to \(Self.mostDraws)")
    }
    self.model = model
    self.loss = loss
    self.draws = draws
    let key = RandomKey(seed).folded("validation")
    self.key = key
    self.heldOut = Side(data: heldOut, rows: Self.rows(count, of: total))
    self.training = Side(data: training, rows: Self.rows(count, of: training.samples.rows))
    times = (0..<draws).map { draw in
      Self.quantiles(
        count, draw: draw, of: draws, stratified: loss.stratified, key: Self.key(draw, key)
      ).map { loss.time(at: $0) }
    }
  }

  /// So many rows of a set, evenly over it; in turns where it has fewer.
  private static func rows(_ count: Int, of total: Int) -> [Int] {
    (0..<count).map { total < count ? $0 % total : $0 * total / count }
  }

  private static func key(_ draw: Int, _ key: RandomKey) -> RandomKey {
    key.folded("draw").folded(UInt64(draw))
  }

  /// The quantiles of a draw's times, one a pair.
  private static func quantiles(
    _ count: Int, draw: Int, of draws: Int, stratified: Bool, key: RandomKey
  ) -> [Double] {
    let uniform: Tensor<Double> = key.folded("times").uniform([count, 1])
    guard stratified else { return uniform.scalars }
    // In an order of its own, or a sample's draws would all lie at the same place of their shares.
    let order: [Double] = (key.folded("order").uniform([count, 1]) as Tensor<Double>).scalars
    let pairs = order.indices.sorted { (order[$0], $0) < (order[$1], $1) }
    var quantiles = uniform.scalars
    for (stratum, pair) in pairs.enumerated() {
      let place = (Double(stratum) + quantiles[pair]) / Double(count)
      quantiles[pair] = (Double(draw) + place) / Double(draws)
    }
    return quantiles
  }

  /// What a draw has of its pairs.
  package struct Draw: Sendable {
    package var heldOut: Tensor<Scalar>
    package var training: Tensor<Scalar>
    package var noise: Tensor<Scalar>
    package var probes: Tensor<Scalar>
    package var times: [Double]
  }

  /// The samples of a draw, spread over their bins where they are quantised, with their noises and times, a row a pair.
  package func draw(_ number: Int) -> Draw {
    let key = Self.key(number, key)
    let shape = Shape([count] + model.sampleShape.extents)
    let noise: Tensor<Scalar> = key.folded("noise").normal([count, model.dimensions])
    func samples(_ side: Side) -> Tensor<Scalar> {
      side.data.samples(at: side.rows, key: key).reshaped(shape)
    }
    return Draw(
      heldOut: samples(heldOut), training: samples(training), noise: noise.reshaped(shape),
      probes: [.sliced, .slicedVR].contains(loss.objective)
        ? key.folded("probes").rademacher(shape) : noise.reshaped(shape),
      times: times[number])
  }

  /// The losses of each pair under a field of the loss's process.
  ///
  /// A `ScoreModel` is taken under the class and the covariates of each sample, any other field as it is. The same bits for any
  /// number of threads, and for any field whose rows are the same in batches of other sizes.
  /// - Throws: `TrainingError` for a field of other samples or of another process, and what the field throws.
  public func callAsFunction(
    _ field: any DifferentiableScoreField<Scalar>
  ) throws -> ValidationResult {
    try check(field)
    let fields = try (heldOut: heldOut.field(of: field), training: training.field(of: field))
    var result = ValidationResult(
      heldOut: [Double](repeating: 0, count: count), training: [Double](repeating: 0, count: count))
    for number in 0..<draws {
      let draw = draw(number)
      func add(
        _ clean: Tensor<Scalar>, _ field: any DifferentiableScoreField<Scalar>,
        to sums: inout [Double]
      ) throws {
        let losses = try loss.rows(
          of: field, clean, noise: draw.noise, probes: draw.probes, at: draw.times)
        for (row, value) in losses.enumerated() { sums[row] += value / Double(draws) }
      }
      try add(draw.heldOut, fields.heldOut, to: &result.heldOut)
      try add(draw.training, fields.training, to: &result.training)
    }
    return result
  }

  private func check(_ field: any DifferentiableScoreField<Scalar>) throws(TrainingError) {
    guard field.sampleShape == model.sampleShape else {
      throw TrainingError(
        "the field takes samples of shape \(field.sampleShape); expected \(model.sampleShape), as the held-out ones have"
      )
    }
    for t in [times[0].min(), times[draws - 1].max()].compactMap({ $0 }) {
      let (own, other) = (loss.process.marginal(at: t), field.process.marginal(at: t))
      guard abs(own.alpha - other.alpha) <= 1e-6 * own.alpha,
        abs(own.sigma - other.sigma) <= 1e-6 * own.sigma
      else {
        throw TrainingError(
          "the field is of the process \(field.process.name) and the loss of \(loss.process.name), which differ at t = \(t); expected one process"
        )
      }
    }
  }
}

extension Validation {
  /// The validation of a trainer's model, by its loss and its seed and beside the set that it learns from.
  /// - Throws: as the other, and `TrainingError` for a trainer whose samples are drawn anew for each step.
  public init(
    of trainer: Trainer<Scalar>, on heldOut: TrainingData<Scalar>, draws: Int? = nil,
    most: Int = 2048
  ) throws(TrainingError) {
    guard let training = trainer.trainingSet else {
      throw TrainingError(
        "the trainer draws its samples anew for each step and learns none by heart; expected one on a set of samples"
      )
    }
    try self.init(
      trainer.model, loss: trainer.loss, heldOut: heldOut, training: training, draws: draws,
      most: most, seed: trainer.options.seed)
  }

  /// The losses of each pair under the averaged parameters of a trainer, which goes on as if nothing had been asked of it.
  /// - Throws: as for a field.
  public func callAsFunction(_ trainer: Trainer<Scalar>) throws -> ValidationResult {
    try self(trainer.averagedModel(pool: trainer.pool))
  }
}

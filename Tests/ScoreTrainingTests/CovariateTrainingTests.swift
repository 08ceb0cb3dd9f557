import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

/// Training on covariates.
@Suite struct CovariateTrainingTests {
  /// y of N(0, 1), and x of N(0.8 y, 0.3²).
  private static func data() throws -> TrainingData<Float> {
    let y: Tensor<Double> = RandomKey(3).normal([4000, 1])
    let noise: Tensor<Double> = RandomKey(4).normal([4000, 1])
    return try TrainingData(Tensor<Float>(0.8 * y + 0.3 * noise), covariates: y)
  }

  private static func trainer(
    steps: Int, covariates: Int = 1, data: TrainingData<Float>? = nil, threads: Int = 1,
    _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<Float> {
    try Trainer(
      onLine: data ?? Self.data(), mean: 0, deviation: 0.85, covariates: covariates, steps: steps,
      threads: threads, change)
  }

  /// Under y the score is that of N(0.8 y, 0.3²), and under none that of N(0, 0.8² + 0.3²). Six seeds came to 0.08 at most.
  @Test func conditionalsAndTheMarginalAreLearnt() throws {
    var trainer = try Self.trainer(steps: 2500, threads: 2) { $0.labelDropout = 0.3 }
    while !trainer.isFinished { try trainer.advance() }
    let model = try trainer.averagedModel(pool: ThreadPool(threads: 2))
    for y in [nil, -1.2, 0, 0.5, 1.5] {
      let oracle = try GaussianOracle<Float>(
        process: model.process, mean: 0.8 * (y ?? 0),
        deviation: y == nil ? 0.73.squareRoot() : 0.3, sampleShape: [1])
      let field = try y.map { try model.conditioned(on: [$0]) } ?? model
      for t in [0.2, 0.4, 0.7] {
        let x = oracle.sample(2000, at: .shared(t), key: RandomKey(8))
        let difference = try field.noise(x, at: .shared(t)) - oracle.noise(x, at: .shared(t))
        let distance =
          (difference.scalars.reduce(0.0) { $0 + Double($1 * $1) } / 2000).squareRoot()
        #expect(distance < 0.12, "under \(y ?? .nan) at \(t): \(distance)")
      }
    }
  }

  /// Where all covariates are hidden, other ones change nothing; and data with covariates train a model of none as data without.
  @Test func hiddenCovariatesAreNotSeen() throws {
    let data = try Self.data()
    let y = try #require(data.covariates)
    let other = try TrainingData(data.samples, covariates: -1 * y)
    func bytes(
      _ data: TrainingData<Float>, _ dropout: Double, covariates: Int = 1
    ) throws -> [UInt8] {
      var trainer = try Self.trainer(steps: 5, covariates: covariates, data: data) {
        $0.labelDropout = dropout
      }
      while !trainer.isFinished { try trainer.advance() }
      return trainer.checkpoint.bytes
    }
    #expect(try bytes(data, 1) == bytes(other, 1))
    #expect(try bytes(data, 0) != bytes(other, 0))
    #expect(
      try bytes(data, 0.1, covariates: 0)
        == bytes(TrainingData(data.samples), 0.1, covariates: 0))
  }

  /// Of labels and covariates a share p is hidden together, and of the rest as many lose one of the two; either alone as often as
  /// it was. Counts are held to five deviations.
  @Test func eachOfTwoConditionsIsMissedByItselfToo() throws {
    let data = try Self.data()
    let both = try TrainingData(
      data.samples, labels: (0..<4000).map { $0 % 2 }, covariates: data.covariates)
    let rows = both.rows(20_000, key: RandomKey(1))
    let plain = try Self.trainer(steps: 1).model
    var model = plain
    model.classes = 2
    for p in [0, 0.1, 0.5, 1] {
      let (labels, covariates) = both.conditions(
        at: rows, of: model, dropout: p, key: RandomKey(2))
      let hidden = try zip(#require(labels), #require(covariates).scalars).map {
        ($0 == nil, $1.isNaN)
      }
      for (kind, share) in [
        ((true, true), p), ((true, false), p * (1 - p) / 2), ((false, true), p * (1 - p) / 2),
      ] {
        let count = Double(hidden.filter { $0 == kind }.count)
        #expect(
          abs(count - 20_000 * share) <= 5 * (20_000 * share * (1 - share)).squareRoot(),
          "\(kind) at \(p): \(count)")
      }
      // Labels that the model does not ask for take no part.
      let alone = both.conditions(at: rows, of: plain, dropout: p, key: RandomKey(2)).covariates
      #expect(
        try #require(alone).scalars.filter(\.isNaN).count == hidden.count { $0 == (true, true) })
    }
  }

  @Test func networksThatTheMachineCannotHoldAreRefused() throws {
    let error = #expect(throws: TrainingError.self) {
      try Trainer<Float>(
        ModelConfiguration(
          sampleShape: [1], network: NetworkSpec(.mlp, width: 16384, depth: 200),
          preconditioning: .noise),
        process: VariancePreserving(), data: Self.data(), options: TrainingOptions(),
        pool: ThreadPool(threads: 1))
    }
    #expect(error?.description.contains("million parameters") == true)
  }

  @Test func aRunOfCovariatesThatIsResumedEndsInTheSameBits() throws {
    var whole = try Self.trainer(steps: 12)
    while !whole.isFinished { try whole.advance() }
    var first = try Self.trainer(steps: 12, threads: 2)
    for _ in 0..<5 { try first.advance() }
    var second = try Self.trainer(steps: 12)
    try second.restore(first.checkpoint, from: "checkpoint")
    while !second.isFinished { try second.advance() }
    #expect(second.checkpoint.bytes == whole.checkpoint.bytes)
    // A run's description keeps their number.
    let description = RunDescription(
      model: whole.model, process: whole.loss.process, scalar: "float32", data: "points",
      options: whole.options)
    let read = try JSONDecoder().decode(
      RunDescription.self, from: try JSONEncoder().encode(description))
    #expect(read.covariates == 1)
    #expect(try read.modelConfiguration() == whole.model)
  }

  @Test func covariatesThatDoNotFitAreRefused() throws {
    let samples = try Self.data().samples
    for shape in [[4000], [3999, 1], [4000, 0], [4000, 1, 1]] as [Shape] {
      #expect(throws: TrainingError.self) {
        try TrainingData(samples, covariates: Tensor(shape))
      }
    }
    #expect(throws: TrainingError.self) {
      try TrainingData(samples, covariates: Tensor([4000, 1], repeating: .nan))
    }
    #expect(throws: TrainingError.self) {
      try Self.trainer(steps: 1, data: TrainingData(samples))
    }
    #expect(throws: TrainingError.self) { try Self.trainer(steps: 1, covariates: 2) }
  }
}

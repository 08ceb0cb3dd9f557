import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

/// Training on labels.
@Suite struct ClassTrainingTests {
  private static let labels = (0..<4000).map { $0 % 4 == 0 ? 0 : 1 }
  private static let means = [-1.0, 0.8]
  private static let deviations = [0.2, 0.4]

  /// A quarter of N(−1, 0.2²), of class 0, and the rest N(0.8, 0.4²).
  private static func data() throws -> TrainingData<Float> {
    let normal: Tensor<Double> = RandomKey(3).normal([4000, 1])
    let samples = zip(labels, normal.scalars).map { Float(means[$0] + deviations[$0] * $1) }
    return try TrainingData(Tensor([4000, 1], samples), labels: labels)
  }

  private static func trainer(
    steps: Int, classes: Int = 2, data: TrainingData<Float>? = nil, threads: Int = 1,
    _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<Float> {
    try Trainer(
      onLine: data ?? Self.data(), mean: 0.35, deviation: 0.86, classes: classes, steps: steps,
      threads: threads, change)
  }

  /// Each class's score is that of its Gaussian, and without a class it is the mixture's. Five seeds came to 0.15 at most.
  @Test func eachClassAndAllTogetherAreLearnt() throws {
    var trainer = try Self.trainer(steps: 2500, threads: 2) {
      $0.labelDropout = 0.4
    }
    while !trainer.isFinished { try trainer.advance() }
    let model = try trainer.averagedModel(pool: ThreadPool(threads: 2))
    func mixture(_ parts: [Int]) throws -> MixtureOracle<Float> {
      try MixtureOracle(
        process: model.process, weights: parts.map { parts.count == 1 ? 1 : [0.25, 0.75][$0] },
        means: parts.map { [Self.means[$0]] },
        covariances: parts.map { [[Self.deviations[$0] * Self.deviations[$0]]] })
    }
    for (label, oracle) in try [
      (nil, mixture([0, 1])), (0, mixture([0])), (1, mixture([1])),
    ] {
      let field = try model.conditioned(on: label)
      for t in [0.2, 0.4, 0.7] {
        let x = oracle.sample(2000, at: .shared(t), key: RandomKey(8))
        let difference = try field.noise(x, at: .shared(t)) - oracle.noise(x, at: .shared(t))
        let distance =
          (difference.scalars.reduce(0.0) { $0 + Double($1 * $1) } / 2000).squareRoot()
        #expect(distance < 0.2, "class \(label ?? -1) at \(t): \(distance)")
      }
    }
  }

  @Test func labelsAreHiddenAsOftenAsAskedFor() throws {
    let data = try Self.data()
    let rows = data.rows(20_000, key: RandomKey(1))
    let model = try Self.trainer(steps: 1).model
    for dropout in [0, 0.1, 0.5, 1] {
      let labels = try #require(
        data.conditions(at: rows, of: model, dropout: dropout, key: RandomKey(1)).labels)
      let hidden = labels.filter { $0 == nil }.count
      // Five standard deviations of a binomial count; none at the ends.
      let bound = 5 * (20_000 * dropout * (1 - dropout)).squareRoot()
      #expect(abs(Double(hidden) - 20_000 * dropout) <= bound, "\(dropout): \(hidden)")
      #expect(zip(labels, rows).allSatisfy { $0 == nil || $0 == Self.labels[$1] })
    }
    // A sample is hidden or not whatever stands beside it in the data, and in other steps others are.
    func drawn(_ seed: UInt64) -> [Int?]? {
      data.conditions(at: rows, of: model, dropout: 0.5, key: RandomKey(seed)).labels
    }
    #expect(drawn(1) == drawn(1) && drawn(1) != drawn(2))
  }

  /// Where all labels are hidden, those of the data change nothing, and the classes' weights stay as they were drawn.
  @Test func hiddenLabelsAreNotSeen() throws {
    let data = try Self.data()
    let other = try TrainingData(data.samples, labels: Self.labels.map { 1 - $0 })
    func bytes(_ data: TrainingData<Float>, _ dropout: Double) throws -> [UInt8] {
      var trainer = try Self.trainer(steps: 5, data: data) { $0.labelDropout = dropout }
      while !trainer.isFinished { try trainer.advance() }
      return trainer.checkpoint.bytes
    }
    #expect(try bytes(data, 1) == bytes(other, 1))
    #expect(try bytes(data, 0) != bytes(other, 0))
  }

  @Test func aRunOfClassesThatIsResumedEndsInTheSameBits() throws {
    var whole = try Self.trainer(steps: 12)
    while !whole.isFinished { try whole.advance() }
    var first = try Self.trainer(steps: 12, threads: 2)
    for _ in 0..<5 { try first.advance() }
    var second = try Self.trainer(steps: 12)
    try second.restore(first.checkpoint, from: "checkpoint")
    while !second.isFinished { try second.advance() }
    #expect(second.checkpoint.bytes == whole.checkpoint.bytes)
  }

  /// A model of no classes trains on data with labels as on data without.
  @Test func labelsThatNoModelAsksForChangeNoBit() throws {
    let plain = try TrainingData(try Self.data().samples)
    var (one, two) = (
      try Self.trainer(steps: 3, classes: 0), try Self.trainer(steps: 3, classes: 0, data: plain)
    )
    while !one.isFinished { #expect(try one.advance() == two.advance()) }
    #expect(one.checkpoint.bytes == two.checkpoint.bytes)
  }

  @Test func labelsThatDoNotFitAreRefused() throws {
    let samples = try Self.data().samples
    for labels in [[0, 1], Self.labels.map { $0 - 1 }, Self.labels.map { $0 + 4095 }] {
      #expect(throws: TrainingError.self) { try TrainingData(samples, labels: labels) }
    }
    let plain = try TrainingData(samples)
    #expect(plain.classes == 0)
    #expect(throws: TrainingError.self) { try Self.trainer(steps: 1, data: plain) }
    #expect(throws: TrainingError.self) { try Self.trainer(steps: 1, classes: 1) }
    // More classes than the data show are allowed.
    _ = try Self.trainer(steps: 1, classes: 3)
    for dropout in [-0.1, 1.5, .nan] {
      #expect(throws: TrainingError.self) {
        try Self.trainer(steps: 1) { $0.labelDropout = dropout }
      }
    }
  }

  /// A run's description keeps the classes; those of models without any are as they always were.
  @Test func runsKeepTheirClasses() throws {
    let trainer = try Self.trainer(steps: 1)
    for classes in [0, 2] {
      var model = trainer.model
      model.classes = classes
      let description = RunDescription(
        model: model, process: try VariancePreserving(), scalar: "float32", data: "points",
        options: TrainingOptions())
      let text = String(decoding: try JSONEncoder().encode(description), as: UTF8.self)
      #expect(text.contains("classes") == (classes > 0))
      let read = try JSONDecoder().decode(RunDescription.self, from: Data(text.utf8))
      #expect(try read.modelConfiguration() == model)
    }
  }
}

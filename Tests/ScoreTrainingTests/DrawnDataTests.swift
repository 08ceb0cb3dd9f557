import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Synchronization
import Testing

/// Trainers whose samples are drawn anew for each step.
@Suite struct DrawnDataTests {
  private static let model = ModelConfiguration(
    sampleShape: [2], network: NetworkSpec(width: 16, depth: 1, frequencies: 8),
    preconditioning: .standardized(mean: 0, deviation: 1), classes: 3, covariates: 2)

  private static func options(steps: Int = 12) -> TrainingOptions {
    var options = TrainingOptions()
    options.steps = steps
    options.batchSize = 40
    options.warmUp = 5
    return options
  }

  private static func trainer(
    threads: Int = 1, _ options: TrainingOptions = options(),
    drawing draw: @escaping Trainer<Float>.Draw = simulation
  ) throws -> Trainer<Float> {
    try Trainer(
      model, process: try VariancePreserving(), options: options,
      pool: ThreadPool(threads: threads), drawing: draw)
  }

  @Sendable private static func simulation(
    _ count: Int, _ key: RandomKey
  ) throws -> TrainingData<Float> {
    try TrainingData(
      key.folded("x").normal([count, 2]), bins: Bins(widths: [0.5]),
      labels: (0..<count).map { $0 % 3 }, covariates: key.folded("y").normal([count, 2]))
  }

  @Test func aRunThatIsResumedEndsInTheSameBits() throws {
    var whole = try Self.trainer(threads: 2)
    while !whole.isFinished { try whole.advance() }
    var first = try Self.trainer()
    for _ in 0..<5 { try first.advance() }
    let saved = try Safetensors<Float>(bytes: first.checkpoint.bytes, name: "checkpoint")
    var second = try Self.trainer()
    try second.restore(saved, from: "checkpoint")
    while !second.isFinished { try second.advance() }
    #expect(second.checkpoint.bytes == whole.checkpoint.bytes)
  }

  /// Where all samples are one, it is the same whether they come from a set or are drawn.
  @Test func samplesGoTheWayOfThoseOfASet() throws {
    @Sendable func one(_ count: Int) throws -> TrainingData<Float> {
      try TrainingData(
        Tensor([count, 2], (0..<2 * count).map { $0 % 2 == 0 ? 0.25 : -1 }),
        bins: Bins(widths: [0.5]),
        labels: [Int](repeating: 2, count: count),
        covariates: Tensor([count, 2], (0..<2 * count).map { $0 % 2 == 0 ? 1.5 : 0.5 }))
    }
    var options = Self.options()
    options.weighting = .edm
    options.times = .logNormal
    var set = try Trainer<Float>(
      Self.model, process: try VariancePreserving(), data: try one(1), options: options,
      pool: ThreadPool(threads: 1))
    var drawn = try Self.trainer(options) { count, _ in try one(count) }
    while !set.isFinished {
      let (a, b) = (try set.advance(), try drawn.advance())
      #expect(a == b)
    }
    #expect(set.checkpoint.bytes == drawn.checkpoint.bytes)
  }

  @Test func eachStepHasDrawsOfItsOwn() throws {
    let keys = Mutex<[[Float]]>([])
    var trainer = try Self.trainer { count, key in
      #expect(count == 40)
      keys.withLock { $0.append((key.normal([2, 1]) as Tensor<Float>).scalars) }
      return try Self.simulation(count, key)
    }
    while !trainer.isFinished { try trainer.advance() }
    let drawn = keys.withLock { $0 }
    // Those of the first step are looked at before.
    #expect(drawn.count == 13)
    #expect(drawn[0] == drawn[1])
    #expect(Set(drawn.map { "\($0)" }).count == 12)
  }

  private struct Failure: Error {}

  @Test func drawsThatDoNotFitAreRefusedAndChangeNothing() throws {
    let wrong: [(String, Trainer<Float>.Draw)] = [
      ("41 samples", { try Self.simulation($0 + 1, $1) }),
      ("shape [3]", { count, key in try TrainingData(key.normal([count, 3])) }),
      ("no labels", { count, key in try TrainingData(key.normal([count, 2])) }),
      (
        "labels up to 3",
        { count, key in
          try TrainingData(key.normal([count, 2]), labels: [Int](repeating: 3, count: count))
        }
      ),
      ("Failure", { _, _ in throw Failure() }),
    ]
    for (word, draw) in wrong {
      let error = #expect(throws: TrainingError.self) { try Self.trainer(drawing: draw) }
      #expect(error?.description.contains(word) == true, "\(word): \(error?.description ?? "")")
      #expect(error?.description.contains("step 1") == true)
    }
    // A failure on the way leaves the state, and the step may be tried again.
    let calls = Mutex(0)
    var trainer = try Self.trainer { count, key in
      let call = calls.withLock { calls in
        calls += 1
        return calls
      }
      if call == 4 { throw Failure() }
      return try Self.simulation(count, key)
    }
    var steady = try Self.trainer()
    for _ in 0..<2 {
      try trainer.advance()
      try steady.advance()
    }
    let before = trainer.checkpoint.bytes
    let error = #expect(throws: TrainingError.self) { try trainer.advance() }
    #expect(error?.description.contains("step 3") == true)
    #expect(trainer.checkpoint.bytes == before)
    let (again, expected) = (try trainer.advance(), try steady.advance())
    #expect(again == expected)
    #expect(trainer.checkpoint.bytes == steady.checkpoint.bytes)
  }

  /// x ∼ N(0, 1), y = x + noise of deviation 0.75: x | y ∼ N(0.64 y, 0.6²), from simulations alone.
  ///
  /// The errors of ε̂ were 0.056, 0.056 and 0.059, root mean square.
  @Test func simulationsTeachThePosterior() throws {
    let model = ModelConfiguration(
      sampleShape: [1], network: NetworkSpec(width: 32, depth: 1, frequencies: 8),
      preconditioning: .standardized(mean: 0, deviation: 1), covariates: 1)
    var options = TrainingOptions()
    options.steps = 600
    options.warmUp = 20
    options.learningRate = 5e-3
    options.batchSize = 256
    let process = try VariancePreserving()
    let pool = ThreadPool(threads: 2)
    var trainer = try Trainer<Float>(
      model, process: process, options: options, pool: pool
    ) { count, key in
      let x: Tensor<Float> = key.folded("x").normal([count, 1])
      let y: Tensor<Float> = .combined(1, x, 0.75, key.folded("y").normal([count, 1]))
      return try TrainingData(x, covariates: Tensor<Double>(y))
    }
    while !trainer.isFinished { try trainer.advance() }
    let learnt = try trainer.averagedModel(pool: pool)
    let count = 400
    for y in [-1.0, 0, 1.5] {
      let field = try learnt.conditioned(on: [y])
      let exact = try GaussianOracle<Float>(
        process: process, mean: 0.64 * y, deviation: 0.6, sampleShape: [1])
      let t = Times.perSample((0..<count).map { 0.01 + 0.98 * Double($0) / Double(count) })
      let x = exact.sample(count, at: t, key: RandomKey(5))
      let difference = try field.noise(x, at: t) - exact.noise(x, at: t)
      let error = (difference.rowDots(difference).reduce(0, +) / Float(count)).squareRoot()
      #expect(error < 0.1, "y = \(y): \(error)")
    }
  }
}

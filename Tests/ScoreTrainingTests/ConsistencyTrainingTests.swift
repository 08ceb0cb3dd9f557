import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

/// Consistency functions that are learnt from points of a flow.
@Suite struct ConsistencyTrainingTests {
  private static let model = ModelConfiguration(
    sampleShape: [2], network: NetworkSpec(width: 16, depth: 1, frequencies: 8),
    preconditioning: .standardized(mean: 0.5, deviation: 0.8), classes: 3)

  private static func options(steps: Int = 12, batch: Int = 40) -> TrainingOptions {
    var options = TrainingOptions()
    options.steps = steps
    options.batchSize = batch
    options.warmUp = 5
    return options
  }

  /// Points of the flow of N(0.5, 0.8² I) under VP, each class of a mean of its own less.
  @Sendable private static func points<Scalar: TensorScalar>(
    _ count: Int, _ key: RandomKey
  ) throws -> FlowPoints<Scalar> {
    let process = try VariancePreserving()
    let times = (0..<count).map { 0.01 + 0.98 * Double($0) / Double(count) }
    let origins: Tensor<Scalar> = key.folded("x").normal([count, 2])
    let states = origins.scalars.indices.map { place in
      let marginal = process.marginal(at: times[place / 2])
      return Scalar(marginal.alpha) * origins.scalars[place]
        + Scalar(marginal.sigma) * Scalar(place % 3 - 1)
    }
    return try FlowPoints(
      states: Tensor([count, 2], states), times: times, origins: origins,
      labels: (0..<count).map { $0 % 4 == 3 ? nil : $0 % 4 })
  }

  private static func trainer<Scalar: TensorScalar>(
    threads: Int = 1, _ options: TrainingOptions = options(), _ model: ModelConfiguration = model,
    from initial: Parameters<Scalar>? = nil,
    drawing draw: @escaping Trainer<Scalar>.DrawPoints = { try points($0, $1) }
  ) throws -> Trainer<Scalar> {
    try Trainer(
      model, process: try VariancePreserving(), options: options, from: initial,
      pool: ThreadPool(threads: threads), drawingPoints: draw)
  }

  /// The loss is the mean square of what F is off from the F whose x̂₀ is the origin.
  @Test func theLossIsTheErrorOfTheOutput() throws {
    var trainer: Trainer<Double> = try Self.trainer()
    let model = try ScoreModel(
      Self.model, process: VariancePreserving(), parameters: trainer.parameters,
      pool: ThreadPool(threads: 1))
    let key = RandomKey(0).folded("step").folded(1).folded("samples")
    let points: FlowPoints<Double> = try Self.points(40, key)
    let labels = try #require(points.labels)
    let origins = try model.conditioned(onRows: labels).denoised(
      points.states, at: .perSample(points.times))
    var sum = 0.0
    for place in 0..<80 {
      let marginal = try VariancePreserving().marginal(at: points.times[place / 2])
      // x̂₀ = … + F s σ/√(α² s² + σ²)
      let root = hypot(0.8 * marginal.alpha, marginal.sigma)
      let error =
        (origins.scalars[place] - points.origins.scalars[place]) * root / (0.8 * marginal.sigma)
      sum += error * error
    }
    let loss = try trainer.advance().loss
    #expect(abs(loss - sum / 80) < 1e-10 * loss, "\(loss) for \(sum / 80)")
  }

  @Test func aRunThatIsResumedEndsInTheSameBits() throws {
    var whole: Trainer<Float> = try Self.trainer(threads: 2)
    while !whole.isFinished { try whole.advance() }
    var first: Trainer<Float> = try Self.trainer()
    for _ in 0..<5 { try first.advance() }
    let saved = try Safetensors<Float>(bytes: first.checkpoint.bytes, name: "checkpoint")
    var second: Trainer<Float> = try Self.trainer()
    try second.restore(saved, from: "checkpoint")
    while !second.isFinished { try second.advance() }
    #expect(second.checkpoint.bytes == whole.checkpoint.bytes)
  }

  @Test func trainingBeginsFromParametersThatAreGiven() throws {
    var teacher: Trainer<Float> = try Self.trainer()
    while !teacher.isFinished { try teacher.advance() }
    var student: Trainer<Float> = try Self.trainer(from: teacher.averagedParameters)
    #expect(student.parameters == teacher.averagedParameters)
    #expect(student.averagedParameters == teacher.averagedParameters)
    try student.advance()
    #expect(student.parameters != teacher.averagedParameters && student.step == 1)
    var other = Self.model
    other.network.width = 32
    #expect(throws: ProcessError.self) {
      let _: Trainer<Float> = try Self.trainer(
        Self.options(), other, from: teacher.averagedParameters)
    }
  }

  /// On the line the flow keeps the order of states, so that the origin of a state is the quantile of the same share.
  @Test func theFlowOfAMixtureIsLearnt() throws {
    let process = try VariancePreserving()
    let (weights, means, deviation) = ([0.3, 0.7], [-1.0, 0.8], 0.25)
    @Sendable func share(_ x: Double, _ t: Double) -> Double {
      let marginal = process.marginal(at: t)
      let root = hypot(marginal.alpha * deviation, marginal.sigma)
      return zip(weights, means).reduce(0) { sum, part in
        sum + part.0 * 0.5 * erfc(-(x - marginal.alpha * part.1) / root / 2.0.squareRoot())
      }
    }
    @Sendable func quantile(_ u: Double, _ t: Double) -> Double {
      var (low, high) = (-8.0, 8.0)
      for _ in 0..<50 {
        let middle = 0.5 * (low + high)
        if share(middle, t) < u { low = middle } else { high = middle }
      }
      return 0.5 * (low + high)
    }
    let epsilon = process.cutoffs.sampling
    let alpha = process.marginal(at: epsilon).alpha
    let model = ModelConfiguration(
      sampleShape: [1], network: NetworkSpec(width: 64, depth: 2),
      preconditioning: .standardized(mean: 0.26, deviation: 0.86))
    var options = Self.options(steps: 1000, batch: 128)
    options.learningRate = 2e-3
    var trainer = try Trainer<Float>(
      model, process: process, options: options, pool: ThreadPool(threads: 2)
    ) { count, key in
      let draws: Tensor<Double> = key.uniform([count, 2])
      let times = (0..<count).map { epsilon + (1 - epsilon) * draws[$0, 0] }
      let shares = (0..<count).map { 1e-4 + (1 - 2e-4) * draws[$0, 1] }
      return try FlowPoints(
        states: Tensor([count, 1], zip(shares, times).map { Float(quantile($0, $1)) }),
        times: times,
        origins: Tensor([count, 1], shares.map { Float(quantile($0, epsilon) / alpha) }))
    }
    while !trainer.isFinished { try trainer.advance() }
    let function = ConsistencyModel(try trainer.averagedModel(pool: ThreadPool(threads: 1)))
    for t in [1.0, 0.5, 0.1] {
      let shares = (0..<99).map { (Double($0) + 1) / 100 }
      let found = try function.origins(
        of: Tensor([99, 1], shares.map { Float(quantile($0, t)) }), at: .shared(t))
      let errors = zip(found.scalars, shares).map {
        abs(Double($0) - quantile($1, epsilon) / alpha)
      }
      let mean = errors.reduce(0, +) / 99
      // The mean of the data is off by 0.68 on average.
      #expect(mean < 0.03, "at \(t): \(mean)")
    }
  }

  @Test func whatCannotBeLearntFromIsRefused() throws {
    for parametrization in [Preconditioning.noise, .score] {
      var model = Self.model
      model.preconditioning = parametrization
      #expect(throws: TrainingError.self) {
        let _: Trainer<Float> = try Self.trainer(Self.options(), model)
      }
    }
    // v is of the size of σ, which is that of data under VP alone.
    #expect(Preconditioning.velocity.isBoundedInData(under: try VariancePreserving()))
    #expect(Preconditioning.velocity.isBoundedInData(under: try RectifiedFlow()))
    #expect(!Preconditioning.velocity.isBoundedInData(under: try VarianceExploding()))
    for change: (inout TrainingOptions) -> Void in [
      { $0.objective = .slicedVR }, { $0.noiseLevel = 1 },
    ] {
      var options = Self.options()
      change(&options)
      #expect(throws: TrainingError.self) { let _: Trainer<Float> = try Self.trainer(options) }
    }
    struct Absent: Error {}
    let states = Tensor<Float>([40, 2], [Float](repeating: 1, count: 80))
    func drawn(_ points: FlowPoints<Float>) -> Trainer<Float>.DrawPoints { { _, _ in points } }
    func times(_ t: Double) -> [Double] { [Double](repeating: t, count: 40) }
    let wrong: [(Trainer<Float>.DrawPoints, String)] = [
      ({ _, _ in throw Absent() }, "Absent"),
      ({ try Self.points($0 - 1, $1) }, "39 samples"),
      (drawn(try FlowPoints(states: states, times: times(1.5), origins: states)), "t = 1.5"),
      (drawn(try FlowPoints(states: states, times: times(0), origins: states)), "t = 0"),
      (
        drawn(
          try FlowPoints(
            states: states, times: times(1), origins: states,
            labels: [Int?](repeating: 3, count: 40))), "class 3"
      ),
      (
        drawn(
          try FlowPoints(
            states: states.reshaped([40, 1, 2]), times: times(1),
            origins: states.reshaped([40, 1, 2]))), "shape"
      ),
    ]
    for (draw, sentence) in wrong {
      do {
        var trainer = try Self.trainer(drawing: draw)
        try trainer.advance()
        Issue.record("taken, though \(sentence)")
      } catch {
        #expect(error is TrainingError && "\(error)".contains(sentence), "\(error)")
      }
    }
  }

  @Test func pointsOfTrajectoriesAreAllStatesButTheLast() throws {
    let process = try VariancePreserving()
    func state(_ x: Float) -> Tensor<Float> { Tensor([2, 1], [x, x + 10]) }
    let points = try FlowPoints(
      along: [(1, state(1)), (0.5, state(2)), (1e-3, state(3))], of: process, labels: [7, nil])
    let alpha = Float(process.marginal(at: 1e-3).alpha)
    #expect(points.states.scalars == [1, 11, 2, 12] && points.times == [1, 1, 0.5, 0.5])
    #expect(points.origins.scalars.map { ($0 * alpha * 1e4).rounded() / 1e4 } == [3, 13, 3, 13])
    #expect(points.labels == [7, nil, 7, nil])
    for trajectory in [
      [], [(1.0, state(1))], [(1.0, state(1)), (0.5, Tensor<Float>([1, 1], [0]))],
    ] {
      #expect(throws: TrainingError.self) { try FlowPoints(along: trajectory, of: process) }
    }
    let one = state(0)
    #expect(throws: TrainingError.self) {
      try FlowPoints(states: one, times: [1], origins: one)
    }
    #expect(throws: TrainingError.self) {
      try FlowPoints(states: one, times: [1, 1], origins: one, labels: [1])
    }
    #expect(throws: TrainingError.self) {
      try FlowPoints(states: state(.nan), times: [1, 1], origins: one)
    }
    #expect(throws: TrainingError.self) {
      try FlowPoints(states: one, times: [1, .infinity], origins: one)
    }
  }
}

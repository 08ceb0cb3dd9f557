import Foundation
import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import ScoreTraining
import Testing

/// A network that is given as a closure.
private struct Written: Network {
  let parameters: [Parameter]
  let body: @Sendable (Formula, Formula) -> Formula

  func callAsFunction(_ x: Formula, condition: Formula) -> Formula { body(x, condition) }
}

/// Scores that have no kernel, or live on position and velocity, are learnt by regression and sampled.
@Suite struct RegressionTrainingTests {
  /// Two bumps at ±1 of deviation 0.2.
  private static func data(_ count: Int, key: RandomKey) -> Tensor<Float> {
    let z: Tensor<Float> = key.folded("z").normal([count, 1])
    let side: Tensor<Float> = key.folded("side").rademacher([count, 1])
    return .combined(1, side, 0.2, z)
  }

  /// The mean distance between sorted samples: the 1-Wasserstein distance.
  private static func distance(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Double {
    zip(a.scalars.sorted(), b.scalars.sorted()).reduce(0) { $0 + Double(abs($1.0 - $1.1)) }
      / Double(a.count)
  }

  private static func conditions(_ times: [Double]) -> Tensor<Float> {
    Tensor(rows: times.map { t in [Float(t), Float(log(t + 0.01)), Float(1 / (1 + 10 * t))] })
  }

  /// Two draws of the data are some 0.03 apart, data and prior more than 0.35; a small network comes to about 0.1.
  @Test func criticallyDampedLangevin() throws {
    let process = try CriticallyDampedLangevin()
    let pool = ThreadPool(threads: 1)
    let (rows, steps) = (256, 1500)
    var trainer = try RegressionTrainer<Float>(
      inputs: 2, conditions: 3, outputs: 1, batchSize: rows, steps: steps, pool: pool)
    // ε̂_v = ℓ (v/M) + F: the first is the answer at rest.
    func inputs(_ u: PhaseState<Float>) -> Tensor<Float> {
      Tensor(
        rows: zip(u.position.scalars, u.velocity.scalars).map {
          [$0, $1 / Float(process.mass.squareRoot())]
        })
    }
    @Sendable func atRest(_ v: Tensor<Float>, _ times: [Double]) -> Tensor<Float> {
      .combinedRows(
        times.map { Float(process.kernel(at: $0).conditionalDeviation / process.mass) }, v)
    }
    for step in 0..<steps {
      let key = RandomKey(11).folded(UInt64(step))
      let clean = Self.data(rows, key: key.folded("data"))
      let times = key.folded("times").uniform([rows, 1], of: Double.self).scalars.enumerated()
        .map { i, u in 1e-3 + (1 - 1e-3) * (Double(i) + u) / Double(rows) }
      let z = PhaseState<Float>(
        position: key.folded("x").normal([rows, 1]), velocity: key.folded("v").normal([rows, 1]))
      let u = process.perturb(clean, noise: z, at: .perSample(times))
      try trainer.advance(
        inputs: inputs(u), conditions: Self.conditions(times),
        targets: z.velocity - atRest(u.velocity, times))
    }
    struct Field: PhaseField {
      let process: CriticallyDampedLangevin
      let function: @Sendable (PhaseState<Float>, [Double]) throws -> Tensor<Float>
      var sampleShape: Shape { [1] }
      func noise(_ u: PhaseState<Float>, at t: Times) throws -> Tensor<Float> {
        try function(u, (0..<u.position.rows).map { t[$0] })
      }
    }
    let count = 2000
    let network = try trainer.function(rows: count)
    let root = Float(process.mass.squareRoot())
    let field = Field(process: process) { u, times in
      let x = Tensor<Float>(
        rows: zip(u.position.scalars, u.velocity.scalars).map { [$0, $1 / root] })
      return try network(x, conditions: Self.conditions(times)) + atRest(u.velocity, times)
    }
    let truth = Self.data(count, key: RandomKey(12))
    for method in [
      PhaseSampler<Float>.Method.symmetricSplitting(midpoint: false),
      .eulerMaruyama(stochasticity: 1),
    ] {
      let found = try PhaseSampler(field, method: method).sample(
        count, steps: 200, key: RandomKey(13)
      ).position
      let distance = Self.distance(found, truth)
      print("cld \(method): W1 \(distance)")
      #expect(distance < 0.15)
    }
    let noise: Tensor<Float> = RandomKey(14).normal([count, 1])
    #expect(Self.distance(noise, truth) > 0.35)
  }

  /// A process whose drift and diffusion depend on the state, learnt from short steps of its simulation.
  @Test func stateDependentDiffusion() throws {
    // At rest N(0, 1): f = −D x + D′, g² = 2D, D = ½ + 1/(1 + x²).
    let process = try GeneralProcess(
      name: "resting",
      drift: { x, _ in
        x.map { x in -(0.5 + 1 / (1 + x * x)) * x - 2 * x / pow(1 + x * x, 2) }
      }, squaredDiffusion: { x, _ in x.map { x in 2 * (0.5 + 1 / (1 + x * x)) } }, endTime: 3)
    let times = (0...60).map { 3 * pow(Double($0) / 60, 2) }
    // What scores are as large as: 1/scale.
    @Sendable func scale(_ t: Double) -> Double { min(1, 0.04 + 2 * t).squareRoot() }
    let pool = ThreadPool(threads: 1)
    let (rows, steps) = (192, 1500)
    var trainer = try RegressionTrainer<Float>(
      inputs: 1, conditions: 3, outputs: 1, batchSize: 2 * rows, steps: steps, pool: pool)
    for step in 0..<steps {
      let key = RandomKey(21).folded(UInt64(step))
      let pairs = try process.shortSteps(
        Self.data(rows, key: key.folded("data")), along: times, key: key)
      try trainer.advance(
        inputs: pairs.states, conditions: Self.conditions(pairs.times),
        targets: .combinedRows(pairs.times.map { Float(scale($0)) }, pairs.targets))
    }
    let count = 2000
    let network = try trainer.function(rows: count)
    let sampler = try GeneralSampler<Float>(process) { x, t in
      let conditions = Self.conditions([Double](repeating: t, count: count))
      return try Float(1 / scale(t)) * network(x, conditions: conditions)
    }
    let grid = try TimeGrid(times: times.dropFirst().reversed())
    let found = try sampler.sample(
      from: RandomKey(22).normal([count, 1]), along: grid, key: RandomKey(23))
    let distance = Self.distance(found, Self.data(count, key: RandomKey(24)))
    print("state-dependent: W1 \(distance)")
    #expect(distance < 0.15)
  }

  /// The loss is the mean of weighted squares: of the same first step, with and without weights.
  @Test func weightsWeighTheRows() throws {
    let (x, c): (Tensor<Float>, Tensor<Float>) = (
      RandomKey(1).normal([6, 2]), RandomKey(2).normal([6, 1])
    )
    let y: Tensor<Float> = RandomKey(3).normal([6, 2])
    func trainer() throws -> RegressionTrainer<Float> {
      try RegressionTrainer(
        inputs: 2, conditions: 1, outputs: 2, batchSize: 6, steps: 10,
        pool: ThreadPool(threads: 1))
    }
    let residuals = try trainer().function(rows: 6)(x, conditions: c) - y
    for weights in [nil, [1, 1, 1, 1, 1, 1], [0, 1, 2, 3, 4, 5]] as [[Double]?] {
      var fresh = try trainer()
      let found = try fresh.advance(inputs: x, conditions: c, targets: y, weights: weights)
      let expected = (0..<6).reduce(0.0) { sum, row in
        sum + (weights?[row] ?? 1) * residuals.row(row).reduce(0) { $0 + Double($1 * $1) } / 12
      }
      #expect(abs(found - expected) < 1e-5 * expected, "weights \(weights ?? [])")
    }
  }

  /// The regression finds a function of inputs and conditions.
  @Test func aFunctionIsFound() throws {
    let pool = ThreadPool(threads: 1)
    var trainer = try RegressionTrainer<Float>(
      inputs: 1, conditions: 1, outputs: 1, batchSize: 64, steps: 800, pool: pool)
    func target(_ x: Float, _ c: Float) -> Float { sin(2 * x) * c }
    var loss = 0.0
    for step in 0..<800 {
      let key = RandomKey(UInt64(step))
      let x: Tensor<Float> = key.folded("x").uniform([64, 1])
      let c: Tensor<Float> = key.folded("c").uniform([64, 1])
      loss = try trainer.advance(inputs: x, conditions: c, targets: x.zip(with: c, target))
    }
    #expect(loss < 1e-3 && trainer.step == 800)
    let one = try trainer.function(rows: 1)(
      Tensor([1, 1], [0.4]), conditions: Tensor([1, 1], [0.7]))
    for (rows, columns) in [(2, 1), (1, 2)] {
      let other = Tensor<Float>([rows, columns])
      let error = #expect(throws: TrainingError.self) {
        _ = try trainer.function(rows: 1)(other, conditions: other)
      }
      #expect(
        error?.description
          == "the regression's inputs have shape [\(rows), \(columns)]; expected [1, 1], that of the batches that the function is for"
      )
    }
    #expect(throws: TrainingError.self) { _ = try trainer.function(rows: 0) }
    #expect(abs(one[0, 0] - target(0.4, 0.7)) < 0.03)
    #expect(throws: TrainingError.self) {
      try RegressionTrainer<Float>(
        inputs: 0, conditions: 1, outputs: 1, batchSize: 1, steps: 1, pool: pool)
    }
    #expect(throws: TrainingError.self) {
      try trainer.advance(
        inputs: Tensor([64, 1], repeating: .nan), conditions: Tensor([64, 1]),
        targets: Tensor([64, 1]))
    }
    let good = Tensor<Float>([64, 1])
    for bad in [Tensor<Float>([3, 1]), Tensor([64, 2])] {
      #expect(throws: TrainingError.self) {
        try trainer.advance(inputs: bad, conditions: good, targets: good)
      }
      #expect(throws: TrainingError.self) {
        try trainer.advance(inputs: good, conditions: bad, targets: good)
      }
      #expect(throws: TrainingError.self) {
        try trainer.advance(inputs: good, conditions: good, targets: bad)
      }
    }
    #expect(throws: TrainingError.self) {
      try trainer.advance(inputs: good, conditions: good, targets: good, weights: [1])
    }
  }

  /// A regression that is saved and taken up by another trainer, of another seed, ends in the same bits.
  @Test func aStoppedRegressionEndsInTheSameBits() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("regression-\(UUID().uuidString)").path
    try AtomicFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/state.safetensors"
    let pool = ThreadPool(threads: 1)
    func trainer(
      width: Int = 8, learningRate: Double = 2e-3, seed: UInt64 = 0
    ) throws -> RegressionTrainer<Float> {
      try RegressionTrainer(
        inputs: 1, conditions: 1, outputs: 1, width: width, batchSize: 16, steps: 30,
        learningRate: learningRate, seed: seed, pool: pool)
    }
    func advance(_ trainer: inout RegressionTrainer<Float>, to end: Int) throws {
      while trainer.step < end {
        let key = RandomKey(UInt64(trainer.step))
        let x: Tensor<Float> = key.folded("x").normal([16, 1])
        try trainer.advance(inputs: x, conditions: x, targets: x.map { sin($0) })
      }
    }
    var whole = try trainer()
    try advance(&whole, to: 30)
    var first = try trainer()
    try advance(&first, to: 11)
    try first.save(to: path)
    var second = try trainer(seed: 5)
    try second.restore(from: path)
    #expect(second.step == 11 && second.averagedParameters == first.averagedParameters)
    try advance(&second, to: 30)
    try whole.save(to: folder + "/whole")
    try second.save(to: folder + "/second")
    let (a, b) = (
      FileManager.default.contents(atPath: folder + "/whole"),
      FileManager.default.contents(atPath: folder + "/second")
    )
    #expect(a != nil && a == b)

    // Files that do not fit leave the trainer as it is.
    let before = second.averagedParameters
    var wide = try trainer(width: 9)
    let mismatch = #expect(throws: FileError.self) { try wide.restore(from: path) }
    #expect(
      mismatch?.description.contains("has shape [8, 1]; expected [9, 1]") == true,
      "\(mismatch?.description ?? "none")")
    try AtomicFile.write("no tensors", to: path)
    #expect(throws: FileError.self) { try second.restore(from: path) }
    #expect(throws: FileError.self) { try second.restore(from: folder + "/none") }
    #expect(second.step == 30 && second.averagedParameters == before)

    // What diverged is not written.
    var diverging = try trainer(learningRate: 1e300)
    try advance(&diverging, to: 1)
    let error = #expect(throws: FileError.self) { try diverging.save(to: folder + "/diverged") }
    #expect(error?.description.contains("diverged at step 1") == true)
    #expect(!FileManager.default.fileExists(atPath: folder + "/diverged"))
  }

  /// The rate falls along a cosine to a thousandth, at which steps beyond the last one are made. The average of step n, counted
  /// from 0, keeps (1 + n)/(10 + n) of itself, by which the parameters are got back from it.
  @Test func theRateFallsToAThousandth() throws {
    let bias = Parameter("bias", [1], .constant(0))
    var trainer = try RegressionTrainer<Double>(
      Written(parameters: [bias]) { x, c in 0 * (x + c) + bias.formula }, inputs: 1, conditions: 1,
      outputs: 1, batchSize: 1, steps: 2, learningRate: 0.01, pool: ThreadPool(threads: 1))
    let zero = Tensor<Double>([1, 1])
    var (averages, places) = ([0.0], [0.0])
    for step in 0..<3 {
      try trainer.advance(inputs: zero, conditions: zero, targets: zero.map { $0 + 1 })
      let kept = Double(1 + step) / Double(10 + step)
      averages.append(trainer.averagedParameters.tensors[0].scalars[0])
      places.append((averages[step + 1] - kept * averages[step]) / (1 - kept))
    }
    // Under a gradient that stays the same to 2 %, Adam goes the rate's way.
    for (step, share) in [1, 0.5, 1e-3].enumerated() {
      #expect(abs((places[step + 1] - places[step]) / (0.01 * share) - 1) < 0.02)
    }
  }

  /// Any network is fitted as the perceptron is, to the bit where it is the same one.
  @Test func networksOfOnesOwnAreFitted() throws {
    let pool = ThreadPool(threads: 1)
    let network = MLP(inputs: 1, conditions: 1, width: 64, layers: 2, outputs: 1)
    var built = try RegressionTrainer<Float>(
      inputs: 1, conditions: 1, outputs: 1, batchSize: 64, steps: 20, pool: pool)
    var own = try RegressionTrainer<Float>(
      network, inputs: 1, conditions: 1, outputs: 1, batchSize: 64, steps: 20, pool: pool)
    let x: Tensor<Float> = RandomKey(1).normal([64, 1])
    for _ in 0..<20 {
      #expect(
        try own.advance(inputs: x, conditions: x, targets: x)
          == built.advance(inputs: x, conditions: x, targets: x))
    }
    #expect(own.averagedParameters == built.averagedParameters)
    let error = #expect(throws: TrainingError.self) {
      try RegressionTrainer<Float>(
        network, inputs: 1, conditions: 1, outputs: 2, batchSize: 64, steps: 20, pool: pool)
    }
    #expect(
      error?.description
        == "the regression's network takes [3, 1] and a condition of as many rows to [3, 1]; expected [3, 2]"
    )
  }

  /// What a step would stop at, or learn something else by, is named before the first one.
  @Test func networksThatAreNoFunctionOfTheirRowsAreNamed() {
    func sentence(
      _ parameters: [Parameter], _ body: @escaping @Sendable (Formula, Formula) -> Formula
    ) -> String {
      do {
        _ = try RegressionTrainer<Float>(
          Written(parameters: parameters, body: body), inputs: 2, conditions: 2, outputs: 2,
          batchSize: 8, steps: 5, pool: ThreadPool(threads: 1))
        return ""
      } catch {
        return error.description
      }
    }
    let bias = Parameter("bias", [2], .constant(0))
    #expect(sentence([bias]) { x, c in x + c * bias.formula } == "")
    #expect(
      sentence([]) { x, c in x + c * bias.formula }
        == "the regression's network takes the input bias, which is none of its parameters; expected []"
    )
    #expect(sentence([bias, bias]) { x, c in x + bias.formula }.contains("two parameters"))
    #expect(
      sentence([bias]) { x, c in x - bias.formula * c.mean([0], keepDims: true) }
        .contains("depends on the other rows of its batch"))
  }
}

import Foundation
import ScoreSDE
import Testing

/// Runs the README's Swift, and holds the README to the text that runs.
@Suite struct ReadmeTests {
  private static let file = URL(fileURLWithPath: #filePath)

  /// The lines of this file between two marks, without their indentation.
  private static func lines(_ name: String) throws -> String {
    let text = try String(contentsOf: file, encoding: .utf8)
    let body = try #require(
      text.components(separatedBy: "// begin \(name)\n").dropFirst().first?
        .components(separatedBy: "// end \(name)").first)
    return body.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : String($0) }.joined(separator: "\n")
  }

  private static func readme() throws -> String { try Document("README.md").text }

  @Test func theExampleRuns() throws {
    // begin example
    let pool = ThreadPool()
    let process = try VariancePreserving()
    let moons: Dataset<Float> = try DataSource("moons").load()
    let data = try TrainingData(moons.samples)
    let model = ModelConfiguration(
      sampleShape: [2], network: NetworkSpec(width: 64, depth: 2),
      preconditioning: .standardized(mean: data.moments.mean, deviation: data.moments.deviation))
    var options = TrainingOptions()
    options.steps = 500
    var trainer = try Trainer(model, process: process, data: data, options: options, pool: pool)
    while !trainer.isFinished { try trainer.advance() }

    let field = try trainer.averagedModel(pool: pool)
    let sampler = try Sampler(field, SolverSpec("pc:snr=0.16"), steps: 100)
    let samples = try sampler.sample(200, key: RandomKey(1)).samples
    let nats = try FlowLikelihood(field, divergence: .exact).logDensity(of: samples)
    // end example
    #expect(
      try Self.readme().contains(Self.lines("example") + "\nprint(nats.mean, \"nats a sample\")\n"))

    // begin budget
    let likelihood = try FlowLikelihood(field, divergence: .exact)
    let scored = try likelihood.logDensity(of: samples, key: RandomKey(2))
    let budget = try likelihood.budget(of: scored, for: samples, key: RandomKey(2))
    let bound = try VariationalBound(field)(samples, key: RandomKey(3))
    let drawn = try likelihood.sample(100, key: RandomKey(4))
    let path = try likelihood.interpolate(
      from: samples.rows(0..<1), to: samples.rows(1..<2), at: [0, 0.5, 1])
    // end budget
    #expect(try Self.readme().contains(Self.lines("budget") + "\n"))

    // begin posterior
    let observation = try LinearObservation.entries([true, false], of: [2])
    let posterior = try PosteriorField(
      field, of: observation, observed: Tensor([1, 1], [0.5]), noiseDeviation: 0.05,
      coarse: try GaussianOracle(process: process, momentsOf: moons.samples))
    let given = try Sampler(posterior, SolverSpec("unipc"), steps: 30).sample(
      100, key: RandomKey(5))
    let weighted = try ParticleSampler(posterior, particles: 500, steps: 60).sample(
      sets: 4, key: RandomKey(6))
    // end posterior
    #expect(try Self.readme().contains(Self.lines("posterior") + "\n"))
    let seen = (0..<100).map { given.samples[$0, 0] }
    #expect(given.isFinished && seen.allSatisfy { abs($0 - 0.5) < 0.4 }, "\(seen)")
    // The moons' first number has deviation 0.9 or so.
    #expect(weighted.isFinished && weighted.samples.rows == 2000)
    #expect(abs(try #require(weighted.logEvidence).value) < 3)
    let total = try #require(budget.total)
    #expect(total.reduce(0, +) / 200 < 1 && bound.mean < nats.mean + 1)
    #expect(drawn.likelihood.isFinished && path.count == 3)
    // A Gaussian with the moons' covariance has about −2.0 nats in the mean on its own draws.
    #expect(nats.isFinished && nats.mean > -2.2 && nats.mean < 0)
  }

  @Test func anSDEOfOnesOwnTrainsSamplesAndGivesLikelihoods() throws {
    let pool = ThreadPool()
    // begin own
    let process = try CustomProcess(
      name: "quarter turn", alpha: { cos(1.55 * $0) }, sigma: { sin(1.55 * $0) })
    let points: Tensor<Float> = RandomKey(0).normal([1000, 2])
    let model = ModelConfiguration(
      sampleShape: [2], network: NetworkSpec(width: 32, depth: 1),
      preconditioning: .standardized(mean: 0, deviation: 1))
    var trainer = try Trainer(
      model, process: process, data: TrainingData(points), options: TrainingOptions(), pool: pool)
    for _ in 1...100 { try trainer.advance() }
    let field = try trainer.averagedModel(pool: pool)
    let samples = try Sampler(field, SolverSpec("pc"), steps: 100).sample(100, key: RandomKey(1))
    let nats = try FlowLikelihood(field, divergence: .exact).logDensity(of: samples.samples)
    // end own
    let own = try Self.lines("own")
    #expect(try Self.readme().contains(own + "\n"))
    #expect(own.split(separator: "\n").count <= 15)
    // The entropy of N(0, I) in the plane is 2.84 nats; 100 samples have a standard error of 0.1.
    #expect(nats.isFinished && abs(nats.mean + 2.84) < 0.6, "\(nats.mean)")
    try aRunIsKept(model, process, trainer, pool)
    for name in SolverSpec.names {
      // A fit to many steps takes long, and is for few.
      let result = try Sampler(field, SolverSpec(name), steps: name == "fitted" ? 8 : 100)
        .sample(64, key: RandomKey(2))
      #expect(result.isFinished && result.samples.isFinite, "\(name)")
      #expect(abs(result.samples.mean) < 0.5, "\(name): \(result.samples.mean)")
    }
  }

  private func aRunIsKept(
    _ model: ModelConfiguration, _ process: CustomProcess, _ trainer: Trainer<Float>,
    _ pool: ThreadPool
  ) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    // begin run
    let folder = RunFolder(path)
    try folder.create(
      RunDescription(
        model: model, process: process, scalar: "float32", data: "points",
        options: TrainingOptions()))
    try folder.save(trainer, log: LossLog())
    let read: ScoreModel<Float> = try folder.model(process: process, pool: pool)
    // end run
    #expect(try Self.readme().contains(Self.lines("run") + "\n"))
    #expect(read.parameters == trainer.averagedParameters)
  }

  /// Two bumps at ±1 are learnt without a kernel, kept, and drawn again.
  @Test func anSDEThatIsNotLinearIsLearntAndRunBack() throws {
    let pool = ThreadPool()
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    func bumps(_ key: RandomKey) -> Tensor<Float> {
      .combined(
        1, key.folded("side").rademacher([512, 1]), 0.2, key.folded("place").normal([512, 1]))
    }
    let numbers = bumps(RandomKey(0))
    // begin general
    // At rest N(0, 1): f = D′ − D x and g² = 2 D, for D = 1 + ½ cos x.
    let process = try GeneralProcess(
      name: "uneven", drift: { x, _ in x.map { -0.5 * sin($0) - (1 + 0.5 * cos($0)) * $0 } },
      squaredDiffusion: { x, _ in x.map { 2 + cos($0) } }, endTime: 3)
    let times = (0...40).map { 3 * pow(Double($0) / 40, 2) }
    let noise = try process.simulate(numbers, along: times, key: RandomKey(1))
    @Sendable func features(_ times: [Double]) -> Tensor<Float> {
      Tensor(rows: times.map { [Float($0), Float(log($0 + 0.01)), Float(1 / (1 + 10 * $0))] })
    }
    // What scores are as large as: one over the deviation of two bumps of deviation 0.2 and their noise.
    @Sendable func deviation(_ t: Double) -> Float { Float(min(1, 0.04 + 2 * t).squareRoot()) }
    var trainer = try RegressionTrainer<Float>(
      inputs: 1, conditions: 3, outputs: 1, batchSize: 2 * numbers.rows, steps: 1000, pool: pool)
    while trainer.step < trainer.steps {
      let pairs = try process.shortSteps(
        numbers, along: times, key: RandomKey(2).folded(UInt64(trainer.step)))
      try trainer.advance(
        inputs: pairs.states, conditions: features(pairs.times),
        targets: .combinedRows(pairs.times.map(deviation), pairs.targets))
    }
    try trainer.save(to: path)  // and later: trainer.restore(from: path)
    let score = try trainer.function(rows: 500)
    let sampler = try GeneralSampler<Float>(process) { x, t in
      1 / deviation(t) * (try score(x, conditions: features([Double](repeating: t, count: 500))))
    }
    let drawn = try sampler.sample(
      from: RandomKey(3).normal([500, 1]), along: TimeGrid(times: times.dropFirst().reversed()),
      key: RandomKey(4))
    // end general
    #expect(try Document("Sources/Theory/README.md").text.contains(Self.lines("general") + "\n"))
    // 1-Wasserstein distances of quantiles; two draws of the bumps are some 0.05 apart.
    func distance(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Float {
      zip(a.scalars.sorted(), b.scalars.sorted()).reduce(0) { $0 + abs($1.0 - $1.1) } / 500
    }
    let (data, normal) = (
      bumps(RandomKey(5)).rows(0..<500), RandomKey(6).normal([500, 1]) as Tensor<Float>
    )
    print("uneven: W1 \(distance(drawn, data)), of noise \(distance(normal, data))")
    #expect(distance(drawn, data) < 0.2 && distance(normal, data) > 0.35)
    #expect(distance(noise.rows(0..<500), normal) < 0.15)
    var again = try RegressionTrainer<Float>(
      inputs: 1, conditions: 3, outputs: 1, batchSize: 2 * numbers.rows, steps: 1000, pool: pool)
    try again.restore(from: path)
    #expect(again.step == 1000 && again.averagedParameters == trainer.averagedParameters)
  }

  @Test func aNetworkOfOnesOwnTrainsSamplesAndGivesLikelihoods() throws {
    let pool = ThreadPool()
    let points: Tensor<Float> = RandomKey(0).normal([1000, 2])
    // begin network
    /// ε̂ as the gradient of one number, so that the field has a potential.
    struct Energy: Network {
      private let energy: MLP

      init(inputs: Int, conditions: Int) {
        energy = MLP(inputs: inputs, conditions: conditions, width: 64, layers: 2, outputs: 1)
      }

      var parameters: [Parameter] { energy.parameters }

      func callAsFunction(_ x: Formula, condition: Formula) -> Formula {
        gradient(of: energy(x, condition: condition).sum(), withRespectTo: x)
      }
    }

    let network = NetworkSpec(own: "energy") { shape, conditions in
      Energy(inputs: shape.count, conditions: conditions)
    }
    let conservative = ModelConfiguration(
      sampleShape: [2], network: network,
      preconditioning: .standardized(mean: 0, deviation: 1))
    // end network
    #expect(try Self.readme().contains(Self.lines("network") + "\n"))
    var trainer = try Trainer(
      conservative, process: VariancePreserving(), data: TrainingData(points),
      options: TrainingOptions(), pool: pool)
    for _ in 1...100 { try trainer.advance() }
    let field = try trainer.averagedModel(pool: pool)
    let samples = try Sampler(field, SolverSpec("unipc"), steps: 20).sample(100, key: RandomKey(1))
    let nats = try FlowLikelihood(field, divergence: .exact).logDensity(of: samples.samples)
    #expect(nats.isFinished && abs(nats.mean + 2.84) < 0.6, "\(nats.mean)")
  }
}

import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

@Suite struct ScoreModelTests {
  private func configuration(
    _ architecture: NetworkSpec.Architecture, _ preconditioning: Preconditioning
  ) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: [3],
      network: NetworkSpec(architecture, width: 24, depth: 2, frequencies: 8),
      preconditioning: preconditioning)
  }

  private func model<Scalar: TensorScalar>(
    _ configuration: ModelConfiguration, process: any LinearProcess, threads: Int = 1
  ) throws -> ScoreModel<Scalar> {
    try ScoreModel(drawn: configuration, process: process, threads: threads)
  }

  private let times = Times.perSample((0..<256).map { 0.001 + 0.998 * Double($0) / 255 })

  @Test(arguments: [NetworkSpec.Architecture.mlp, .residualMLP], [1, 2])
  func aRowsBitsDependOnTheRowAlone(
    architecture: NetworkSpec.Architecture, threads: Int
  ) throws {
    let configuration = configuration(architecture, .standardized(mean: 0.2, deviation: 0.7))
    let process = try VariancePreserving()
    let reference: ScoreModel<Float> = try model(configuration, process: process)
    let other: ScoreModel<Float> = try model(configuration, process: process, threads: threads)
    let x: Tensor<Float> = RandomKey(1).normal([256, 3])
    let whole = try reference.noise(x, at: times)
    for size in [1, 7, 100, 256] {
      let parts = try stride(from: 0, to: 256, by: size).map { first in
        let rows = Array(first..<min(256, first + size))
        return try other.noise(x.rows(rows), at: times.rows(rows))
      }
      #expect(Tensor.concatenated(parts) == whole, "batches of \(size), \(threads) threads")
    }
  }

  @Test func oneTimeForAllRowsGivesTheBitsOfThatTimeForEach() throws {
    let model: ScoreModel<Float> = try model(
      configuration(.residualMLP, .standardized(mean: 0, deviation: 1)),
      process: try VarianceExploding())
    let x: Tensor<Float> = RandomKey(1).normal([37, 3])
    let shared = try model.noise(x, at: .shared(0.4))
    let each = try model.noise(x, at: .perSample([Double](repeating: 0.4, count: 37)))
    #expect(shared == each)
  }

  @Test(arguments: [NetworkSpec.Architecture.mlp, .residualMLP])
  func thePullbackAgreesWithCentralDifferences(architecture: NetworkSpec.Architecture) throws {
    let model: ScoreModel<Double> = try model(
      configuration(architecture, .standardized(mean: 0.2, deviation: 0.7)),
      process: try VariancePreserving(), threads: 2)
    let x: Tensor<Double> = RandomKey(1).normal([20, 3])
    let v: Tensor<Double> = RandomKey(2).normal([20, 3])
    let direction: Tensor<Double> = RandomKey(3).normal([20, 3])
    let t = times.rows(Array(100..<120))
    let (noise, pullback) = try model.noiseAndPullback(x, at: t, cotangent: v)
    #expect(noise == (try model.noise(x, at: t)))
    let h = 1e-5
    let ahead = try model.noise(.combined(1, x, h, direction), at: t)
    let behind = try model.noise(.combined(1, x, -h, direction), at: t)
    let differences = ((1 / (2 * h)) * (ahead - behind)).rowDots(v)
    for (found, expected) in zip(pullback.rowDots(direction), differences) {
      #expect(abs(found - expected) < 1e-8 * max(1, abs(expected)), "\(found) for \(expected)")
    }
  }

  /// Pullbacks that share a forward pass are those of one after another, and the trace is made of them.
  @Test func severalPullbacksAreThoseOfEach() throws {
    let model: ScoreModel<Float> = try model(
      configuration(.residualMLP, .standardized(mean: 0.2, deviation: 0.7)),
      process: try VariancePreserving(), threads: 2)
    let x: Tensor<Float> = RandomKey(1).normal([37, 3])
    let t = times.rows(Array(100..<137))
    let cotangents: [Tensor<Float>] = (0..<11).map {
      RandomKey(2).folded(UInt64($0)).normal([37, 3])
    }
    let together = try model.noiseAndPullbacks(x, at: t, cotangents: cotangents)
    for (cotangent, pullback) in zip(cotangents, together.pullbacks) {
      let single = try model.noiseAndPullback(x, at: t, cotangent: cotangent)
      #expect(single.pullback == pullback && single.noise == together.noise)
    }
    var trace = [Float](repeating: 0, count: 37)
    for j in 0..<3 {
      var unit = Tensor<Float>([37, 3])
      for i in 0..<37 { unit[i, j] = 1 }
      let pullback = try model.noiseAndPullback(x, at: t, cotangent: unit).pullback
      for i in 0..<37 { trace[i] += pullback[i, j] }
    }
    #expect(try model.noiseAndTrace(x, at: t).trace == trace)
  }

  /// Standardised preconditioning around a network that gives 0 is the exact field of Gaussian data.
  @Test func anUntrainedModelIsTheGaussianOracle() throws {
    let configuration = configuration(.residualMLP, .standardized(mean: 0.5, deviation: 0.3))
    let processes: [any LinearProcess] = [
      try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding(),
    ]
    for process in processes {
      let model = try ScoreModel<Double>(
        configuration, process: process,
        parameters: Parameters(drawing: configuration.parameters, key: RandomKey(1)),
        pool: ThreadPool(threads: 1))
      let oracle = try GaussianOracle<Double>(
        process: process, mean: 0.5, deviation: 0.3, sampleShape: [3])
      let x: Tensor<Double> = RandomKey(1).normal([256, 3])
      let found = try model.noise(x, at: times)
      let expected = try oracle.noise(x, at: times)
      for (a, b) in zip(found.scalars, expected.scalars) {
        #expect(abs(a - b) < 1e-12 * max(1, abs(b)), "\(process.name): \(a) for \(b)")
      }
    }
  }

  @Test func wrongShapesAndParametersAreNamed() throws {
    let configuration = configuration(.mlp, .noise)
    let model: ScoreModel<Float> = try model(configuration, process: try VariancePreserving())
    #expect(throws: ProcessError.self) { try model.noise(Tensor([4, 2]), at: .shared(0.5)) }
    #expect(throws: ProcessError.self) { try model.noise(Tensor([4, 3]), at: .perSample([0.5])) }
    #expect(throws: ProcessError.self) {
      try model.noiseAndPullback(Tensor([4, 3]), at: .shared(0.5), cotangent: Tensor([2, 3]))
    }
    for network in [
      NetworkSpec(.mlp, width: 0), NetworkSpec(.mlp, depth: 0), NetworkSpec(.mlp, frequencies: 0),
    ] {
      var other = configuration
      other.network = network
      #expect(throws: ProcessError.self) { try other.check() }
    }
    var parameters = model.parameters
    parameters.tensors[1] = Tensor([1])
    #expect(throws: ProcessError.self) {
      try ScoreModel(
        configuration, process: try VariancePreserving(), parameters: parameters,
        pool: ThreadPool(threads: 1))
    }
  }

  @Test func networksReadBackFromTheirText() throws {
    let spec = NetworkSpec(
      .mlp, width: 17, depth: 3, condition: .time, features: .positional, frequencies: 5,
      scale: 2.5)
    #expect(try NetworkSpec(spec.text) == spec)
    for bad in ["cnn", "mlp:width=0", "mlp:blocks=2", "mlp:width=x", "mlp:features=none"] {
      #expect(throws: SpecError.self) { try NetworkSpec(bad) }
    }
  }
}

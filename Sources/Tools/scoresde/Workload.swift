import Foundation
import ScoreSDE

/// The workloads of `bench`, the same as those of the peers: an MLP of 130 → 256 (4 times) → 2 on points in the plane, and a
/// U-Net of half a million parameters on images of 28 × 28.
enum Workload: String, CaseIterable {
  case train = "mlp-train"
  case sample64 = "mlp-sample-64"
  case sample1024 = "mlp-sample-1024"
  case likelihood = "mlp-likelihood"
  case imageTrain = "unet-train"
  case imageForward = "unet-forward"

  /// What one timed unit is.
  var unit: String {
    switch self {
    case .train: "optimiser step, batch 512"
    case .sample64: "Euler–Maruyama step, batch 64"
    case .sample1024: "Euler–Maruyama step, batch 1024"
    case .likelihood: "probability-flow solve, batch 512"
    case .imageTrain: "optimiser step, batch 64"
    case .imageForward: "forward pass, batch 64"
    }
  }

  /// Whether it only evaluates the network, as sampling does.
  var mayRoundProducts: Bool {
    switch self {
    case .sample64, .sample1024, .imageForward: true
    case .train, .imageTrain, .likelihood: false
    }
  }

  /// Milliseconds a unit, once for each repeat after a run that is not counted.
  func times<Scalar: TensorScalar>(
    repeats: Int, roundsProducts: Bool, _ pool: ThreadPool, _ type: Scalar.Type
  ) throws -> [Double] {
    let process = try VariancePreserving()
    switch self {
    case .train:
      let points: Tensor<Scalar> = RandomKey(8).normal([512, 2])
      return try Self.steps(
        50, Self.model(scale: 16), process, points, batch: 512, repeats: repeats, pool)
    case .imageTrain:
      let images: Tensor<Scalar> = RandomKey(8).normal([512, 28, 28, 1])
      return try Self.steps(
        3, Self.imageModel, process, images, batch: 64, repeats: repeats, pool)
    case .imageForward:
      let field: any ScoreField<Scalar> = try Self.samplingField(
        Self.imageModel, roundsProducts, pool)
      let images: Tensor<Scalar> = RandomKey(8).normal([64, 28, 28, 1])
      let times = Times.perSample((0..<64).map { (0.5 + Double($0)) / 64 })
      return try Self.timed(repeats, units: 5) {
        for _ in 0..<5 { _ = try field.noise(images, at: times) }
      }
    case .sample64, .sample1024:
      let sampler = try Sampler(
        try Self.samplingField(Self.model(scale: 16), roundsProducts, pool)
          as any ScoreField<Scalar>, solver: EulerMaruyama(), steps: 200, batchSize: 4096)
      let count = self == .sample64 ? 64 : 1024
      return try Self.timed(repeats, units: 200) {
        _ = try sampler.sample(count, key: RandomKey(1))
      }
    case .likelihood:
      let field: ScoreModel<Scalar> = try Self.field(Self.model(scale: 1), pool)
      let points: Tensor<Scalar> = RandomKey(3).normal([512, 2])
      let likelihood = try FlowLikelihood(
        field, divergence: .hutchinson(.rademacher, probes: 1),
        method: .adaptive(rtol: 1e-5, atol: 1e-5))
      return try Self.timed(repeats, units: 1) {
        _ = try likelihood.logDensity(of: points, key: RandomKey(4))
      }
    }
  }

  private static func model(scale: Double) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: [2],
      network: NetworkSpec(
        .mlp, width: 256, depth: 4, condition: .time, features: .fourier, frequencies: 64,
        scale: scale), preconditioning: .noise)
  }

  private static var imageModel: ModelConfiguration {
    ModelConfiguration(
      sampleShape: [28, 28, 1],
      network: NetworkSpec(
        .unet, width: 32, depth: 1, condition: .time, features: .fourier, frequencies: 64,
        scale: 16), preconditioning: .noise)
  }

  /// Milliseconds an optimiser step.
  private static func steps<Scalar: TensorScalar>(
    _ count: Int, _ model: ModelConfiguration, _ process: any LinearProcess,
    _ samples: Tensor<Scalar>, batch: Int, repeats: Int, _ pool: ThreadPool
  ) throws -> [Double] {
    var options = TrainingOptions()
    options.batchSize = batch
    options.weighting = .noise
    options.times = .uniform
    options.schedule = .constant
    options.warmUp = 0
    options.averageDecay = 0
    options.steps = Int.max
    var trainer = try Trainer(
      model, process: process, data: TrainingData(samples), options: options, pool: pool)
    return try timed(repeats, units: Double(count)) {
      for _ in 0..<count { try trainer.advance() }
    }
  }

  private static func field<Scalar: TensorScalar>(
    _ model: ModelConfiguration, _ pool: ThreadPool
  ) throws -> ScoreModel<Scalar> {
    try ScoreModel(
      model, process: VariancePreserving(),
      parameters: Parameters(drawing: model.parameters, key: RandomKey(2)), pool: pool)
  }

  private static func samplingField<Scalar: TensorScalar>(
    _ model: ModelConfiguration, _ roundsProducts: Bool, _ pool: ThreadPool
  ) throws -> any ScoreField<Scalar> {
    if roundsProducts,
      let rounded = try BFloat16Field(field(model, pool)) as? any ScoreField<Scalar>
    {
      return rounded
    }
    return try field(model, pool) as ScoreModel<Scalar>
  }

  private static func timed(
    _ repeats: Int, units: Double, _ body: () throws -> Void
  ) throws -> [Double] {
    try body()
    return try (0..<repeats).map { _ in
      let start = ContinuousClock.now
      try body()
      return start.duration(to: .now).seconds * 1000 / units
    }
  }
}

import Foundation
import ScoreSDE

/// The workloads of `bench`, the same as those of the peers: an MLP of 130 → 256 (4 times) → 2 on points in the plane.
enum Workload: String, CaseIterable {
  case train = "mlp-train"
  case sample64 = "mlp-sample-64"
  case sample1024 = "mlp-sample-1024"
  case likelihood = "mlp-likelihood"

  /// What one timed unit is.
  var unit: String {
    switch self {
    case .train: "optimiser step, batch 512"
    case .sample64: "Euler–Maruyama step, batch 64"
    case .sample1024: "Euler–Maruyama step, batch 1024"
    case .likelihood: "probability-flow solve, batch 512"
    }
  }

  /// Milliseconds a unit, once for each repeat after a run that is not counted.
  func times<Scalar: TensorScalar>(
    repeats: Int, _ pool: ThreadPool, _ type: Scalar.Type
  ) throws -> [Double] {
    let process = try VariancePreserving()
    switch self {
    case .train:
      var options = TrainingOptions()
      options.batchSize = 512
      options.weighting = .noise
      options.times = .uniform
      options.schedule = .constant
      options.warmUp = 0
      options.steps = Int.max
      let points: Tensor<Scalar> = RandomKey(8).normal([512, 2])
      var trainer = try Trainer(
        Self.model(scale: 16), process: process, data: TrainingData(points), options: options,
        pool: pool)
      return try Self.timed(repeats, units: 50) {
        for _ in 0..<50 { try trainer.advance() }
      }
    case .sample64, .sample1024:
      let sampler = try Sampler(
        try Self.field(scale: 16, pool, type), solver: EulerMaruyama(), steps: 200,
        batchSize: 4096)
      let count = self == .sample64 ? 64 : 1024
      return try Self.timed(repeats, units: 200) {
        _ = try sampler.sample(count, key: RandomKey(1))
      }
    case .likelihood:
      let field = try Self.field(scale: 1, pool, type)
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
        scale: scale), preconditioning: .none)
  }

  private static func field<Scalar: TensorScalar>(
    scale: Double, _ pool: ThreadPool, _ type: Scalar.Type
  ) throws -> ScoreModel<Scalar> {
    let model = model(scale: scale)
    return try ScoreModel(
      model, process: VariancePreserving(),
      parameters: Parameters(drawing: model.parameters, key: RandomKey(2)), pool: pool)
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

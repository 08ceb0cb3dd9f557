import ScoreSDE
import Testing

/// Tensors and lists of nothing.
extension ArgumentTests {
  static let emptyRefusals: [Refusal<Shape>] = [
    Refusal("states", [[], [0], [0, 2], [3, 0]]) {
      _ = try sampler().sample(from: Tensor($0), key: key)
    },
    Refusal("samples to edit", [[], [0], [0, 2], [3, 0]]) {
      _ = try sampler().sample(editing: Tensor($0), key: key)
    },
    Refusal("log densities", [[], [0], [0, 2], [3, 0]]) {
      _ = try FlowLikelihood(field).logDensity(of: Tensor($0))
    },
    Refusal("latents", [[], [0], [0, 2], [3, 0]]) {
      _ = try FlowLikelihood(field).decode(Tensor($0))
    },
    Refusal("bound", [[], [0], [0, 2], [3, 0]]) {
      _ = try VariationalBound(field, strata: 1)(Tensor($0))
    },
    Refusal("noise", [[], [0], [3, 0]]) { _ = try field.noise(Tensor($0), at: .shared(0.5)) },
    Refusal("trace", [[], [0], [3, 0]]) {
      _ = try field.trace(at: Tensor($0), .shared(0.5), by: .hutchinson())
    },
    Refusal("moments", [[], [0], [0, 2], [3, 0]]) {
      _ = try GaussianOracle<Float>(process: process, momentsOf: Tensor<Float>($0))
    },
    Refusal("points", [[], [0], [0, 2], [3, 0]]) {
      _ = try EmpiricalOracle(process: process, data: Tensor<Float>($0))
    },
    Refusal("advice", [[], [0], [0, 2], [3, 0], [1, 1]]) {
      _ = try ProcessAdvice(Tensor<Float>($0))
    },
    Refusal("observed", [[], [0], [0, 1], [1, 0]]) {
      _ = try PosteriorField(field, of: seen, observed: Tensor($0), noiseDeviation: 0.1)
    },
    Refusal("known", [[], [0], [0, 2], [1, 0]]) {
      _ = try Inpainting(DDIM(), known: Tensor<Float>($0), mask: [true, false])
    },
    Refusal("Gaussian of nothing", [[0], [2, 0]]) {
      _ = try GaussianOracle<Float>(process: process, mean: 0, deviation: 1, sampleShape: $0)
    },
  ]

  @Test(arguments: emptyRefusals) func tensorsOfNothing(_ refusal: Refusal<Shape>) {
    refusal.check()
  }

  static let listRefusals: [Refusal<Int>] = [
    Refusal("times of a grid", [0]) { _ in _ = try TimeGrid(times: []) },
    Refusal("steps of a grid", [0]) { _ in _ = try TimeGrid(steps: []) },
    Refusal("betas", [0]) { _ in _ = try DDPMChain(betas: []) },
    Refusal("steps of a chain", [0]) { _ in _ = try TimeGrid.chain(DDPMChain.linear(), steps: []) },
    Refusal("mask", [0]) { _ in _ = try LinearObservation.entries([], of: [0]) },
    Refusal("matrix", [0]) { _ in _ = try LinearObservation.matrix([], of: [2]) },
    Refusal("deviations", [0]) { _ in
      _ = try PosteriorField(field, of: seen, observed: Tensor([1, 1]), noiseDeviations: [])
    },
    Refusal("mixture", [0]) { _ in
      _ = try MixtureOracle<Float>(process: process, weights: [], means: [], covariances: [])
    },
    Refusal("Gaussian", [0]) { _ in
      _ = try GaussianOracle<Float>(process: process, mean: [], covariance: [])
    },
    Refusal("times of short steps", [0]) { _ in
      _ = try well.shortSteps(Tensor<Float>([1, 1]), along: [], key: key)
    },
  ]

  @Test(arguments: listRefusals) func listsOfNothing(_ refusal: Refusal<Int>) { refusal.check() }
}

import ScoreSDE
import Testing

/// Counts that make no sense.
extension ArgumentTests {
  static let few = [Int.min, -1, 0]
  static let counts = few + [1 << 50, Int.max]
  static let firsts = [Int.min, -1, Int.max]

  static let countRefusals: [Refusal<Int>] = [
    Refusal("steps of a sampler", counts) { _ = try sampler(steps: $0) },
    Refusal("steps on the reference grid", counts + [1]) {
      _ = try Sampler(field, SolverSpec("ancestral:grid=reference"), steps: $0)
    },
    Refusal("uniform steps", counts) { _ = try TimeGrid.uniform(from: 1, to: 0.1, steps: $0) },
    Refusal("quadratic steps", counts) { _ = try TimeGrid.quadratic(from: 1, to: 0.1, steps: $0) },
    Refusal("log-SNR steps", counts) {
      _ = try TimeGrid.logSNR(of: process, from: 1, to: 0.1, steps: $0)
    },
    Refusal("Karras steps", counts) {
      _ = try TimeGrid.karras(of: process, from: 1, to: 0.1, steps: $0)
    },
    Refusal("reference steps", counts) {
      _ = try TimeGrid.reference(for: process, steps: $0, epsilon: 0.1)
    },
    Refusal("samples", counts) { _ = try sampler().sample($0, key: key) },
    Refusal("samples of a fit", counts) { _ = try sampler("fitted").sample($0, key: key) },
    Refusal("samples of ode", counts) { _ = try sampler("ode").sample($0, key: key) },
    Refusal("first sample", firsts) { _ = try sampler().sample(3, key: key, first: $0) },
    Refusal("first of given states", firsts) {
      _ = try sampler().sample(from: x, key: key, first: $0)
    },
    Refusal("first of edited samples", firsts) {
      _ = try sampler().sample(editing: x, key: key, first: $0)
    },
    Refusal("batch size", few) {
      var sampler = try sampler()
      sampler.batchSize = $0
      _ = try sampler.sample(3, key: key)
    },
    Refusal("stride", few) {
      var sampler = try sampler()
      sampler.trajectoryStride = $0
      _ = try sampler.sample(3, key: key)
    },
    Refusal("samples of a general process", counts) {
      _ = try general.sample($0, shape: [1], steps: 2, key: key)
    },
    Refusal("steps of a general process", counts) {
      _ = try general.sample(3, shape: [1], steps: $0, key: key)
    },
    Refusal("samples in phase space", counts) {
      _ = try PhaseSampler(phase).sample($0, steps: 2, key: key)
    },
    Refusal("steps in phase space", counts) {
      _ = try PhaseSampler(phase).sample(3, steps: $0, key: key)
    },
    Refusal("pilot of fitted", counts + [1]) { _ = try FittedFlow(pilot: $0) },
    Refusal("memory of fitted", counts) { _ = try FittedFlow(memory: $0) },
    Refusal("sweeps of fitted", [-1, .max]) { _ = try FittedFlow(sweeps: $0) },
    Refusal("pilot of a grid", counts) { _ = try OptimizedGrid(DDIM(), pilot: $0) },
    Refusal("sweeps of a grid", [-1, .max]) { _ = try OptimizedGrid(DDIM(), sweeps: $0) },
    Refusal("corrections", counts) { _ = try Langevin(steps: $0) },
    Refusal("annealed corrections", counts) { _ = try AnnealedLangevin(steps: $0) },
    Refusal("order of deis", counts) { _ = try DEIS(order: $0) },
    Refusal("order of unipc", counts) { _ = try UniPC(predictions: $0) },
    Refusal("stages of dpm-solver", counts) { _ = try DPMSolver(stages: $0) },
    Refusal("order of dpm-solver++", counts) { _ = try DPMSolverMultistep(order: $0) },
    Refusal("order of sde-dpm-solver++", counts) { _ = try SDEDPMSolver(order: $0) },
    Refusal("budget of ode", few + [1]) { _ = try AdaptiveFlow(maxEvaluations: $0) },
    Refusal("budget of adaptive-sde", few + [1]) { _ = try AdaptiveDiffusion(maxEvaluations: $0) },
    Refusal("probes", counts) {
      _ = try FlowLikelihood(field, divergence: .hutchinson(probes: $0))
    },
    Refusal("sketch", counts) {
      _ = try FlowLikelihood(field, divergence: .hutchPlusPlus(sketch: $0))
    },
    Refusal("probes of hutch++", counts) {
      _ = try FlowLikelihood(field, divergence: .hutchPlusPlus(probes: $0))
    },
    Refusal("probes of a trace", counts) {
      _ = try field.trace(at: x, .shared(0.5), by: .hutchinson(probes: $0))
    },
    Refusal("first of a trace", firsts) {
      _ = try field.trace(at: x, .shared(0.5), by: .hutchinson(), first: $0)
    },
    Refusal("fixed steps of a likelihood", counts) {
      _ = try FlowLikelihood(field, method: .fixed(.rk4, steps: $0))
    },
    Refusal("budget of a likelihood", few + [1]) {
      _ = try FlowLikelihood(field, method: .adaptive(maxEvaluations: $0))
    },
    Refusal("batch size of a likelihood", few) { _ = try FlowLikelihood(field, batchSize: $0) },
    Refusal("first of log densities", firsts) {
      _ = try FlowLikelihood(field).logDensity(of: x, first: $0)
    },
    Refusal("samples with densities", counts) {
      _ = try FlowLikelihood(field).sample($0, key: key)
    },
    Refusal("first with densities", firsts) {
      _ = try FlowLikelihood(field).sample(3, key: key, first: $0)
    },
    Refusal("first decoded", firsts) {
      _ = try FlowLikelihood(field).sample(decoding: x, first: $0)
    },
    Refusal("pilots of a budget", [Int.min, -1]) {
      let likelihood = try FlowLikelihood(field)
      _ = try likelihood.budget(of: likelihood.logDensity(of: x), for: x, pilots: $0)
    },
    Refusal("first of a budget", firsts) {
      let likelihood = try FlowLikelihood(field)
      _ = try likelihood.budget(of: likelihood.logDensity(of: x), for: x, first: $0)
    },
    Refusal("strata", counts) { _ = try VariationalBound(field, strata: $0) },
    Refusal("first of a bound", firsts) {
      _ = try VariationalBound(field, strata: 1)(x, first: $0)
    },
    Refusal("particles", counts + [1]) {
      _ = try ParticleSampler(posterior, particles: $0, steps: 2)
    },
    Refusal("steps of particles", counts) {
      _ = try ParticleSampler(posterior, particles: 4, steps: $0)
    },
    Refusal("batch size of particles", few) {
      _ = try ParticleSampler(posterior, particles: 4, steps: 2, batchSize: $0)
    },
    Refusal("sets", counts) { _ = try particles.sample(sets: $0, key: key) },
    Refusal("samples kept", counts + [5]) {
      _ = try particles.sample(sets: 1, keeping: $0, key: key)
    },
    Refusal("first set", firsts) { _ = try particles.sample(sets: 1, key: key, first: $0) },
    Refusal("iterations of a posterior", few) {
      _ = try PosteriorField(
        field, of: seen, observed: Tensor<Float>([1, 1]), noiseDeviation: 0.1, iterations: $0)
    },
    Refusal("blocks", counts) { _ = try LinearObservation.blockMeans(of: [4, 4], size: $0) },
    Refusal("blocks of nothing", [1, .max]) {
      _ = try LinearObservation.blockMeans(of: [0, 0], size: $0)
    },
    Refusal("steps of a linear chain", counts + [1]) { _ = try DDPMChain.linear(steps: $0) },
    Refusal("steps of a cosine chain", counts + [1]) { _ = try DDPMChain.cosine(steps: $0) },
    Refusal("steps of a chain of vp", counts + [1]) { _ = try DDPMChain(process, steps: $0) },
    Refusal("steps of a part of a chain", [Int.min, -1, 1000, Int.max]) {
      _ = try TimeGrid.chain(DDPMChain.linear(), steps: [$0])
    },
    Refusal("width", counts) { try model(NetworkSpec(width: $0)).check() },
    Refusal("depth", counts) { try model(NetworkSpec(.mlp, depth: $0)).check() },
    Refusal("frequencies", counts) { try model(NetworkSpec(frequencies: $0)).check() },
    Refusal("multipliers", counts) {
      try model(NetworkSpec(.unet, width: 8, multipliers: [$0]), [4, 4]).check()
    },
    Refusal("groups", counts) {
      try model(NetworkSpec(.unet, width: 8, groups: $0), [4, 4]).check()
    },
    Refusal("classes", [Int.min, -1, .max]) { try model(NetworkSpec(), classes: $0).check() },
    Refusal("covariates", [Int.min, -1, .max]) { try model(NetworkSpec(), covariates: $0).check() },
    Refusal("entries of samples", [0, 1 << 50, .max]) { try model(NetworkSpec(), [$0]).check() },
    Refusal("inputs of a regression", counts) {
      _ = try RegressionTrainer<Float>(
        inputs: $0, conditions: 1, outputs: 1, batchSize: 2, steps: 1, pool: pool)
    },
    Refusal("conditions of a regression", counts) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: $0, outputs: 1, batchSize: 2, steps: 1, pool: pool)
    },
    Refusal("outputs of a regression", counts) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: $0, batchSize: 2, steps: 1, pool: pool)
    },
    Refusal("width of a regression", counts) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, width: $0, batchSize: 2, steps: 1, pool: pool)
    },
    Refusal("layers of a regression", counts) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, layers: $0, batchSize: 2, steps: 1, pool: pool)
    },
    Refusal("batch size of a regression", counts) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, batchSize: $0, steps: 1, pool: pool)
    },
    Refusal("steps of a regression", few) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, batchSize: 2, steps: $0, pool: pool)
    },
    Refusal("rows of a regression's function", counts) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, batchSize: 2, steps: 1, pool: pool
      ).function(rows: $0)
    },
  ]

  static func model(
    _ network: NetworkSpec, _ shape: Shape = [2], classes: Int = 0, covariates: Int = 0
  ) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: shape, network: network, preconditioning: .noise, classes: classes,
      covariates: covariates)
  }

  @Test(arguments: countRefusals) func counts(_ refusal: Refusal<Int>) { refusal.check() }
}

import ScoreSDE
import Testing

/// Numbers that make no sense, and tensors of nothing, given to whatever of the public calls throws: a typed error of one
/// sentence, from each.
@Suite struct ArgumentTests {
  /// A call, and the values that it refuses.
  struct Refusal<Value: Sendable>: CustomTestStringConvertible, Sendable {
    let name: String
    let values: [Value]
    let call: @Sendable (Value) throws -> Void

    init(_ name: String, _ values: [Value], _ call: @escaping @Sendable (Value) throws -> Void) {
      (self.name, self.values, self.call) = (name, values, call)
    }

    var testDescription: String { name }

    func check() {
      for value in values {
        do {
          try call(value)
          Issue.record("\(name) of \(value): no error")
        } catch {
          let isTyped =
            error is SamplingError || error is ProcessError || error is TrainingError
            || error is SpecError
          #expect(isTyped && !"\(error)".contains("\n"), "\(name) of \(value): \(error)")
        }
      }
    }
  }

  private static let key = RandomKey(1)
  private static let process = try! VariancePreserving()
  private static let field = try! GaussianOracle<Float>(
    process: process, mean: 0.5, deviation: 0.3, sampleShape: [2])
  private static let pool = ThreadPool(threads: 1)
  private static let x = Tensor<Float>([3, 2], repeating: 0.5)
  private static let phase = try! PhaseOracle<Float>(
    process: CriticallyDampedLangevin(), mean: [0], covariance: [[1]])
  private static let well = try! GeneralProcess(
    name: "well", drift: { x, _ in x.map { -$0 } }, diffusion: { _ in 1 })
  private static let general = try! GeneralSampler<Float>(well) { x, _ in -x }
  private static let seen = try! LinearObservation.entries([true, false], of: [2])
  private static let posterior = try! PosteriorField(
    field, of: seen, observed: Tensor<Float>([1, 1]), noiseDeviation: 0.1)
  private static let particles = try! ParticleSampler(posterior, particles: 4, steps: 2)
  private static func sampler(_ solver: String = "ddim", steps: Int = 2) throws -> Sampler<Float> {
    try Sampler(field, SolverSpec(solver), steps: steps)
  }

  // MARK: Counts

  private static let few = [Int.min, -1, 0]
  private static let counts = few + [1 << 50, Int.max]
  private static let firsts = [Int.min, -1, Int.max]

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

  private static func model(
    _ network: NetworkSpec, _ shape: Shape = [2], classes: Int = 0, covariates: Int = 0
  ) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: shape, network: network, preconditioning: .noise, classes: classes,
      covariates: covariates)
  }

  @Test(arguments: countRefusals) func counts(_ refusal: Refusal<Int>) { refusal.check() }

  // MARK: Numbers

  private static let never = [Double.nan, .infinity, -.infinity]
  private static let negative = never + [-1]
  private static let notPositive = negative + [0]

  static let numberRefusals: [Refusal<Double>] = [
    Refusal("start of a sampler", notPositive + [2]) {
      _ = try Sampler(field, SolverSpec("ddim"), steps: 2, from: $0)
    },
    Refusal("epsilon of a sampler", notPositive + [1]) {
      _ = try Sampler(field, SolverSpec("ddim"), steps: 2, epsilon: $0)
    },
    Refusal("end of a grid", notPositive) { _ = try TimeGrid.uniform(from: $0, to: 0.1, steps: 2) },
    Refusal("epsilon of a grid", notPositive) {
      _ = try TimeGrid.quadratic(from: 1, to: $0, steps: 2)
    },
    Refusal("rho", notPositive) {
      _ = try TimeGrid.karras(of: process, from: 1, to: 0.1, steps: 2, rho: $0)
    },
    Refusal("a grid's first time", never + [0.1]) { _ = try TimeGrid(times: [$0, 0.1]) },
    Refusal("a grid's last time", negative + [1]) { _ = try TimeGrid(times: [1, $0]) },
    Refusal("a step's start", never) {
      _ = try TimeGrid(steps: [TimeStep(index: 0, time: $0, next: 0)])
    },
    Refusal("a step's end", never + [1, 2]) {
      _ = try TimeGrid(steps: [TimeStep(index: 0, time: 1, next: $0)])
    },
    Refusal("rtol", notPositive) { _ = try AdaptiveFlow(rtol: $0) },
    Refusal("atol", notPositive) { _ = try AdaptiveFlow(atol: $0) },
    Refusal("rtol of adaptive-sde", notPositive) { _ = try AdaptiveDiffusion(rtol: $0) },
    Refusal("atol of adaptive-sde", notPositive) { _ = try AdaptiveDiffusion(atol: $0) },
    Refusal("snr", notPositive) { _ = try Langevin(snr: $0) },
    Refusal("shrinkage", negative) { _ = try Langevin(shrinkage: $0) },
    Refusal("annealed snr", notPositive) { _ = try AnnealedLangevin(snr: $0) },
    Refusal("churn", negative) { _ = try ChurnedHeun(churn: $0) },
    Refusal("least of churn", [.nan, -1]) { _ = try ChurnedHeun(min: $0) },
    Refusal("most of churn", [.nan, -1]) { _ = try ChurnedHeun(max: $0) },
    Refusal("noise of churn", notPositive) { _ = try ChurnedHeun(noise: $0) },
    Refusal("eta", negative) { _ = try DDIM(eta: $0) },
    Refusal("r1", notPositive + [2]) { _ = try DPMSolver(stages: 2, r1: $0) },
    Refusal("r2", notPositive + [2]) { _ = try DPMSolver(stages: 3, r2: $0) },
    Refusal("noise of euler-maruyama", negative) { _ = try EulerMaruyama(stochasticity: $0) },
    Refusal("noise of stochastic-heun", negative) { _ = try StochasticHeun(stochasticity: $0) },
    Refusal("noise of sra1", negative) { _ = try StochasticRungeKutta(stochasticity: $0) },
    Refusal("noise of a general process", negative) {
      _ = try GeneralSampler<Float>(well, stochasticity: $0) { x, _ in x }
    },
    Refusal("noise in phase space", negative) {
      _ = try PhaseSampler(phase, method: .eulerMaruyama(stochasticity: $0))
    },
    Refusal("states of a general process", never) {
      _ = try general.sample(
        from: Tensor([1, 1], repeating: Float($0)), along: .uniform(from: 1, to: 0.1, steps: 2),
        key: key)
    },
    Refusal("samples to edit", never) {
      _ = try sampler().sample(editing: Tensor([1, 2], repeating: Float($0)), key: key)
    },
    Refusal("epsilon of a likelihood", notPositive + [1]) {
      _ = try FlowLikelihood(field, epsilon: $0)
    },
    Refusal("rtol of a likelihood", notPositive) {
      _ = try FlowLikelihood(field, method: .adaptive(rtol: $0))
    },
    Refusal("fraction of an interpolation", never) {
      _ = try FlowLikelihood(field).interpolate(from: x, to: -x, at: [0, $0])
    },
    Refusal("epsilon of a bound", notPositive + [1]) {
      _ = try VariationalBound(field, epsilon: $0)
    },
    Refusal("deviation of a bound", negative) {
      _ = try VariationalBound(field, dataDeviation: $0)
    },
    Refusal("scale of guidance", never) { _ = try field.guided(from: field, scale: $0) },
    Refusal("scale of a tilt", never) { _ = try TiltedField(field, scale: $0) { x, _ in x } },
    Refusal("what is observed", never) {
      _ = try PosteriorField(
        field, of: seen, observed: Tensor([1, 1], repeating: Float($0)), noiseDeviation: 0.1)
    },
    Refusal("noise of what is observed", negative) {
      _ = try PosteriorField(field, of: seen, observed: Tensor([1, 1]), noiseDeviation: $0)
    },
    Refusal("tolerance of a posterior", negative + [1]) {
      _ = try PosteriorField(
        field, of: seen, observed: Tensor([1, 1]), noiseDeviation: 0.1, tolerance: $0)
    },
    Refusal("epsilon of particles", notPositive) {
      _ = try ParticleSampler(posterior, particles: 4, steps: 2, epsilon: $0)
    },
    Refusal("matrix of an observation", never) {
      _ = try LinearObservation.matrix([[$0, 1]], of: [2])
    },
    Refusal("weight of an observation", never) {
      _ = try seen.weighted(samples: [$0, 1], observed: [1])
    },
    Refusal("known entries", never) {
      _ = try Inpainting(
        DDIM(), known: Tensor<Float>([1, 2], repeating: Float($0)), mask: [true, false])
    },
    Refusal("beta-min", negative + [21]) { _ = try VariancePreserving(betaMin: $0) },
    Refusal("beta-max", notPositive) { _ = try VariancePreserving(betaMax: $0) },
    Refusal("beta-min of subvp", negative) { _ = try SubVariancePreserving(betaMin: $0) },
    Refusal("beta-max of subvp", notPositive) { _ = try SubVariancePreserving(betaMax: $0) },
    Refusal("sigma-min", notPositive + [50]) { _ = try VarianceExploding(sigmaMin: $0) },
    Refusal("sigma-max", notPositive) { _ = try VarianceExploding(sigmaMax: $0) },
    Refusal("sigma-min of ve-linear", negative) { _ = try LinearVarianceExploding(sigmaMin: $0) },
    Refusal("sigma-max of ve-linear", notPositive) {
      _ = try LinearVarianceExploding(sigmaMax: $0)
    },
    Refusal("sigma-min of edm", notPositive) { _ = try ElucidatedDiffusion(sigmaMin: $0) },
    Refusal("sigma-max of edm", notPositive) { _ = try ElucidatedDiffusion(sigmaMax: $0) },
    Refusal("theta", notPositive) { _ = try OrnsteinUhlenbeck(rate: $0) },
    Refusal("std", notPositive) { _ = try OrnsteinUhlenbeck(deviation: $0) },
    Refusal("end of ou", notPositive) { _ = try OrnsteinUhlenbeck(endTime: $0) },
    Refusal("end of flow", notPositive + [1]) { _ = try RectifiedFlow(endTime: $0) },
    Refusal("offset", negative) { _ = try CosineVariancePreserving(offset: $0) },
    Refusal("end of cosine", notPositive + [1]) { _ = try CosineVariancePreserving(endTime: $0) },
    Refusal("mass", notPositive) { _ = try CriticallyDampedLangevin(mass: $0) },
    Refusal("rate", notPositive) { _ = try CriticallyDampedLangevin(rate: $0) },
    Refusal("gamma", negative + [2]) { _ = try CriticallyDampedLangevin(initialShare: $0) },
    Refusal("end of cld", notPositive) { _ = try CriticallyDampedLangevin(endTime: $0) },
    Refusal("beta", negative + [1]) { _ = try DDPMChain(betas: [0.1, $0]) },
    Refusal("first beta", notPositive + [1]) { _ = try DDPMChain.linear(steps: 10, from: $0) },
    Refusal("last beta", negative + [1]) { _ = try DDPMChain.linear(steps: 10, to: $0) },
    Refusal("offset of a chain", negative) { _ = try DDPMChain.cosine(steps: 10, offset: $0) },
    Refusal("clip of a chain", notPositive + [1]) { _ = try DDPMChain.cosine(steps: 10, clip: $0) },
    Refusal("end of one's own process", notPositive) {
      _ = try CustomProcess(
        name: "own", alpha: { cos($0) }, sigma: { sin($0) }, endTime: $0)
    },
    Refusal("prior of one's own process", notPositive) {
      _ = try CustomProcess(
        name: "own", alpha: { cos(1.5 * $0) }, sigma: { sin(1.5 * $0) }, priorDeviation: $0)
    },
    Refusal("cutoffs of one's own process", notPositive + [1]) {
      _ = try CustomProcess(
        name: "own", alpha: { cos(1.5 * $0) }, sigma: { sin(1.5 * $0) },
        cutoffs: Cutoffs(sampling: $0))
    },
    Refusal("start of one's own process", negative) {
      _ = try CustomProcess(
        name: "own", drift: { _ in -1 }, squaredDiffusion: { _ in 2 }, initialDeviation: $0)
    },
    Refusal("drift of one's own process", never) { value in
      _ = try CustomProcess(name: "own", drift: { _ in value }, squaredDiffusion: { _ in 2 })
    },
    Refusal("beta of one's own process", negative) { value in
      _ = try CustomProcess(name: "own", beta: { _ in value })
    },
    Refusal("end of a general process", notPositive) { try general(endTime: $0) },
    Refusal("prior of a general process", notPositive) { try general(priorDeviation: $0) },
    Refusal("cutoff of a general process", notPositive + [1]) {
      try general(cutoffs: Cutoffs(sampling: $0))
    },
    Refusal("times of a simulation", never + [0]) {
      _ = try well.simulate(Tensor<Float>([1, 1]), along: [0, $0], key: key)
    },
    Refusal("states of a simulation", never) {
      _ = try well.simulate(Tensor([1, 1], repeating: $0), along: [0, 1], key: key)
    },
    Refusal("times of short steps", never + [0]) {
      _ = try well.shortSteps(Tensor<Float>([1, 1]), along: [0, $0], key: key)
    },
    Refusal("mean of a Gaussian", never) {
      _ = try GaussianOracle<Float>(process: process, mean: $0, deviation: 1, sampleShape: [1])
    },
    Refusal("deviation of a Gaussian", notPositive) {
      _ = try GaussianOracle<Float>(process: process, mean: 0, deviation: $0, sampleShape: [1])
    },
    Refusal("covariance of a Gaussian", notPositive) {
      _ = try GaussianOracle<Float>(process: process, mean: [0], covariance: [[$0]])
    },
    Refusal("variance added to moments", negative) {
      _ = try GaussianOracle<Float>(process: process, momentsOf: x, addedVariance: $0)
    },
    Refusal("weight of a mixture", notPositive) {
      _ = try MixtureOracle<Float>(
        process: process, weights: [$0], means: [[0]], covariances: [[[1]]])
    },
    Refusal("mean of a mixture", never) {
      _ = try MixtureOracle<Float>(
        process: process, weights: [1], means: [[$0]], covariances: [[[1]]])
    },
    Refusal("bandwidth", negative) {
      _ = try EmpiricalOracle(process: process, data: x, bandwidth: $0)
    },
    Refusal("points", never) {
      _ = try EmpiricalOracle(process: process, data: Tensor([1, 1], repeating: $0))
    },
    Refusal("covariance in phase space", notPositive) {
      _ = try PhaseOracle<Float>(
        process: CriticallyDampedLangevin(), mean: [0], covariance: [[$0]])
    },
    Refusal("start of weighted times", notPositive + [1]) {
      _ = try LikelihoodWeightedTimes(process, from: $0)
    },
    Refusal("mismatch of advice", notPositive) {
      _ = try ProcessAdvice(Tensor<Float>([2, 1], [0, 1]), mismatch: $0)
    },
    Refusal("data of advice", never) {
      _ = try ProcessAdvice(Tensor<Float>([2, 1], [0, Float($0)]))
    },
    Refusal("time of a score", never + [0]) { _ = try field.score(x, at: .shared($0)) },
    Refusal("scale of features", notPositive) { try model(NetworkSpec(scale: $0)).check() },
    Refusal("deviation of data", notPositive) {
      try ModelConfiguration(
        sampleShape: [2], network: NetworkSpec(), preconditioning: .edm(deviation: $0)
      ).check()
    },
    Refusal("deviation of log-normal times", notPositive) {
      _ = try TrainingTimes(process, .logNormal, dataDeviation: $0)
    },
    Refusal("learning rate", notPositive) {
      _ = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, batchSize: 2, steps: 1, learningRate: $0, pool: pool)
    },
  ]

  private static func general(
    endTime: Double = 1, cutoffs: Cutoffs? = nil, priorDeviation: Double = 1
  ) throws {
    _ = try GeneralProcess(
      name: "own", drift: { x, _ in x }, diffusion: { _ in 1 }, endTime: endTime, cutoffs: cutoffs,
      priorDeviation: priorDeviation)
  }

  @Test(arguments: numberRefusals) func numbers(_ refusal: Refusal<Double>) { refusal.check() }

  // MARK: Tensors of nothing

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

  /// As many probes as are taken of a few numbers are too many of a million.
  @Test func probesOfLargeSamplesAreRefused() throws {
    let field = try GaussianOracle<Float>(
      process: Self.process, mean: 0, deviation: 1, sampleShape: [1 << 20])
    let x = Tensor<Float>([1, 1 << 20])
    for divergence in [
      Divergence.hutchinson(probes: Divergence.mostProbes),
      .hutchPlusPlus(sketch: Divergence.mostProbes),
    ] {
      Refusal("probes", [divergence]) {
        _ = try FlowLikelihood(field, divergence: $0).logDensity(of: x)
      }.check()
      Refusal("probes of a trace", [divergence]) {
        _ = try field.trace(at: x, .shared(0.5), by: $0)
      }.check()
    }
  }

  /// The sentences name what was found and the limit.
  @Test func sentences() throws {
    #expect(throws: SamplingError("the number of steps is \(Int.max); expected at most 10000000")) {
      try Self.sampler(steps: .max)
    }
    let error = #expect(throws: SamplingError.self) {
      try Self.sampler().sample(1 << 50, key: Self.key)
    }
    #expect(
      error?.description.hasPrefix(
        "1125899906842624 samples of shape [2] take more than a million GB")
        == true)
  }
}

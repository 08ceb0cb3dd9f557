import ScoreSDE
import Testing

/// Numbers that make no sense.
extension ArgumentTests {
  static let never = [Double.nan, .infinity, -.infinity]
  static let negative = never + [-1]
  static let notPositive = negative + [0]

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
    Refusal("where steps join", [1, 2]) {
      _ = try TimeGrid(
        steps: [TimeStep(index: 0, time: 1, next: 0.5), TimeStep(index: 1, time: $0, next: 0.1)])
    },
    Refusal("time of a model", negative + [0, 1.5]) { _ = try network().noise(x, at: .shared($0)) },
    Refusal("times of a model", negative + [0, 1.5]) {
      _ = try network().trace(at: x, .perSample([0.5, $0, 0.7]), by: .exact)
    },
    Refusal("grid of a model", [5]) {
      _ = try Sampler(network(), solver: DDIM(), grid: TimeGrid(times: [$0, 1, 0.1]))
        .sample(2, key: key)
    },
    Refusal("covariates of a model", never + [1e300]) {
      _ = try network(covariates: 1).conditioned(on: [$0])
    },
    Refusal("oracle of a budget", [19, 21]) {
      let likelihood = try FlowLikelihood(field)
      let other = try GaussianOracle<Float>(
        process: VariancePreserving(betaMax: $0), mean: 0.5, deviation: 0.3, sampleShape: [2])
      _ = try likelihood.budget(of: likelihood.logDensity(of: x), for: x, by: other)
    },
    Refusal("data of a budget", never) {
      let likelihood = try FlowLikelihood(field)
      let data = Tensor<Float>([2, 2], [0, 1, 2, Float($0)])
      _ = try likelihood.budget(
        of: likelihood.logDensity(of: x), for: x, endMarginal: .data(data))
    },
    Refusal("deviation of a loss", negative) {
      _ = try ScoreMatchingLoss(
        process: process, weighting: .balanced, times: .balanced, dataDeviation: $0)
    },
    Refusal("times of a flow's points", [0.1, 0.05, .nan]) {
      _ = try FlowPoints(along: [($0, x), (0.1, x)], of: process)
    },
    Refusal("true values of ranks", never) {
      _ = try Calibration(of: Tensor([1, 1], [$0]), among: Tensor([2, 1], [0, 1]))
    },
    Refusal("draws of ranks", never) {
      _ = try Calibration(of: Tensor([1, 1], [0.5]), among: Tensor([2, 1], [0, $0]))
    },
    Refusal("weight of a regression", negative) {
      var trainer = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, batchSize: 1, steps: 1, pool: pool)
      let one = Tensor<Float>([1, 1], repeating: 1)
      _ = try trainer.advance(inputs: one, conditions: one, targets: one, weights: [$0])
    },
    Refusal("target of a regression", never) {
      var trainer = try RegressionTrainer<Float>(
        inputs: 1, conditions: 1, outputs: 1, batchSize: 1, steps: 1, pool: pool)
      let one = Tensor<Float>([1, 1], repeating: 1)
      _ = try trainer.advance(
        inputs: one, conditions: one, targets: Tensor([1, 1], repeating: Float($0)))
    },
    Refusal("times of a general drift", [0.5]) {
      _ = try well.drift(Tensor<Float>([3, 1]), at: .perSample([$0]))
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

  /// A model that was not trained.
  static func network(covariates: Int = 0) throws -> ScoreModel<Float> {
    let configuration = model(NetworkSpec(width: 4, depth: 1), covariates: covariates)
    return try ScoreModel(
      configuration, process: process,
      parameters: Parameters(drawing: configuration.parameters, key: key),
      pool: pool)
  }

  static func general(
    endTime: Double = 1, cutoffs: Cutoffs? = nil, priorDeviation: Double = 1
  ) throws {
    _ = try GeneralProcess(
      name: "own", drift: { x, _ in x }, diffusion: { _ in 1 }, endTime: endTime, cutoffs: cutoffs,
      priorDeviation: priorDeviation)
  }

  @Test(arguments: numberRefusals) func numbers(_ refusal: Refusal<Double>) { refusal.check() }
}

import Foundation
import ScoreSDE

/// The checks of `verify`, on data N(0.5, 0.3²) and on a mixture in the plane.
struct Verification {
  let pool: ThreadPool
  let mean = 0.5
  let deviation = 0.3

  /// Runs all checks.
  func checks(progress: (String) -> Void) throws -> [Check] {
    let processes: [any LinearProcess] = [
      try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding(),
      try CustomProcess(
        name: "custom", alpha: { cos(0.49 * .pi * $0) }, sigma: { sin(0.49 * .pi * $0) }),
      try CosineVariancePreserving(), try LinearVarianceExploding(), try ElucidatedDiffusion(),
      try OrnsteinUhlenbeck(), try RectifiedFlow(),
    ]
    var checks: [Check] = []
    for (process, reference) in zip(processes, ReferenceProcess.all) {
      progress(reference.name)
      checks += kernel(process, reference)
      checks += try mixtureField(process, reference)
      checks += try retiming(process, reference)
      checks += try affineSamplers(process, reference)
      checks += try drawnSamples(process, reference)
      checks += try flow(process, reference)
      checks += try everySolver(process, reference)
      checks += try likelihoods(process, reference)
      checks += try LikelihoodVerification(process, reference, pool: pool).checks()
    }
    progress("ddpm, cld")
    checks += try chain()
    checks += try dampedLangevin()
    return checks
  }

  private func field<Scalar: TensorScalar>(_ process: any LinearProcess, _: Scalar.Type) throws
    -> GaussianOracle<Scalar>
  {
    try GaussianOracle(process: process, mean: mean, deviation: deviation, sampleShape: [1])
  }

  /// Kernel and rates against formulas written out anew.
  private func kernel(_ process: any LinearProcess, _ reference: ReferenceProcess) -> [Check] {
    [1e-5, 1e-3, 0.1, 0.5, 1].flatMap { share in
      let t = share * reference.end
      let (marginal, rates) = (process.marginal(at: t), process.rates(at: t))
      let gain = reference.squaredDiffusion(t) / (2 * reference.sigma(t))
      let pairs = [
        ("α", marginal.alpha, reference.alpha(t)), ("σ", marginal.sigma, reference.sigma(t)),
        ("f", rates.drift, reference.drift(t)),
        ("g²", rates.squaredDiffusion, reference.squaredDiffusion(t)),
        ("g²/2σ", rates.noiseGain, gain),
      ]
      return pairs.map { name, found, expected in
        Check(
          process: reference.name, subject: "kernel", quantity: "\(name)(\(Spec.text(t)))",
          found: found, expected: expected, tolerance: 1e-9 * max(1e-6, abs(expected)))
      }
    }
  }

  /// The mixture's score against differences of its log density, and its trace against differences of the score.
  private func mixtureField(
    _ process: any LinearProcess, _ reference: ReferenceProcess
  ) throws -> [Check] {
    let oracle = try Self.mixture(process)
    let t = Times.shared(0.3 * reference.end)
    let point = Tensor<Double>([1, 2], [0.4, -0.2])
    let h = 1e-4 * max(1, reference.sigma(0.3 * reference.end))
    func moved(_ axis: Int, _ step: Double) -> Tensor<Double> {
      var x = point
      x[0, axis] += step
      return x
    }
    let score = try oracle.score(point, at: t)
    var checks: [Check] = []
    var trace = 0.0
    for axis in 0..<2 {
      let slope =
        try
        (oracle.logDensity(moved(axis, h), at: t)[0]
        - oracle.logDensity(moved(axis, -h), at: t)[0]) / (2 * h)
      checks.append(
        Check(
          process: reference.name, subject: "mixture", quantity: "score, axis \(axis + 1)",
          found: score[0, axis], expected: slope, tolerance: 1e-6 * max(1, abs(slope))))
      trace +=
        try
        (oracle.noise(moved(axis, h), at: t)[0, axis]
        - oracle.noise(moved(axis, -h), at: t)[0, axis]) / (2 * h)
    }
    checks.append(
      Check(
        process: reference.name, subject: "mixture", quantity: "tr ∂ε̂/∂x",
        found: try oracle.noiseAndTrace(point, at: t).trace[0], expected: trace,
        tolerance: 1e-6 * max(1, abs(trace))))
    return checks
  }

  /// Mean and deviation over infinitely many samples, pushed through the solvers' own code, against recursions.
  private func affineSamplers(
    _ process: any LinearProcess, _ reference: ReferenceProcess
  ) throws -> [Check] {
    let (count, epsilon) = (100, 1e-3 * reference.end)
    return try ReferenceProcess.affineSolvers.flatMap { name in
      let sampler = try Sampler(
        field(process, Double.self), SolverSpec(ReferenceProcess.onEvenTimes(name)), steps: count,
        epsilon: epsilon)
      let found = try sampler.affineMoments()
      let expected = reference.moments(
        name, count: count, epsilon: epsilon, mean: mean, deviation: deviation)
      return [
        Check(
          process: reference.name, subject: name, quantity: "mean", found: found.mean[0],
          expected: expected.mean, tolerance: 1e-10 * max(1, expected.deviation)),
        Check(
          process: reference.name, subject: name, quantity: "deviation",
          found: found.covariance[0][0].squareRoot(), expected: expected.deviation,
          tolerance: 1e-10 * max(1, expected.deviation)),
      ]
    }
  }

  /// Drawn samples, whose moments are the affine recursions' or, for the Langevin corrector and `ode`, the data's.
  ///
  /// False alarms: 5 standard errors, 6e-7 a check. Where a solver is not affine the tolerance adds the bias of 500 steps,
  /// 1 % of the deviation.
  private func drawnSamples(
    _ process: any LinearProcess, _ reference: ReferenceProcess
  ) throws -> [Check] {
    let names =
      ReferenceProcess.affineSolvers.filter { !$0.contains("predictor=none") }
      + [
        "pc:predictor=reverse-diffusion,corrector=langevin", "pc:predictor=euler-maruyama", "ode",
      ]
    return try names.flatMap { name in
      let count = 2000
      let isAffine = ReferenceProcess.affineSolvers.contains(name)
      let steps = isAffine ? 100 : 500
      let epsilon = isAffine ? 1e-3 * reference.end : process.cutoffs.sampling
      let text = isAffine ? ReferenceProcess.onEvenTimes(name) : name
      let sampler = try Sampler(
        field(process, Float.self), SolverSpec(text), steps: steps, epsilon: epsilon)
      let result = try sampler.sample(count, key: RandomKey(1))
      let values = result.samples.scalars.map(Double.init)
      let found = values.reduce(0, +) / Double(count)
      let variance = values.reduce(0) { $0 + ($1 - found) * ($1 - found) } / Double(count)
      var expected = (mean: mean, deviation: deviation)
      if isAffine {
        expected = reference.moments(
          name, count: steps, epsilon: epsilon, mean: mean, deviation: deviation)
      }
      let bias = isAffine ? 0 : 0.01 * deviation
      let error = expected.deviation / Double(count).squareRoot()
      return [
        Check(
          process: reference.name, subject: name, quantity: "mean of \(count)", found: found,
          expected: expected.mean, tolerance: 5 * error + bias),
        Check(
          process: reference.name, subject: name, quantity: "deviation of \(count)",
          found: variance.squareRoot(), expected: expected.deviation,
          tolerance: 5 * error / 2.0.squareRoot() + bias),
      ]
    }
  }

  /// Solvers of the flow against its closed form on Gaussian data: (x − α m)/√(α² s² + σ²) stays.
  private func flow(
    _ process: any LinearProcess, _ reference: ReferenceProcess
  ) throws -> [Check] {
    let epsilon = 1e-3 * reference.end
    func spread(_ t: Double) -> Double {
      sqrt(pow(reference.alpha(t) * deviation, 2) + pow(reference.sigma(t), 2))
    }
    let start = reference.prior * 1.3
    let expected =
      reference.alpha(epsilon) * mean
      + spread(epsilon) / spread(reference.end)
      * (start - reference.alpha(reference.end) * mean)
    let solvers = [
      ("heun", 4000, 1e-4), ("midpoint", 4000, 1e-4), ("rk4", 2000, 1e-7),
      ("ode:method=dopri5,rtol=1e-10,atol=1e-10", 1, 1e-8),
      ("ode:method=tsit5,rtol=1e-10,atol=1e-10", 1, 1e-8),
      ("ode:method=dop853,rtol=1e-10,atol=1e-10", 1, 1e-8),
      ("ode:method=bosh3,rtol=1e-8,atol=1e-8,max-evaluations=100000", 1, 1e-5),
      ("dpm-solver:order=2,grid=log-snr", 1000, 1e-4),
      ("dpm-solver:order=3,grid=log-snr", 500, 1e-4),
      ("dpm-solver++:method=2m,grid=log-snr", 1000, 1e-4),
      ("dpm-solver++:method=2s,grid=log-snr", 1000, 1e-4),
      ("dpm-solver++:method=3m,grid=log-snr", 500, 1e-4), ("deis:grid=log-snr", 500, 1e-4),
      ("unipc:grid=log-snr", 500, 1e-4), ("edm:grid=log-snr", 1000, 1e-4),
      ("fitted:pilot=64,sweeps=0", 20, 1e-2),
    ]
    return try solvers.map { name, steps, tolerance in
      let sampler = try Sampler(
        field(process, Double.self),
        SolverSpec(name), steps: steps, epsilon: epsilon)
      let result = try sampler.sample(from: Tensor([1, 1], [start]), key: RandomKey(0))
      return Check(
        process: reference.name, subject: name, quantity: "end of the flow",
        found: result.samples[0, 0], expected: expected, tolerance: tolerance)
    }
  }

  /// Log densities: a Gaussian against the closed form of its flow, a mixture in the plane against its own density,
  /// from which the flow's answer differs by truncation at ε and the prior's mismatch, bounded here by 0.03 nats.
  private func likelihoods(
    _ process: any LinearProcess, _ reference: ReferenceProcess
  ) throws -> [Check] {
    let epsilon = process.cutoffs.likelihood
    let points = [-0.4, 0.5, 0.8]
    let likelihood = try FlowLikelihood(
      field(process, Double.self), divergence: .exact,
      method: .adaptive(rtol: 1e-10, atol: 1e-10))
    let found = try likelihood.logDensity(of: Tensor([3, 1], points)).logDensity
    var checks = zip(points, found).map { x, found in
      Check(
        process: reference.name, subject: "likelihood, exact", quantity: "log p(\(x))",
        found: found,
        expected: reference.flowLogDensity(x, epsilon: epsilon, mean: mean, deviation: deviation),
        tolerance: 1e-7)
    }
    let oracle = try Self.mixture(process)
    let x = Tensor<Double>([2, 2], [0.4, -0.2, -1, 1])
    let truth = try oracle.logDataDensity(x)
    let flows = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-8, atol: 1e-8)
    ).logDensity(of: x).logDensity
    for row in 0..<2 {
      checks.append(
        Check(
          process: reference.name, subject: "likelihood, exact",
          quantity: "mixture, point \(row + 1)",
          found: flows[row], expected: truth[row], tolerance: 0.03))
    }
    return checks
  }

  /// Three Gaussians in the plane, one of them correlated.
  static func mixture(_ process: any LinearProcess) throws -> MixtureOracle<Double> {
    try MixtureOracle(
      process: process,
      parameters: MixtureParameters(
        weights: [0.5, 0.3, 0.2], means: [[0, 0], [-1, 1], [1, 0.5]],
        covariances: [
          [[0.3, 0.1], [0.1, 0.2]], [[0.1, 0], [0, 0.1]], [[0.2, -0.15], [-0.15, 0.4]],
        ]))
  }
}

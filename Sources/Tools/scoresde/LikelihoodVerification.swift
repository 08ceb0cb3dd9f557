import Foundation
import ScoreSDE

/// The checks of `verify` on divergences, samples with densities, error budgets, the variational bound and
/// parametrisations.
struct LikelihoodVerification {
  let process: any LinearProcess
  let reference: ReferenceProcess
  let pool: ThreadPool
  private let mean = 0.5
  private let deviation = 0.3

  init(_ process: any LinearProcess, _ reference: ReferenceProcess, pool: ThreadPool) {
    (self.process, self.reference, self.pool) = (process, reference, pool)
  }

  /// All of them.
  func checks() throws -> [Check] {
    try divergences() + sampledDensities() + budgets() + bounds() + parametrizations()
  }

  private func check(
    _ subject: String, _ quantity: String, _ found: Double, _ expected: Double, _ tolerance: Double
  ) -> Check {
    Check(
      process: reference.name, subject: subject, quantity: quantity, found: found,
      expected: expected, tolerance: tolerance)
  }

  private func field() throws -> GaussianOracle<Double> {
    try GaussianOracle(process: process, mean: mean, deviation: deviation, sampleShape: [1])
  }

  /// Estimates of the mixture's trace against the exact one; the mean within 5 standard errors, 6e-7 a check, and the
  /// variance of single probes within 10 % of its closed form.
  private func divergences() throws -> [Check] {
    let oracle = try Verification.mixture(process)
    let t = Times.shared(0.3 * reference.end)
    let count = 20_000
    let x = Tensor<Double>([count, 2], (0..<2 * count).map { $0 % 2 == 0 ? 0.4 : -0.2 })
    let exact = try oracle.trace(at: x.rows(0..<1), t, by: .exact).trace[0]
    let rows = try (0..<2).map { axis in
      try oracle.noiseAndPullback(
        x.rows(0..<1), at: t, cotangent: Tensor([1, 2], axis == 0 ? [1, 0] : [0, 1])
      ).pullback.row(0)
    }
    let off = 0.5 * (rows[0][1] + rows[1][0])
    let squares = rows[0][0] * rows[0][0] + rows[1][1] * rows[1][1] + 2 * off * off
    let variances: [(Divergence.Probe, Double)] = [
      (.rademacher, 4 * off * off), (.gaussian, 2 * squares),
      (.sphere, squares - 0.5 * exact * exact),
    ]
    var checks = try variances.flatMap { probe, variance in
      let found = try oracle.trace(
        at: x, t, by: .hutchinson(probe, probes: 1), key: RandomKey(3)
      ).trace
      let average = found.reduce(0, +) / Double(count)
      let spread = found.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(count - 1)
      let size = max(1e-12, abs(exact))
      return [
        check(
          "trace, \(probe.rawValue)", "mean of \(count)", average, exact,
          5 * (variance / Double(count)).squareRoot() + 1e-12 * size),
        check(
          "trace, \(probe.rawValue)", "variance", spread, variance,
          0.1 * variance + 1e-12 * size * size),
      ]
    }
    let spanned = try oracle.trace(
      at: x.rows(0..<1), t, by: .hutchPlusPlus(sketch: 2, probes: 1)
    ).trace[0]
    let sigma = reference.sigma(0.3 * reference.end)
    checks.append(
      check("trace, hutch++", "sketch of all", spanned, exact, 1e-9 * max(abs(exact), 1 / sigma)))
    return checks
  }

  /// Samples with their densities in one solve, against the closed form of the flow.
  private func sampledDensities() throws -> [Check] {
    let likelihood = try FlowLikelihood(
      field(), divergence: .exact, method: .adaptive(rtol: 1e-10, atol: 1e-10))
    let drawn = try likelihood.sample(3, key: RandomKey(5))
    return (0..<3).map { row in
      let x = drawn.samples[row, 0]
      return check(
        "sample and density", "log p(\(NumberText.significant(x)))",
        drawn.likelihood.logDensity[row],
        reference.flowLogDensity(
          x, epsilon: likelihood.epsilon, mean: mean, deviation: deviation), 1e-6)
    }
  }

  /// The mixture's true log density within value ± 3 × the stated error, both as the flow gives it and corrected.
  private func budgets() throws -> [Check] {
    let oracle = try Verification.mixture(process)
    let x = Tensor<Double>([2, 2], [0.4, -0.2, -1, 1])
    let truth = try oracle.logDataDensity(x)
    let likelihood = try FlowLikelihood(oracle, divergence: .exact)
    let result = try likelihood.logDensity(of: x)
    let budget = try likelihood.budget(of: result, for: x)
    guard let total = budget.total, let left = budget.correctedTotal else { return [] }
    return (0..<2).flatMap { row in
      [
        check(
          "error budget", "flow, point \(row + 1)", result.logDensity[row], truth[row],
          3 * total[row]),
        check(
          "error budget", "corrected, point \(row + 1)", budget.correctedLogDensity[row],
          truth[row], 3 * left[row]),
      ]
    }
  }

  /// The variational bound at a point against its closed form on Gaussian data, and its mean below the entropy's.
  ///
  /// False alarms: 5 standard errors, 6e-7 a check.
  private func bounds() throws -> [Check] {
    let oracle = try field()
    let point = 0.8
    let count = 2000
    let found = try VariationalBound(oracle, strata: 16, dataDeviation: deviation)(
      Tensor([count, 1], repeating: point), key: RandomKey(6))
    let error = found.meanStandardError ?? .infinity
    return [
      check(
        "variational bound", "at \(point), mean of \(count)", found.mean,
        reference.variationalBound(
          square: pow(point - mean, 2), norm: point * point, epsilon: process.cutoffs.likelihood,
          deviation: deviation), 5 * error + 1e-4)
    ]
  }

  /// Models whose network gives 0, under every parametrisation: what is left is the skip, written out anew.
  private func parametrizations() throws -> [Check] {
    let t = 0.4 * reference.end
    let (alpha, sigma) = (reference.alpha(t), reference.sigma(t))
    let x = 0.7
    let variance = alpha * alpha * deviation * deviation + sigma * sigma
    let expected: [(Preconditioning, Double)] = [
      (.noise, 0), (.score, 0), (.denoised, x / sigma),
      (.velocity, sigma * x / (alpha * alpha + sigma * sigma)),
      (.edm(deviation: deviation), sigma * x / variance),
      (.scaledScore(mean: mean, deviation: deviation), 0),
      (
        .standardized(mean: mean, deviation: deviation), sigma * (x - alpha * mean) / variance
      ),
    ]
    return try expected.map { preconditioning, value in
      let configuration = ModelConfiguration(
        sampleShape: [1], network: NetworkSpec(width: 4, depth: 1, frequencies: 2),
        preconditioning: preconditioning)
      let model = try ScoreModel<Double>(
        configuration, process: process,
        parameters: Parameters(drawing: configuration.parameters, key: RandomKey(1)), pool: pool)
      let found = try model.noise(Tensor([1, 1], [x]), at: .shared(t))[0, 0]
      return check(
        "parametrisation", preconditioning.text, found, value, 1e-9 * max(1, abs(value)))
    }
  }
}

extension ReferenceProcess {
  /// The variational bound on data of deviation s at a point with (x − m)² = square and x² = norm, by quadrature.
  ///
  /// With c = α² s² + σ²: E|z − ε̂|² = (α² s²/c)² + (σα/c)² (x − m)².
  func variationalBound(
    square: Double, norm: Double, epsilon: Double, deviation s: Double
  ) -> Double {
    func miss(_ t: Double) -> Double {
      let (alpha, sigma) = (alpha(t), sigma(t))
      let c = pow(alpha * s, 2) + sigma * sigma
      return pow(pow(alpha * s, 2) / c, 2) + pow(sigma * alpha / c, 2) * square
    }
    // ½ ∫ g²/σ² E dt by the midpoint rule in log t; near T some processes' rates are steep in T's own distance.
    let count = 200_000
    let step = log(end / epsilon) / Double(count)
    let diffusion = (0..<count).reduce(0.0) { sum, i in
      let t = epsilon * exp((Double(i) + 0.5) * step)
      return sum + 0.5 * squaredDiffusion(t) / pow(sigma(t), 2) * miss(t) * t * step
    }
    let tau = sigma(epsilon) / alpha(epsilon)
    let reconstruction = -0.5 * log(2 * .pi * tau * tau) - 0.5 * miss(epsilon)
    let ratio = pow(sigma(end) / prior, 2)
    let last =
      0.5 * (ratio - 1 - log(ratio) + pow(alpha(end) / prior, 2) * norm)
    return reconstruction - last - diffusion
  }
}

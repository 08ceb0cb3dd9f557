import Foundation
import ScoreSDE

/// The checks of what is made of the linear family: fields of other processes, DDPM's chain, Langevin diffusion.
extension Verification {
  /// The mixture's field under VP, re-timed, against the process's own.
  func retiming(_ process: any LinearProcess, _ reference: ReferenceProcess) throws -> [Check] {
    let point = Tensor<Double>([1, 2], [0.4, -0.2])
    let retimed = RetimedField(try Self.mixture(try VariancePreserving()), onto: process)
    let t = Times.shared(0.3 * reference.end)
    let (found, expected) = (
      try retimed.noise(point, at: t), try Self.mixture(process).noise(point, at: t)
    )
    return [
      Check(
        process: reference.name, subject: "field of vp, re-timed", quantity: "ε̂",
        found: found[0, 0], expected: expected[0, 0], tolerance: 1e-10)
    ]
  }

  /// DDPM's published products, and its ancestral sampler against the recursion written out.
  func chain() throws -> [Check] {
    let chain = try DDPMChain.linear()
    var checks = [
      (0, 0.9999), (250, 0.521423030619), (500, 0.077796658365), (750, 0.00330015836157),
      (999, 4.03582976538e-05),
    ].map { step, value in
      Check(
        process: "ddpm", subject: "chain", quantity: "product \(step)",
        found: chain.cumulativeProducts[step], expected: value, tolerance: 1e-11 * value)
    }
    let short = try DDPMChain.linear(steps: 100, from: 1e-3, to: 0.2)
    for variance in Ancestral.Variance.allCases {
      let sampler = Sampler(
        try GaussianOracle<Double>(
          process: short, mean: mean, deviation: deviation, sampleShape: [1]),
        solver: Ancestral(variance: variance), grid: try .chain(short))
      let found = try sampler.affineMoments()
      var (m, v) = (0.0, 1.0)
      for step in (0..<short.count).reversed() {
        let (beta, product) = (short.betas[step], short.cumulativeProducts[step])
        let before = step == 0 ? 1 : short.cumulativeProducts[step - 1]
        let gain = beta / (product * deviation * deviation + 1 - product)
        m = (m - gain * (m - product.squareRoot() * mean)) / (1 - beta).squareRoot()
        let noise = variance == .forward ? beta : beta * (1 - before) / (1 - product)
        v = v * (1 - gain) * (1 - gain) / (1 - beta) + (step == 0 ? 0 : noise)
      }
      let subject = "ancestral, \(variance.rawValue) variance"
      checks.append(
        Check(
          process: "ddpm", subject: subject, quantity: "mean", found: found.mean[0], expected: m,
          tolerance: 1e-11))
      checks.append(
        Check(
          process: "ddpm", subject: subject, quantity: "variance",
          found: found.covariance[0][0], expected: v, tolerance: 1e-11))
    }
    return checks
  }

  /// The kernel of critically damped Langevin diffusion against small steps of its moments' equations, and samples.
  ///
  /// False alarms: 5 standard errors, 6e-7 a check. The expected moments are those of 200 steps, from the recursion of
  /// means and covariances written in another language.
  func dampedLangevin() throws -> [Check] {
    let process = try CriticallyDampedLangevin()
    let (m, beta, friction) = (process.mass, process.rate, process.friction)
    // C′ = A C + C Aᵀ + diag(0, 2Γβ) by RK4.
    func slope(_ c: [Double]) -> [Double] {
      [
        2 * beta * c[1] / m, beta * (c[2] / m - c[0] - friction * c[1] / m),
        -2 * beta * (c[1] + friction * c[2] / m) + 2 * friction * beta,
      ]
    }
    func moved(_ c: [Double], _ k: [Double], _ h: Double) -> [Double] {
      zip(c, k).map { $0 + h * $1 }
    }
    var c = [0, 0, process.initialShare * m]
    let (end, count) = (0.4, 2000)
    let h = end / Double(count)
    for _ in 0..<count {
      let k1 = slope(c)
      let k2 = slope(moved(c, k1, h / 2))
      let k3 = slope(moved(c, k2, h / 2))
      let k4 = slope(moved(c, k3, h))
      for (k, weight) in [(k1, 1.0), (k2, 2), (k3, 2), (k4, 1)] { c = moved(c, k, h * weight / 6) }
    }
    let kernel = process.kernel(at: end)
    var checks = [("xx", kernel.xx, c[0]), ("xv", kernel.xv, c[1]), ("vv", kernel.vv, c[2])].map {
      Check(
        process: "cld", subject: "kernel", quantity: $0, found: $1, expected: $2, tolerance: 1e-9)
    }
    let oracle = try PhaseOracle<Double>(
      process: process, mean: [mean], covariance: [[deviation * deviation]])
    let samples = 5000
    let drawn = try PhaseSampler(oracle).sample(samples, steps: 200, key: RandomKey(1))
    let values = drawn.position.scalars
    let found = values.reduce(0, +) / Double(samples)
    let variance = values.reduce(0) { $0 + ($1 - found) * ($1 - found) } / Double(samples)
    let error = deviation / Double(samples).squareRoot()
    checks.append(
      Check(
        process: "cld", subject: "symmetric splitting", quantity: "mean of \(samples)",
        found: found, expected: 0.499837467589, tolerance: 5 * error))
    checks.append(
      Check(
        process: "cld", subject: "symmetric splitting", quantity: "deviation of \(samples)",
        found: variance.squareRoot(), expected: 0.300518073145,
        tolerance: 5 * error / 2.0.squareRoot()))
    return checks
  }
}

import Foundation

/// A process written out once more from the published formulas, for `verify` to hold the library's against.
struct ReferenceProcess: Sendable {
  let name: String
  /// The end T of the time axis.
  var end = 1.0
  let prior: Double
  let alpha: @Sendable (Double) -> Double
  let sigma: @Sendable (Double) -> Double
  let drift: @Sendable (Double) -> Double
  let squaredDiffusion: @Sendable (Double) -> Double

  private static func vpAlpha(_ t: Double) -> Double { exp(-0.25 * t * t * 19.9 - 0.05 * t) }
  private static func beta(_ t: Double) -> Double { 0.1 + 19.9 * t }

  // 1 − α without cancellation near t = 0.
  private static func cosineAlpha(_ t: Double) -> Double {
    let (u, v) = (0.004 * .pi / 1.008, 0.5 * .pi * t / 1.008)
    return 1 - (2 * pow(sin(0.5 * v), 2) + tan(u) * sin(v))
  }

  static let all = [
    ReferenceProcess(
      name: "vp", prior: 1, alpha: vpAlpha, sigma: { sqrt(-expm1(2 * log(vpAlpha($0)))) },
      drift: { -0.5 * beta($0) }, squaredDiffusion: beta),
    ReferenceProcess(
      name: "subvp", prior: 1, alpha: vpAlpha, sigma: { -expm1(2 * log(vpAlpha($0))) },
      drift: { -0.5 * beta($0) },
      squaredDiffusion: { beta($0) * -expm1(4 * log(vpAlpha($0))) }),
    ReferenceProcess(
      name: "ve", prior: 50, alpha: { _ in 1 }, sigma: { 0.01 * pow(5000, $0) }, drift: { _ in 0 },
      squaredDiffusion: { 2 * pow(0.01 * pow(5000, $0), 2) * log(5000) }),
    ReferenceProcess(
      name: "custom", prior: sin(0.49 * .pi), alpha: { cos(0.49 * .pi * $0) },
      sigma: { sin(0.49 * .pi * $0) },
      drift: { -0.49 * .pi * tan(0.49 * .pi * $0) },
      squaredDiffusion: { 0.98 * .pi * tan(0.49 * .pi * $0) }),
    ReferenceProcess(
      name: "cosine", end: 0.9946, prior: 1, alpha: cosineAlpha,
      sigma: { sqrt((1 - cosineAlpha($0)) * (1 + cosineAlpha($0))) },
      drift: { -0.5 * .pi / 1.008 * tan(0.5 * .pi * ($0 + 0.008) / 1.008) },
      squaredDiffusion: { .pi / 1.008 * tan(0.5 * .pi * ($0 + 0.008) / 1.008) }),
    ReferenceProcess(
      name: "ve-linear", prior: 50, alpha: { _ in 1 }, sigma: { 0.01 + 49.99 * $0 },
      drift: { _ in 0 }, squaredDiffusion: { 99.98 * (0.01 + 49.99 * $0) }),
    ReferenceProcess(
      name: "edm", end: 80, prior: 80, alpha: { _ in 1 }, sigma: { $0 }, drift: { _ in 0 },
      squaredDiffusion: { 2 * $0 }),
    ReferenceProcess(
      name: "ou", prior: 1, alpha: { exp(-5 * $0) }, sigma: { sqrt(-expm1(-10 * $0)) },
      drift: { _ in -5 }, squaredDiffusion: { _ in 10 }),
    ReferenceProcess(
      name: "flow", end: 0.995, prior: 0.995, alpha: { 1 - $0 }, sigma: { $0 },
      drift: { -1 / (1 - $0) }, squaredDiffusion: { 2 * $0 / (1 - $0) }),
  ]

  /// A solver's text with the grid of the recursions.
  static func onEvenTimes(_ solver: String) -> String {
    solver + (solver.contains(":") ? "," : ":") + "grid=uniform"
  }

  /// The affine map x ↦ a x + b ∇log p_t(x) + c z of one step.
  struct Step {
    var time: Double
    var a: Double
    var b: Double
    var c: Double
  }

  /// The solvers that are affine on a Gaussian field, by the text that names them.
  static let affineSolvers = [
    "euler-maruyama", "euler-maruyama:stochasticity=0.5", "reverse-diffusion", "ancestral", "ddim",
    "ode:method=euler",
    "pc:predictor=reverse-diffusion,corrector=ald", "pc:predictor=ancestral,corrector=none",
    "pc:predictor=none,corrector=ald",
  ]

  /// The maps of one step of a solver from t to u < t.
  func steps(_ solver: String, from t: Double, to u: Double) -> [Step] {
    let h = t - u
    let (f, g2) = (drift(t), squaredDiffusion(t))
    let ratio = alpha(t) / alpha(u)
    let (high, low) = (sigma(t), sigma(u))
    let added = high * high - ratio * ratio * low * low
    let correction = 2 * ratio * ratio * pow(0.16 * high, 2)
    let langevin = Step(time: t, a: 1, b: correction, c: sqrt(2 * correction))
    switch solver {
    case "euler-maruyama": return [Step(time: t, a: 1 - h * f, b: h * g2, c: sqrt(h * g2))]
    case "euler-maruyama:stochasticity=0.5":
      return [Step(time: t, a: 1 - h * f, b: 0.625 * h * g2, c: 0.5 * sqrt(h * g2))]
    case "ode:method=euler": return [Step(time: t, a: 1 - h * f, b: h * g2 / 2, c: 0)]
    case "reverse-diffusion": return [Step(time: t, a: 2 - ratio, b: added, c: sqrt(added))]
    case "ancestral", "pc:predictor=ancestral,corrector=none":
      return [Step(time: t, a: 1 / ratio, b: added / ratio, c: low / high * sqrt(added))]
    case "ddim": return [Step(time: t, a: 1 / ratio, b: high * (high / ratio - low), c: 0)]
    case "pc:predictor=none,corrector=ald": return [langevin]
    default: return [langevin] + steps("reverse-diffusion", from: t, to: u)
    }
  }

  /// Mean and standard deviation after `count` even steps from T to ε on data N(m, s²), the last one noiseless.
  func moments(
    _ solver: String, count: Int, epsilon: Double, mean m: Double, deviation s: Double
  ) -> (mean: Double, deviation: Double) {
    func time(_ k: Int) -> Double {
      end - Double(k) * (end - epsilon) / Double(count)
    }
    var maps = (0..<count).flatMap { steps(solver, from: time($0), to: time($0 + 1)) }
    if !solver.contains("predictor=none") { maps[maps.count - 1].c = 0 }
    var (mean, variance) = (0.0, prior * prior)
    for map in maps {
      let alpha = alpha(map.time)
      let precision = 1 / (pow(alpha * s, 2) + pow(sigma(map.time), 2))
      let factor = map.a - map.b * precision
      mean = factor * mean + map.b * precision * alpha * m
      variance = factor * factor * variance + map.c * map.c
    }
    return (mean, sqrt(variance))
  }

  /// The log density that the probability-flow ODE from ε to T gives to x under data N(m, s²), in closed form.
  ///
  /// The flow keeps (x − α m)/√(α² s² + σ²), so it maps x to a known end and its divergence is a ratio of deviations.
  func flowLogDensity(_ x: Double, epsilon: Double, mean m: Double, deviation s: Double) -> Double {
    func spread(_ t: Double) -> Double { sqrt(pow(alpha(t) * s, 2) + pow(sigma(t), 2)) }
    let growth = spread(end) / spread(epsilon)
    let last = alpha(end) * m + growth * (x - alpha(epsilon) * m)
    return -0.5 * pow(last / prior, 2) - log(prior * sqrt(2 * .pi)) + log(growth)
  }
}

import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Every solver on every process against its affine recursion, written out here from the published formulas.
///
/// On data N(m, s²) the score is linear, so x_next = A x + B + c z in each step and the moments follow exactly.
@Suite struct RecursionTests {
  /// One step: x_next = a x + b s(x) + c z, with the score s.
  struct Coefficients {
    var a, b, c: Double
  }

  /// α, σ, f and g², from formulas of the test's own.
  struct Schedule {
    var name: String
    var prior: Double
    var alpha, sigma, drift, squaredDiffusion: @Sendable (Double) -> Double
  }

  static func vpAlpha(_ t: Double) -> Double { exp(-0.25 * t * t * 19.9 - 0.05 * t) }
  static let schedules = [
    Schedule(
      name: "vp", prior: 1, alpha: vpAlpha, sigma: { sqrt(1 - pow(vpAlpha($0), 2)) },
      drift: { -0.5 * (0.1 + 19.9 * $0) }, squaredDiffusion: { 0.1 + 19.9 * $0 }),
    Schedule(
      name: "subvp", prior: 1, alpha: vpAlpha, sigma: { 1 - pow(vpAlpha($0), 2) },
      drift: { -0.5 * (0.1 + 19.9 * $0) },
      squaredDiffusion: { (0.1 + 19.9 * $0) * (1 - pow(vpAlpha($0), 4)) }),
    Schedule(
      name: "ve", prior: 50, alpha: { _ in 1 }, sigma: { 0.01 * pow(5000, $0) },
      drift: { _ in 0 },
      squaredDiffusion: { 2 * pow(0.01 * pow(5000, $0), 2) * log(5000) }),
    Schedule(
      name: "cosine", prior: 1, alpha: { cos(0.49 * .pi * $0) },
      sigma: { sin(0.49 * .pi * $0) }, drift: { -0.49 * .pi * tan(0.49 * .pi * $0) },
      squaredDiffusion: { 2 * 0.49 * .pi * tan(0.49 * .pi * $0) }),
  ]

  private let m = 0.5
  private let s = 0.3

  /// The moments after steps given by their coefficients, the score being that of `schedule` at the step's time.
  private func moments(
    _ schedule: Schedule, _ steps: [(time: Double, Coefficients)]
  ) -> (mean: Double, deviation: Double) {
    var (mean, variance) = (0.0, schedule.prior * schedule.prior)
    for (t, step) in steps {
      let (alpha, sigma) = (schedule.alpha(t), schedule.sigma(t))
      let precision = 1 / (alpha * alpha * s * s + sigma * sigma)
      let factor = step.a - step.b * precision
      mean = factor * mean + step.b * precision * alpha * m
      variance = factor * factor * variance + step.c * step.c
    }
    return (mean, sqrt(variance))
  }

  /// What the solver named does in one step from t to u.
  private func steps(
    _ name: String, _ q: Schedule, _ t: Double, _ u: Double
  ) -> [(Double, Coefficients)] {
    let h = t - u
    let (f, g2) = (q.drift(t), q.squaredDiffusion(t))
    let a = q.alpha(t) / q.alpha(u)
    let (st, su) = (q.sigma(t), q.sigma(u))
    let v = st * st - a * a * su * su
    switch name {
    case "euler-maruyama":
      return [(t, Coefficients(a: 1 - h * f, b: h * g2, c: sqrt(h * g2)))]
    case "reverse-diffusion":
      return [(t, Coefficients(a: 2 - a, b: v, c: sqrt(v)))]
    case "ancestral":
      return [(t, Coefficients(a: 1 / a, b: v / a, c: su / st * sqrt(v)))]
    case "ancestral:variance=forward":
      return [(t, Coefficients(a: 1 / a, b: v / a, c: sqrt(v)))]
    case "ddim":
      return [(t, Coefficients(a: 1 / a, b: st * (st / a - su), c: 0))]
    case "ddim:eta=1":
      return steps("ancestral", q, t, u)
    case "ddim:eta=0.5":
      let c = 0.5 * su / st * sqrt(v)
      return [(t, Coefficients(a: 1 / a, b: st * (st / a - sqrt(su * su - c * c)), c: c))]
    case "euler":
      return [(t, Coefficients(a: 1 - h * f, b: h * g2 / 2, c: 0))]
    case "pc:predictor=reverse-diffusion,corrector=ald,snr=0.2,corrector-steps=2":
      let size = 2 * a * a * pow(0.2 * st, 2)
      let correction = (t, Coefficients(a: 1, b: size, c: sqrt(2 * size)))
      return [correction, correction] + steps("reverse-diffusion", q, t, u)
    case "pc:predictor=none,corrector=ald":
      let size = 2 * a * a * pow(0.16 * st, 2)
      return [(t, Coefficients(a: 1, b: size, c: sqrt(2 * size)))]
    case "pc:predictor=euler-maruyama,corrector=none":
      return steps("euler-maruyama", q, t, u)
    case "pc:predictor=none,corrector=none": return []
    default: return []
    }
  }

  static let names = [
    "euler-maruyama", "reverse-diffusion", "ancestral", "ancestral:variance=forward", "ddim",
    "ddim:eta=1", "ddim:eta=0.5", "euler",
    "pc:predictor=reverse-diffusion,corrector=ald,snr=0.2,corrector-steps=2",
    "pc:predictor=none,corrector=ald", "pc:predictor=euler-maruyama,corrector=none",
    "pc:predictor=none,corrector=none",
  ]

  @Test(arguments: names, processes.indices)
  func everySolverOnEveryProcess(_ name: String, _ index: Int) throws {
    let (process, schedule) = (processes[index], Self.schedules[index])
    let (count, epsilon) = (60, 0.01)
    var expected: [(Double, Coefficients)] = []
    for k in 0..<count {
      let t = 1 - Double(k) * (1 - epsilon) / Double(count)
      let u = 1 - Double(k + 1) * (1 - epsilon) / Double(count)
      expected += steps(name, schedule, t, u)
    }
    // The last predictor's mean: the noise of a corrector stays.
    if !name.contains("predictor=none"), !expected.isEmpty {
      expected[expected.count - 1].1.c = 0
    }
    let (mean, deviation) = moments(schedule, expected)
    let field = GaussianField<Double>(process: process)
    let sampler = try Sampler(field, SolverSpec(name), steps: count, epsilon: epsilon)
    let found = try sampler.affineMoments()
    let unit = max(1, deviation)
    #expect(abs(found.mean[0] - mean) < 1e-11 * unit)
    #expect(abs(found.covariance[0][0].squareRoot() - deviation) < 1e-11 * unit)
  }

  @Test(arguments: processes.indices)
  func rungeKuttaSlopesOnEveryProcess(_ index: Int) throws {
    // Heun, midpoint and RK4 written out on dx/dt = f x − ½ g² s(x).
    let (process, q) = (processes[index], Self.schedules[index])
    func slope(_ x: Double, _ t: Double) -> Double {
      let variance = pow(q.alpha(t) * s, 2) + pow(q.sigma(t), 2)
      return q.drift(t) * x + 0.5 * q.squaredDiffusion(t) * (x - q.alpha(t) * m) / variance
    }
    let (t, u) = (0.8, 0.7)
    let (h, x) = (u - t, 1.3)
    let k1 = slope(x, t)
    let heun = x + h / 2 * (k1 + slope(x + h * k1, u))
    let midpoint = x + h * slope(x + h / 2 * k1, t + h / 2)
    let k2 = slope(x + h / 2 * k1, t + h / 2)
    let k3 = slope(x + h / 2 * k2, t + h / 2)
    let k4 = slope(x + h * k3, u)
    let rk4 = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    for (method, expected) in [
      (RungeKuttaTableau.heun, heun), (.midpoint, midpoint), (.rk4, rk4),
    ] {
      var context = SolverContext(
        field: GaussianField<Double>(process: process), key: RandomKey(0))
      let result = try FlowRungeKutta(method).step(
        Tensor([1, 1], [x]), TimeStep(index: 0, time: t, next: u), in: &context)
      #expect(abs(result[0, 0] - expected) < 1e-12 * max(1, abs(expected)))
      #expect(context.evaluations == method.stages.count)
    }
  }

  @Test func eulerInTheNoiseRatioIsDDIM() throws {
    for process in processes {
      let field = GaussianField<Double>(process: process)
      let euler = try Sampler(
        field, SolverSpec("ode:method=euler,variable=noise"), steps: 20, epsilon: 0.01)
      let ddim = try Sampler(field, SolverSpec("ddim"), steps: 20, epsilon: 0.01)
      let (a, b) = (try euler.affineMoments(), try ddim.affineMoments())
      #expect(abs(a.mean[0] - b.mean[0]) < 1e-12)
      #expect(abs(a.covariance[0][0] - b.covariance[0][0]) < 1e-12)
    }
  }

  @Test func samplersThatAreNotAffineAreRefused() throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    let sampler = try Sampler(field, SolverSpec("pc"), steps: 5)
    #expect(throws: SamplingError.self) { try sampler.affineMoments() }
  }

  @Test func denoisingByTweedieIsThePosteriorMean() throws {
    // E[x_0 | x] = m + α s²/(α² s² + σ²) (x − α m).
    let process = try VariancePreserving()
    let field = GaussianField<Double>(process: process)
    let plain = try Sampler(field, SolverSpec("ddim:denoise=none"), steps: 9, epsilon: 0.05)
      .affineMoments()
    let denoised = try Sampler(field, SolverSpec("ddim:denoise=tweedie"), steps: 9, epsilon: 0.05)
      .affineMoments()
    let (alpha, sigma) = (process.marginal(at: 0.05).alpha, process.marginal(at: 0.05).sigma)
    let gain = alpha * s * s / (alpha * alpha * s * s + sigma * sigma)
    #expect(abs(denoised.mean[0] - (m + gain * (plain.mean[0] - alpha * m))) < 1e-13)
    #expect(abs(denoised.covariance[0][0] - gain * gain * plain.covariance[0][0]) < 1e-13)
  }

  /// A step that is made again forgets what was predicted at its start before.
  @Test(arguments: DEIS.Variable.allCases)
  func stepsMadeAgainAreTheSame(variable: DEIS.Variable) throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    var context = SolverContext(field: field, key: RandomKey(1))
    let deis = try DEIS(order: 3, variable: variable)
    let x = Tensor<Double>(Shape([1] + field.sampleShape.extents), repeating: 0.7)
    _ = try deis.step(x, TimeStep(index: 0, time: 1, next: 0.8), in: &context)
    let second = TimeStep(index: 1, time: 0.8, next: 0.6)
    let found = try deis.step(x, second, in: &context)
    #expect(try found.isFinite && deis.step(x, second, in: &context) == found)
  }
}

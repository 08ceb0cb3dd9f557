import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Every solver and every method of it on every process, by the code's own lists, on the grid that is taken where none is
/// given and to the process's own ε.
///
/// Solvers that take the steps of a grid get the evaluations stated for their order; the others find their own. Moments on
/// Gaussian data are exact where a solver is affine; where it is not, those of the flow's solvers follow from quantiles of
/// the prior, and those of the SDE's from samples within 5 standard errors: 6e-7 a check that all is well and fails.
@Suite struct EverySolverTests {
  /// The evaluations, and how far off a mean, a deviation (both in deviations of the data) and a distribution function may
  /// be for them.
  struct Claim {
    var evaluations: Int
    var share: Double
    var distance: Double
  }

  static func claim(_ solver: any Solver) -> Claim {
    switch solver.order {
    // Of no order: a predictor with a corrector, at one evaluation each.
    case 0: Claim(evaluations: 400, share: 0.06, distance: 0.02)
    case 1: Claim(evaluations: 400, share: 0.06, distance: 0.02)
    case 2: Claim(evaluations: 120, share: 0.03, distance: 0.01)
    default: Claim(evaluations: 80, share: 0.02, distance: 0.01)
    }
  }

  static let everyProcess: [any LinearProcess] = {
    do {
      return try ProcessSpec.standardNames.map { try ProcessSpec.process($0) } + [
        try CustomProcess(
          name: "custom", alpha: { cos(0.49 * .pi * $0) }, sigma: { sin(0.49 * .pi * $0) })
      ]
    } catch {
      preconditionFailure("the standard processes are refused: \(error)")
    }
  }()

  private static func sampler(
    _ text: String, _ field: any ScoreField<Double>
  ) throws -> (sampler: Sampler<Double>, claim: Claim) {
    // The search for the best fit is not what is tested here.
    let spec = try SolverSpec(text == "fitted" ? "fitted:pilot=64,sweeps=0" : text)
    let claim = Self.claim(spec.solver)
    // The noise of the cosine chain begins at 20,000 times the signal, that of the others at 80 to 5000 times.
    let evaluations = claim.evaluations * (field.process.name == "ddpm-cosine" ? 2 : 1)
    let steps =
      spec.solver is any FieldFittedSolver
      ? 10 : evaluations / max(1, spec.solver.evaluationsPerStep)
    var sampler = try Sampler(field, spec, steps: steps)
    sampler.denoising = .none
    return (sampler, claim)
  }

  /// The normal quantiles of (i + ½)/n.
  private static let quantiles: [Double] = (0..<200).map { i in
    var (low, high) = (-10.0, 10.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if normal(middle) < (Double(i) + 0.5) / 200 { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }

  private static func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  /// The ends of the flow from quantiles of the prior.
  private static func ends(_ sampler: Sampler<Double>) throws -> [Double] {
    let prior = sampler.field.process.priorDeviation
    let result = try sampler.sample(
      from: Tensor([quantiles.count, 1], quantiles.map { prior * $0 }), key: RandomKey(0))
    #expect(result.isFinished)
    return result.samples.scalars
  }

  private static func drawn(_ sampler: Sampler<Double>, _ count: Int) throws -> [Double] {
    let result = try sampler.sample(count, key: RandomKey(5))
    #expect(result.isFinished)
    return result.samples.scalars
  }

  /// Mean and deviation at the end, each with five standard errors.
  private static func moments(
    _ sampler: Sampler<Double>
  ) throws -> (mean: (Double, Double), deviation: (Double, Double)) {
    if let exact = try? sampler.affineMoments() {
      return ((exact.mean[0], 0), (exact.covariance[0][0].squareRoot(), 0))
    }
    func moments(_ values: [Double]) -> (Double, Double) {
      let count = Double(values.count)
      let mean = values.reduce(0, +) / count
      return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot())
    }
    guard sampler.solver.usesNoise else {
      // The flow is affine, so that the quantiles' own deviation, a bit below 1, is left behind.
      let found = moments(try ends(sampler))
      return ((found.0, 0), (found.1 / moments(quantiles).1, 0))
    }
    let count = 500
    let found = moments(try drawn(sampler, count))
    let error = 5 * found.1 / Double(count).squareRoot()
    return ((found.0, error), (found.1, error / 2.0.squareRoot()))
  }

  @Test(arguments: SolverSpec.variants)
  func reachesTheGaussian(_ text: String) throws {
    let (mean, deviation) = (0.5, 0.3)
    var worst = (error: 0.0, place: "")
    for process in Self.everyProcess {
      let field = GaussianField<Double>(process: process, mean: mean, deviation: deviation)
      let (sampler, claim) = try Self.sampler(text, field)
      let found = try Self.moments(sampler)
      let (start, end) = (
        process.marginal(at: process.endTime), process.marginal(at: process.cutoffs.sampling)
      )
      func spread(_ at: Marginal) -> Double {
        (pow(at.alpha * deviation, 2) + at.sigma * at.sigma).squareRoot()
      }
      // The prior's mean is 0 and not α_T m; the flow brings the difference to ε, the SDE less of it.
      let mismatch = start.alpha * mean * spread(end) / spread(start)
      let errors = [
        (abs(found.mean.0 - end.alpha * mean) - mismatch - found.mean.1) / deviation,
        (abs(found.deviation.0 - spread(end)) - found.deviation.1) / deviation,
      ]
      for (error, name) in zip(errors, ["mean", "deviation"]) {
        if error > worst.error { worst = (error, "\(name) on \(process.name)") }
        #expect(
          error < claim.share,
          "\(text) on \(process.name): \(name) off by \(error) of the deviation; \(found)")
      }
    }
    print("\(text): at most", (worst.error * 1e4).rounded() / 1e4, "off,", worst.place)
  }

  /// The largest difference of distribution functions, on two Gaussians; for samples within 2.74/√n, a false alarm of 6e-7
  /// (Dvoretzky, Kiefer & Wolfowitz 1956, with Massart's constant).
  ///
  /// Predictors run alone here, without a corrector.
  @Test(arguments: SolverSpec.variants.filter { !$0.contains("predictor=") })
  func reachesTheMixture(_ text: String) throws {
    let (weights, means, variances) = ([0.6, 0.4], [-0.8, 0.6], [0.06, 0.15])
    var worst = (distance: 0.0, place: "")
    for process in Self.everyProcess {
      let oracle = try MixtureOracle<Double>(
        process: process, weights: weights, means: means.map { [$0] },
        covariances: variances.map { [[$0]] })
      let (sampler, claim) = try Self.sampler(text, oracle)
      let usesNoise = sampler.solver.usesNoise
      let ends = try usesNoise ? Self.drawn(sampler, 500).sorted() : Self.ends(sampler)
      let kernel = process.marginal(at: process.cutoffs.sampling)
      func share(below x: Double) -> Double {
        (0..<2).reduce(0) { sum, k in
          let variance = kernel.alpha * kernel.alpha * variances[k] + kernel.sigma * kernel.sigma
          return sum + weights[k]
            * Self.normal((x - kernel.alpha * means[k]) / variance.squareRoot())
        }
      }
      let count = Double(ends.count)
      let distance = ends.enumerated().reduce(0.0) {
        max($0, abs(share(below: $1.element) - (Double($1.offset) + 0.5) / count))
      }
      let beyond = distance - (usesNoise ? 2.74 / count.squareRoot() : 0)
      if beyond > worst.distance { worst = (beyond, process.name) }
      #expect(beyond < claim.distance, "\(text) on \(process.name): distance \(distance)")
    }
    print("\(text): at most", (worst.distance * 1e4).rounded() / 1e4, "off on", worst.place)
  }

  /// The rows are all that can be asked for.
  @Test func everySolverIsInTheTable() throws {
    #expect(
      Set(SolverSpec.variants.map { String($0.prefix { $0 != ":" }) }) == Set(SolverSpec.names))
    let texts = SolverSpec.variants
    for method in EmbeddedPair.all.map(\.method.name) + RungeKuttaTableau.all.map(\.name) {
      #expect(texts.contains { $0.hasPrefix("ode:method=\(method)") }, "\(method)")
    }
  }
}

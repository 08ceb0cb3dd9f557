import Foundation
import ScoreSDE

/// The rows of every solver and every method of it, by the code's own list, on the grid that is taken where none is given.
extension Verification {
  /// Mean and deviation on data N(0.5, 0.3²) at the process's own ε, after the evaluations stated for the solver's order.
  ///
  /// | order | evaluations | tolerance, in deviations of the data |
  /// |---|---|---|
  /// | none or 1 | 400 | 0.06 |
  /// | 2 | 120 | 0.03 |
  /// | 3 and more | 80 | 0.02 |
  ///
  /// The exact consistency function is held to 0.01 after 1 and 3. Adaptive and fitted solvers take their own evaluations. Moments are exact where the solver is affine; the flow's others
  /// follow two states, and samples of the SDE's others add 5 standard errors, 6e-7 a check.
  func everySolver(_ process: any LinearProcess, _ reference: ReferenceProcess) throws -> [Check] {
    let field = try GaussianOracle<Double>(
      process: process, mean: mean, deviation: deviation, sampleShape: [1])
    let epsilon = process.cutoffs.sampling
    func spread(_ t: Double) -> Double {
      sqrt(pow(reference.alpha(t) * deviation, 2) + pow(reference.sigma(t), 2))
    }
    // The prior's mean is 0 and not α_T m: the flow brings the difference to ε, the SDE less of it.
    let mismatch =
      reference.alpha(reference.end) * mean * spread(epsilon) / spread(reference.end)
    func checks(
      _ subject: String, _ found: (mean: Double, deviation: Double, error: Double, cost: String),
      share: Double
    ) -> [Check] {
      [
        Check(
          process: reference.name, subject: subject, quantity: "mean, \(found.cost)",
          found: found.mean, expected: reference.alpha(epsilon) * mean,
          tolerance: share * deviation + mismatch + found.error),
        Check(
          process: reference.name, subject: subject, quantity: "deviation, \(found.cost)",
          found: found.deviation, expected: spread(epsilon),
          tolerance: share * deviation + found.error / 2.0.squareRoot()),
      ]
    }
    let consistency = try [1, 3].flatMap { steps in
      let sampler = try Sampler(GaussianConsistency(field), steps: steps)
      return checks(
        Consistency.name, try ends(sampler, spread: process.priorDeviation), share: 0.01)
    }
    return try consistency
      + SolverSpec.variants.flatMap { text in
        // The search for the best fit is not what is held here.
        let spec = try SolverSpec(text == "fitted" ? "fitted:pilot=64,sweeps=0" : text)
        let (budget, share) =
          switch spec.solver.order {
          case 0, 1: (400, 0.06)
          case 2: (120, 0.03)
          default: (80, 0.02)
          }
        let steps =
          spec.solver is any FieldFittedSolver
          ? 10 : budget / max(1, spec.solver.evaluationsPerStep)
        var sampler = try Sampler(field, spec, steps: steps)
        sampler.denoising = .none
        let found = try ends(sampler, spread: process.priorDeviation)
        return checks(text, found, share: share)
      }
  }

  /// Mean and deviation at a sampler's end, five standard errors of the mean, and the evaluations that they took.
  private func ends(
    _ sampler: Sampler<Double>, spread: Double
  ) throws -> (mean: Double, deviation: Double, error: Double, cost: String) {
    if let exact = try? sampler.affineMoments() {
      let cost = try sampler.sample(1, key: RandomKey(1)).maxEvaluations
      return (exact.mean[0], exact.covariance[0][0].squareRoot(), 0, "NFE \(cost)")
    }
    guard sampler.solver.usesNoise else {
      // The flow is affine: where it carries one deviation above and below the prior's mean.
      let result = try sampler.sample(
        from: Tensor([2, 1], [-spread, spread]), key: RandomKey(1))
      let (low, high) = (result.samples[0, 0], result.samples[1, 0])
      return (0.5 * (low + high), 0.5 * (high - low), 0, "NFE \(result.maxEvaluations)")
    }
    let count = 400
    let result = try sampler.sample(count, key: RandomKey(1))
    let values = result.samples.scalars
    let average = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(count)
    return (
      average, variance.squareRoot(), 5 * (variance / Double(count)).squareRoot(),
      "NFE \(Int(result.meanEvaluations.rounded()))"
    )
  }
}

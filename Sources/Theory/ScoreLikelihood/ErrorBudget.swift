import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// What a log density from the flow may be off by, from the field alone; one entry a sample, in nats.
///
/// ```
/// log p_flow = log p_data + truncation + prior mismatch + (at most about) solver + probes
/// ```
///
/// Each part is an estimate by other means than an oracle's; `ExactErrorBudget` has the oracle's. All hold for the
/// density that belongs to the field: how well a trained field knows its data is not among them.
public struct ErrorBudget: Sendable, Equatable {
  /// log p_ε(x) − log p_0(x), with its sign, from the Fokker–Planck equation at ε and a later time.
  public var truncation: [Double]
  /// log N(x_T; 0, s² I) − log p_T(x_T), with its sign.
  public var priorMismatch: [Double]
  /// How far the two parts above may be from the truth: the change that their last order made, or the standard error
  /// where p_T is taken from data.
  public var estimation: [Double]
  /// The solver's error: three times the summed magnitudes of the local errors' consequences (of 480 values
  /// on random mixtures the sum alone fell short of the error for 36 and of a third of it for 3, and of 750 on networks of moons
  /// for 107 of a third), or the difference from a finer solve where there was one.
  public var solver: [Double]
  /// The standard error from the probes: 0 for the exact divergence, nil where they do not show it.
  ///
  /// A single probe has no spread. K random signs in D dimensions, a sketch's among them, all agree once in
  /// 2^((D − 1)(K − 1)) samples, and then have none either: where that is more than one in 500 they do not count. There
  /// the exact divergence costs hardly more.
  public var probes: [Double]?
  /// What the probes' part counts in the totals: the standard error, widened for few probes so that three times it
  /// covers as often as for many, 99.7 % (Student's t).
  public var widenedProbes: [Double]?
  /// The log densities that the budget belongs to.
  public var logDensity: [Double]

  /// All parts together, by magnitude; nil where the probes' is.
  public var total: [Double]? {
    widenedProbes.map { probes in
      logDensity.indices.map {
        solver[$0] + probes[$0] + abs(truncation[$0]) + abs(priorMismatch[$0]) + estimation[$0]
      }
    }
  }

  /// The log densities less truncation and prior mismatch: nearer to log p_0 than those of the flow.
  public var correctedLogDensity: [Double] {
    logDensity.indices.map { logDensity[$0] - truncation[$0] - priorMismatch[$0] }
  }

  /// What the corrected values may still be off by; nil where the probes' part is.
  public var correctedTotal: [Double]? {
    widenedProbes.map { probes in
      logDensity.indices.map { solver[$0] + probes[$0] + estimation[$0] }
    }
  }
}

/// Where the marginal p_T comes from, with which a budget compares the prior.
public enum EndMarginal<Scalar: TensorScalar>: Sendable {
  /// From the score at T: its integral along the ray from 0 to x_T, and the second moment of the data for p_T(0).
  ///
  /// Costs three evaluations a sample. Exact to the order of the fourth moments of α x₀/σ.
  case score
  /// From data: the mean of N(x_T; α x₀, σ² I) over them. Costs no evaluations, and rows × data operations.
  case data(Tensor<Scalar>)
}

extension FlowLikelihood {
  /// What the log densities of `result`, for x, may be off by, without an oracle.
  ///
  /// ```
  /// d log p = [−D − x·s − σ² q] d log α + ½ q d(σ²),   q = ∇·s + |s|²,   s = ∇log p
  /// ```
  ///
  /// holds at fixed x along every linear process. Truncation is its integral from (1, 0) to (α, σ²) at ε, with the
  /// bracket and q extrapolated from ε and the time of twice its σ²/α². The divergence is found as in the solve, by
  /// probes of their own. Costs two evaluations with divergence, those of the end marginal, and for fixed steps a
  /// solve with twice as many; with `solvingAgain`, adaptive
  /// solves too are done once more, at a tenth of their tolerances, and the difference is the solver's error.
  ///
  /// - Parameters:
  ///   - key: the key that `result` was made under.
  ///   - first: the number of the first sample, as `result` was made with.
  /// - Throws: `SamplingError` where x and the result differ in number, and what the field throws.
  public func budget(
    of result: LikelihoodResult<Scalar>, for x: Tensor<Scalar>, key: RandomKey = RandomKey(0),
    first: Int = 0, endMarginal: EndMarginal<Scalar> = .score, solvingAgain: Bool = false
  ) throws -> ErrorBudget {
    try check(result, for: x)
    let truncation = try truncation(at: x, key: key.folded("truncation"), first: first)
    let mismatch: [Extrapolated]
    switch endMarginal {
    case .score: mismatch = try priorMismatchByScore(result.latent, result.priorLogDensity)
    case .data(let data):
      mismatch = try priorMismatch(result.latent, result.priorLogDensity, by: data)
    }
    let probeErrors = showsProbeErrors ? result.probeStandardError : nil
    return ErrorBudget(
      truncation: truncation.map(\.value), priorMismatch: mismatch.map(\.value),
      estimation: zip(truncation, mismatch).map { $0.uncertainty + $1.uncertainty },
      solver: try solverError(result, x, key, first, solvingAgain),
      probes: probeErrors,
      widenedProbes: probeErrors.map { errors in
        errors.map { $0 * probeWidening }
      }, logDensity: result.logDensity)
  }

  func check(_ result: LikelihoodResult<Scalar>, for x: Tensor<Scalar>) throws(SamplingError) {
    try check(x)
    guard x.rows == result.logDensity.count else {
      throw SamplingError(
        "the result has \(result.logDensity.count) samples and x has \(x.rows); expected the same number"
      )
    }
  }

  private func solverError(
    _ result: LikelihoodResult<Scalar>, _ x: Tensor<Scalar>, _ key: RandomKey, _ first: Int,
    _ solvingAgain: Bool
  ) throws -> [Double] {
    let (finer, factor): (FlowMethod, Double)
    switch method {
    case .adaptive(let rtol, let atol, let maxEvaluations):
      if !solvingAgain, let errors = result.solverError { return errors.map { 3 * $0 } }
      (finer, factor) = (
        .adaptive(
          rtol: rtol / 10, atol: atol / 10,
          maxEvaluations: maxEvaluations > .max / 2 ? .max : 2 * maxEvaluations), 1
      )
    // Fixed steps do not know their error: twice as many leave 2⁻ᵖ of it.
    case .fixed(let tableau, let steps):
      (finer, factor) = (
        .fixed(tableau, steps: 2 * steps), 1 / (1 - pow(0.5, Double(tableau.order)))
      )
    }
    let again = try FlowLikelihood(
      field, divergence: divergence, method: finer, epsilon: epsilon, batchSize: batchSize
    ).logDensity(of: x, key: key, first: first)
    return zip(result.logDensity, again.logDensity).map { factor * abs($0 - $1) }
  }

  /// Whether the probes' spread tells their error, where there are several.
  private var showsProbeErrors: Bool {
    let dimensions = field.sampleShape.count
    switch divergence {
    case .exact, .hutchinson(.gaussian, _), .hutchinson(.sphere, _): return true
    case .hutchinson(.rademacher, let probes):
      // In one dimension the square of a sign is 1.
      return dimensions == 1 || (dimensions - 1) * (probes - 1) >= 9
    case .hutchPlusPlus(let sketch, let probes):
      return sketch >= dimensions || (dimensions - 1) * (probes - 1) >= 9
    }
  }

  private var probeWidening: Double {
    switch divergence {
    case .exact: 1
    case .hutchinson(_, let probes), .hutchPlusPlus(_, let probes): studentWidening(probes - 1)
    }
  }
}

/// The quantile of Student's t for n degrees of freedom at the level that a normal number has at 3, over 3.
///
/// In closed form for n = 1 and 2, by the expansion of Fisher & Cornish 1960 in 1/n beyond, low by 3 % for n = 3.
package func studentWidening(_ freedom: Int) -> Double {
  let (z, tail) = (3.0, 0.001349898031630)
  switch freedom {
  case ..<1: return .infinity
  case 1: return 1 / tan(Double.pi * tail) / z
  case 2: return (1 - 2 * tail) / (2 * tail * (1 - tail)).squareRoot() / z
  default:
    let n = Double(freedom)
    let (z2, z4) = (z * z, z * z * z * z)
    let first = (z2 + 1) / 4
    let second = (5 * z4 + 16 * z2 + 3) / 96
    let third = (3 * z4 * z2 + 19 * z4 + 17 * z2 - 15) / 384
    let fourth = (79 * z4 * z4 + 776 * z4 * z2 + 1482 * z4 - 1920 * z2 - 945) / 92160
    return 1 + (first + (second + (third + fourth / n) / n) / n) / n
  }
}

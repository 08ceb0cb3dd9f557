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
  /// log p_ε(x) − log p_0(x), with its sign, from the Fokker–Planck equation at ε and a later time, as far as pilots that are
  /// solved from nearer 0 go with it.
  public var truncation: [Double]
  /// log N(x_T; 0, s² I) − log p_T(x_T), with its sign.
  public var priorMismatch: [Double]
  /// How far the two parts above may be from the truth: the change that their last order made, what pilots leave of truncation,
  /// or the standard error where p_T is taken from data.
  public var estimation: [Double]
  /// The solver's error, learnt from pilots that are solved again, or for fixed steps the difference from a finer solve.
  public var solver: [Double]
  /// The standard error from the probes, each sample's own: 0 for the exact divergence, nil where they do not show it.
  ///
  /// A single probe has no spread. Signs of one sample may give the same value, and do so often where dimensions are few or
  /// move together; n samples of K signs show their error where n (K − 1) is 16 or more.
  public var probes: [Double]?
  /// What the probes' part counts in the totals: standard errors that learn from one another, since a few probes alone
  /// know theirs badly, widened so that three times it covers as often as for many, 99.7 % (Student's t).
  ///
  /// ```
  /// s̃ᵢ² = ((K − 1) sᵢ² + ν s̄²)/(K − 1 + ν),   s̄² the mean of all sᵢ²,   ν = min(4, (n − 1)(K − 1))
  /// ```
  ///
  /// Moderated variances after Smyth 2004, with K − 1 + ν degrees of freedom. For signs on matrices b 11ᵀ, the hardest
  /// for them, with b log-normal of deviation 1, in 3 to 64 dimensions with 2 and 4 probes, at most one in 180 was off by
  /// more than three times it, where by samples on their own one in 26 to two in three were.
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
  /// probes of their own. The score of a network is not that of its flow's densities, for which alone this is so: where pilots
  /// that are solved again from a hundredth of σ/α at ε differ from it by more than the errors of both, truncation is taken times the
  /// share that goes best with theirs, and what is left counts as its error. Costs two evaluations with divergence, those of the
  /// end marginal, the pilots' two solves, and for fixed steps a solve with twice as many.
  ///
  /// The local errors of an adaptive solve say little of a network: its features of time change within a step, where
  /// the difference of a pair's two methods is a tenth of the error of either. So `pilots` samples, drawn at random, are
  /// solved again at a tenth of the tolerances, about 1.6 times the cost, and differ by d_j. With c_i the sums of the
  /// local errors' consequences and c̄ their mean, the solver's error of a sample is
  ///
  /// ```
  /// max(3 c_i, k (c_i + c̄)),   k = max over pilots of d_j/(c_j + c̄)
  /// ```
  ///
  /// A sample that is like the others differs by more once in `pilots` + 1 (split conformal prediction, Vovk,
  /// Gammerman & Shafer 2005). Where a pilot's second solve does not finish, the error is infinite.
  ///
  /// - Parameters:
  ///   - key: the key that `result` was made under.
  ///   - first: the number of the first sample, as `result` was made with.
  ///   - pilots: how many samples are solved again; all, where there are fewer, and with none the local errors alone count.
  ///   - progress: of the solves again, as in `logDensity`.
  /// - Throws: `SamplingError` where x and the result differ in number or `pilots` or `first` is negative, and what the field throws.
  public func budget(
    of result: LikelihoodResult<Scalar>, for x: Tensor<Scalar>, key: RandomKey = RandomKey(0),
    first: Int = 0, endMarginal: EndMarginal<Scalar> = .score, pilots: Int = 32,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> ErrorBudget {
    try check(result, for: x)
    try SamplingError.checkSamples(x.rows, of: field.sampleShape, Scalar.self, first: first)
    guard pilots >= 0 else {
      throw SamplingError("the number of pilots is \(pilots); expected 0 or more")
    }
    /// A half of the whole.
    func half(_ start: Double) -> ((SamplingProgress) -> Bool)? {
      progress.map { progress in
        { part in
          var whole = part
          whole.fraction = start + 0.5 * part.fraction
          return progress(whole)
        }
      }
    }
    let (solver, solved) = try solverError(result, x, key, first, pilots, half(0))
    let truncation = try held(
      truncation(
        at: x, key: key.folded("truncation"), samples: .consecutive(first: first)),
      to: solved, x, key, first, half(0.5))
    let mismatch: [Extrapolated]
    switch endMarginal {
    case .score: mismatch = try priorMismatchByScore(result.latent, result.priorLogDensity)
    case .data(let data):
      mismatch = try priorMismatch(result.latent, result.priorLogDensity, by: data)
    }
    let probeErrors: [Double]?
    if isExact {
      // Known with one probe, too.
      probeErrors =
        result.probeStandardError ?? result.logDensity.map { $0.isFinite ? 0 : .nan }
    } else {
      probeErrors = showsProbeErrors(of: x.rows) ? result.probeStandardError : nil
    }
    return ErrorBudget(
      truncation: truncation.map(\.value), priorMismatch: mismatch.map(\.value),
      estimation: zip(truncation, mismatch).map { $0.uncertainty + $1.uncertainty },
      solver: solver,
      probes: probeErrors,
      widenedProbes: probeErrors.map(moderated), logDensity: result.logDensity)
  }

  func check(_ result: LikelihoodResult<Scalar>, for x: Tensor<Scalar>) throws(SamplingError) {
    try check(x)
    guard x.rows == result.logDensity.count else {
      throw SamplingError(
        "the result has \(result.logDensity.count) samples and x has \(x.rows); expected the same number"
      )
    }
  }

  /// Samples that were solved again, more finely.
  struct Pilots {
    var rows: [Int] = []
    var method: FlowMethod
    var logDensity: [Double] = []
    /// How far these are from the result.
    var moves: [Double] = []
  }

  /// The solver's error of each sample, and the pilots that tell it.
  private func solverError(
    _ result: LikelihoodResult<Scalar>, _ x: Tensor<Scalar>, _ key: RandomKey, _ first: Int,
    _ pilots: Int, _ progress: ((SamplingProgress) -> Bool)?
  ) throws -> (errors: [Double], pilots: Pilots) {
    func solved(_ rows: [Int], by method: FlowMethod) throws -> Pilots {
      let again = try self.rows(rows, by: method).logDensity(
        of: x.rows(rows), key: key, samples: .explicit(rows.map { first + $0 }),
        progress: progress
      ).logDensity
      return Pilots(
        rows: rows, method: method, logDensity: again,
        moves: zip(rows, again).map { row, value in
          value.isNaN ? .infinity : abs(result.logDensity[row] - value)
        })
    }
    /// Samples whose numbers draw the least numbers.
    func drawn(_ rows: [Int]) -> [Int] {
      let order = key.folded("pilots").uniform(
        [x.rows, 1], of: Double.self, samples: .consecutive(first: first))
      return rows.sorted { order[$0, 0] < order[$1, 0] }.prefix(pilots).sorted()
    }
    switch method {
    case .adaptive(let rtol, let atol, let maxEvaluations):
      let consequences = result.solverError ?? [Double](repeating: 0, count: x.rows)
      let finished = consequences.indices.filter { result.status[$0].isFinished }
      let rows = drawn(finished)
      let finer = FlowMethod.adaptive(
        rtol: rtol / 10, atol: atol / 10,
        maxEvaluations: maxEvaluations > .max / 2 ? .max : 2 * maxEvaluations)
      guard !rows.isEmpty else { return (consequences.map { 3 * $0 }, Pilots(method: finer)) }
      let pilots = try solved(rows, by: finer)
      let sum = finished.reduce(0) { $0 + consequences[$1] }
      // A hair, so that errors of rounding alone have something to be measured by.
      let mean = max(1e-300, sum / Double(finished.count))
      let factor = zip(rows, pilots.moves).reduce(0.0) {
        $1.1 == 0 ? $0 : max($0, $1.1 / (consequences[$1.0] + mean))
      }
      return (consequences.map { max(3 * $0, factor * ($0 + mean)) }, pilots)
    // Fixed steps do not know their error: twice as many leave 2⁻ᵖ of it.
    case .fixed(let tableau, let steps):
      let factor = 1 / (1 - pow(0.5, Double(tableau.order)))
      guard steps <= TimeGrid.mostSteps / 2 else {
        throw SamplingError(
          "the solver's error is found by twice as many steps, and there are \(steps); expected \(TimeGrid.mostSteps / 2) or fewer"
        )
      }
      let all = try solved(Array(0..<x.rows), by: .fixed(tableau, steps: 2 * steps))
      let rows = drawn(all.rows)
      return (
        all.moves.map { factor * $0 },
        Pilots(
          rows: rows, method: all.method, logDensity: rows.map { all.logDensity[$0] },
          moves: rows.map { all.moves[$0] })
      )
    }
  }

  /// Whether the probes of so many samples show their error.
  private func showsProbeErrors(of samples: Int) -> Bool {
    guard let freedom = probeFreedom else { return true }
    switch divergence {
    case .exact, .hutchinson(.gaussian, _), .hutchinson(.sphere, _): return true
    case .hutchinson(.rademacher, _), .hutchPlusPlus: return samples * freedom >= 16
    }
  }

  /// Whether the trace is exact: in one dimension the square of a sign is 1.
  private var isExact: Bool {
    let dimensions = field.sampleShape.count
    return switch divergence {
    case .exact: true
    case .hutchinson(let probe, _): probe == .rademacher && dimensions == 1
    case .hutchPlusPlus(let sketch, _): sketch >= dimensions
    }
  }

  /// K − 1, or nil for the exact divergence.
  private var probeFreedom: Int? {
    switch divergence {
    case .exact: nil
    case .hutchinson(_, let probes), .hutchPlusPlus(_, let probes): probes - 1
    }
  }

  private func moderated(_ errors: [Double]) -> [Double] {
    guard !isExact, let freedom = probeFreedom else { return errors }
    let known = errors.filter(\.isFinite)
    let pooled = known.reduce(0) { $0 + $1 * $1 } / Double(max(1, known.count))
    let shared = min(4, (known.count - 1) * freedom)
    let widening = studentWidening(freedom + shared)
    return errors.map { error in
      let own = Double(freedom) * error * error
      return widening * ((own + Double(shared) * pooled) / Double(freedom + shared)).squareRoot()
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

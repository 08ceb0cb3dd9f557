import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// What parts a log density from the flow from the exact one, by an oracle; one entry a sample, in nats.
///
/// ```
/// log p_flow = log p_data + truncation + prior mismatch + solver error
/// ```
public struct ExactErrorBudget: Sendable, Equatable {
  /// log p_ε(x) − log p_data(x): the solve starts at ε, with the data where noisy data should be.
  public var truncation: [Double]
  /// log N(x_T; 0, s² I) − log p_T(x_T): the solve ends in the prior, which p_T only resembles.
  public var priorMismatch: [Double]
  /// What remains: the solver's error, and the probes'.
  public var remainder: [Double]
}

extension FlowLikelihood {
  /// The parts of the error of a result for x, by an oracle of the same data and process as the field.
  /// - Throws: `SamplingError` unless the result has an entry for each row of x and the oracle is of the field's process; and what
  ///   the oracle throws.
  public func budget(
    of result: LikelihoodResult<Scalar>, for x: Tensor<Scalar>,
    by oracle: any ScoreOracle<Scalar>
  ) throws -> ExactErrorBudget {
    try check(result, for: x)
    let (own, other) = (field.process, oracle.process)
    guard own.endTime == other.endTime,
      [0.1, 0.5, 1].allSatisfy({
        own.marginal(at: $0 * own.endTime) == other.marginal(at: $0 * own.endTime)
      })
    else {
      throw SamplingError(
        "the oracle is of data under \(other.name), which is not the process of the field, \(own.name); expected the same one"
      )
    }
    let exact = try oracle.logDataDensity(x)
    let start = try oracle.logDensity(x, at: .shared(epsilon))
    let end = try oracle.logDensity(result.latent, at: .shared(field.process.endTime))
    let truncation = zip(start, exact).map { $0 - $1 }
    let mismatch = zip(result.priorLogDensity, end).map { $0 - $1 }
    return ExactErrorBudget(
      truncation: truncation, priorMismatch: mismatch,
      remainder: exact.indices.map {
        result.logDensity[$0] - exact[$0] - truncation[$0] - mismatch[$0]
      })
  }
}

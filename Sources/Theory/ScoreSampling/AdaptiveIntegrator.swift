import Foundation
import ScoreTensors

/// A Runge–Kutta pair for many rows at once: each row has its own time, step and error, and ends when it is done.
///
/// The error of a row is the root mean square, over each of the system's blocks, of (local error)/(atol + rtol |y|),
/// and the greatest of these. Rows that are done leave the batch; no row's bits or evaluations depend on the others.
package struct AdaptiveIntegrator: Sendable {
  /// The relative tolerance.
  package var rtol: Double
  /// The absolute tolerance.
  package var atol: Double
  /// The evaluations that a row may take.
  package var maxEvaluations: Int
  /// The method.
  package let pair: EmbeddedPair

  /// Creates the integrator.
  /// - Throws: `SamplingError` unless rtol > 0, atol > 0 and maxEvaluations ≥ 2, which the start takes.
  package init(
    rtol: Double, atol: Double, maxEvaluations: Int, pair: EmbeddedPair = .dormandPrince
  ) throws(SamplingError) {
    try Self.check(rtol: rtol, atol: atol, maxEvaluations: maxEvaluations)
    self.rtol = rtol
    self.atol = atol
    self.maxEvaluations = maxEvaluations
    self.pair = pair
  }

  /// Checks what every solver with steps of its own is told.
  /// - Throws: `SamplingError` unless rtol > 0, atol > 0 and maxEvaluations ≥ 2.
  static func check(rtol: Double, atol: Double, maxEvaluations: Int) throws(SamplingError) {
    for (name, value) in [("rtol", rtol), ("atol", atol)] {
      guard value > 0, value.isFinite else {
        throw SamplingError("\(name) is \(value.inSentence); expected a positive number")
      }
    }
    guard maxEvaluations >= 2 else {
      throw SamplingError("the evaluation budget is \(maxEvaluations); expected 2 or more")
    }
  }

  /// Solves from t0 to t1, in either direction.
  ///
  /// - Parameters:
  ///   - states: n rows of the system's width.
  ///   - outputs: times, in the direction of the solve, whose states are kept by interpolation: of order 4 for
  ///     Dormand–Prince 5(4), of order 3 for the others.
  ///   - shouldContinue: called before each round of steps with the part of the way that all rows together have gone,
  ///     the time of the row that is last, and the evaluations that a row has taken at most.
  package func integrate<System: RowSystem>(
    _ system: inout System, _ states: [Double], from t0: Double, to t1: Double,
    outputs: [Double] = [],
    shouldContinue: ((_ fraction: Double, _ time: Double, _ evaluations: Int) -> Bool)? = nil
  ) throws -> RowSolution {
    precondition(t0 != t1, "an integration from \(t0) to \(t1)")
    let batch = AdaptiveBatch(
      states, width: system.width, blocks: system.blocks, from: t0, to: t1, outputs: outputs,
      integrator: self)
    var isStarted = false
    while !batch.isDone {
      batch.compact(&system)
      if Task.isCancelled || !(shouldContinue.map { batch.report(to: $0) } ?? true) {
        batch.cancel()
        break
      }
      if !isStarted { try batch.start(&system) }
      isStarted = true
      try batch.round(&system)
    }
    return batch.solution
  }
}

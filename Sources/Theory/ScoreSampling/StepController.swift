import Foundation

/// How long an adaptive solver's next step is, given the last one's error (Hairer, Nørsett & Wanner 1993, II.4 and IV.2).
///
/// ```
/// h ← h · min(10, max(0.2, 0.8 e^(−1/q + 0.75 β) e_last^β)),   β = 0.04
/// ```
///
/// e is the error in units of the tolerance, which falls like h^q; a step is accepted where e ≤ 1. After a rejection steps do not grow.
struct StepController {
  private static let beta = 0.04
  // A rejected step wastes all its evaluations: with 0.9, which is common, networks rejected five steps for twelve accepted.
  private static let safety = 0.8
  private let exponent: Double
  private var lastError = 1e-4
  private var grows = true

  init(errorOrder: Int) { exponent = -1 / Double(errorOrder) + 0.75 * Self.beta }

  /// The factor for the next step after an accepted one.
  mutating func factorAfterAccepting(_ error: Double) -> Double {
    let error = max(error, 1e-10)
    let factor = Self.safety * pow(error, exponent) * pow(lastError, Self.beta)
    defer {
      lastError = max(error, 1e-4)
      grows = true
    }
    return min(grows ? 10 : 1, max(0.2, factor))
  }

  /// The factor for the next try after a rejected one.
  mutating func factorAfterRejecting(_ error: Double) -> Double {
    grows = false
    guard error.isFinite else { return 0.2 }
    return min(1, max(0.2, Self.safety * pow(error, exponent)))
  }
}

/// How the solve of one sample ended; the last state is kept whatever the end.
public enum SolveStatus: Sendable, Hashable {
  /// The solve reached its last time.
  case finished
  /// An adaptive step became too small to change the time; reached `time`.
  case stepUnderflow(time: Double)
  /// The evaluations that were allowed are spent; reached `time`.
  case budgetSpent(time: Double)
  /// The state or its rate is infinite or not a number; `time` is the last one at which all was well, or the end.
  case nonFinite(time: Double)
  /// The caller stopped the solve; reached `time`.
  case cancelled(time: Double)

  /// Whether the solve reached its last time.
  public var isFinished: Bool { self == .finished }
}

extension SolveStatus: CustomStringConvertible {
  public var description: String {
    switch self {
    case .finished: "finished"
    case .stepUnderflow(let t): "step underflow at t = \(t)"
    case .budgetSpent(let t): "evaluation budget spent at t = \(t)"
    case .nonFinite(let t): "not finite at t = \(t)"
    case .cancelled(let t): "cancelled at t = \(t)"
    }
  }
}

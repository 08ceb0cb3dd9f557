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

  /// The same end on another clock: `time` turns the time of this one into that of the other.
  func atTimes(_ time: (Double) -> Double) -> SolveStatus {
    switch self {
    case .finished: .finished
    case .stepUnderflow(let own): .stepUnderflow(time: time(own))
    case .budgetSpent(let own): .budgetSpent(time: time(own))
    case .nonFinite(let own): .nonFinite(time: time(own))
    case .cancelled(let own): .cancelled(time: time(own))
    }
  }
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

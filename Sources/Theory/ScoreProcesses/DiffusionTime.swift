/// A time of a process's own, in which its flow is smooth though g² jumps in t.
///
/// ```
/// τ(t) = ∫₀ᵗ g² ds,   dx/dτ = (dx/dt)/g²
/// ```
package struct DiffusionTime: Sendable {
  /// τ at t.
  package let value: @Sendable (_ t: Double) -> Double
  /// t at τ.
  package let time: @Sendable (_ value: Double) -> Double
  /// g² at t.
  package let rate: @Sendable (_ t: Double) -> Double
}

/// A process whose rates jump between times.
package protocol JumpingProcess: LinearProcess {
  /// The time in which its flow is smooth; nil where g² is 0 on some way, so that there is none.
  var diffusionTime: DiffusionTime? { get }
}

extension DDPMChain: JumpingProcess {
  package var diffusionTime: DiffusionTime? {
    guard betas.allSatisfy({ $0 > 0 }) else { return nil }
    return DiffusionTime(
      value: { -2 * marginal(at: $0).logAlpha }, time: { time(logAlpha: -0.5 * $0) },
      rate: { rates(at: $0).squaredDiffusion })
  }
}

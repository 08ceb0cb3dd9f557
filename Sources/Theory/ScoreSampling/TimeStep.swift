import ScoreProcesses

/// One step of a solver, from a time towards the data.
public struct TimeStep: Sendable, Equatable {
  /// The number of the step, from 0; random numbers hang on it.
  public var index: Int
  /// The time t at which the step starts.
  public var time: Double
  /// The earlier time s at which the step ends.
  public var next: Double
  /// Whether a step that adds noise gives its mean instead: the last one, where the result is denoised so.
  public var isNoiseless: Bool
  private var prescribed: Transition?

  /// Creates a step; `transition` replaces the exact one of the process, as the reference discretisations do.
  public init(
    index: Int, time: Double, next: Double, isNoiseless: Bool = false,
    transition: Transition? = nil
  ) {
    self.index = index
    self.time = time
    self.next = next
    self.isNoiseless = isNoiseless
    prescribed = transition
  }

  /// The length t − s, positive.
  public var length: Double { time - next }

  /// The Gaussian step of a process from s to t.
  public func transition(of process: any LinearProcess) -> Transition {
    prescribed ?? process.step(from: next, to: time)
  }
}

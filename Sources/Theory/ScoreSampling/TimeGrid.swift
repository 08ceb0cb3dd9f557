import Foundation
import ScoreProcesses

/// The steps that a solver takes, from noise to data.
public struct TimeGrid: Sendable, Equatable {
  /// The steps, in order.
  public let steps: [TimeStep]

  /// The most steps of a grid that is made by their number.
  public static let mostSteps = 10_000_000

  /// Creates a grid from steps of any kind.
  /// - Throws: `SamplingError` where there is no step, and where one does not go from a finite time to an earlier one, or does not
  ///   start at an earlier one than the step before.
  public init(steps: [TimeStep]) throws(SamplingError) {
    guard !steps.isEmpty else {
      throw SamplingError("the time grid has 0 steps; expected 1 or more")
    }
    for step in steps {
      guard step.next < step.time, step.time.isFinite, step.next.isFinite else {
        throw SamplingError(
          "step \(step.index) of the time grid goes from \(step.time) to \(step.next); expected a finite time and an earlier one"
        )
      }
    }
    for (step, next) in zip(steps, steps.dropFirst()) where !(next.time < step.time) {
      throw SamplingError(
        "step \(next.index) of the time grid starts at \(next.time), and the one before at \(step.time); expected falling times"
      )
    }
    self.steps = steps
  }

  /// Creates a grid from the times that its steps join.
  /// - Throws: `SamplingError` unless there are two times or more, finite, falling, none below 0.
  public init(times: [Double]) throws(SamplingError) {
    guard times.count > 1 else {
      throw SamplingError("the time grid has \(times.count) times; expected 2 or more")
    }
    for (t, s) in zip(times, times.dropFirst()) {
      guard t.isFinite, s >= 0, s < t else {
        throw SamplingError(
          "the time grid goes from \(t) to \(s); expected falling times, 0 or more")
      }
    }
    try self.init(
      steps: (0..<times.count - 1).map {
        TimeStep(index: $0, time: times[$0], next: times[$0 + 1])
      })
  }

  /// The time at which the first step starts.
  public var start: Double { steps[0].time }

  /// The time at which the last step ends.
  public var end: Double { steps[steps.count - 1].next }

  /// The grid whose last step gives its mean, without noise.
  func withNoiselessEnd() -> TimeGrid {
    var steps = steps
    steps[steps.count - 1].isNoiseless = true
    return TimeGrid(unchecked: steps)
  }

  private init(unchecked steps: [TimeStep]) { self.steps = steps }
}

extension TimeGrid {
  /// Steps of one length from T to ε, both exact.
  /// - Throws: `SamplingError` unless 1 ≤ N ≤ `mostSteps` and 0 < ε < T.
  public static func uniform(
    from end: Double, to epsilon: Double, steps count: Int
  ) throws(SamplingError) -> TimeGrid {
    try check(end, epsilon, count)
    return try TimeGrid(
      times: (0...count).map {
        $0 == 0
          ? end : $0 == count ? epsilon : end + (epsilon - end) * Double($0) / Double(count)
      })
  }

  /// Steps that are even in √t, from T to ε: shorter near the data (Song, Meng & Ermon 2021, D.2).
  /// - Throws: `SamplingError` unless 1 ≤ N ≤ `mostSteps` and 0 < ε < T.
  public static func quadratic(
    from end: Double, to epsilon: Double, steps count: Int
  ) throws(SamplingError) -> TimeGrid {
    try check(end, epsilon, count)
    let (high, low) = (end.squareRoot(), epsilon.squareRoot())
    return try TimeGrid(
      times: (0...count).map {
        if $0 == 0 { return end }
        if $0 == count { return epsilon }
        let root = high + (low - high) * Double($0) / Double(count)
        return root * root
      })
  }

  /// Steps that are even in log(σ/α), the negative half log signal-to-noise ratio, from T to ε.
  /// - Throws: `SamplingError` unless 1 ≤ N ≤ `mostSteps` and 0 < ε < T.
  public static func logSNR(
    of process: any LinearProcess, from end: Double, to epsilon: Double, steps count: Int
  ) throws(SamplingError) -> TimeGrid {
    try warped(process, end, epsilon, count, evenLevel)
  }

  /// The steps of Karras et al. 2022, eq. 5, in the noise ratio u = σ/α, from T to ε.
  ///
  /// ```
  /// u_i = (u_T^(1/ρ) + i/N (u_ε^(1/ρ) − u_T^(1/ρ)))^ρ
  /// ```
  ///
  /// - Throws: `SamplingError` unless 1 ≤ N ≤ `mostSteps`, 0 < ε < T and ρ > 0.
  public static func karras(
    of process: any LinearProcess, from end: Double, to epsilon: Double, steps count: Int,
    rho: Double = 7
  ) throws(SamplingError) -> TimeGrid {
    guard rho > 0, rho.isFinite else {
      throw SamplingError("the Karras grid has rho \(rho); expected a positive number")
    }
    return try warped(process, end, epsilon, count) { high, low, fraction in
      karrasLevel(from: high, to: low, fraction, rho: rho)
    }
  }

  /// log u a fraction of the way from one level to another on the grid of Karras et al.: log (u_T^(1/ρ) + …)^ρ, without powers
  /// that leave the range of numbers.
  static func karrasLevel(
    from high: Double, to low: Double, _ fraction: Double, rho: Double
  ) -> Double {
    high + rho * log1p(fraction * expm1((low - high) / rho))
  }

  /// log u on an even grid of levels.
  static func evenLevel(from high: Double, to low: Double, _ fraction: Double) -> Double {
    high + (low - high) * fraction
  }

  private static func warped(
    _ process: any LinearProcess, _ end: Double, _ epsilon: Double, _ count: Int,
    _ logRatio: (_ high: Double, _ low: Double, _ fraction: Double) -> Double
  ) throws(SamplingError) -> TimeGrid {
    try check(end, epsilon, count)
    let high = process.logNoiseRatio(at: end)
    let low = process.logNoiseRatio(at: epsilon)
    guard high.isFinite, low.isFinite, low < high else {
      throw SamplingError(
        "log(sigma/alpha) of process \(process.name) goes from \(high) at t = \(end) to \(low) at t = \(epsilon); expected finite falling values"
      )
    }
    return try TimeGrid(
      times: (0...count).map {
        if $0 == 0 { return end }
        if $0 == count { return epsilon }
        let target = logRatio(high, low, Double($0) / Double(count))
        return process.time(logNoiseRatio: target, between: epsilon, and: end)
      })
  }

  static func check(
    _ end: Double, _ epsilon: Double, _ count: Int
  ) throws(SamplingError) {
    try SamplingError.check(count, "steps", most: mostSteps)
    guard epsilon > 0, epsilon < end, end.isFinite else {
      throw SamplingError("epsilon is \(epsilon) and T is \(end); expected 0 < epsilon < T")
    }
  }
}

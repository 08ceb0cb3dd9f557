/// A system in the variable u = √t, in which probability flows are smooth down to small times.
///
/// ```
/// dy/du = 2u · dy/dt
/// ```
///
/// Where noise sets in with σ² ∝ t, as in every process whose g does not vanish at 0, a flow has a term in 1/√t, which costs an
/// adaptive solver many small steps in t and none in u. Where the flow is smooth in t it is smooth in u as well.
struct RootTimeSystem<Base: RowSystem>: RowSystem {
  private(set) var base: Base
  let clock: RootClock

  /// A system to be solved between two positive times.
  init(_ base: Base, from t0: Double, to t1: Double) {
    self.base = base
    clock = RootClock(t0, t1)
  }

  var width: Int { base.width }
  var blocks: [Int] { base.blocks }
  var integrals: Int { base.integrals }

  mutating func select(rows: [Int]) { base.select(rows: rows) }

  mutating func rates(
    of y: UnsafePointer<Double>, at roots: [Double], sharesTime: Bool, withIntegrals: Bool,
    into rates: UnsafeMutablePointer<Double>
  ) throws {
    try base.rates(
      of: y, at: roots.map(clock.time), sharesTime: sharesTime, withIntegrals: withIntegrals,
      into: rates)
    for (row, root) in roots.enumerated() {
      for place in row * width..<(row + 1) * width { rates[place] *= 2 * root }
    }
  }

  func consequence(
    of error: UnsafePointer<Double>, in y: UnsafePointer<Double>, rate: UnsafePointer<Double>,
    at root: Double
  ) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { inTime in
      guard let inTime = inTime.baseAddress else { return 0 }
      for place in 0..<width { inTime[place] = rate[place] / (2 * root) }
      return base.consequence(of: error, in: y, rate: inTime, at: clock.time(root))
    }
  }
}

/// The times that roots of time stand for.
struct RootClock {
  private let (start, end): (Double, Double)
  private let (startRoot, endRoot): (Double, Double)

  /// The clock of a solve between two positive times.
  init(_ start: Double, _ end: Double) {
    (self.start, self.end) = (start, end)
    (startRoot, endRoot) = (start.squareRoot(), end.squareRoot())
  }

  /// The time at u; at the ends to the bit.
  func time(_ root: Double) -> Double {
    root == startRoot ? start : root == endRoot ? end : root * root
  }
}

extension AdaptiveIntegrator {
  /// Solves a probability flow from t0 to t1 in √t; times that are asked for or reported are times t.
  package func integrateFlow<System: RowSystem>(
    _ system: inout System, _ states: [Double], from t0: Double, to t1: Double,
    outputs: [Double] = [],
    shouldContinue: ((_ fraction: Double, _ time: Double, _ evaluations: Int) -> Bool)? = nil
  ) throws -> RowSolution {
    guard min(t0, t1) > 0 else {
      return try integrate(
        &system, states, from: t0, to: t1, outputs: outputs, shouldContinue: shouldContinue)
    }
    var rooted = RootTimeSystem(system, from: t0, to: t1)
    let clock = rooted.clock
    var solution = try integrate(
      &rooted, states, from: t0.squareRoot(), to: t1.squareRoot(),
      outputs: outputs.map { $0.squareRoot() },
      shouldContinue: shouldContinue.map { body in { body($0, clock.time($1), $2) } })
    system = rooted.base
    solution.status = solution.status.map { $0.atTimes(clock.time) }
    return solution
  }
}

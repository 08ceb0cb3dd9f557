import ScoreProcesses

/// A system in the variable u = √t, in which probability flows are smooth down to small times.
///
/// ```
/// dy/du = 2u · dy/dt
/// ```
///
/// Where noise sets in with σ² ∝ t, as in every process whose g does not vanish at 0, a flow has a term in 1/√t, which costs an
/// adaptive solver many small steps in t and none in u. Where the flow is smooth in t it is smooth in u as well. Of a process
/// whose g² jumps, the time τ of `DiffusionTime` stands for t: in √τ there is nothing to stop at.
struct RootTimeSystem<Base: RowSystem>: RowSystem {
  private(set) var base: Base
  let clock: RootClock

  /// A system to be solved between two positive times.
  init(_ base: Base, from t0: Double, to t1: Double) {
    self.base = base
    clock = RootClock(t0, t1, of: base.diffusionTime)
  }

  var width: Int { base.width }
  var blocks: [Int] { base.blocks }
  var integrals: Int { base.integrals }

  mutating func select(rows: [Int]) { base.select(rows: rows) }

  mutating func rates(
    of y: UnsafePointer<Double>, at roots: [Double], sharesTime: Bool, withIntegrals: Bool,
    into rates: UnsafeMutablePointer<Double>
  ) throws {
    let times = roots.map(clock.time)
    try base.rates(
      of: y, at: times, sharesTime: sharesTime, withIntegrals: withIntegrals,
      into: rates)
    for (row, root) in roots.enumerated() {
      let rate = clock.rate(root, at: times[row])
      for place in row * width..<(row + 1) * width { rates[place] *= rate }
    }
  }

  func consequence(
    of error: UnsafePointer<Double>, in y: UnsafePointer<Double>, rate: UnsafePointer<Double>,
    at root: Double
  ) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { inTime in
      guard let inTime = inTime.baseAddress else { return 0 }
      let time = clock.time(root)
      let perTime = clock.rate(root, at: time)
      for place in 0..<width { inTime[place] = rate[place] / perTime }
      return base.consequence(of: error, in: y, rate: inTime, at: time)
    }
  }
}

/// The times that roots of time, or of a process's own time, stand for.
struct RootClock {
  private let (start, end): (Double, Double)
  private let own: DiffusionTime?
  /// The roots of the two.
  let (startRoot, endRoot): (Double, Double)

  /// The clock of a solve between two positive times.
  init(_ start: Double, _ end: Double, of own: DiffusionTime? = nil) {
    (self.start, self.end) = (start, end)
    self.own = own
    startRoot = (own?.value(start) ?? start).squareRoot()
    endRoot = (own?.value(end) ?? end).squareRoot()
  }

  /// u at a time.
  func root(_ time: Double) -> Double { (own?.value(time) ?? time).squareRoot() }

  /// The time at u; at the ends to the bit.
  func time(_ root: Double) -> Double {
    root == startRoot
      ? start : root == endRoot ? end : own?.time(root * root) ?? root * root
  }

  /// dt/du at u, which is the time t.
  func rate(_ root: Double, at time: Double) -> Double { 2 * root / (own?.rate(time) ?? 1) }
}

extension AdaptiveIntegrator {
  /// Solves a probability flow from t0 to t1 in √t or √τ; times that are asked for or reported are times t.
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
      &rooted, states, from: clock.startRoot, to: clock.endRoot, outputs: outputs.map(clock.root),
      shouldContinue: shouldContinue.map { body in { body($0, clock.time($1), $2) } })
    system = rooted.base
    solution.status = solution.status.map { $0.atTimes(clock.time) }
    return solution
  }
}

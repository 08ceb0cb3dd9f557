import Foundation
import ScoreSampling
import Testing

/// dy/dt given entry by entry, with a count of the rows that were evaluated.
private final class System: RowSystem {
  let width: Int
  var blocks: [Int]
  let slope: (Double, [Double]) -> [Double]
  var batches: [Int] = []

  init(width: Int, blocks: [Int]? = nil, _ slope: @escaping (Double, [Double]) -> [Double]) {
    self.width = width
    self.blocks = blocks ?? [width]
    self.slope = slope
  }

  func select(rows: [Int]) {}

  func rates(
    of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool, withIntegrals: Bool,
    into rates: UnsafeMutablePointer<Double>
  ) throws {
    batches.append(times.count)
    for (row, t) in times.enumerated() {
      let state = (0..<width).map { y[row * width + $0] }
      for (j, rate) in slope(t, state).enumerated() { rates[row * width + j] = rate }
    }
  }

  func consequence(
    of error: UnsafePointer<Double>, in y: UnsafePointer<Double>, rate: UnsafePointer<Double>,
    at t: Double
  ) -> Double { error[0] }
}

@Suite struct AdaptiveIntegratorTests {
  private func integrator(
    _ tolerance: Double = 1e-9, budget: Int = 100_000
  ) throws -> AdaptiveIntegrator {
    try AdaptiveIntegrator(rtol: tolerance, atol: tolerance, maxEvaluations: budget)
  }

  @Test func solvesInEitherDirectionToTheTolerance() throws {
    // The pendulum's small swing: y = (cos t, −sin t).
    var system = System(width: 2) { _, y in [y[1], -y[0]] }
    let there = try integrator().integrate(&system, [1, 0], from: 0, to: 5)
    #expect(abs(there.states[0] - cos(5.0)) < 1e-8)
    #expect(abs(there.states[1] + sin(5.0)) < 1e-8)
    let back = try integrator().integrate(&system, there.states, from: 5, to: 0)
    #expect(abs(back.states[0] - 1) < 2e-8)
    #expect(there.status == [.finished] && there.steps[0] > 10)
    // Two at the start and six a step, accepted or not.
    #expect((there.evaluations[0] - 2) % 6 == 0)
    #expect(there.evaluations[0] >= 2 + 6 * there.steps[0])
    // The local errors add up to about the tolerance, times the steps at most.
    #expect(there.consequences[0] > 0 && there.consequences[0] < 1e-7)
  }

  @Test func rowsHaveStepsOfTheirOwn() throws {
    // y = sin(c t) with c in the second entry, a hundred times as fast in one row as in another.
    var system = System(width: 2) { t, y in [y[1] * cos(y[1] * t), 0] }
    let states: [Double] = [0, 1, 0, 10, 0, 100]
    let together = try integrator().integrate(&system, states, from: 0, to: 1)
    for row in 0..<3 {
      let alone = try integrator().integrate(
        &system, Array(states[2 * row..<2 * row + 2]), from: 0, to: 1)
      #expect(Array(together.states[2 * row..<2 * row + 2]) == alone.states)
      #expect(together.evaluations[row] == alone.evaluations[0])
    }
    #expect(together.evaluations[2] > 10 * together.evaluations[0])
  }

  @Test func aHardRowSetsNobodysStep() throws {
    // y = sin(c t) with c in the second entry.
    let slope: (Double, [Double]) -> [Double] = { t, y in [y[1] * cos(y[1] * t), 0] }
    var system = System(width: 2, slope)
    var states = [Double](repeating: 0, count: 40)
    for row in 0..<20 { states[2 * row + 1] = row == 13 ? 200 : 1 + 0.1 * Double(row) }
    let together = try integrator().integrate(&system, states, from: 0, to: 1)
    let systemBatches = system.batches.reduce(0, +)
    for row in 0..<20 {
      let c = states[2 * row + 1]
      #expect(abs(together.states[2 * row] - sin(c)) < 1e-7)
      let alone = try integrator().integrate(&system, [0, c], from: 0, to: 1)
      #expect(alone.states[0] == together.states[2 * row])
      #expect(alone.evaluations[0] == together.evaluations[row])
    }
    #expect(together.evaluations[13] > 10 * together.evaluations[0])
    // The others leave the batch: no row is evaluated that is not counted.
    #expect(systemBatches == together.evaluations.reduce(0, +))
  }

  @Test func theNormIsTakenBlockByBlock() throws {
    // One stiffly varying entry among many calm ones: as a block of its own it keeps its tolerance.
    func run(_ blocks: [Int]) throws -> (steps: Int, error: Double) {
      var system = System(width: 101, blocks: blocks) { t, _ in
        [Double](repeating: 0, count: 100) + [20 * cos(20 * t)]
      }
      let start = [Double](repeating: 0, count: 101)
      let result = try integrator(1e-6).integrate(&system, start, from: 0, to: 2)
      return (result.steps[0], abs(result.states[100] - sin(40.0)))
    }
    let (diluted, apart) = (try run([101]), try run([100, 1]))
    #expect(apart.steps > diluted.steps)
    #expect(apart.error < 1e-6)
  }

  @Test func aWallEndsInStepUnderflowWithTheLastState() throws {
    // y' = y² from 1 grows without bound at t = 1.
    var system = System(width: 1) { _, y in [y[0] * y[0]] }
    let result = try integrator(1e-6).integrate(&system, [1, 0], from: 0, to: 2)
    switch result.status[0] {
    case .stepUnderflow(let t), .nonFinite(let t): #expect(abs(t - 1) < 1e-3)
    default: Issue.record("\(result.status[0])")
    }
    #expect(result.states[0] > 1e3)
    #expect(result.status[1] == .finished && result.states[1] == 0)
  }

  @Test func ratesThatAreNotNumbersAreReported() throws {
    var system = System(width: 1) { t, y in [t > 0.5 && y[0] > 10 ? .nan : 1] }
    let result = try integrator(1e-6).integrate(&system, [20, 0], from: 0, to: 1)
    guard case .nonFinite(let t) = result.status[0] else {
      Issue.record("\(result.status[0])")
      return
    }
    #expect(abs(t - 0.5) < 1e-6)
    #expect(result.status[1] == .finished && abs(result.states[1] - 1) < 1e-6)
    let start = try integrator().integrate(&system, [.infinity, 0], from: 0, to: 0.4)
    #expect(start.status[0] == .nonFinite(time: 0))
    #expect(start.status[1] == .finished)
  }

  /// A first try that goes where the solution never is says nothing of the row.
  @Test func aFirstGuessMayGoAstray() throws {
    var system = System(width: 1) { t, y in
      [t > 0.9 && y[0] < 1.2 ? .nan : t < 0.5 ? 1e-4 : 1]
    }
    let result = try integrator(1e-6).integrate(&system, [1], from: 0, to: 1)
    #expect(result.status[0] == .finished)
    #expect(abs(result.states[0] - 1.50005) < 1e-4)
  }

  /// A rate without bound at t = 0 ends a row there before its budget does.
  @Test func aPoleAtZeroEndsTheRow() throws {
    var system = System(width: 1) { t, _ in [1 / t] }
    let result = try integrator(1e-4).integrate(&system, [0], from: 1, to: 0)
    switch result.status[0] {
    case .stepUnderflow(let t), .nonFinite(let t): #expect(t < 1e-9)
    default: Issue.record("\(result.status[0])")
    }
  }

  @Test func theBudgetIsKept() throws {
    var system = System(width: 1) { t, _ in [1000 * cos(1000 * t)] }
    let result = try integrator(1e-9, budget: 100).integrate(&system, [0], from: 0, to: 1)
    guard case .budgetSpent(let t) = result.status[0] else {
      Issue.record("\(result.status[0])")
      return
    }
    #expect(result.evaluations[0] <= 100 && result.evaluations[0] > 94)
    #expect(abs(result.states[0] - sin(1000 * t)) < 1e-6)
  }

  @Test func theRunCanBeStopped() throws {
    var system = System(width: 1) { t, _ in [100 * cos(100 * t)] }
    var fractions: [Double] = []
    let result = try integrator().integrate(&system, [0, 0], from: 0, to: 1) { fraction, _, _ in
      fractions.append(fraction)
      return fraction < 0.5
    }
    guard case .cancelled(let t) = result.status[1] else {
      Issue.record("\(result.status[1])")
      return
    }
    #expect(t >= 0.5 && t < 0.7)
    #expect(fractions == fractions.sorted() && fractions[0] == 0)
  }

  @Test func statesOnTheWayAreOfFourthOrder() throws {
    var system = System(width: 2) { _, y in [y[1], -y[0]] }
    let outputs = stride(from: 0.0, through: 3, by: 0.25).map { $0 }
    let result = try integrator(1e-8).integrate(
      &system, [1, 0, 0, 1], from: 0, to: 3, outputs: outputs)
    for (t, states) in zip(outputs, result.outputs) {
      #expect(abs(states[0] - cos(t)) < 1e-6)
      #expect(abs(states[2] - sin(t)) < 1e-6)
    }
    #expect(result.outputs.last == result.states)
    let plain = try integrator(1e-8).integrate(&system, [1, 0, 0, 1], from: 0, to: 3)
    #expect(plain.states == result.states)
  }

  @Test func fixedStepsAgree() throws {
    var system = System(width: 2) { _, y in [y[1], -y[0]] }
    let result = try FixedIntegrator(.rk4, steps: 200).integrate(&system, [1, 0], from: 2, to: 0)
    #expect(abs(result.states[0] - cos(2.0)) < 1e-9)
    #expect(result.evaluations == [800] && result.status == [.finished])
  }

  @Test func parametersAreChecked() {
    #expect(throws: SamplingError("rtol is 0.0; expected a positive number")) {
      try AdaptiveIntegrator(rtol: 0, atol: 1, maxEvaluations: 1)
    }
    #expect(throws: SamplingError("atol is -1.0; expected a positive number")) {
      try AdaptiveIntegrator(rtol: 1, atol: -1, maxEvaluations: 1)
    }
    #expect(throws: SamplingError.self) {
      try AdaptiveIntegrator(rtol: .nan, atol: 1, maxEvaluations: 1)
    }
    #expect(throws: SamplingError.self) {
      try AdaptiveIntegrator(rtol: 1, atol: 1, maxEvaluations: 0)
    }
    #expect(throws: SamplingError.self) { try FixedIntegrator(.rk4, steps: 0) }
  }
}

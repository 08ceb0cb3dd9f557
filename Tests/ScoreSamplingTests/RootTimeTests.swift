import Foundation
import ScoreSampling
import Testing

/// Flows solved in √t: the same solution, times as they were, fewer evaluations where the rate grows like 1/√t.
@Suite struct RootTimeTests {
  /// y = c √t + sin(t), c the row's number: what the noise of a process does to a sample at small times.
  struct Growth: RowSystem {
    let width = 1
    var rows: [Int] = []

    mutating func select(rows: [Int]) { self.rows = rows }

    mutating func rates(
      of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool, withIntegrals: Bool,
      into rates: UnsafeMutablePointer<Double>
    ) throws {
      for (i, t) in times.enumerated() {
        rates[i] = Double(rows[i] + 1) / (2 * t.squareRoot()) + cos(t)
      }
    }

    static func exact(_ row: Int, _ t: Double) -> Double {
      Double(row + 1) * t.squareRoot() + sin(t)
    }
  }

  static let start = 1e-5
  static var states: [Double] { (0..<3).map { Growth.exact($0, start) } }

  @Test(arguments: [true, false]) func itIsTheSameFlowAtAFractionOfTheCost(_ backwards: Bool) throws
  {
    let integrator = try AdaptiveIntegrator(rtol: 1e-8, atol: 1e-8, maxEvaluations: 10_000)
    let (t0, t1) = backwards ? (1, Self.start) : (Self.start, 1)
    let states = (0..<3).map { Growth.exact($0, t0) }
    var system = Growth()
    let plain = try integrator.integrate(&system, states, from: t0, to: t1)
    system = Growth()
    let times = backwards ? [0.5, 0.01] : [0.01, 0.5]
    let rooted = try integrator.integrateFlow(&system, states, from: t0, to: t1, outputs: times)
    for row in 0..<3 {
      #expect(abs(rooted.states[row] - Growth.exact(row, t1)) < 1e-7)
      #expect(rooted.evaluations[row] * 2 < plain.evaluations[row])
      for (time, output) in zip(times, rooted.outputs) {
        #expect(abs(output[row] - Growth.exact(row, time)) < 1e-6)
      }
    }
    #expect(rooted.status.allSatisfy { $0.isFinished })
  }

  @Test func whatIsReportedAreTimes() throws {
    var system = Growth()
    let integrator = try AdaptiveIntegrator(rtol: 1e-12, atol: 1e-12, maxEvaluations: 60)
    var seen: [Double] = []
    let solution = try integrator.integrateFlow(
      &system, Self.states, from: Self.start, to: 1,
      shouldContinue: { _, time, _ in
        seen.append(time)
        return true
      })
    #expect(seen.first == Self.start && seen.allSatisfy { $0 >= Self.start && $0 < 1 })
    for (row, status) in solution.status.enumerated() {
      guard case .budgetSpent(let time) = status else {
        Issue.record("row \(row): \(status)")
        continue
      }
      #expect(abs(solution.states[row] - Growth.exact(row, time)) < 1e-9)
    }
  }
}

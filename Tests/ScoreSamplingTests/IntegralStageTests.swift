import Foundation
import ScoreSampling
import Testing

/// Integrals along the way are asked for at the stages that weigh them, and come out the same.
@Suite struct IntegralStageTests {
  /// y = sin(t) and the integral of y² beside it; what was not asked for is rubbish.
  struct Wave: RowSystem {
    let width = 2
    let blocks = [1, 1]
    let integrals = 1
    let skips: Bool
    var calls = 0
    var skipped = 0

    mutating func rates(
      of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool, withIntegrals: Bool,
      into rates: UnsafeMutablePointer<Double>
    ) {
      calls += 1
      if !withIntegrals { skipped += 1 }
      for (row, t) in times.enumerated() {
        rates[2 * row] = cos(t) + sin(t) - y[2 * row]
        rates[2 * row + 1] = withIntegrals || !skips ? y[2 * row] * y[2 * row] : 1e9
      }
    }
  }

  @Test(arguments: zip(EmbeddedPair.all.map(\.method.name), [0, 1, 0, 4]))
  func stagesOfNoWeightAreSkipped(_ name: String, _ count: Int) throws {
    let pair = try #require(EmbeddedPair.all.first { $0.method.name == name })
    let integrator = try AdaptiveIntegrator(
      rtol: 1e-9, atol: 1e-9, maxEvaluations: 10_000, pair: pair)
    var (skipping, whole) = (Wave(skips: true), Wave(skips: false))
    let times = [0.5, 1.5]
    let states = [0.0, 0, 0.3, 0]
    let found = try integrator.integrate(&skipping, states, from: 0, to: 2, outputs: times)
    let expected = try integrator.integrate(&whole, states, from: 0, to: 2, outputs: times)
    #expect(found.states == expected.states)
    #expect(found.outputs == expected.outputs)
    #expect(abs(found.states[1] - (1 - sin(4.0) / 4)) < 1e-7)
    // Two calls choose the first step.
    let rounds = (skipping.calls - 2) / pair.evaluationsPerStep
    #expect(skipping.skipped == count * rounds)
    #expect(rounds > 3)
  }
}

import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// A two-dimensional mixture against an independent solve at 30 digits: Tests/Scripts/mixture_flow_density.py.
@Suite struct MixtureDensityTests {
  static func oracle<Scalar: TensorScalar>(
    _ process: any LinearProcess, _: Scalar.Type = Scalar.self
  ) throws -> MixtureOracle<Scalar> {
    try MixtureOracle(
      process: process, weights: [0.3, 0.7], means: [[-1, 0.5], [0.8, -0.4]],
      covariances: [[[0.2, 0.05], [0.05, 0.1]], [[0.15, -0.06], [-0.06, 0.3]]])
  }

  static let points: [Double] = [0.5, -0.2, -1.1, 0.6, 0.1, 0.1]

  @Test func densitiesAgreeWithTheIndependentSolve() throws {
    let expected: [(any LinearProcess, [Double])] = [
      (try VariancePreserving(), [-0.91369997868, -1.13093936136, -2.30933199042]),
      (try SubVariancePreserving(), [-0.91373913707, -1.13093957316, -2.30937577926]),
      (try VarianceExploding(), [-0.91335194608, -1.12676363726, -2.30689117729]),
    ]
    let x = Tensor<Double>([3, 2], Self.points)
    for (process, values) in expected {
      let likelihood = try FlowLikelihood(
        try Self.oracle(process, Double.self), divergence: .exact,
        method: .adaptive(rtol: 1e-11, atol: 1e-11), epsilon: 1e-5)
      let result = try likelihood.logDensity(of: x)
      for (found, value) in zip(result.logDensity, values) {
        #expect(abs(found - value) < 1e-8, "\(process.name): \(found), \(value)")
      }
      // In single precision and at the usual tolerance.
      let single = try FlowLikelihood(
        try Self.oracle(process, Float.self), divergence: .exact, epsilon: 1e-5
      ).logDensity(of: Tensor(x))
      for (found, value) in zip(single.logDensity, values) {
        #expect(abs(found - value) < 2e-4, "\(process.name): \(found), \(value)")
      }
    }
  }

  @Test func theFlowDensityIsTheMixturesUpToTheBudget() throws {
    // The density that the flow ends with is exact but for ε and the prior.
    let oracle = try Self.oracle(try VariancePreserving(), Double.self)
    let x = Tensor<Double>([3, 2], Self.points)
    let likelihood = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-10, atol: 1e-10))
    let result = try likelihood.logDensity(of: x)
    let budget = try likelihood.budget(of: result, for: x, by: oracle)
    for row in 0..<3 {
      #expect(abs(budget.remainder[row]) < 1e-7)
      #expect(abs(budget.truncation[row]) < 1e-4)
      #expect(abs(budget.priorMismatch[row]) < 0.02)
    }
  }

  @Test func probesGiveTheExactValueInTheMean() throws {
    // 200 probes a point: the mean is within 5 standard errors, one false alarm in two millions a point.
    let oracle = try Self.oracle(try VariancePreserving(), Double.self)
    let x = Tensor<Double>([3, 2], Self.points)
    let exact = try FlowLikelihood(oracle, divergence: .exact).logDensity(of: x)
    for probe in Divergence.Probe.allCases {
      let likelihood = try FlowLikelihood(oracle, divergence: .hutchinson(probe, probes: 200))
      let result = try likelihood.logDensity(of: x, key: RandomKey(3))
      let errors = try #require(result.probeStandardError)
      for row in 0..<3 {
        #expect(errors[row] > 0 && errors[row] < 1)
        #expect(
          abs(result.logDensity[row] - exact.logDensity[row]) < 5 * errors[row] + 1e-4)
      }
    }
  }
}

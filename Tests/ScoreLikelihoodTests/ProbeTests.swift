import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// The variance of Hutchinson's estimate against its closed form.
///
/// On Gaussian data the Jacobian does not depend on x, so the estimate is vᵀ M v with M = ∫ (g²/2σ) ∂ε̂/∂x dt, whose
/// eigenvalue for a variance λ of the data is ½ log(v_T/v_ε) − log(α_T/α_ε), v = α² λ + σ².
@Suite struct ProbeTests {
  private let covariance = [[0.20, 0.10], [0.10, 0.30]]

  private func matrix(_ process: any LinearProcess, _ epsilon: Double) -> [[Double]] {
    let (a, b, c) = (covariance[0][0], covariance[0][1], covariance[1][1])
    let radius = sqrt((a - c) * (a - c) / 4 + b * b)
    let angle = 0.5 * atan2(2 * b, a - c)
    let (start, end) = (process.marginal(at: epsilon), process.marginal(at: process.endTime))
    let values = [(a + c) / 2 + radius, (a + c) / 2 - radius].map { lambda in
      let from = start.alpha * start.alpha * lambda + start.sigma * start.sigma
      let to = end.alpha * end.alpha * lambda + end.sigma * end.sigma
      return 0.5 * log(to / from) - (end.logAlpha - start.logAlpha)
    }
    let (u, v) = (cos(angle), sin(angle))
    let off = (values[0] - values[1]) * u * v
    return [
      [values[0] * u * u + values[1] * v * v, off], [off, values[0] * v * v + values[1] * u * u],
    ]
  }

  private func oracle(_ process: any LinearProcess) throws -> GaussianOracle<Double> {
    try GaussianOracle(process: process, mean: [0.3, -0.2], covariance: covariance)
  }

  @Test func rademacherVarianceIsThatOfTheOffDiagonal() throws {
    // In the plane vᵀ M v = tr M ± 2 M_12: the sample variance of 4000 signs is (2 M_12)² less a part in 4000 for a
    // mean that is off by 1.6 %, 5 of these make 0.6 %.
    for process in GaussianDensityTests.cases.map(\.0) {
      let m = matrix(process, 1e-5)
      let likelihood = try FlowLikelihood(
        try oracle(process), divergence: .hutchinson(.rademacher, probes: 1), epsilon: 1e-5)
      let x = Tensor<Double>([4000, 2], repeating: 0.25)
      let result = try likelihood.logDensity(of: x, key: RandomKey(5))
      #expect(result.probeStandardError == nil)
      let mean = result.mean
      let variance = result.logDensity.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3999
      let expected = 2 * (m[0][1] * m[0][1] + m[1][0] * m[1][0])
      print("rademacher on \(process.name): variance \(variance), closed form \(expected)")
      #expect(abs(variance / expected - 1) < 0.01, "\(process.name): \(variance), \(expected)")
      let error = try #require(result.standardError)
      #expect(abs(error - sqrt(variance / 4000)) < 1e-12)
    }
  }

  @Test func gaussianVarianceAddsTheDiagonal() throws {
    // vᵀ M v = Σ μ χ²: variance 2 Σ μ², and its sample variance over n = 20000 is off by √((κ − 1)/n) with kurtosis
    // κ ≤ 15: 2.6 %; 5 of these make one false alarm in two millions.
    let process = try VariancePreserving()
    let m = matrix(process, 1e-5)
    let likelihood = try FlowLikelihood(
      try oracle(process), divergence: .hutchinson(.gaussian, probes: 1),
      method: .adaptive(rtol: 1e-4, atol: 1e-4), epsilon: 1e-5)
    let x = Tensor<Double>([20000, 2], repeating: 0.25)
    let result = try likelihood.logDensity(of: x, key: RandomKey(5))
    let mean = result.mean
    let variance = result.logDensity.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19999
    let expected = 2 * m.joined().reduce(0) { $0 + $1 * $1 }
    print("gaussian probes: variance \(variance), closed form \(expected)")
    #expect(abs(variance / expected - 1) < 0.13, "\(variance), \(expected)")
  }

  /// In one dimension the square of a sign is 1, and a sketch of all dimensions leaves nothing: one probe has no error, which
  /// is known.
  @Test func anExactTraceHasNoErrorWhateverTheProbes() throws {
    let line = try GaussianOracle<Double>(
      process: try VariancePreserving(), mean: 0.5, deviation: 0.3, sampleShape: [1])
    let plane = try GaussianOracle<Double>(
      process: try VariancePreserving(), mean: 0.5, deviation: 0.3, sampleShape: [2])
    for (oracle, divergence) in [
      (line, Divergence.hutchinson(probes: 1)), (plane, .hutchPlusPlus(sketch: 2, probes: 1)),
    ] {
      let likelihood = try FlowLikelihood(oracle, divergence: divergence)
      let x = oracle.sample(3, key: RandomKey(1), samples: .consecutive(first: 0))
      let result = try likelihood.logDensity(of: x, key: RandomKey(2))
      let budget = try likelihood.budget(of: result, for: x, key: RandomKey(2))
      #expect(budget.probes == [0, 0, 0])
      #expect(budget.total?.allSatisfy { $0.isFinite } == true)
    }
  }

  @Test func probesAreAveragedAndTheirSpreadIsReported() throws {
    // The squared standard error has mean var/K; over 500 samples of K = 8 signs it is off by less than 2 %.
    let process = try VariancePreserving()
    let m = matrix(process, 1e-5)
    let likelihood = try FlowLikelihood(
      try oracle(process), divergence: .hutchinson(.rademacher, probes: 8), epsilon: 1e-5)
    let x = Tensor<Double>([500, 2], repeating: 0.25)
    let result = try likelihood.logDensity(of: x, key: RandomKey(6))
    let errors = try #require(result.probeStandardError)
    let square = errors.reduce(0) { $0 + $1 * $1 } / 500
    print("mean squared standard error of 8 signs \(square), closed form \(m[0][1] * m[0][1] / 2)")
    #expect(abs(square / (4 * m[0][1] * m[0][1] / 8) - 1) < 0.1)
    let mean = result.mean
    let variance = result.logDensity.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 499
    // A sum of 8 signs: the sample variance of 500 is off by 6 %, 5 of these make 30 %.
    #expect(abs(variance / (4 * m[0][1] * m[0][1] / 8) - 1) < 0.3)
  }

  @Test func rademacherIsExactWhereTheJacobianIsDiagonal() throws {
    let process = try VariancePreserving()
    let oracle = try GaussianOracle<Double>(
      process: process, mean: 0.5, deviation: 0.3, sampleShape: [4])
    let x = RandomKey(1).normal([6, 4], of: Double.self)
    let exact = try FlowLikelihood(oracle, divergence: .exact).logDensity(of: x)
    let probed = try FlowLikelihood(oracle, divergence: .hutchinson(.rademacher, probes: 2))
      .logDensity(of: x)
    for row in 0..<6 {
      #expect(abs(exact.logDensity[row] - probed.logDensity[row]) < 1e-6)
      #expect(try #require(probed.probeStandardError)[row] < 1e-12)
      #expect(try #require(exact.probeStandardError)[row] == 0)
    }
  }
}

import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Data N(0.5, 0.3²) at x = 0.8, whose flow density is known exactly.
@Suite struct GaussianDensityTests {
  static let cases: [(any LinearProcess, Double)] = {
    do {
      return [
        (try VariancePreserving(), -0.2182576766), (try SubVariancePreserving(), -0.218257625),
        (try VarianceExploding(), -0.2250106455),
      ]
    } catch {
      preconditionFailure("the standard processes are refused: \(error)")
    }
  }()

  static func oracle<Scalar: TensorScalar>(
    _ process: any LinearProcess, _: Scalar.Type = Scalar.self
  ) throws -> GaussianOracle<Scalar> {
    try GaussianOracle(process: process, mean: 0.5, deviation: 0.3, sampleShape: [1])
  }

  @Test(arguments: cases.indices)
  func tightToleranceGivesTheExactValue(_ index: Int) throws {
    let (process, expected) = Self.cases[index]
    let oracle = try Self.oracle(process, Double.self)
    let x = Tensor<Double>([1, 1], [0.8])
    let tight = FlowMethod.adaptive(rtol: 1e-9, atol: 1e-9)
    for divergence in [
      Divergence.exact, .hutchinson(.rademacher, probes: 1), .hutchinson(.rademacher, probes: 3),
    ] {
      // Rademacher probes are exact in one dimension: v² = 1.
      let likelihood = try FlowLikelihood(
        oracle, divergence: divergence, method: tight, epsilon: 1e-5)
      let result = try likelihood.logDensity(of: x)
      #expect(result.isFinished)
      #expect(abs(result.logDensity[0] - expected) < 1e-7)
      let error = try #require(result.solverError)[0]
      #expect(error < 1e-7 && error > 0)

      // log p_flow − log p_data = truncation + prior mismatch + what the solver left.
      let budget = try likelihood.budget(of: result, for: x, by: oracle)
      #expect(abs(budget.remainder[0]) < 1e-8)
      let data = -0.5 - log(0.3 * sqrt(2 * Double.pi))
      #expect(
        abs(expected - data - budget.truncation[0] - budget.priorMismatch[0]) < 1e-7)
    }
  }

  /// The chain of DDPM, whose β(t) jumps a thousand times, is no harder than the processes whose β(t) does not.
  @Test func aChainIsPassedToATightTolerance() throws {
    let oracle = try Self.oracle(DDPMChain.linear(), Double.self)
    let x = Tensor<Double>([2, 1], [0.8, -0.3])
    let likelihood = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-9, atol: 1e-9))
    let result = try likelihood.logDensity(of: x)
    #expect(result.isFinished && result.maxEvaluations < 500, "\(result.maxEvaluations)")
    let budget = try likelihood.budget(of: result, for: x, by: oracle)
    #expect(budget.remainder.allSatisfy { abs($0) < 1e-7 }, "\(budget.remainder)")
  }

  @Test(arguments: cases.indices)
  func theUsualToleranceAgreesToItsOrder(_ index: Int) throws {
    let (process, expected) = Self.cases[index]
    let double = try FlowLikelihood(
      try Self.oracle(process, Double.self), divergence: .exact, epsilon: 1e-5
    ).logDensity(of: Tensor([1, 1], [0.8]))
    #expect(abs(double.logDensity[0] - expected) < 1.5e-4)
    #expect(abs(double.logDensity[0] - expected) < 2 * (try #require(double.solverError)[0]))
    let single = try FlowLikelihood(
      try Self.oracle(process, Float.self), divergence: .exact, epsilon: 1e-5
    ).logDensity(of: Tensor([1, 1], [0.8]))
    #expect(abs(single.logDensity[0] - expected) < 1.5e-4)
  }

  @Test(arguments: cases.indices)
  func fixedStepsConvergeToTheSame(_ index: Int) throws {
    let (process, _) = Self.cases[index]
    let oracle = try Self.oracle(process, Double.self)
    let x = Tensor<Double>([1, 1], [0.8])
    // From ε = 0.1, where the flow is smooth in t.
    let exact = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-14, atol: 1e-14), epsilon: 0.1
    ).logDensity(of: x)
    let errors = try [200, 400].map { steps in
      let result = try FlowLikelihood(
        oracle, divergence: .exact, method: .fixed(.rk4, steps: steps), epsilon: 0.1
      ).logDensity(of: x)
      #expect(result.solverError == nil && result.evaluations == [4 * steps])
      return abs(result.logDensity[0] - exact.logDensity[0])
    }
    #expect(abs(log2(errors[0] / errors[1]) - 4) < 0.2, "\(process.name): \(errors)")
  }

  @Test func threeTimesTheEstimatedSolverErrorIsSafeAndNotIdle() throws {
    let oracle = try Self.oracle(try VariancePreserving(), Double.self)
    let x = Tensor<Double>([5, 1], [-0.5, 0.2, 0.5, 0.8, 1.4])
    let exact = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-12, atol: 1e-12)
    ).logDensity(of: x)
    for tolerance in [1e-4, 1e-6, 1e-8] {
      let result = try FlowLikelihood(
        oracle, divergence: .exact, method: .adaptive(rtol: tolerance, atol: tolerance)
      ).logDensity(of: x)
      let estimates = try #require(result.solverError)
      for row in 0..<5 {
        let error = abs(result.logDensity[row] - exact.logDensity[row])
        #expect(error <= 3 * estimates[row], "\(tolerance), row \(row)")
        #expect(estimates[row] < 1000 * tolerance)
      }
    }
  }

  @Test func latentsGoThereAndBack() throws {
    for (process, _) in Self.cases {
      let oracle = try Self.oracle(process, Double.self)
      let x = Tensor<Double>([4, 1], [-0.5, 0.2, 0.8, 1.4])
      let likelihood = try FlowLikelihood(
        oracle, method: .adaptive(rtol: 1e-10, atol: 1e-10))
      let latent = try likelihood.encode(x)
      let back = try likelihood.decode(latent.x)
      for row in 0..<4 { #expect(abs(back.x[row, 0] - x[row, 0]) < 1e-7) }
      // The flow keeps the quantile: (x − m)/s of the data is that of the latent.
      let (start, end) = (
        process.marginal(at: likelihood.epsilon), process.marginal(at: process.endTime)
      )
      for row in 0..<4 {
        let from = sqrt(pow(start.alpha * 0.3, 2) + pow(start.sigma, 2))
        let to = sqrt(pow(end.alpha * 0.3, 2) + pow(end.sigma, 2))
        let expected = 0.5 * end.alpha + to * (x[row, 0] - 0.5 * start.alpha) / from
        #expect(abs(latent.x[row, 0] - expected) < 1e-7 * max(1, abs(expected)))
      }
      let density = try likelihood.logDensity(of: x)
      for row in 0..<4 { #expect(abs(density.latent[row, 0] - latent.x[row, 0]) < 1e-7 * 50) }
    }
  }
}

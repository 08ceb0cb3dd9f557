import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

@Suite struct FlowLikelihoodTests {
  /// Finite data whose squares are not have no finite density, and that is said.
  @Test func densitiesThatAreNoNumbersAreNotFinished() throws {
    let oracle = try GaussianDensityTests.oracle(try VariancePreserving(), Double.self)
    let x = Tensor<Double>([2, 1], [0.5, 1e200])
    let result = try FlowLikelihood(oracle, divergence: .exact).logDensity(of: x)
    #expect(result.status == [.finished, .nonFinite(time: 1)])
    #expect(result.logDensity[0].isFinite && result.logDensity[1].isNaN)
  }

  private func oracle<Scalar: TensorScalar>(
    _: Scalar.Type = Scalar.self
  ) throws -> MixtureOracle<Scalar> {
    try MixtureDensityTests.oracle(try VariancePreserving(), Scalar.self)
  }

  @Test func bitsDoNotDependOnTheBatch() throws {
    try check(Float.self)
    try check(Double.self)
  }

  private func check<Scalar: TensorScalar>(_: Scalar.Type) throws {
    let oracle = try oracle(Scalar.self)
    let x = oracle.sample(24, key: RandomKey(2))
    for divergence in [
      Divergence.exact, .hutchinson(.gaussian, probes: 2), .hutchPlusPlus(sketch: 1, probes: 2),
    ] {
      for method in [FlowMethod.adaptive(rtol: 1e-4, atol: 1e-4), .fixed(.heun, steps: 10)] {
        func run(_ size: Int) throws -> LikelihoodResult<Scalar> {
          try FlowLikelihood(oracle, divergence: divergence, method: method, batchSize: size)
            .logDensity(of: x, key: RandomKey(3))
        }
        let whole = try run(256)
        for size in [1, 7] {
          let parts = try run(size)
          #expect(parts.logDensity == whole.logDensity)
          #expect(parts.latent == whole.latent)
          #expect(parts.evaluations == whole.evaluations)
          #expect(parts.probeStandardError == whole.probeStandardError)
        }
        let tail = try FlowLikelihood(oracle, divergence: divergence, method: method)
          .logDensity(of: x.rows(10..<15), key: RandomKey(3), first: 10)
        #expect(tail.logDensity == Array(whole.logDensity[10..<15]))
      }
    }
  }

  @Test func samplesTakeStepsOfTheirOwn() throws {
    let x = Tensor<Double>([3, 2], [0.8, -0.4, 60, 60, -1, 0.5])
    let result = try FlowLikelihood(try oracle(Double.self), divergence: .exact)
      .logDensity(of: x)
    #expect(result.isFinished)
    #expect(Set(result.evaluations).count > 1)
    #expect(result.maxEvaluations == result.evaluations.max())
  }

  @Test func samplesThatFailAreReported() throws {
    let x = Tensor<Double>([3, 2], [0.8, -0.4, .nan, 0, -1, 0.5])
    let result = try FlowLikelihood(try oracle(Double.self), divergence: .exact)
      .logDensity(of: x)
    #expect(result.status[0] == .finished && result.status[2] == .finished)
    #expect(result.status[1] == .nonFinite(time: 1e-5))
    #expect(result.logDensity[1].isNaN && result.logDensity[0].isFinite && result.mean.isNaN)
    let poor = try FlowLikelihood(
      try oracle(Double.self), divergence: .exact, method: .adaptive(maxEvaluations: 30)
    ).logDensity(of: x.rows(0..<1))
    guard case .budgetSpent(let t) = poor.status[0] else {
      Issue.record("\(poor.status[0])")
      return
    }
    #expect(t > 1e-5 && t < 1 && poor.logDensity[0].isNaN && poor.evaluations[0] <= 30)
  }

  /// Fixed steps tell the rows that are no numbers at the end, and carry the others.
  @Test func statesThatAreNoNumbersAreTold() throws {
    let likelihood = try FlowLikelihood(
      try oracle(Double.self), divergence: .exact, method: .fixed(.heun, steps: 4))
    let result = try likelihood.encode(Tensor([2, 2], [.nan, 0, 0.3, 0.1]))
    #expect(result.status == [.nonFinite(time: 1), .finished])
  }

  @Test func progressIsReportedAndStopsTheRun() throws {
    let x = Tensor<Double>([4, 2], repeating: 0.3)
    for method in [FlowMethod.adaptive(), .fixed(.rk4, steps: 50)] {
      let likelihood = try FlowLikelihood(
        try oracle(Double.self), divergence: .exact, method: method, batchSize: 2)
      var fractions: [Double] = []
      let result = try likelihood.logDensity(of: x) {
        fractions.append($0.fraction)
        return $0.fraction < 0.6
      }
      #expect(fractions == fractions.sorted() && fractions.first == 0)
      #expect(result.status[0] == .finished && result.logDensity[0].isFinite)
      guard case .cancelled = result.status[3] else {
        Issue.record("\(result.status[3])")
        continue
      }
      #expect(result.logDensity[3].isNaN)
      if let errors = result.solverError {
        #expect(errors[3].isNaN && errors[0].isFinite && errors[0] >= 0)
      }
    }
  }

  /// Once stopped, a run asks no more, and what has not begun evaluates nothing.
  @Test func aStopIsForAllBatches() throws {
    let likelihood = try FlowLikelihood(try oracle(Double.self), divergence: .exact, batchSize: 1)
    var calls = 0
    let result = try likelihood.logDensity(of: Tensor<Double>([4, 2], repeating: 0.3)) { _ in
      calls += 1
      return calls != 2
    }
    #expect(calls == 2 && result.logDensity.allSatisfy { $0.isNaN })
    #expect(result.evaluations[1...].allSatisfy { $0 == 0 })
  }

  @Test func wrongRequestsAreRefused() throws {
    let oracle = try oracle(Double.self)
    #expect(throws: SamplingError("epsilon is 1.0 and T is 1.0; expected 0 < epsilon < T")) {
      try FlowLikelihood(oracle, epsilon: 1)
    }
    #expect(throws: SamplingError("rtol is 0.0; expected a positive number")) {
      try FlowLikelihood(oracle, method: .adaptive(rtol: 0))
    }
    #expect(throws: SamplingError("the number of probes is 0; expected 1 or more")) {
      try FlowLikelihood(oracle, divergence: .hutchinson(probes: 0))
    }
    #expect(throws: SamplingError.self) {
      try FlowLikelihood(oracle, method: .fixed(.rk4, steps: 0))
    }
    #expect(throws: SamplingError.self) { try FlowLikelihood(oracle, batchSize: 0) }
    #expect(
      throws: SamplingError(
        "Hutch++ has a sketch of 0 and 2 probes; expected 1 or more of each")
    ) {
      try FlowLikelihood(oracle, divergence: .hutchPlusPlus(sketch: 0, probes: 2))
    }
    #expect(throws: SamplingError("the number of samples is 0; expected 1 or more")) {
      try FlowLikelihood(oracle).sample(0, key: RandomKey(1))
    }
    let likelihood = try FlowLikelihood(oracle)
    #expect(
      throws: SamplingError(
        "the samples have shape [2, 3]; expected [n] followed by [2], n 1 or more")
    ) {
      try likelihood.logDensity(of: Tensor([2, 3]))
    }
    #expect(throws: SamplingError.self) { try likelihood.encode(Tensor([0, 2])) }
  }
}

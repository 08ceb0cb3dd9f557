import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Guidance against the closed forms of Gaussians.
@Suite struct GuidedFieldTests {
  private let covariance = [[1, 0.8], [0.8, 1]]

  private func gaussian<Scalar: TensorScalar>(
    _ mean: [Double], _ process: any LinearProcess, _ covariance: [[Double]]? = nil
  ) throws -> GaussianOracle<Scalar> {
    try GaussianOracle(process: process, mean: mean, covariance: covariance ?? self.covariance)
  }

  /// Of Gaussians of one covariance the guided field is that of a Gaussian with the mean moved, at every t and w: its
  /// predictions, pullbacks and traces.
  @Test(arguments: ProcessSpec.standardNames)
  func oneCovarianceMovesTheMean(_ name: String) throws {
    let process = try ProcessSpec.process(name)
    let (here, there) = ([1.0, -2.0], [-0.5, 0.25])
    let conditional: GaussianOracle<Double> = try gaussian(here, process)
    let unconditional: GaussianOracle<Double> = try gaussian(there, process)
    let (x, v): (Tensor<Double>, Tensor<Double>) = (
      RandomKey(1).normal([5, 2]), RandomKey(2).normal([5, 2])
    )
    let times = Times.perSample([0.01, 0.1, 0.5, 0.9, 1].map { $0 * process.endTime })
    for scale in [-1, 0, 0.5, 1, 3] {
      let field = try GuidedField(conditional, from: unconditional, scale: scale)
      let exact: GaussianOracle<Double> = try gaussian(
        zip(here, there).map { $1 + scale * ($0 - $1) }, process)
      func expectNear(_ a: Tensor<Double>, _ b: Tensor<Double>) {
        #expect(
          (a - b).scalars.allSatisfy { abs($0) < 1e-12 * max(1, b.scalars.map(abs).max() ?? 0) })
      }
      expectNear(try field.noise(x, at: times), try exact.noise(x, at: times))
      let found = try field.noiseAndPullback(x, at: times, cotangent: v)
      let expected = try exact.noiseAndPullback(x, at: times, cotangent: v)
      expectNear(found.noise, expected.noise)
      expectNear(found.pullback, expected.pullback)
      let (trace, exactTrace) = (
        try field.noiseAndTrace(x, at: times).trace, try exact.noiseAndTrace(x, at: times).trace
      )
      expectNear(Tensor([5], trace), Tensor([5], exactTrace))
    }
  }

  /// Covariances that differ: ε̂ is the combination, and what the flow ends in is not the product of the densities.
  @Test func samplesAreNotThoseOfTheTiltedDensity() throws {
    let process = try VariancePreserving()
    let conditional: GaussianOracle<Double> = try gaussian([1], process, [[0.25]])
    let unconditional: GaussianOracle<Double> = try gaussian([0], process, [[1]])
    let field = try GuidedField(conditional, from: unconditional, scale: 2)
    let x = Tensor<Double>([2, 1], [-1, 2])
    let kernel = process.marginal(at: 0.3)
    let (signal, noise) = (kernel.alpha * kernel.alpha, kernel.sigma * kernel.sigma)
    for row in 0..<2 {
      let expected =
        kernel.sigma
        * (2 * (x[row, 0] - kernel.alpha) / (0.25 * signal + noise) - x[row, 0] / (signal + noise))
      #expect(abs(try field.noise(x, at: .shared(0.3))[row, 0] - expected) < 1e-12)
    }
    // Of p_c²/p_u at t = 0 the precision is 2/0.25 − 1.
    let moments = try Sampler(field, solver: DPMSolverMultistep(), steps: 400, epsilon: 1e-5)
      .affineMoments()
    let deviation = moments.covariance[0][0].squareRoot()
    print("guided flow ends with deviation \(deviation), not \((1 / 7.0).squareRoot())")
    #expect(abs((1 / 7.0).squareRoot() - 0.378) < 5e-4)
    #expect(abs(deviation - 0.25) < 1e-3)
  }

  /// Outside its noise ratios the conditional field counts alone, and neither field is asked without need.
  @Test func onlyTheIntervalIsGuided() throws {
    let process = try VariancePreserving()
    let conditional = Counting(base: try gaussian([1, 0], process))
    let unconditional = Counting(base: try gaussian([0, 1], process, [[1, 0], [0, 2]]))
    let x: Tensor<Float> = RandomKey(3).normal([4, 2])
    let ratios = [0.1, 1, 3, 10]
    let times = ratios.map { process.time(halfLogSNR: -log($0)) }
    let field = try GuidedField(
      conditional, from: unconditional, scale: 2.5, noiseRatios: 0.5..<5)
    let everywhere = try GuidedField(conditional, from: unconditional, scale: 2.5)
    let all = try field.noise(x, at: .perSample(times))
    #expect(unconditional.rows == 2)
    for row in 0..<4 {
      let (one, t) = (x.rows(row..<row + 1), Times.shared(times[row]))
      let isGuided = [1, 2].contains(row)
      let expected = try isGuided ? everywhere.noise(one, at: t) : conditional.noise(one, at: t)
      #expect(all.rows(row..<row + 1) == expected)
      let before = unconditional.rows
      #expect(try field.noise(one, at: t) == expected)
      #expect(unconditional.rows - before == (isGuided ? 1 : 0))
    }
    let v: Tensor<Float> = RandomKey(4).normal([4, 2])
    let pulled = try field.noiseAndPullback(x, at: .perSample(times), cotangent: v)
    #expect(pulled.noise == all)
    let plain = try conditional.noiseAndPullback(x, at: .perSample(times), cotangent: v).pullback
    let guided = try everywhere.noiseAndPullback(x, at: .perSample(times), cotangent: v).pullback
    #expect(pulled.pullback.rows([0, 3]) == plain.rows([0, 3]))
    #expect(pulled.pullback.rows([1, 2]) == guided.rows([1, 2]))

    let (before, there) = (conditional.rows, unconditional.rows)
    let one = try GuidedField(conditional, from: unconditional, scale: 1).noise(x, at: .shared(0.5))
    #expect(conditional.rows == before + 4 && unconditional.rows == there)
    let none = try GuidedField(conditional, from: unconditional, scale: 0)
      .noise(x, at: .shared(0.5))
    #expect(conditional.rows == before + 4 && unconditional.rows == there + 4)
    #expect(try one == conditional.base.noise(x, at: .shared(0.5)))
    #expect(try none == unconditional.base.noise(x, at: .shared(0.5)))
  }

  /// Any fields will do, and are differentiable where both are.
  @Test func anyFieldsAreGuided() throws {
    let process = try VariancePreserving()
    let conditional: any DifferentiableScoreField<Float> =
      try gaussian([1, 0], process) as GaussianOracle<Float>
    let unconditional: any DifferentiableScoreField<Float> =
      try gaussian([0, 1], process) as GaussianOracle<Float>
    let field: any DifferentiableScoreField<Float> = try conditional.guided(
      from: unconditional, scale: 2)
    let plain: any ScoreField<Float> = unconditional
    let other: any ScoreField<Float> = try (conditional as any ScoreField<Float>).guided(
      from: plain, scale: 2)
    let x: Tensor<Float> = RandomKey(5).normal([3, 2])
    #expect(try field.noise(x, at: .shared(0.4)) == other.noise(x, at: .shared(0.4)))
  }

  @Test func wrongFieldsAreRefused() throws {
    let process = try VariancePreserving()
    let one: GaussianOracle<Double> = try gaussian([1, 0], process)
    func refused(
      _ sentence: String, _ other: GaussianOracle<Double>, _ scale: Double = 2,
      _ ratios: Range<Double>? = nil
    ) {
      #expect(throws: SamplingError(sentence)) {
        try GuidedField(one, from: other, scale: scale, noiseRatios: ratios)
      }
    }
    refused("the guidance scale is nan; expected a finite number", one, .nan)
    refused("the guidance scale is inf; expected a finite number", one, .infinity)
    refused(
      "guidance is asked for at noise ratios from 1.0 to below 1.0, where there are none; expected an interval above 0",
      one, 2, 1..<1)
    refused(
      "guidance is asked for at noise ratios from -2.0 to below -1.0, where there are none; expected an interval above 0",
      one, 2, (-2)..<(-1))
    refused(
      "the conditional field has samples of shape [2] and the unconditional one of [1]; expected one shape",
      try gaussian([0], process, [[1]]))
    let two = "the conditional and the unconditional field have two processes: "
    refused(
      two + "vp ends at T = 1.0 and ou at T = 2.0; expected one",
      try gaussian([0, 0], try OrnsteinUhlenbeck(endTime: 2)))
    let other: GaussianOracle<Double> = try gaussian([0, 0], VariancePreserving(betaMax: 19))
    #expect(throws: SamplingError.self) {
      try GuidedField(one, from: other, scale: 2)
    }
    // One process, written in another way.
    let same = try CustomProcess(name: "mine", beta: { 0.1 + 19.9 * $0 })
    let again: GaussianOracle<Double> = try gaussian([0, 0], same)
    _ = try GuidedField(one, from: again, scale: 2)
  }
}

/// Counts the rows that it is asked for.
private final class Counting: DifferentiableScoreField, @unchecked Sendable {
  let base: GaussianOracle<Float>
  var rows = 0

  init(base: GaussianOracle<Float>) { self.base = base }

  var process: any LinearProcess { base.process }
  var sampleShape: Shape { base.sampleShape }

  func noise(_ x: Tensor<Float>, at t: Times) throws -> Tensor<Float> {
    rows += x.rows
    return try base.noise(x, at: t)
  }

  func noiseAndPullback(
    _ x: Tensor<Float>, at t: Times, cotangent v: Tensor<Float>
  ) throws -> (noise: Tensor<Float>, pullback: Tensor<Float>) {
    rows += x.rows
    return try base.noiseAndPullback(x, at: t, cotangent: v)
  }
}

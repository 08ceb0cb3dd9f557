import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

@Suite struct CorrectorTests {
  /// One correction at t of the step to s, with the normal numbers that it drew.
  private func correct(
    _ corrector: any Corrector, _ field: any ScoreField<Double>, _ x: Tensor<Double>,
    _ t: Double, _ s: Double
  ) throws -> (Tensor<Double>, Tensor<Double>) {
    let step = TimeStep(index: 4, time: t, next: s)
    var context = SolverContext(field: field, key: RandomKey(9))
    var twin = context
    return (
      try corrector.correct(x, at: step, in: &context), twin.normal(like: x, in: step)
    )
  }

  @Test func langevinFollowsItsFormulaWithNormsOfEachSample() throws {
    // x + η s + √(2η) z, η = 2 a (r ‖z‖/‖s‖)², a = (α_t/α_s)².
    for process in processes {
      let field = GaussianField<Double>(process: process, sampleShape: [3])
      let x = RandomKey(2).normal([4, 3], of: Double.self)
      let (t, s, snr) = (0.6, 0.55, 0.2)
      let (result, z) = try correct(Langevin(snr: snr, shrinkage: 0), field, x, t, s)
      let score = try field.score(x, at: .shared(t))
      let a = pow(process.marginal(at: t).alpha / process.marginal(at: s).alpha, 2)
      for row in 0..<4 {
        let norm: ([Double]) -> Double = { sqrt($0.reduce(0) { $0 + $1 * $1 }) }
        let size = 2 * a * pow(snr * norm(z.row(row)) / norm(score.row(row)), 2)
        for j in 0..<3 {
          let expected = x[row, j] + size * score[row, j] + sqrt(2 * size) * z[row, j]
          #expect(abs(result[row, j] - expected) < 1e-12 * max(1, abs(expected)))
        }
      }
      // A neighbour that is far off changes nothing.
      var crowded = Tensor<Double>.concatenated([x, Tensor([1, 3], repeating: 1e6)])
      crowded = try correct(Langevin(snr: snr, shrinkage: 0), field, crowded, t, s).0
      #expect(crowded.rows(0..<4) == result)
    }
  }

  @Test func aStepAtAModeIsBounded() throws {
    // Where the score vanishes the published step is infinite; here it is 2 a r² σ² (‖z‖² + ν)/ν.
    let process = try VariancePreserving()
    let field = GaussianField<Double>(process: process, sampleShape: [2])
    let marginal = process.marginal(at: 0.5)
    let x = Tensor<Double>([1, 2], repeating: marginal.alpha * 0.5)
    let (result, z) = try correct(Langevin(snr: 0.2, shrinkage: 10), field, x, 0.5, 0.49)
    let a = pow(marginal.alpha / process.marginal(at: 0.49).alpha, 2)
    let zSquare = z[0, 0] * z[0, 0] + z[0, 1] * z[0, 1]
    let size = 2 * a * 0.2 * 0.2 * pow(marginal.sigma, 2) * (zSquare + 10) / 10
    for j in 0..<2 {
      #expect(abs(result[0, j] - (x[0, j] + sqrt(2 * size) * z[0, j])) < 1e-12)
    }
  }

  @Test func langevinKeepsTheVarianceItShouldInManyDimensions() throws {
    // In D → ∞ norms are sure numbers: on N(0, v) a state of variance w turns into
    // (1 − η/v)² w + 2η with η = 2 a r² v²/w. With D = 20000 the mean square is off by √(2/D) w = 1 %;
    // 5 of those are one false alarm in two millions.
    let process = try VarianceExploding()
    let field = GaussianField<Double>(
      process: process, mean: 0, deviation: 0.3, sampleShape: [20000])
    let (t, snr) = (0.4, 0.3)
    let sigma = process.marginal(at: t).sigma
    let v = 0.09 + sigma * sigma
    var x = RandomKey(5).normal([1, 20000], of: Double.self)
    x = (1.5 * v).squareRoot() * x
    let (result, _) = try correct(Langevin(snr: snr, shrinkage: 0), field, x, t, 0.39)
    let w = 1.5 * v
    let size = 2 * snr * snr * v * v / w
    let expected = pow(1 - size / v, 2) * w + 2 * size
    let found = result.scalars.reduce(0) { $0 + $1 * $1 } / 20000
    #expect(abs(found / expected - 1) < 0.05)
  }

  @Test func correctorComesFirstAndTheResultIsThePredictors() throws {
    let process = try VariancePreserving()
    let field = GaussianField<Double>(process: process, sampleShape: [2])
    let corrector = try Langevin()
    let solver = PredictorCorrector(predictor: Ancestral(), corrector: corrector)
    let step = TimeStep(index: 0, time: 0.5, next: 0.45, isNoiseless: true)
    let x = RandomKey(2).normal([3, 2], of: Double.self)
    var context = SolverContext(field: field, key: RandomKey(1))
    let result = try solver.step(x, step, in: &context)
    #expect(context.evaluations == 2)
    var twin = SolverContext(field: field, key: RandomKey(1))
    let corrected = try corrector.correct(x, at: step, in: &twin)
    #expect(try Ancestral().step(corrected, step, in: &twin) == result)
  }

  @Test(arguments: [1, 8]) func predictorCorrectorReachesTheDataInFewDimensions(
    _ dimensions: Int
  ) throws {
    // 8000 numbers: the mean is off by s/√8000 = 0.0034 and the deviation by s/√16000 = 0.0024 (one in two millions at
    // five of them), beside the method's own bias: 0.009 in the deviation at N = 200.
    for process in processes.dropLast() {
      let field = GaussianField<Float>(process: process, sampleShape: [dimensions])
      let sampler = try Sampler(field, SolverSpec("pc"), steps: 200)
      let result = try sampler.sample(8000 / dimensions, key: RandomKey(4))
      #expect(result.isFinished)
      let values = result.samples.scalars.map { Double($0) }
      let mean = values.reduce(0, +) / 8000
      let deviation = sqrt(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7999)
      #expect(abs(mean - 0.5) < 0.018, "\(process.name): mean \(mean)")
      #expect(abs(deviation - 0.306) < 0.015, "\(process.name): deviation \(deviation)")
    }
  }
}

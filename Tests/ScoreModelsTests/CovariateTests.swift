import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// Models of covariates, one row of them for all samples or a row a sample.
@Suite struct CovariateTests {
  private static func model<Scalar: TensorScalar>(
    covariates: Int = 2, threads: Int = 2
  ) throws -> ScoreModel<Scalar> {
    let configuration = ModelConfiguration(
      sampleShape: [3], network: NetworkSpec(.mlp, width: 24, depth: 2, frequencies: 8),
      preconditioning: .standardized(mean: 0.2, deviation: 0.7), classes: 2,
      covariates: covariates)
    return try ScoreModel(drawn: configuration, process: try VariancePreserving(), threads: threads)
  }

  private static let x: Tensor<Float> = RandomKey(1).normal([150, 3])
  private static let covariates: Tensor<Double> = RandomKey(2).normal([150, 2])

  /// Row i under its own covariates has the bits that it has where these are given to all, at one time and at many, in full
  /// products and rounded ones.
  @Test func eachRowHasItsOwnCovariates() throws {
    let model: ScoreModel<Float> = try Self.model().conditioned(on: 1)
    let rows = try model.conditioned(onRows: Self.covariates)
    #expect(rows.rowCount == 150 && rows.label == 1)
    for t in [Times.shared(0.3), .perSample((0..<150).map { 0.1 + 0.005 * Double($0) })] {
      let (noise, pullback) = try rows.noiseAndPullback(Self.x, at: t, cotangent: Self.x)
      let rounded = try BFloat16Field(rows).noise(Self.x, at: t)
      for row in [0, 1, 77, 149] {
        let alone = try model.conditioned(on: Self.covariates.row(row))
        let (x, time) = (Self.x.rows([row]), t.rows([row]))
        let own = try alone.noiseAndPullback(x, at: time, cotangent: x)
        #expect(own.noise == noise.rows([row]) && own.pullback == pullback.rows([row]))
        #expect(try BFloat16Field(alone).noise(x, at: time) == rounded.rows([row]))
      }
      let some = [9, 3, 140]
      #expect(try rows.rows(some).noise(Self.x.rows(some), at: t.rows(some)) == noise.rows(some))
      #expect(
        try BFloat16Field(rows).rows(some).noise(Self.x.rows(some), at: t.rows(some))
          == rounded.rows(some))
    }
    // What is given last holds, and nothing where all are asked for together.
    let given = try rows.conditioned(on: [1, 2])
    #expect(given.rowCount == nil && given.covariates == [1, 2] && given.label == 1)
    #expect(try given.conditioned(on: nil).covariates == [1, 2])
    let all = given.unconditioned
    #expect(all.covariates == nil && all.label == nil && rows.unconditioned.rowCount == nil)
    let plain: ScoreModel<Float> = try Self.model()
    #expect(try all.noise(Self.x, at: .shared(0.3)) == plain.noise(Self.x, at: .shared(0.3)))
    // 0 is a number, and not the same as nothing.
    #expect(
      try given.conditioned(on: [0, 0]).noise(Self.x, at: .shared(0.3))
        != given.conditioned(on: 1).unconditioned.noise(Self.x, at: .shared(0.3)))
  }

  @Test func covariatesThatDoNotFitAreRefused() throws {
    let model: ScoreModel<Float> = try Self.model()
    for wrong in [[], [1], [1, 2, 3], [1, .nan], [.infinity, 0]] {
      #expect(throws: ProcessError.self) { try model.conditioned(on: wrong) }
    }
    for shape in [[2], [3, 1], [1, 3, 2]] as [Shape] {
      #expect(throws: ProcessError.self) { try model.conditioned(onRows: Tensor(shape)) }
    }
    let rows = try model.conditioned(onRows: Self.covariates)
    #expect(throws: ProcessError.self) { try rows.noise(Self.x.rows(0..<3), at: .shared(0.3)) }
    let plain: ScoreModel<Float> = try Self.model(covariates: 0)
    #expect(throws: ProcessError.self) { try plain.conditioned(on: [1, 2]) }
    for covariates in [-1, 1 << 18 + 1] {
      #expect(throws: ProcessError.self) {
        let _: ScoreModel<Float> = try Self.model(covariates: covariates)
      }
    }
  }
}

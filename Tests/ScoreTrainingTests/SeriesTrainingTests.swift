import ScoreModels
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

/// Training on series.
@Suite struct SeriesTrainingTests {
  /// A stationary series x_k = ρ x_{k−1} + √(1 − ρ²) n_k, whose covariance is ρ^|k − l|: the score is known.
  ///
  /// The root mean square error was 0.043, where that of entries each by itself is 0.25.
  @Test func theScoreOfAnAutoregressionIsLearnt() throws {
    let (length, rho) = (16, 0.8)
    let covariance = (0..<length).map { k in
      (0..<length).map { l in (0..<abs(k - l)).reduce(1.0) { product, _ in product * rho } }
    }
    let process = try VariancePreserving()
    let oracle = try GaussianOracle<Float>(
      process: process, mean: [Double](repeating: 0, count: length), covariance: covariance)
    let model = ModelConfiguration(
      sampleShape: [length],
      network: NetworkSpec(
        .unet1D, width: 16, depth: 1, frequencies: 16, multipliers: [1, 2], groups: 4),
      preconditioning: .standardized(mean: 0, deviation: 1))
    var options = TrainingOptions()
    options.steps = 500
    options.batchSize = 64
    options.learningRate = 3e-3
    options.warmUp = 20
    options.averageDecay = 0.99
    let pool = ThreadPool(threads: 2)
    var trainer = try Trainer<Float>(model, process: process, options: options, pool: pool) {
      try TrainingData(oracle.sample($0, at: .shared(0), key: $1))
    }
    while !trainer.isFinished { try trainer.advance() }
    let field = try trainer.averagedModel(pool: pool)
    let t = Times.perSample((0..<400).map { 0.01 + 0.98 * Double($0) / 400 })
    let x = oracle.sample(400, at: t, key: RandomKey(5))
    let exact = try oracle.noise(x, at: t)
    func size(_ x: Tensor<Float>) -> Float {
      (x.rowDots(x).reduce(0, +) / Float(x.count)).squareRoot()
    }
    // Beside it the error of entries each by itself, as if they did not hang together.
    let apart = try GaussianOracle<Float>(
      process: process, mean: 0, deviation: 1, sampleShape: [length])
    let (error, independent) = try (
      size(field.noise(x, at: t) - exact), size(apart.noise(x, at: t) - exact)
    )
    #expect(error < 0.1 && independent > 3 * error, "\(error), \(independent)")
  }
}

import ScoreModels
import ScoreProcesses
import ScoreTensors
import ScoreTraining

extension Trainer<Float> {
  /// A trainer of a small network of numbers, which learns fast.
  init(
    onLine data: TrainingData<Float>, mean: Double, deviation: Double, classes: Int = 0,
    covariates: Int = 0, steps: Int, threads: Int, _ change: (inout TrainingOptions) -> Void
  ) throws {
    var options = TrainingOptions()
    options.steps = steps
    options.batchSize = 128
    options.warmUp = 20
    options.learningRate = 3e-3
    options.averageDecay = 0.99
    change(&options)
    try self.init(
      ModelConfiguration(
        sampleShape: [1], network: NetworkSpec(.mlp, width: 32, depth: 2, frequencies: 16),
        preconditioning: .standardized(mean: mean, deviation: deviation), classes: classes,
        covariates: covariates),
      process: VariancePreserving(), data: data, options: options,
      pool: ThreadPool(threads: threads))
  }
}

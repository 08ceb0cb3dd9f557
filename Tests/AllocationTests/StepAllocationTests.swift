import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import ScoreTraining
import Testing

/// What whole steps of sampling and training allocate: tensors that solvers make and pointers to them, but nothing in the
/// programs, so the number hardly depends on batch and network.
@Suite(.enabled(if: Allocations.areCounted)) struct StepAllocationTests {
  private func configuration(width: Int, depth: Int) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: [2], network: NetworkSpec(.mlp, width: width, depth: depth),
      preconditioning: .noise)
  }

  /// Allocations a step of Euler–Maruyama: those of 60 steps less those of 20, divided by 40.
  private func sampling(count: Int, width: Int, depth: Int, threads: Int) throws -> Double {
    let configuration = configuration(width: width, depth: depth)
    let pool = ThreadPool(threads: threads)
    let model: ScoreModel<Float> = try ScoreModel(
      configuration, process: VariancePreserving(),
      parameters: Parameters(drawing: configuration.parameters, key: RandomKey(1)), pool: pool)
    let counts = try [20, 20, 60].map { steps in
      let sampler = try Sampler(model, solver: EulerMaruyama(), steps: steps)
      return try Allocations.count(pool) { _ = try sampler.sample(count, key: RandomKey(2)) }
    }
    return Double(counts[2] - counts[1]) / 40
  }

  @Test(arguments: [1, 2]) func aStepOfEulerMaruyama(threads: Int) throws {
    let small = try sampling(count: 16, width: 16, depth: 2, threads: threads)
    let large = try sampling(count: 256, width: 64, depth: 4, threads: threads)
    // Two workers cut 256 rows into three chunks, and each chunk has pointers of its own.
    #expect(small <= 24 && large <= 28, "\(small) and \(large)")
  }

  /// Allocations an optimiser step, the fewer of twice twenty: the first time that a worker helps another, which may come late,
  /// the language's run time makes some tables.
  private func training(batch: Int, width: Int, depth: Int, threads: Int) throws -> Double {
    let pool = ThreadPool(threads: threads)
    let points: Tensor<Float> = RandomKey(8).normal([512, 2])
    var options = TrainingOptions()
    options.batchSize = batch
    options.steps = 1000
    var trainer = try Trainer(
      configuration(width: width, depth: depth), process: VariancePreserving(),
      data: TrainingData(points), options: options, pool: pool)
    let counts = try [5, 20, 20].map { steps in
      try Allocations.count(pool) { for _ in 0..<steps { try trainer.advance() } }
    }
    return Double(min(counts[1], counts[2])) / 20
  }

  @Test(arguments: [1, 2]) func aStepOfTraining(threads: Int) throws {
    let small = try training(batch: 64, width: 16, depth: 2, threads: threads)
    let large = try training(batch: 512, width: 64, depth: 4, threads: threads)
    #expect(small <= 80 && large <= 96, "\(small) and \(large)")
  }
}

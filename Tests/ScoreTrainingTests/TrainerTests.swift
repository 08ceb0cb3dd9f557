import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

@Suite struct TrainerTests {
  private static let model = ModelConfiguration(
    sampleShape: [2], network: NetworkSpec(width: 16, depth: 1, frequencies: 8),
    preconditioning: .standardized(mean: 0, deviation: 2))

  private static func trainer(
    threads: Int = 1, steps: Int = 20, _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<Float> {
    var options = TrainingOptions()
    options.steps = steps
    options.batchSize = 64
    options.warmUp = 5
    change(&options)
    return try Trainer(
      model, process: try VariancePreserving(),
      data: TrainingData(RandomKey(9).normal([500, 2])), options: options,
      pool: ThreadPool(threads: threads))
  }

  @Test func aRunThatIsResumedEndsInTheSameBits() throws {
    var whole = try Self.trainer()
    while !whole.isFinished { try whole.advance() }
    var first = try Self.trainer()
    for _ in 0..<7 { try first.advance() }
    let saved = try Safetensors<Float>(bytes: first.checkpoint.bytes, name: "checkpoint")
    var second = try Self.trainer()
    try second.restore(saved, from: "checkpoint")
    #expect(second.step == 7)
    while !second.isFinished { try second.advance() }
    #expect(second.checkpoint.bytes == whole.checkpoint.bytes)
  }

  @Test func withoutDecayTheAverageIsTheParameters() throws {
    var trainer = try Self.trainer(steps: 3) { $0.averageDecay = 0 }
    while !trainer.isFinished { try trainer.advance() }
    #expect(trainer.optimizer.average.isEmpty)
    #expect(trainer.averagedParameters == trainer.parameters)
    var second = try Self.trainer(steps: 4) { $0.averageDecay = 0 }
    try second.restore(
      Safetensors<Float>(bytes: trainer.checkpoint.bytes, name: "checkpoint"), from: "checkpoint")
    #expect(second.averagedParameters == trainer.parameters)
    try second.advance()
    #expect(second.averagedParameters == second.parameters)
    #expect(second.parameters != trainer.parameters)
  }

  /// A step draws the next one's batch meanwhile; going back makes that batch the wrong one.
  @Test func aRunThatIsSetBackGoesOnFromThere() throws {
    var trainer = try Self.trainer()
    for _ in 0..<3 { try trainer.advance() }
    let early = trainer.checkpoint
    let expected = try trainer.advance()
    for _ in 0..<5 { try trainer.advance() }
    try trainer.restore(early, from: "checkpoint")
    #expect(try trainer.advance() == expected)
  }

  @Test func theNumberOfThreadsChangesNoBit() throws {
    var one = try Self.trainer()
    var two = try Self.trainer(threads: 2)
    while !one.isFinished {
      let a = try one.advance()
      let b = try two.advance()
      #expect(a == b)
    }
    #expect(one.checkpoint.bytes == two.checkpoint.bytes)
  }

  /// Two threads take a shard each and help each other, five do the two shards together.
  @Test(arguments: [2, 5]) func norDoesItForANetworkThatIsWorthSharing(threads: Int) throws {
    func trainer(threads: Int) throws -> Trainer<Float> {
      var options = TrainingOptions()
      options.steps = 3
      options.batchSize = 60
      return try Trainer(
        ModelConfiguration(
          sampleShape: [3], network: NetworkSpec(width: 160, depth: 2),
          preconditioning: .standardized(mean: 0, deviation: 1)),
        process: try VariancePreserving(), data: TrainingData(RandomKey(8).normal([100, 3])),
        options: options, pool: ThreadPool(threads: threads))
    }
    var one = try trainer(threads: 1)
    var several = try trainer(threads: threads)
    #expect(several.sharesShards == (threads == 5))
    while !one.isFinished {
      let a = try one.advance()
      let b = try several.advance()
      #expect(a == b)
    }
    // Not within the expectation, which would look for the least difference of so many bytes.
    let areSame = one.checkpoint.bytes == several.checkpoint.bytes
    #expect(areSame)
  }

  @Test func divergenceNamesTheStepAndKeepsTheState() throws {
    var trainer = try Self.trainer {
      $0.learningRate = 1e30
      $0.warmUp = 0
    }
    var last = trainer.checkpoint
    let error = #expect(throws: TrainingError.self) {
      while !trainer.isFinished {
        last = trainer.checkpoint
        try trainer.advance()
      }
    }
    #expect(error?.description.contains("diverged at step \(trainer.step + 1)") == true)
    #expect(error?.description.contains("-nan") == false)
    #expect(trainer.checkpoint.bytes == last.bytes)
  }

  /// A network on data that its preconditioning does not fit comes near the floor of the loss, E ‖ε − E[ε|x_t]‖².
  @Test func trainingApproachesTheFloorOfTheLoss() throws {
    var trainer = try Self.trainer(steps: 600) {
      $0.weighting = .noise
      $0.times = .uniform
      $0.batchSize = 256
      $0.learningRate = 3e-3
    }
    var early = 0.0
    var late = 0.0
    while !trainer.isFinished {
      let loss = try trainer.advance().loss
      if trainer.step <= 10 { early += loss / 10 }
      if trainer.step > 500 { late += loss / 100 }
    }
    // The floor for data of deviation 1 is 0.275988151; the mean of 100 batches of 512 numbers has a standard error
    // of about 0.002, and the data are 500 points whose own deviation is 1 ± 0.02.
    #expect(early > 0.3)
    #expect(abs(late - 0.276) < 0.012, "the loss fell from \(early) to \(late)")
  }

  @Test func adamFollowsItsDefinition() throws {
    var adam = Adam([Tensor<Double>([3], [1, 2, 3])])
    var parameters = [Tensor<Double>([3], [1, 2, 3])]
    var m = [0.0, 0, 0]
    var v = m
    var p = [1.0, 2, 3]
    var average = p
    for step in 1...5 {
      let g = (0..<3).map { sin(Double(3 * step + $0)) }
      g.withUnsafeBufferPointer { entries in
        adam.step(
          &parameters, at: [0], gradients: [entries.baseAddress].compactMap { $0 }, scale: 0.5,
          rate: 0.1, decay: 0.9, pool: ThreadPool(threads: 2))
      }
      for i in 0..<3 {
        let gradient = 0.5 * g[i]
        m[i] = 0.9 * m[i] + 0.1 * gradient
        v[i] = 0.999 * v[i] + 0.001 * gradient * gradient
        let unbiased = (v[i] / (1 - pow(0.999, Double(step)))).squareRoot()
        p[i] -= 0.1 * m[i] / (1 - pow(0.9, Double(step))) / (unbiased + 1e-8)
        average[i] = 0.9 * average[i] + 0.1 * p[i]
      }
    }
    for i in 0..<3 {
      #expect(abs(parameters[0][i] - p[i]) < 1e-13)
      #expect(abs(adam.average[0][i] - average[i]) < 1e-13)
    }
  }

  /// What `TrainingOptions` says of a step, seen in its report and in the optimiser's state.
  @Test func aStepFollowsItsOptions() throws {
    for clip in [0.05, 1e6] {
      var trainer = try Self.trainer {
        $0.clip = clip
        $0.averageDecay = 0.5
      }
      for step in 1...7 {
        let (before, average, momentum) = (
          trainer.parameters.tensors, trainer.optimizer.average, trainer.optimizer.first
        )
        let report = try trainer.advance()
        #expect(report.step == step && report.gradientNorm > 0.05 && report.gradientNorm < 1e6)
        // A rise over 5 steps, under a cosine over 20 that ends at a fiftieth.
        let cosine = 0.02 + 0.49 * (1 + cos(.pi * Double(step) / 20))
        #expect(abs(report.learningRate / (1e-3 * min(1, Double(step) / 5) * cosine) - 1) < 1e-12)
        // (m' − 0.9 m)/0.1 is the gradient, at most as long as the clip.
        var square = 0.0
        for (old, new) in zip(momentum, trainer.optimizer.first) {
          for (a, b) in zip(old.scalars, new.scalars) {
            square += pow((Double(b) - 0.9 * Double(a)) / 0.1, 2)
          }
        }
        #expect(abs(square.squareRoot() / min(report.gradientNorm, clip) - 1) < 1e-3)
        // (1 + k)/(10 + k) is less than 0.5 before the eighth step.
        let decay = Double(1 + step) / Double(10 + step)
        #expect(decay < 0.5)
        for (index, new) in trainer.parameters.tensors.enumerated() {
          let expected = Tensor.combined(Float(decay), average[index], Float(1 - decay), new)
          let error = (trainer.optimizer.average[index] - expected).scalars.map { abs($0) }.max()
          #expect(error ?? 1 < 1e-6, "parameter \(index), step \(step)")
        }
        #expect(before != trainer.parameters.tensors)
      }
    }
    var constant = try Self.trainer(steps: 9) { $0.schedule = .constant }
    var rates: [Double] = []
    while !constant.isFinished { rates.append(try constant.advance().learningRate) }
    let expected = [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1]
    #expect(zip(rates, expected).allSatisfy { abs($0 - 1e-3 * $1) < 1e-15 })
  }

  /// Samples are the lower ends of their bins and are spread over them evenly.
  @Test func quantisedSamplesAreSpreadOverTheirBins() throws {
    let data = try TrainingData(
      Tensor<Double>([3, 2], [0, 1, 4, 5, 8, 9]), bins: Bins(widths: [0.5]))
    let variance = [0, 1, 4, 5, 8, 9].reduce(0.0) { $0 + ($1 - 4.5) * ($1 - 4.5) } / 6
    #expect(abs(data.moments.mean - 4.75) < 1e-12)
    #expect(abs(data.moments.deviation - (variance + 0.25 / 12).squareRoot()) < 1e-12)
    let count = 4000
    func batch(_ data: TrainingData<Double>, _ count: Int, _ key: RandomKey) -> Tensor<Double> {
      data.samples(at: data.rows(count, key: key), key: key)
    }
    let drawn = batch(data, count, RandomKey(3))
    var (seen, offsets) = (Set<Double>(), [Double]())
    for row in 0..<count {
      let entries = Array(drawn.row(row))
      let ends = entries.map { $0.rounded(.down) }
      #expect(ends[1] == ends[0] + 1 && [0, 4, 8].contains(ends[0]))
      seen.insert(ends[0])
      offsets += zip(entries, ends).map { $0 - $1 }
    }
    #expect(seen.count == 3)
    #expect(offsets.allSatisfy { $0 >= 0 && $0 < 0.5 })
    // 8000 offsets, evenly spread: a standard error of the mean is 0.5/√96000 = 0.0016, of the variance (a twelfth of a
    // quarter) 0.00021; five of them.
    let mean = offsets.reduce(0, +) / 8000
    let spread = offsets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 8000
    #expect(abs(mean - 0.25) < 0.008 && abs(spread - 0.25 / 12) < 0.00105)
    // Anew for each step, and not at all where samples are not quantised.
    #expect(batch(data, count, RandomKey(4)) != drawn)
    let plain = try TrainingData(Tensor<Double>([3, 2], [0, 1, 4, 5, 8, 9]))
    #expect(batch(plain, 50, RandomKey(3)).scalars.allSatisfy { $0 == $0.rounded() })
    #expect(abs(plain.moments.mean - 4.5) < 1e-12)
  }

  @Test func momentsThatNoDataHaveAreNamed() throws {
    let data = try TrainingData(RandomKey(9).normal([50, 2]) as Tensor<Float>)
    for (bad, words) in [
      (Preconditioning.standardized(mean: 0, deviation: 0), "deviation 0.0"),
      (.standardized(mean: 0, deviation: -1), "deviation -1.0"),
      (.standardized(mean: 0, deviation: 1e-200), "deviation 1e-200"),
      (.standardized(mean: .nan, deviation: 1), "mean nan"),
      (.edm(deviation: .infinity), "deviation inf"),
    ] {
      var model = Self.model
      model.preconditioning = bad
      do {
        _ = try Trainer(
          model, process: VariancePreserving(), data: data, options: TrainingOptions(),
          pool: ThreadPool(threads: 1))
        Issue.record("\(bad): no error")
      } catch {
        #expect("\(error)".contains(words) && "\(error)".contains("expected"), "\(error)")
      }
    }
  }

  @Test func optionsOutOfRangeAreNamed() throws {
    for change: (inout TrainingOptions) -> Void in [
      { $0.steps = 0 }, { $0.batchSize = 0 }, { $0.learningRate = -1 }, { $0.learningRate = .nan },
      { $0.clip = 0 }, { $0.noiseLevel = 0 }, { $0.averageDecay = 1 }, { $0.warmUp = -1 },
    ] {
      #expect(throws: TrainingError.self) { try Self.trainer(steps: 20, change) }
    }
    #expect(throws: TrainingError.self) {
      try TrainingData(Tensor<Float>([2, 2], [1, 2, .nan, 3]))
    }
    #expect(throws: TrainingError.self) { try TrainingData(Tensor<Float>([0, 2])) }
  }

  @Test(arguments: [0, -1, Double.nan, .infinity, 1e300]) func binsOfNoWidthAreNamed(width: Double)
  {
    let error = #expect(throws: TrainingError.self) {
      try TrainingData(Tensor<Float>([2, 2]), bins: Bins(widths: [width]))
    }
    #expect(error?.description.contains("bins have width \(width); expected") == true)
  }
}

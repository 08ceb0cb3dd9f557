import Foundation
import ScoreAutodiff
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

@Suite struct ValidationTests {
  private static func model(
    dimensions: Int = 2, classes: Int = 0, covariates: Int = 0
  ) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: [dimensions], network: NetworkSpec(width: 16, depth: 1, frequencies: 8),
      preconditioning: .standardized(mean: 0, deviation: 1), classes: classes,
      covariates: covariates)
  }

  private static func normal(_ count: Int, _ key: UInt64) throws -> TrainingData<Double> {
    try TrainingData(RandomKey(key).normal([count, 2]))
  }

  /// The loss of N(0, 1)'s exact field on samples of it.
  private static func floor(
    _ process: any LinearProcess, _ objective: LossObjective = .denoising, count: Int,
    seed: UInt64 = 0, stratified: Bool = true
  ) throws -> ValidationResult {
    let oracle = try GaussianOracle<Double>(
      process: process, mean: 0, deviation: 1, sampleShape: [2])
    let validation = try Validation(
      model(),
      loss: ScoreMatchingLoss(
        process: process, objective: objective, weighting: .noise, times: .uniform,
        stratified: stratified),
      heldOut: normal(count, 100 + 2 * seed), training: normal(count, 101 + 2 * seed), draws: 4,
      most: count, seed: seed)
    return try validation(oracle)
  }

  /// Floors of the σ²-weighted loss for data of deviation 1; the forms with derivatives have the mean weight, 1, less.
  /// False alarms: 5 standard errors, 6e-7 each.
  @Test(arguments: LossObjective.allCases)
  func theExactFieldsLossIsTheKnownFloorOnBothSides(_ objective: LossObjective) throws {
    for (process, floor) in [
      (try VariancePreserving(), 0.275988151), (try SubVariancePreserving(), 0.321174334),
      (try VarianceExploding(), 0.540668857),
    ] as [(any LinearProcess, Double)] {
      let result = try Self.floor(process, objective, count: 5000)
      let expected = floor - (objective == .denoising ? 0 : 1)
      for mean in [result.loss, result.trainingLoss] {
        #expect(
          abs(mean.value - expected) < 5 * mean.standardError,
          "\(process.name): \(mean), \(expected)")
        #expect(mean.standardError < 0.02, "\(process.name): \(mean)")
      }
      #expect(abs(result.gap.value) < 5 * result.gap.standardError, "\(process.name)")
    }
  }

  /// Over other samples, times and noises the errors are as large as they are said to be. Strata make the true ones of losses a
  /// little less; the root mean square of 200 deviates in units of their errors has itself an error of 0.05, of which these bounds
  /// allow five.
  @Test(arguments: [true, false]) func errorsAreAsLargeAsTheySay(stratified: Bool) throws {
    let process = try VariancePreserving()
    var (squares, gapSquares) = (0.0, 0.0)
    for seed in 0..<200 as Range<UInt64> {
      let result = try Self.floor(process, count: 100, seed: seed, stratified: stratified)
      squares += pow((result.loss.value - 0.275988151) / result.loss.standardError, 2) / 200
      gapSquares += pow(result.gap.value / result.gap.standardError, 2) / 200
    }
    #expect((0.7...1.25).contains(squares.squareRoot()), "\(squares.squareRoot())")
    #expect((0.7...1.25).contains(gapSquares.squareRoot()), "\(gapSquares.squareRoot())")
  }

  /// Pairs have their times and noises in common, which are most of what losses differ by.
  @Test func theGapsErrorIsSmallerThanThatOfTwoLosses() throws {
    let result = try Self.floor(VariancePreserving(), count: 1000)
    let apart =
      (pow(result.loss.standardError, 2) + pow(result.trainingLoss.standardError, 2)).squareRoot()
    #expect(result.gap.standardError < 0.75 * apart, "\(result.gap) \(apart)")
  }

  /// A network with entries of its own everywhere, so that labels and covariates matter.
  private static func network<Scalar: TensorScalar>(
    _ model: ModelConfiguration, pool: ThreadPool = ThreadPool(threads: 1), _: Scalar.Type
  ) throws -> ScoreModel<Scalar> {
    let drawn = Parameters<Scalar>(drawing: model.parameters, key: RandomKey(3))
    return try ScoreModel(
      model, process: VariancePreserving(),
      parameters: Parameters(
        names: drawn.names,
        tensors: drawn.tensors.enumerated().map { place, tensor in
          .combined(
            1, tensor, 0.1,
            RandomKey(4).folded(UInt64(place)).normal([tensor.count, 1]).reshaped(
              tensor.shape))
        }), pool: pool)
  }

  /// The same samples, times, noises and conditions through the formula that training takes.
  @Test(arguments: LossObjective.allCases)
  func theLossIsThatOfTheSameBatchInTraining(_ objective: LossObjective) throws {
    let model = Self.model(classes: 3, covariates: 2)
    func data(_ count: Int, _ key: RandomKey) throws -> TrainingData<Double> {
      try TrainingData(
        key.folded("x").normal([count, 2]), bins: Bins(widths: [0.25]),
        labels: (0..<count).map { $0 % 3 },
        covariates: key.folded("y").normal([count, 2]))
    }
    let (heldOut, training) = (try data(40, RandomKey(1)), try data(30, RandomKey(2)))
    let loss = try ScoreMatchingLoss(
      process: VariancePreserving(), objective: objective, weighting: .edm, times: .logNormal,
      dataDeviation: 1.1)
    let validation = try Validation(
      model, loss: loss, heldOut: heldOut, training: training, draws: 3, seed: 5)
    let field = try Self.network(model, Double.self)
    let result = try validation(field)
    let x = ModelConfiguration.input("noised", [40, 2])
    let columns = ModelConfiguration.input("columns", [40, model.columns])
    let noise = ModelConfiguration.input("noise", x.shape)
    let weights = ModelConfiguration.input("weights", [40, loss.weightColumns])
    let program = Program<Double>(
      parameters: model.parameters.map(\.formula), arguments: [x, columns, noise, weights],
      outputs: [
        loss.value(model.noise(x, columns: columns), at: x, noise: noise, weights: weights)
      ]
    ).bind(field.parameters.tensors)
    var (own, other) = (0.0, 0.0)
    for number in 0..<3 {
      let draw = validation.draw(number)
      for (clean, data, rows) in [
        (draw.heldOut, heldOut, Array(0..<40)), (draw.training, training, (0..<40).map { $0 % 30 }),
      ] {
        // Samples are the lower ends of bins over which they are spread.
        let offsets = (clean - data.samples.rows(rows)).scalars
        #expect(offsets.allSatisfy { $0 > -1e-12 && $0 < 0.25 })
      }
      func value(
        _ clean: Tensor<Double>, _ data: TrainingData<Double>, _ rows: [Int]
      ) throws -> Double {
        let batch = loss.batch(
          clean, noise: draw.noise, probes: draw.probes, at: draw.times,
          labels: rows.map { $0 % 3 }, covariates: data.covariates?.rows(rows), model: model)
        return program(batch.arguments)[0].scalars[0]
      }
      own += try value(draw.heldOut, heldOut, Array(0..<40)) / 3
      other += try value(draw.training, training, (0..<40).map { $0 % 30 }) / 3
    }
    #expect(abs(result.loss.value - own) < 1e-6 * abs(own), "\(result.loss) \(own)")
    #expect(abs(result.trainingLoss.value - other) < 1e-6 * abs(other))
    #expect(abs(own - other) > 1e-3)
  }

  /// Each draw has one time in each of as many strata of its share as there are pairs, and not in their order.
  @Test func timesAreInStrata() throws {
    let process = try VariancePreserving()
    let loss = try ScoreMatchingLoss(process: process, weighting: .noise, times: .uniform)
    let validation = try Validation(
      Self.model(), loss: loss, heldOut: Self.normal(50, 1), training: Self.normal(50, 2), draws: 4)
    for draw in 0..<4 {
      let quantiles = validation.draw(draw).times.map {
        ($0 - process.cutoffs.training) / (1 - process.cutoffs.training)
      }
      let strata = quantiles.map { Int($0 * 200) }
      #expect(Set(strata) == Set(50 * draw..<50 * (draw + 1)))
      #expect(strata != strata.sorted())
    }
  }

  @Test func threadsAndBatchesChangeNoBit() throws {
    let model = Self.model(classes: 2)
    let data = try TrainingData<Float>(
      RandomKey(1).normal([150, 2]), labels: (0..<150).map { $0 % 2 })
    let validation = try Validation(
      model,
      loss: ScoreMatchingLoss(
        process: VariancePreserving(), weighting: .likelihood, times: .importance),
      heldOut: data, training: data, draws: 2)
    let result = try validation(Self.network(model, Float.self))
    for threads in [2, 5] {
      let other = try validation(
        Self.network(model, pool: ThreadPool(threads: threads), Float.self))
      #expect(other == result)
    }
    // The same samples on both sides, in the same pairs.
    #expect(result.heldOut == result.training)
    #expect(result.gap == MeanLoss(value: 0, standardError: 0))

    let plain = Self.model()
    let some = try Validation(
      plain, loss: validation.loss, heldOut: TrainingData(RandomKey(2).normal([150, 2])),
      training: data, draws: 2)
    let whole = try some(Self.network(plain, Float.self))
    #expect(try some(OneByOne(field: Self.network(plain, Float.self))) == whole)
    #expect(whole.heldOut != whole.training)
  }

  /// Gives what a field does, sample by sample.
  private struct OneByOne: DifferentiableScoreField {
    let field: ScoreModel<Float>
    var process: any LinearProcess { field.process }
    var sampleShape: Shape { field.sampleShape }

    func noise(_ x: Tensor<Float>, at t: Times) throws -> Tensor<Float> {
      .concatenated(
        try (0..<x.rows).map { try field.noise(x.rows([$0]), at: t.rows([$0])) })
    }

    func noiseAndPullback(
      _ x: Tensor<Float>, at t: Times, cotangent v: Tensor<Float>
    ) throws -> (noise: Tensor<Float>, pullback: Tensor<Float>) {
      try field.noiseAndPullback(x, at: t, cotangent: v)
    }
  }

  /// Of many samples some are taken, evenly, and few are taken in turns.
  @Test func samplesAreTakenEvenlyAndInTurns() throws {
    func counting(_ count: Int) throws -> TrainingData<Double> {
      try TrainingData(Tensor([count, 2], (0..<2 * count).map { Double($0 / 2) }))
    }
    let validation = try Validation(
      Self.model(),
      loss: ScoreMatchingLoss(process: VariancePreserving(), weighting: .noise, times: .uniform),
      heldOut: counting(1000), training: counting(30), most: 100)
    #expect(validation.count == 100 && validation.draws == 64)
    let draw = validation.draw(0)
    #expect((0..<100).allSatisfy { draw.heldOut[$0, 0] == Double(10 * $0) })
    #expect((0..<100).allSatisfy { draw.training[$0, 1] == Double($0 % 30) })
    #expect(validation.draw(1).noise != draw.noise)
  }

  private static func trainer(
    _ data: TrainingData<Float>, steps: Int, threads: Int = 1
  ) throws -> Trainer<Float> {
    var options = TrainingOptions()
    options.steps = steps
    options.warmUp = 50
    options.averageDecay = 0.98
    return try Trainer(
      ModelConfiguration(
        sampleShape: [2], network: NetworkSpec(.residualMLP, width: 128, depth: 3),
        preconditioning: .standardized(mean: 0, deviation: 1)),
      process: VariancePreserving(), data: data, options: options,
      pool: ThreadPool(threads: threads))
  }

  @Test func trainingGoesOnAsIfNothingHadBeenAsked() throws {
    let data = try TrainingData<Float>(RandomKey(1).normal([100, 2]))
    var (plain, asked) = (try Self.trainer(data, steps: 20), try Self.trainer(data, steps: 20))
    let validation = try Validation(of: asked, on: TrainingData(RandomKey(2).normal([50, 2])))
    var results: [ValidationResult] = []
    while !plain.isFinished {
      let reports = (try plain.advance(), try asked.advance())
      #expect(reports.0 == reports.1)
      results.append(try validation(asked))
    }
    #expect(plain.checkpoint.bytes == asked.checkpoint.bytes)
    #expect(try validation(plain) == results.last && results[0] != results[19])
  }

  /// A network learns twenty points by heart, which the log says, and of thousands it does not.
  @Test(arguments: [(20, true), (20_000, false)])
  func whatIsLearntByHeartShows(count: Int, isLearnt: Bool) throws {
    var trainer = try Self.trainer(
      TrainingData(RandomKey(1).normal([count, 2])), steps: 1200, threads: 2)
    let validation = try Validation(
      of: trainer, on: TrainingData(RandomKey(2).normal([1000, 2])))
    var log = ValidationLog()
    while !trainer.isFinished {
      try trainer.advance()
      if trainer.step % 100 == 0 { try log.add(validation(trainer), at: trainer.step) }
    }
    let last = try #require(log.entries.last)
    let deviates = last.gap.value / last.gap.standardError
    #expect(isLearnt ? deviates > 10 : abs(deviates) < 5, "\(last.gap)")
    #expect(log.hasLearntByHeart == isLearnt, "\(log.text)")
    if isLearnt {
      let least = try #require(log.least)
      #expect(least.step < 500 && last.rise.value > 0.1, "\(log.text)")
      #expect(last.trainingLoss.value < least.trainingLoss.value - 0.03, "\(log.text)")
    }
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let loss = try ScoreMatchingLoss(
      process: VariancePreserving(), weighting: .noise, times: .uniform)
    func sentence(
      _ heldOut: TrainingData<Double>, of model: ModelConfiguration = Self.model(),
      draws: Int? = nil, most: Int = 9
    ) -> String {
      do {
        _ = try Validation(
          model, loss: loss, heldOut: heldOut,
          training: TrainingData(
            RandomKey(1).normal([9, 2]), labels: [Int](repeating: 0, count: 9),
            covariates: RandomKey(1).normal([9, 1])), draws: draws, most: most)
        return ""
      } catch { return "\(error)" }
    }
    let good = try Self.normal(9, 1)
    #expect(sentence(good).isEmpty)
    #expect(
      sentence(try TrainingData(RandomKey(1).normal([9, 3])))
        == "the held-out samples have shape [3]; the model takes [2]")
    #expect(
      sentence(good, of: Self.model(classes: 1)).contains(
        "1 classes, and the held-out data no labels"))
    #expect(
      sentence(good, of: Self.model(covariates: 1)).contains(
        "1 covariates, and the held-out data 0"))
    #expect(sentence(try Self.normal(1, 1)).contains("1 held-out sample; expected two"))
    #expect(sentence(good, most: 1).contains("1; expected 2 or more"))
    #expect(sentence(good, draws: 0).contains("0 a sample"))
    #expect(sentence(good, draws: .max).contains("from 1 to 4096"))

    let validation = try Validation(Self.model(), loss: loss, heldOut: good, training: good)
    for (field, words) in [
      (
        try GaussianOracle<Double>(
          process: VariancePreserving(), mean: 0, deviation: 1, sampleShape: [3]), "shape [3]"
      ),
      (
        try GaussianOracle<Double>(
          process: VarianceExploding(), mean: 0, deviation: 1, sampleShape: [2]), "one process"
      ),
    ] {
      let error = #expect(throws: TrainingError.self) { try validation(field) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
    let drawn = try Trainer<Double>(
      Self.model(), process: VariancePreserving(), options: TrainingOptions(),
      pool: ThreadPool(threads: 1)
    ) { count, key in try TrainingData(key.normal([count, 2])) }
    let error = #expect(throws: TrainingError.self) { try Validation(of: drawn, on: good) }
    #expect(error?.description.contains("anew for each step") == true)
  }
}

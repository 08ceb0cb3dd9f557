import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

@Suite struct LossTests {
  private static let model = ModelConfiguration(
    sampleShape: [1], network: NetworkSpec(width: 4, depth: 1, frequencies: 2),
    preconditioning: .standardized(mean: 0, deviation: 1))

  /// The losses of single draws under the exact field of data N(0, 1): the posterior's variance is what is left.
  private static func losses(
    _ loss: ScoreMatchingLoss
  ) throws -> (mean: Double, error: Double) {
    let oracle = try GaussianOracle<Double>(
      process: loss.process, mean: 0, deviation: 1, sampleShape: [1])
    let count = 40_000
    let clean: Tensor<Double> = RandomKey(3).normal([count, 1])
    let batch = loss.batch(clean, model: model, key: RandomKey(4))
    let draws: Tensor<Double> = RandomKey(4).folded("times").uniform([count, 1])
    let t = draws.scalars.enumerated().map {
      loss.time(at: loss.stratified ? (Double($0) + $1) / Double(count) : $1)
    }
    let prediction = try oracle.noise(batch.noised, at: .perSample(t))
    let values = (0..<count).map {
      let miss = prediction[$0, 0] - batch.noise[$0, 0]
      return batch.weights[$0, 0] * miss * miss
    }
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
    return (mean, (variance / Double(count)).squareRoot())
  }

  private static let sigmoid = LossWeighting.own("sigmoid") { 1 / (1 + exp(3 - 4 * $0)) }
  private static let middle = TimeSampling.own("middle") { 0.1 + $0 * (1 - $0) }

  private static func processes() throws -> [any LinearProcess] {
    [try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding()]
  }

  /// Floors of the σ²-weighted loss for data of deviation 1, over uniform times. False alarms: 5 standard errors, 6e-7.
  @Test func theExactFieldsLossIsTheKnownFloor() throws {
    for (process, floor) in zip(try Self.processes(), [0.275988151, 0.321174334, 0.540668857]) {
      for times in [TimeSampling.uniform, .importance] {
        let (mean, error) = try Self.losses(
          ScoreMatchingLoss(process: process, weighting: .noise, times: times))
        #expect(abs(mean - floor) < 5 * error, "\(process.name), \(times): \(mean) ± \(error)")
      }
    }
  }

  /// Every weighting has its floor in closed form, 1/(T − ε) ∫ λ α²/(α² + σ²) dt, whatever the density of times.
  /// False alarms: 5 standard errors, 6e-7 a pair. Some densities leave rare large weights, whose error is not known from
  /// the draws themselves, so each weighting takes those that suit it.
  @Test(arguments: LossWeighting.allCases + [sigmoid])
  func everyWeightingsFloorIsTheClosedForm(_ weighting: LossWeighting) throws {
    for process in try Self.processes() {
      let oracle = try GaussianOracle<Double>(
        process: process, mean: 0, deviation: 1, sampleShape: [1])
      let suited: [TimeSampling]
      switch weighting {
      case .noise, .minSNR: suited = [.uniform, .importance]
      case .likelihood: suited = [.importance]
      case .edm: suited = [.logNormal, .balanced, .uniform]
      case .balanced: suited = [.balanced]
      case .own: suited = [.uniform, .importance, Self.middle]
      }
      for times in suited {
        let loss = try ScoreMatchingLoss(process: process, weighting: weighting, times: times)
        let floor = oracle.denoisingLossFloor { loss.relativeWeight(at: $0) }
        let (mean, error) = try Self.losses(loss)
        #expect(
          abs(mean - floor) < 5 * error,
          "\(process.name), \(weighting), \(times): \(mean) ± \(error), \(floor)")
      }
      // Scaled or normalised as stated: the likelihood's weight has mean 1, EDM's is a density times a factor.
      let mean = try Self.mean(of: process) {
        try ScoreMatchingLoss(process: process, weighting: .likelihood, times: .uniform)
          .relativeWeight(at: $0)
      }
      #expect(abs(mean - 1) < 1e-3)
    }
  }

  /// The mean over [ε, T], by the midpoint rule in log t.
  private static func mean(
    of process: any LinearProcess, _ f: (Double) throws -> Double
  ) rethrows -> Double {
    let (start, end) = (process.cutoffs.training, process.endTime)
    let count = 4000
    let step = log(end / start) / Double(count)
    var sum = 0.0
    for i in 0..<count {
      let t = start * exp((Double(i) + 0.5) * step)
      sum += try f(t) * t * step
    }
    return sum / (end - start)
  }

  /// What is balanced is one part of the likelihood's and two of EDM's: weights to rounding, densities to the width of the
  /// table's cells.
  @Test func whatIsBalancedIsTheMeanOfTwo() throws {
    for process in try Self.processes() + [try RectifiedFlow()] {
      func loss(_ weighting: LossWeighting) throws -> ScoreMatchingLoss {
        try ScoreMatchingLoss(
          process: process, weighting: weighting, times: weighting.usualTimes, dataDeviation: 0.5)
      }
      let (balanced, likelihood, edm) = (try loss(.balanced), try loss(.likelihood), try loss(.edm))
      for u in [0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999] {
        let t = likelihood.time(at: u)
        let weight = (likelihood.relativeWeight(at: t) + 2 * edm.relativeWeight(at: t)) / 3
        let density =
          (likelihood.times.relativeDensity(at: t) + 2 * edm.times.relativeDensity(at: t)) / 3
        #expect(abs(balanced.relativeWeight(at: t) / weight - 1) < 1e-12, "\(process.name), \(t)")
        #expect(
          abs(balanced.times.relativeDensity(at: t) / density - 1) < 0.02, "\(process.name), \(t)")
      }
    }
  }

  /// Densities of times integrate to 1 and are the slopes of their quantiles.
  @Test(arguments: TimeSampling.allCases + [middle])
  func densitiesOfTimesFitTheirQuantiles(_ sampling: TimeSampling) throws {
    for process in try Self.processes() {
      let times = try TrainingTimes(process, sampling, dataDeviation: 0.5)
      let mass = Self.mean(of: process) { times.relativeDensity(at: $0) }
      #expect(abs(mass - 1) < 1e-3, "\(process.name): \(mass)")
      let length = process.endTime - process.cutoffs.training
      for u in [0.05, 0.3, 0.5, 0.8, 0.99] {
        let h = 1e-5
        let slope = (times.time(at: u + h) - times.time(at: u - h)) / (2 * h)
        let density = times.relativeDensity(at: times.time(at: u)) / length
        // Those of tables step from cell to cell.
        let isTabulated = sampling == .balanced || !TimeSampling.allCases.contains(sampling)
        let bound = isTabulated ? 1e-3 : 1e-4
        #expect(abs(slope * density - 1) < bound, "\(process.name), \(u): \(slope * density)")
      }
      #expect(abs(times.time(at: 0) / process.cutoffs.training - 1) < 1e-6)
      #expect(abs(times.time(at: 1) - process.endTime) < 1e-6)
    }
    // Where the data are so narrow that their noise is all in the upper tail: medians from SciPy.
    let vp = try VariancePreserving()
    for (deviation, median) in [(1e-7, 1.223e-5), (1e-8, 1.178e-5)] {
      let narrow = try TrainingTimes(vp, .logNormal, dataDeviation: deviation)
      #expect(abs(narrow.time(at: 0.5) / median - 1) < 1e-3)
      #expect(narrow.relativeDensity(at: median) > 1)
      #expect(abs(narrow.time(at: 0) / vp.cutoffs.training - 1) < 1e-6)
      #expect(narrow.time(at: 0.1) < narrow.time(at: 0.9))
    }
    #expect(throws: ProcessError.self) {
      try TrainingTimes(vp, .logNormal, dataDeviation: 1e-40)
    }
    #expect(throws: Never.self) {
      try ScoreMatchingLoss(
        process: vp, weighting: .likelihood, times: .importance, dataDeviation: 1e-40)
    }
    // Balanced ones are then all the likelihood's.
    let (balanced, importance) = (
      try ScoreMatchingLoss(
        process: vp, weighting: .balanced, times: .balanced, dataDeviation: 1e-40),
      try ScoreMatchingLoss(process: vp, weighting: .likelihood, times: .importance)
    )
    for u in [0.1, 0.5, 0.9] {
      let t = balanced.time(at: u)
      #expect(t == importance.time(at: u))
      #expect(balanced.weight(at: t) == 1)
    }
    // EDM's own numbers: log σ ∼ N(−1.2, 1.2²) for data of deviation 0.5.
    let process = try VarianceExploding(sigmaMin: 1e-4, sigmaMax: 1e4)
    let edm = try TrainingTimes(process, .logNormal, dataDeviation: 0.5)
    for (u, z) in [(0.5, 0.0), (0.841344746068543, 1), (0.0227501319481792, -2)] {
      let sigma = process.marginal(at: edm.time(at: u)).sigma
      #expect(abs(log(sigma) - (-1.2 + 1.2 * z)) < 1e-5)
    }
  }

  @Test func edmsWeightIsOneOnItsOutput() throws {
    // |F error|² = |ε̂ error|²/gain², and EDM trains F with weight 1 under its log-normal times.
    let process = try VariancePreserving()
    let loss = try ScoreMatchingLoss(
      process: process, weighting: .edm, times: .logNormal, dataDeviation: 0.5)
    for t in [0.01, 0.2, 0.7] {
      let gain = Preconditioning.edm(deviation: 0.5).columns(process.marginal(at: t)).gain
      #expect(abs(loss.weight(at: t) * gain * gain - 1) < 1e-12)
    }
    // Min-SNR-5 on x̂₀, whose error is (σ/α)² of that of ε̂.
    let clipped = try ScoreMatchingLoss(process: process, weighting: .minSNR, times: .uniform)
    for t in [0.01, 0.2, 0.7] {
      let ratio = exp(2 * process.marginal(at: t).halfLogSNR)
      #expect(abs(clipped.weight(at: t) / (min(ratio, 5) / ratio) - 1) < 1e-12)
    }
  }

  /// A formula of the library's that is handed over as one's own is the same bits, and its density is near.
  @Test func ownFunctionsDoAsTheLibrarysDo() throws {
    for process in try Self.processes() {
      let known = try ScoreMatchingLoss(process: process, weighting: .minSNR, times: .uniform)
      let own = try ScoreMatchingLoss(
        process: process,
        weighting: .own("mine") { min(1, 5 * exp(-2 * process.marginal(at: $0).halfLogSNR)) },
        times: .uniform)
      for u in stride(from: 0, through: 1, by: 0.125) {
        #expect(own.time(at: u) == known.time(at: u))
        #expect(own.weight(at: own.time(at: u)) == known.weight(at: known.time(at: u)))
      }
      let exact = try TrainingTimes(process, .logNormal, dataDeviation: 0.5)
      let table = try TrainingTimes(
        process, .own("edm's") { exact.relativeDensity(at: $0) })
      for u in [0.001, 0.1, 0.5, 0.9, 0.999] {
        let t = exact.time(at: u)
        #expect(abs(table.time(at: u) / t - 1) < 1e-4, "\(process.name), \(u)")
        let ratio = table.relativeDensity(at: t) / exact.relativeDensity(at: t)
        #expect(abs(ratio - 1) < 4e-3, "\(process.name), \(u): \(ratio)")
      }
    }
  }

  /// Where a density is 0 no time is drawn, at either end of the quantiles.
  @Test func timesWithoutDensityAreNotDrawn() throws {
    let own = try CustomProcess(
      name: "quarter turn", alpha: { cos(1.55 * $0) }, sigma: { sin(1.55 * $0) })
    for process in try Self.processes() + [own] {
      let times = try TrainingTimes(process, .own("window") { $0 > 0.2 && $0 < 0.6 ? 1 : 0 })
      for u in [0, 1e-12, 0.3, 1 - 1e-12, 1] {
        let t = times.time(at: u)
        #expect((0.199...0.601).contains(t), "\(process.name), \(u): \(t)")
        // Where a time is drawn there is a density to divide by.
        #expect(times.relativeDensity(at: t) > 0, "\(process.name), \(u)")
      }
      #expect(times.relativeDensity(at: 0.1) == 0)
      // Also where σ is 0.
      #expect(times.relativeDensity(at: 0) == 0)
      let density = times.relativeDensity(at: 0.4)
      #expect(abs(density - 2.5) < 0.02, "\(process.name): \(density)")
    }
  }

  @Test func functionsThatAreNoWeightsAreRefused() throws {
    let process = try VariancePreserving()
    for (value, word) in [(-1.0, "-1"), (.nan, "nan"), (.infinity, "inf"), (0, "0 at all times")] {
      let weighting = #expect(throws: TrainingError.self) {
        try ScoreMatchingLoss(
          process: process, weighting: .own("mine") { $0 > 0.5 ? value : 0 }, times: .uniform)
      }
      #expect(weighting?.description.contains("weighting mine is \(word)") == true)
      let density = #expect(throws: TrainingError.self) {
        try TrainingTimes(process, .own("mine") { $0 > 0.5 ? value : 0 })
      }
      #expect(density?.description.contains("density of times mine is \(word)") == true)
    }
    // What a run keeps is the name.
    let text = Data(#"["min-snr", "own: mine"]"#.utf8)
    let read = try JSONDecoder().decode([LossWeighting].self, from: text)
    #expect(read == [.minSNR, .own("mine") { _ in 2 }])
    #expect(
      try JSONDecoder().decode([LossWeighting].self, from: JSONEncoder().encode(read)) == read)
    let error = #expect(throws: TrainingError.self) {
      try ScoreMatchingLoss(process: process, weighting: read[1], times: .uniform)
    }
    #expect(error?.description.contains("mine") == true)
    let times = try JSONDecoder().decode([TimeSampling].self, from: Data(#"["own: t"]"#.utf8))
    #expect(times == [.own("t") { _ in 1 }])
    #expect(throws: TrainingError.self) { try TrainingTimes(process, times[0]) }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([TimeSampling].self, from: Data(#"["often"]"#.utf8))
    }
  }

  /// Two densities of times estimate one integral. False alarms: 5 standard errors, 6e-7.
  @Test func theDensityOfTimesDoesNotChangeTheMean() throws {
    for process: any LinearProcess in [try VariancePreserving(), try SubVariancePreserving()] {
      func losses(_ times: TimeSampling, stratified: Bool) throws -> (mean: Double, error: Double) {
        try Self.losses(
          ScoreMatchingLoss(
            process: process, weighting: .likelihood, times: times, stratified: stratified))
      }
      let uniform = try losses(.uniform, stratified: true)
      for stratified in [true, false] {
        let importance = try losses(.importance, stratified: stratified)
        let error = hypot(uniform.error, importance.error)
        #expect(
          abs(uniform.mean - importance.mean) < 5 * error,
          "\(process.name): \(uniform), \(importance)")
        #expect(importance.error < uniform.error)
      }
    }
  }

  /// The denoising autoencoder at one level: E|ε̂ − z|² = α²/(α² + σ²) for unit data. 5 standard errors, 6e-7.
  @Test func oneNoiseLevelHasItsOwnFloor() throws {
    for process in try Self.processes() {
      for level in [0.1, 1.5] {
        let loss = try ScoreMatchingLoss(
          process: process, weighting: .likelihood, times: .importance, noiseLevel: level)
        let kernel = process.marginal(at: loss.time(at: 0.3))
        #expect(abs(kernel.sigma / kernel.alpha / level - 1) < 1e-9)
        let (mean, error) = try Self.losses(loss)
        #expect(abs(mean - 1 / (1 + level * level)) < 5 * error)
      }
      #expect(throws: TrainingError.self) {
        try ScoreMatchingLoss(
          process: process, weighting: .noise, times: .uniform, noiseLevel: 1e9)
      }
    }
  }

  /// A trainer whose steps change nothing, around the exact field of data N(0, 1).
  private static func standing(
    _ objective: LossObjective, dimensions: Int, deviation: Double = 1,
    _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<Double> {
    var options = TrainingOptions()
    options.objective = objective
    options.batchSize = 4096
    options.learningRate = 1e-30
    options.weighting = .noise
    options.times = .uniform
    change(&options)
    return try Trainer(
      ModelConfiguration(
        sampleShape: [dimensions], network: NetworkSpec(width: 8, depth: 1, frequencies: 2),
        preconditioning: .standardized(mean: 0, deviation: deviation)),
      process: VariancePreserving(),
      data: TrainingData(RandomKey(7).normal([200_000, dimensions])), options: options,
      pool: ThreadPool(threads: 1))
  }

  /// The forms without z are the denoising loss less the mean weight, 1. Means of 12 batches, 5 standard errors from
  /// their spread: with 11 degrees of freedom a false alarm in 2500 a form.
  @Test(arguments: LossObjective.allCases)
  func everyFormHasItsFloor(_ objective: LossObjective) throws {
    var trainer = try Self.standing(objective, dimensions: 3)
    let values = try (0..<12).map { _ in try trainer.advance().loss }
    let mean = values.reduce(0, +) / 12
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / (12 * 11)).squareRoot()
    let floor = 0.275988151 - (objective == .denoising ? 0 : 1)
    #expect(abs(mean - floor) < 5 * error, "\(objective): \(mean) ± \(error), \(floor)")
    #expect(error < 0.02)
  }

  /// For a field that is off the exact one by a known factor, all forms exceed their floors alike: the gradients agree.
  ///
  /// With deviation 2 in place of 1, ε̂ is off by a(t) x; each form's excess is the mean of a² E x_t².
  @Test(arguments: LossObjective.allCases)
  func everyFormExceedsItsFloorAlike(_ objective: LossObjective) throws {
    let process = try VariancePreserving()
    let count = 20_000
    let (start, end) = (process.cutoffs.training, process.endTime)
    let excess = (0..<count).reduce(0.0) { sum, i in
      let t = start + (Double(i) + 0.5) / Double(count) * (end - start)
      let kernel = process.marginal(at: t)
      let (signal, noise) = (kernel.alpha * kernel.alpha, kernel.sigma * kernel.sigma)
      let miss = kernel.sigma * (1 / (4 * signal + noise) - 1 / (signal + noise))
      return sum + miss * miss * (signal + noise) / Double(count)
    }
    var trainer = try Self.standing(objective, dimensions: 2, deviation: 2)
    let values = try (0..<12).map { _ in try trainer.advance().loss }
    let mean = values.reduce(0, +) / 12
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / (12 * 11)).squareRoot()
    let expected = 0.275988151 - (objective == .denoising ? 0 : 1) + excess
    #expect(abs(mean - expected) < 5 * error, "\(objective): \(mean) ± \(error), \(expected)")
  }

  /// Gradients pass through the derivatives: from a field that is off, each form trains to nearly the exact one.
  @Test(arguments: [LossObjective.slicedVR, .sliced, .hyvarinen])
  func everyFormTrains(_ objective: LossObjective) throws {
    var trainer = try Self.standing(objective, dimensions: 2, deviation: 2) {
      $0.learningRate = 5e-3
      $0.batchSize = 512
      $0.steps = 400
      $0.warmUp = 10
    }
    func error() throws -> Double {
      let model = try trainer.averagedModel(pool: ThreadPool(threads: 1))
      let oracle = try GaussianOracle<Double>(
        process: model.process, mean: 0, deviation: 1, sampleShape: [2])
      let t = Times.perSample((0..<400).map { 0.005 + 0.99 * Double($0) / 400 })
      let x = oracle.sample(400, at: t, key: RandomKey(5))
      let difference = try model.noise(x, at: t) - oracle.noise(x, at: t)
      return difference.rowDots(difference).reduce(0, +) / 800
    }
    let before = try error()
    while !trainer.isFinished { try trainer.advance() }
    let after = try error()
    #expect(after < 0.15 * before, "\(objective): from \(before) to \(after)")
  }

  @Test func exactTracesOfManyDimensionsAreRefused() throws {
    let error = #expect(throws: TrainingError.self) {
      try Self.standing(.hyvarinen, dimensions: 65)
    }
    #expect(error?.description.contains("65") == true)
  }
}

import ScoreGuidance
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// A field of its own for each sample, evaluated one by one.
private struct EachField: DifferentiableScoreField {
  let fields: [any DifferentiableScoreField<Double>]

  var process: any LinearProcess { fields[0].process }
  var sampleShape: Shape { fields[0].sampleShape }
  var rowCount: Int? { fields.count }
  func rows(_ rows: [Int]) -> EachField { EachField(fields: rows.map { fields[$0] }) }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    .concatenated(
      try fields.indices.map { try fields[$0].noise(x.rows([$0]), at: t.rows([$0])) })
  }

  func noiseAndPullback(
    _ x: Tensor<Double>, at t: Times, cotangent v: Tensor<Double>
  ) throws -> (noise: Tensor<Double>, pullback: Tensor<Double>) {
    let parts = try fields.indices.map {
      try fields[$0].noiseAndPullback(x.rows([$0]), at: t.rows([$0]), cotangent: v.rows([$0]))
    }
    return (.concatenated(parts.map(\.noise)), .concatenated(parts.map(\.pullback)))
  }

  func noiseAndTrace(
    _ x: Tensor<Double>, at t: Times
  ) throws -> (noise: Tensor<Double>, trace: [Double]) {
    let parts = try fields.indices.map {
      try fields[$0].noiseAndTrace(x.rows([$0]), at: t.rows([$0]))
    }
    return (.concatenated(parts.map(\.noise)), parts.flatMap(\.trace))
  }
}

/// Fields of which each sample has one of its own, as that of its condition, beside each of them by itself.
@Suite struct RowFieldTests {
  private static let count = 12
  private static let key = RandomKey(3)

  /// Mixtures of different places, of which some take an adaptive solver longer than others.
  private static func mixtures() throws -> [MixtureOracle<Double>] {
    try (0..<count).map { row in
      let place = Double(row) / 4
      return try MixtureOracle(
        process: VariancePreserving(), weights: [0.4, 0.6],
        means: [[place - 2, 0], [0.5, 1 - place]],
        covariances: [[[0.01 + 0.05 * place, 0], [0, 0.1]], [[0.2, 0.05], [0.05, 0.1]]])
    }
  }

  private static func together(
    _ fields: [any DifferentiableScoreField<Double>]
  ) -> EachField { EachField(fields: fields) }

  @Test(arguments: SolverSpec.names.filter { $0 != "fitted" })
  func everySolverCarriesEachSampleByItsOwnField(solver: String) throws {
    let fields = try Self.mixtures()
    let spec = try SolverSpec(solver)
    for denoising in [Denoising.mean, .tweedie] {
      var sampler = try Sampler(
        Self.together(fields), solver: spec.solver, steps: 12, denoising: denoising, batchSize: 5)
      let all = try sampler.sample(Self.count, key: Self.key)
      #expect(all.isFinished)
      for (row, field) in fields.enumerated() {
        sampler.field = field
        let alone = try sampler.sample(1, key: Self.key, first: row)
        #expect(alone.samples == all.samples.rows([row]), "\(solver), sample \(row)")
        #expect(alone.evaluations == [all.evaluations[row]])
      }
    }
  }

  /// A fit is to the samples' fields in turns; the flow of Gaussians it then solves well.
  @Test(arguments: ["fitted", "dpm-solver++:grid=optimized"])
  func fitsAreToTheFieldsInTurns(solver: String) throws {
    let fields = try (0..<3).map {
      try GaussianOracle<Double>(
        process: VariancePreserving(), mean: Double($0), deviation: 0.5, sampleShape: [2])
    }
    let ends = try [solver, "ode:rtol=1e-9,atol=1e-9"].map {
      try Sampler(Self.together(fields), SolverSpec($0), steps: 8).sample(3, key: Self.key).samples
    }
    let difference = ends[0] - ends[1]
    #expect((difference * difference).mean.squareRoot() < 0.02)
  }

  @Test(arguments: [
    Divergence.exact, .hutchinson(probes: 2), .hutchPlusPlus(sketch: 1, probes: 2),
  ])
  func likelihoodsAreThoseOfEachField(divergence: Divergence) throws {
    let fields = try Self.mixtures()
    let x = Tensor<Double>.concatenated(
      fields.enumerated().map { row, field in
        field.sample(1, key: Self.key, samples: .consecutive(first: row))
      })
    func likelihood(
      _ field: any DifferentiableScoreField<Double>
    ) throws -> FlowLikelihood<Double> {
      try FlowLikelihood(field, divergence: divergence, batchSize: 5)
    }
    let all = try likelihood(Self.together(fields))
    let scored = try all.logDensity(of: x, key: Self.key)
    let budget = try all.budget(of: scored, for: x, key: Self.key)
    // Pilots tell of all samples together.
    let unheld = try all.budget(of: scored, for: x, key: Self.key, pilots: 0)
    let drawn = try all.sample(Self.count, key: Self.key)
    let bound = try VariationalBound(Self.together(fields), strata: 4)(x, key: Self.key)
    let between = try all.interpolate(from: x, to: -1 * x, at: [0.3, 1])
    let decoded = try all.decode(all.encode(x).x)
    #expect(scored.isFinished && drawn.likelihood.isFinished)
    for (row, field) in fields.enumerated() {
      let (alone, place) = (try likelihood(field), x.rows([row]))
      let own = try alone.logDensity(of: place, key: Self.key, first: row)
      #expect(own.logDensity == [scored.logDensity[row]])
      let ownBudget = try alone.budget(of: own, for: place, key: Self.key, first: row)
      let ownUnheld = try alone.budget(of: own, for: place, key: Self.key, first: row, pilots: 0)
      #expect(ownUnheld.truncation == [unheld.truncation[row]])
      #expect(ownBudget.priorMismatch == [budget.priorMismatch[row]])
      #expect(budget.solver[row] >= 3 * (own.solverError?[0] ?? .infinity))
      let ownDrawn = try alone.sample(1, key: Self.key, first: row)
      #expect(ownDrawn.samples == drawn.samples.rows([row]))
      #expect(ownDrawn.likelihood.logDensity == [drawn.likelihood.logDensity[row]])
      let ownBound = try VariationalBound(field, strata: 4)(place, key: Self.key, first: row)
      #expect(ownBound.bound == [bound.bound[row]])
      let ownBetween = try alone.interpolate(from: place, to: -1 * place, at: [0.3, 1])
      #expect(ownBetween.map(\.x) == between.map { $0.x.rows([row]) })
      #expect(try alone.decode(alone.encode(place).x).x == decoded.x.rows([row]))
    }
  }

  /// Guidance at an interval of noise ratios, posteriors whose systems are solved in unlike numbers of iterations, other clocks
  /// and tilts keep each row to its own.
  @Test func fieldsOfFieldsKeepRowsApart() throws {
    let fields = try Self.mixtures()
    let all = Self.together(fields)
    let gaussian = try GaussianOracle<Double>(
      process: VariancePreserving(), mean: 0, deviation: 1, sampleShape: [2])
    let observation = try LinearObservation.matrix([[1, 0.5], [0.2, 1]], of: [2])
    func wrapped(
      _ field: some DifferentiableScoreField<Double>
    ) throws -> [any ScoreField<Double>] {
      [
        try GuidedField(field, from: gaussian, scale: 2, noiseRatios: 0.2..<3),
        try GuidedField(gaussian, from: field, scale: 2, noiseRatios: 0.2..<3),
        try PosteriorField(
          field, of: observation, observed: Tensor([1, 2], [0.3, 0.4]), noiseDeviation: 0.1,
          coarse: gaussian),
        RetimedField(field, onto: try VarianceExploding()),
        try TiltedField(field) { x, _ in -1 * x },
      ]
    }
    let together = try wrapped(all)
    for (place, field) in together.enumerated() {
      #expect(field.rowCount == Self.count)
      let found = try Sampler(field, SolverSpec("ode"), steps: 1).sample(Self.count, key: Self.key)
      for row in 0..<Self.count {
        let alone = try Sampler(wrapped(fields[row])[place], SolverSpec("ode"), steps: 1)
          .sample(1, key: Self.key, first: row)
        #expect(alone.samples == found.samples.rows([row]), "field \(place), sample \(row)")
      }
    }
    let guided = try GuidedField(all, from: gaussian, scale: 2, noiseRatios: 0.2..<3)
    let x: Tensor<Double> = Self.key.normal([Self.count, 2])
    let times = Times.perSample((0..<Self.count).map { 0.02 + 0.08 * Double($0) })
    let trace = try guided.noiseAndTrace(x, at: times).trace
    for row in 0..<Self.count {
      let alone = try GuidedField(fields[row], from: gaussian, scale: 2, noiseRatios: 0.2..<3)
      #expect(
        try alone.noiseAndTrace(x.rows([row]), at: times.rows([row])).trace == [trace[row]])
    }
  }

  /// Each sample with an observation of its own comes out as by the field of that observation.
  @Test(arguments: ["unipc", "ode", "ancestral"])
  func eachSampleHasItsOwnObservation(solver: String) throws {
    let prior = try Self.mixtures()[5]
    let observation = try LinearObservation.matrix([[1, 0.5], [0.2, 1]], of: [2])
    let observed: Tensor<Double> = Self.key.folded("observed").normal([Self.count, 2])
    func posterior(
      _ prior: some DifferentiableScoreField<Double>, _ observed: Tensor<Double>
    ) throws -> PosteriorField<Double> {
      try PosteriorField(prior, of: observation, observed: observed, noiseDeviations: [0.1, 0.2])
    }
    let priors = try Self.mixtures()
    for (field, isOfEach) in [
      (try posterior(prior, observed), false),
      (try posterior(Self.together(priors), observed), true),
    ] {
      #expect(field.rowCount == Self.count)
      let all = try Sampler(field, solver: SolverSpec(solver).solver, steps: 12, batchSize: 5)
        .sample(Self.count, key: Self.key)
      for row in 0..<Self.count {
        let own = try posterior(isOfEach ? priors[row] : prior, observed.rows([row]))
        let alone = try Sampler(own, SolverSpec(solver), steps: 12)
          .sample(1, key: Self.key, first: row)
        #expect(alone.samples == all.samples.rows([row]), "sample \(row)")
      }
    }
    let field = try posterior(prior, observed)
    #expect(throws: SamplingError.self) { try field.noise(Tensor([5, 2]), at: .shared(0.5)) }
    #expect(throws: SamplingError.self) {
      try posterior(Self.together(priors), observed.rows(0..<5))
    }
    #expect(throws: SamplingError.self) { try posterior(prior, Tensor([0, 2])) }
  }

  /// Each sample comes out as by the field of the numbers that are known of it, and one of which nothing is as by the prior.
  @Test(arguments: ["unipc", "ode", "ancestral"])
  func eachSampleLacksNumbersOfItsOwn(solver: String) throws {
    let prior = try Self.mixtures()[5]
    let observation = try LinearObservation.matrix([[1, 0.5], [0.2, 1], [1, -1]], of: [2])
    var observed: Tensor<Double> = Self.key.folded("observed").normal([Self.count, 3])
    observed = Tensor(
      observed.shape,
      observed.scalars.enumerated().map { place, number in
        ((place / 3) >> (place % 3)) & 1 == 0 ? number : .nan
      })
    let deviations = [0.1, 0.2, 0.3]
    let field = try PosteriorField(
      prior, of: observation, observed: observed, noiseDeviations: deviations)
    let all = try Sampler(field, solver: SolverSpec(solver).solver, steps: 12, batchSize: 5)
      .sample(Self.count, key: Self.key)
    var counts: Set<Int> = []
    for row in 0..<Self.count {
      let known = observed.row(row).map { !$0.isNaN }
      func chosen(_ numbers: [Double]) -> [Double] {
        zip(numbers, known).filter(\.1).map(\.0)
      }
      let numbers = chosen(observed.row(row))
      counts.insert(numbers.count)
      let own: any ScoreField<Double> =
        numbers.isEmpty
        ? prior
        : try PosteriorField(
          prior, of: observation.followed(by: .entries(known, of: [3])),
          observed: Tensor([1, numbers.count], numbers), noiseDeviations: chosen(deviations),
          iterations: 3)
      let alone = try Sampler(own, SolverSpec(solver), steps: 12)
        .sample(1, key: Self.key, first: row)
      #expect(alone.samples == all.samples.rows([row]), "sample \(row)")
    }
    #expect(counts == [0, 1, 2, 3])
    #expect(throws: SamplingError.self) {
      try PosteriorField(
        prior, of: observation, observed: Tensor([1, 3], [1, .nan, 1]), noiseDeviations: deviations)
    }
    #expect(throws: SamplingError.self) {
      try PosteriorField(
        prior, of: observation, observed: Tensor([2, 3], [1, .nan, 1, 2, 3, .infinity]),
        noiseDeviations: deviations)
    }
  }

  @Test func anotherNumberOfSamplesIsRefused() throws {
    let field = Self.together(try Self.mixtures())
    let x = Tensor<Double>([5, 2])
    #expect(throws: SamplingError.self) {
      try Sampler(field, SolverSpec("ddim"), steps: 5).sample(5, key: Self.key)
    }
    #expect(throws: SamplingError.self) {
      try Sampler(field, SolverSpec("ddim"), steps: 5).sample(from: x, key: Self.key)
    }
    let likelihood = try FlowLikelihood(field, divergence: .exact)
    #expect(throws: SamplingError.self) { try likelihood.logDensity(of: x) }
    #expect(throws: SamplingError.self) { try likelihood.sample(5, key: Self.key) }
    #expect(throws: SamplingError.self) { try likelihood.encode(x) }
    #expect(throws: SamplingError.self) { try VariationalBound(field)(x) }
    #expect(throws: ProcessError.self) { try field.score(x, at: .shared(0.5)) }
    #expect(throws: SamplingError.self) {
      try GuidedField(field, from: field.rows([0, 1]), scale: 2)
    }
  }
}

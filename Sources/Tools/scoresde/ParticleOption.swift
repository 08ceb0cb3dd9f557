import ScoreSDE

/// `--particles`: samples of an observation by weighted particles, in place of a solver.
struct ParticleOption {
  static let options = [
    Option(
      "--particles", "N",
      "with --observe: samples whose modes have their shares too, and log p(y), by sets of N weighted particles in place of a solver; of up to \(ParticleSampler<Float>.mostObserved) numbers, each of which costs a pullback an evaluation"
    ),
    Option(
      "--sets", "N",
      "with --particles: independent sets, of which each gives as many samples (default \(standardSets)); a standard error takes two"
    ),
  ]
  private static let standardSets = 4
  /// The steps where none are given.
  private static let standardSteps = 100

  let particles: Int
  let sets: Int
  let steps: Int

  /// What the options ask for, or nil.
  /// - Throws: where they go with none of the others that are given.
  init?(_ arguments: Arguments) throws {
    guard let particles = try arguments.integer("--particles", atLeast: 2) else {
      guard !arguments.has("--sets") else {
        throw CommandError.usage("--sets is given without --particles; expected both")
      }
      return nil
    }
    guard arguments.has("--observe") else {
      throw CommandError.usage(
        "--particles is given without --observe, by which they are weighted; expected both")
    }
    for option in ["--solver", "--rtol", "--atol", "--trajectory", "--from", "--noise-level"]
    where arguments.has(option) {
      throw CommandError.usage(
        "\(option) is given with --particles, which go from noise to data by steps of their own; expected one of the two"
      )
    }
    if arguments.text("--observe-as")?.contains("iterations=") == true {
      throw CommandError.usage(
        "--observe-as has iterations with --particles, which solve the observation's system whole; expected none"
      )
    }
    self.particles = particles
    sets = try arguments.integer("--sets", atLeast: 1) ?? Self.standardSets
    steps =
      try arguments.integer("--steps", atLeast: 1, atMost: 10_000_000) ?? Self.standardSteps
  }

  /// Draws samples of a posterior, as many of each set.
  /// - Parameters:
  ///   - fields: the posterior's, or one for each set.
  ///   - logVolumes: of each field, the nats that a density of what is observed has more in the data's units than in the model's.
  /// - Throws: where the number of samples does not fit the sets, and where a set came to nothing.
  func sample<Scalar: TensorScalar>(
    _ count: Int, of fields: [any ScoreField<Scalar>], logVolumes: [Double],
    _ arguments: Arguments, _ bar: ProgressBar
  ) throws -> ParticleResult<Scalar> {
    guard fields.count == logVolumes.count, fields[0].rowCount == nil else {
      throw CommandError.usage(
        "--particles are of one observation, one class and one row of --given; found several")
    }
    let posteriors = fields.compactMap { $0 as? PosteriorField<Scalar> }
    guard posteriors.count == fields.count else {
      throw CommandError.usage("--particles needs --observe; expected both")
    }
    guard count % sets == 0, count / sets <= particles else {
      throw CommandError.usage(
        "--count is \(count) with \(NumberText.counted(sets, "set")) of \(NumberText.counted(particles, "particle")); expected a multiple of \(sets), up to \(sets * particles)"
      )
    }
    let batchSize = try arguments.integer("--batch-size", atLeast: 1)
    let epsilon = try arguments.positive("--epsilon")
    let samplers = try posteriors.map { posterior in
      try asUsage(of: "--particles") {
        try ParticleSampler(
          posterior, particles: particles, steps: steps, epsilon: epsilon, batchSize: batchSize)
      }
    }
    let share = sets / samplers.count
    let result = ParticleResult(
      joining: try samplers.enumerated().map { place, sampler in
        var part = try sampler.sample(
          sets: share, keeping: count / sets, key: RandomKey(arguments.seed).folded("sample"),
          first: place * share
        ) { progress in
          let done = (Double(place) + progress.fraction) / Double(samplers.count)
          bar.update(min(0.999, done), "NFE \(progress.evaluations)")
          return true
        }
        for set in part.sets.indices {
          part.sets[set].logEvidence = part.sets[set].logEvidence.map { $0 + logVolumes[place] }
        }
        return part
      })
    if let bad = result.status.firstIndex(where: { !$0.isFinished }) {
      throw CommandError.failure(
        "set \(bad / (count / sets)) of particles did not finish: \(result.status[bad])")
    }
    return result
  }
}

/// What is said of sets of particles.
struct ParticleReport {
  let particles: Int
  let sets: [ParticleSet]
  /// log p(y) in nats, of y in the data's units.
  let evidence: (value: Double, standardError: Double?)

  /// - Parameter result: with log p(y) in the data's units.
  /// - Throws: where a set did not finish.
  init<Scalar: TensorScalar>(_ result: ParticleResult<Scalar>, particles: Int) throws {
    guard let evidence = result.logEvidence else {
      throw CommandError.failure("a set of particles came to no log p(y); expected one of each")
    }
    self.particles = particles
    sets = result.sets
    self.evidence = evidence
  }

  private var leastEffectiveSize: Double { sets.map(\.leastEffectiveSize).min() ?? 0 }
  private var resamplings: Int { sets.map(\.resamplings).max() ?? 0 }
  private var ancestors: Int { sets.map(\.ancestors).reduce(0, +) }
  private var lost: Int { sets.map(\.lost).reduce(0, +) }

  var json: JSON {
    .object([
      ("particles", .integer(particles)), ("sets", .integer(sets.count)),
      (
        "logEvidence",
        .object([
          ("value", .number(evidence.value)),
          ("standardError", evidence.standardError.map { .number($0) } ?? .null),
        ])
      ),
      ("leastEffectiveSize", .number(leastEffectiveSize)), ("resamplings", .integer(resamplings)),
      ("ancestors", .integer(ancestors)), ("lost", .integer(lost)),
    ])
  }

  /// A line for people.
  var text: String {
    let value =
      evidence.standardError.map { NumberText.plusMinus(evidence.value, $0) }
      ?? NumberText.significant(evidence.value)
    return
      "log p(y) \(value) nats; effective sample size \(NumberText.significant(leastEffectiveSize, digits: 3)) of \(particles) at the least, resampled \(resamplings) times at the most, samples from \(NumberText.counted(ancestors, "ancestor"))"
      + (lost > 0 ? "; \(lost) particles left the finite numbers" : "")
      + (sets.contains(where: \.isDegenerate) ? Self.degeneracy : "")
  }

  /// What is said where the effective sample size fell below 2.
  private static var degeneracy: String {
    "\none particle had most of the weight of its set, so what log p(y) is off by is not known, and samples have little variety; take more --steps, then more --particles"
  }
}

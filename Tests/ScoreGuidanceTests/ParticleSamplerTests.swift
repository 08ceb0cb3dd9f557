import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Particles against exact posteriors and evidences.
@Suite struct ParticleSamplerTests {
  private static let mean = RandomKey(1).normal([1, 3], of: Double.self).scalars
  private static let covariance = randomCovariance(3, RandomKey(2))
  private static let noise = [0.2, 0.4]
  private static let observed = [0.7, -0.3]

  /// Two numbers seen of a Gaussian's three, and the exact posterior.
  private static func gaussian<Scalar: TensorScalar>(
    _ process: any LinearProcess, coarse: Bool = false
  ) throws -> (exact: GaussianPosterior, field: PosteriorField<Scalar>) {
    let observation = try LinearObservation.matrix([[1, 0.5, 0], [0, -1, 2]], of: [3])
    let exact = try GaussianPosterior(
      mean: mean, covariance: covariance, observation: observation, observed: observed,
      noise: noise)
    return (
      try #require(exact),
      try PosteriorField(
        GaussianOracle<Scalar>(process: process, mean: mean, covariance: covariance),
        of: observation, observed: Tensor([1, 2], observed.map { Scalar($0) }),
        noiseDeviations: noise,
        coarse: coarse
          ? GaussianOracle(process: process, mean: mean, covariance: covariance) : nil)
    )
  }

  /// The mean of numbers, one a set, and its standard error.
  private func estimate(_ values: [Double]) -> (value: Double, error: Double) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / (count * (count - 1))).squareRoot())
  }

  /// What a function of a sample is in the mean over each set.
  private func means(
    _ result: ParticleResult<Double>, _ function: ([Double]) -> Double
  ) -> [Double] {
    let count = result.samples.rows / result.sets.count
    return result.sets.indices.map { set in
      (0..<count).reduce(0) { $0 + function(result.samples.row(set * count + $1)) }
        / Double(count)
    }
  }

  /// Of Gaussian data ψ is exact: mean, covariance and evidence are the posterior's, and weights hardly differ.
  ///
  /// False alarms: ten numbers are held to 5 standard errors of 20 sets, 8e-5 each, beside what 60 steps are off by.
  @Test(arguments: ["vp", "ve", "flow", "edm"])
  func gaussianDataAreMet(_ name: String) throws {
    let (exact, field): (GaussianPosterior, PosteriorField<Double>) = try Self.gaussian(
      ProcessSpec.process(name))
    let result = try ParticleSampler(field, particles: 250, steps: 60)
      .sample(sets: 20, key: RandomKey(3))
    #expect(result.isFinished && result.maxEvaluations == 61)
    let found = try #require(result.logEvidence)
    let error = try #require(found.standardError)
    print(
      "particles on a Gaussian under \(name): log p(y) off by", found.value - exact.evidence, "±",
      error, "effective", result.sets.map(\.leastEffectiveSize).min() ?? 0)
    #expect(abs(found.value - exact.evidence) < 5 * error + 0.005 && error < 0.03)
    for i in 0..<3 {
      let first = estimate(means(result) { $0[i] })
      #expect(abs(first.value - exact.mean[i]) < 5 * first.error + 0.005)
      for j in 0...i {
        let second = estimate(means(result) { ($0[i] - exact.mean[i]) * ($0[j] - exact.mean[j]) })
        #expect(
          abs(second.value - exact.covariance[i][j]) < 5 * second.error + 0.01, "\(second)")
      }
    }
    #expect(result.sets.allSatisfy { $0.leastEffectiveSize > 90 })
    #expect(result.sets.allSatisfy { $0.lost == 0 && $0.effectiveSizes.count == 61 })
  }

  /// Numbers that are known exactly are met exactly: the last denoising is that of the posterior.
  @Test func numbersWithoutNoiseAreMet() throws {
    let prior = try MixtureOracle<Double>(
      process: VarianceExploding(), parameters: MixturePosterior.modes)
    let posterior = try PosteriorField(
      prior, of: .matrix([[1, 0.5]], of: [2]), observed: Tensor([1, 1], [1]), noiseDeviation: 0)
    let result = try ParticleSampler(posterior, particles: 50, steps: 30)
      .sample(sets: 2, key: RandomKey(2))
    let errors = (0..<100).map { abs(result.samples[$0, 0] + result.samples[$0, 1] / 2 - 1) }
    #expect(errors.allSatisfy { $0 < 1e-9 }, "\(errors.max() ?? 0)")
    #expect(Set((0..<100).map { result.samples[$0, 1] }).count > 50)
  }

  /// A quarter of the step leaves an eighth of the error of log p(y): more than the first order's quarter.
  ///
  /// False alarms: the coarse error is 0.024 ± 0.0016 and the fine one 0.0028 ± 0.0005, where a sixth is asked for: about 1e-2.
  @Test func stepsAreOfSecondOrder() throws {
    let errors = try [12, 48].map { steps in
      try ["vp", "ve"].reduce(0.0) { sum, name in
        let prior = try GaussianOracle<Double>(
          process: ProcessSpec.process(name), mean: [0.3], covariance: [[1]])
        let posterior = try PosteriorField(
          prior, of: .entries([true], of: [1]), observed: Tensor([1, 1], [0.5]),
          noiseDeviation: 1)
        let result = try ParticleSampler(posterior, particles: 1000, steps: steps)
          .sample(sets: 40, key: RandomKey(3))
        let found = try #require(result.logEvidence)
        return sum + 0.5 * (found.value + 0.5 * (0.02 + log(4 * .pi)))
      }
    }
    print("log p(y) by particles is off by \(errors) in 12 and 48 steps")
    #expect(abs(errors[0]) > 0.015 && 6 * abs(errors[1]) < abs(errors[0]))
  }

  /// Numbers that have no part in what is observed have the same moments whether particles are resampled or not: each goes on
  /// with what the step before predicted of itself.
  ///
  /// False alarms: variances of thirty numbers are held to each other to 5 standard errors of 40 sets, 1e-5.
  @Test func resampledParticlesKeepTheirPast() throws {
    let width = 31
    let diagonal = (0..<width).map { i in
      (0..<width).map { i == $0 ? i == 0 ? 0.05 : 1 : 0.0 }
    }
    let others = [Double](repeating: 0, count: width - 1)
    let prior = try MixtureOracle<Double>(
      process: VariancePreserving(), weights: [0.5, 0.5], means: [[-2] + others, [2] + others],
      covariances: [diagonal, diagonal])
    let variances = try [0.5, 100].map { noise in
      let posterior = try PosteriorField(
        prior, of: .entries((0..<width).map { $0 == 0 }, of: [width]),
        observed: Tensor([1, 1], [0.4]), noiseDeviation: noise)
      let result = try ParticleSampler(posterior, particles: 100, steps: 12)
        .sample(sets: 40, key: RandomKey(4))
      #expect(result.sets.allSatisfy { noise < 1 ? $0.resamplings > 1 : $0.resamplings == 0 })
      return estimate(
        means(result) { x in x.dropFirst().reduce(0) { $0 + $1 * $1 } / Double(width - 1) })
    }
    let (found, plain) = (variances[0], variances[1])
    print("variance of free numbers", found, "where nothing is resampled", plain)
    let error = (found.error * found.error + plain.error * plain.error).squareRoot()
    #expect(abs(found.value - plain.value) < 5 * error && error < 0.03)
  }

  /// Particles at hand come from fewer and fewer of those at the start, and from as many while none is resampled.
  @Test func ancestorsOnlyGetFewer() throws {
    let posterior = try PosteriorField(
      MixtureOracle<Double>(process: VariancePreserving(), parameters: MixturePosterior.modes),
      of: .matrix([[1, 0.5]], of: [2]), observed: Tensor([1, 1], [4]), noiseDeviation: 0.05)
    let sampler = try ParticleSampler(posterior, particles: 40, steps: 20)
    func set(_ steps: Int) throws -> ParticleSet {
      var heard = 0
      return try sampler.sample(sets: 1, key: RandomKey(2)) { _ in
        heard += 1
        return heard <= steps
      }.sets[0]
    }
    let sets = try (0...19).map(set)
    let (ancestors, resamplings) = (sets.map(\.ancestors), sets.map(\.resamplings))
    print("ancestors", ancestors, "after", resamplings)
    #expect(ancestors[0] == 40 && resamplings[19] > 3)
    for step in 1...19 {
      #expect(ancestors[step] <= ancestors[step - 1])
      if resamplings[step] == resamplings[step - 1] {
        #expect(ancestors[step] == ancestors[step - 1])
      }
    }
  }

  private func share(_ x: [Double]) -> Double { x[1] > 0.2 ? 1 : 0 }

  /// Of three modes an observation leaves two, and their shares are the exact ones, as is the evidence; the field alone, by the
  /// solver of the same steps, gives the rarer of them twice as much.
  ///
  /// False alarms: a share and an evidence are held to 5 standard errors of 30 sets, 3e-5 each, beside what 60 steps are off by.
  @Test(arguments: ["vp", "ve", "flow", "ou"])
  func modesHaveTheirShares(_ name: String) throws {
    let (exact, field): (MixturePosterior, PosteriorField<Double>) =
      try MixturePosterior.fields(ProcessSpec.process(name))
    let result = try ParticleSampler(field, particles: 250, steps: 60)
      .sample(sets: 30, key: RandomKey(1))
    let found = try #require(result.logEvidence)
    let error = try #require(found.standardError)
    let shares = estimate(means(result, share))
    let alone = try Sampler(field, SolverSpec("sde-dpm-solver++"), steps: 60)
      .sample(2000, key: RandomKey(1))
    let other = (0..<2000).reduce(0) { $0 + share(alone.samples.row($1)) } / 2000
    let truth = exact.rareShare
    print(
      "particles on a mixture under \(name): share \(shares), alone \(other), exactly \(truth); log p(y) off by",
      found.value - exact.evidence, "±", error)
    #expect(abs(shares.value - truth) < 5 * shares.error + 0.005 && shares.error < 0.012)
    #expect(abs(found.value - exact.evidence) < 5 * error + 0.01 && error < 0.03)
    #expect(abs(other - truth) > 0.15)
    // And they are themselves as they should be.
    let expected = exact.oracle.sample(20_000, key: RandomKey(2))
    for j in 0..<2 {
      for power in 1...2 {
        let here = estimate(means(result) { pow($0[j], Double(power)) })
        let there =
          (0..<20_000).reduce(0) { $0 + pow(expected[$1, j], Double(power)) } / 20_000
        #expect(abs(here.value - there) < 5 * here.error + 0.05, "\(here), \(there)")
      }
    }
  }

  /// The standard error of few sets is what it says: of 40 estimates of 8 sets each, about 0.4 are off by more than 3.5 of
  /// their standard errors (Student's t with 7 degrees of freedom: 0.01 each).
  ///
  /// False alarms: 4 or more of 40, 6e-4.
  @Test func standardErrorsHold() throws {
    let (exact, field): (MixturePosterior, PosteriorField<Double>) =
      try MixturePosterior.fields(VariancePreserving())
    let result = try ParticleSampler(field, particles: 100, steps: 60)
      .sample(sets: 320, key: RandomKey(4))
    var (off, square) = (0, 0.0)
    for group in 0..<40 {
      var part = result
      part.sets = Array(result.sets[8 * group..<8 * (group + 1)])
      let found = try #require(part.logEvidence)
      let error = try #require(found.standardError)
      let deviations = (found.value - exact.evidence) / error
      if abs(deviations) > 3.5 { off += 1 }
      square += deviations * deviations / 40
    }
    print("evidence of a mixture: \(off) of 40 off by 3.5 standard errors, mean square", square)
    // The mean square of such a t is 7/5.
    #expect(off < 4 && square > 0.5 && square < 3)
  }

  /// Set j's bits depend on the key and on j alone.
  @Test func setsAreIndependent() throws {
    let process = try VariancePreserving()
    let observation = try LinearObservation.matrix([[1, 0.5]], of: [2])
    func result(
      _ sets: Int, first: Int = 0, threads: Int? = nil, batchSize: Int? = nil, key: UInt64 = 5
    ) throws -> ParticleResult<Float> {
      let field = try PosteriorField(
        MixtureOracle<Float>(
          process: process, parameters: MixturePosterior.modes,
          pool: threads.map { ThreadPool(threads: $0) }),
        of: observation, observed: Tensor([1, 1], [1]), noiseDeviation: 0.01)
      return try ParticleSampler(field, particles: 400, steps: 15, batchSize: batchSize)
        .sample(sets: sets, keeping: 300, key: RandomKey(key), first: first)
    }
    let all = try result(3)
    #expect(all.samples.rows == 900 && all.sets.allSatisfy { $0.resamplings > 0 })
    // A step begins with new particles where fewer than half of them count.
    for set in all.sets {
      #expect(set.resamplings == set.effectiveSizes.dropLast().count { $0 < 200 })
    }
    #expect(Set((0..<3).map { all.samples.row(300 * $0) }).count == 3)
    for other in [
      try result(3, batchSize: 7), try result(3, threads: 1), try result(3, threads: 2),
    ] {
      #expect(other.samples == all.samples && other.sets == all.sets)
    }
    for set in 0..<3 {
      let alone = try result(1, first: set)
      #expect(alone.samples == all.samples.rows(300 * set..<300 * (set + 1)))
      #expect(alone.sets == [all.sets[set]])
    }
    #expect(try result(1, key: 6).samples != result(1).samples)
  }

  /// Float is near Double, and beside a coarse field, by which what is observed has a tenth more noise on the way, the evidence is as
  /// large.
  @Test func floatAndCoarseFieldsAgree() throws {
    let process = try VariancePreserving()
    func value<Scalar: TensorScalar>(_ type: Scalar.Type, coarse: Bool) throws -> Double {
      let field: PosteriorField<Scalar> = try Self.gaussian(process, coarse: coarse).field
      let result = try ParticleSampler(field, particles: 200, steps: 40)
        .sample(sets: 2, key: RandomKey(6))
      return try #require(result.logEvidence).value
    }
    let double = try value(Double.self, coarse: false)
    #expect(abs(try value(Double.self, coarse: true) - double) < 0.05)
    #expect(abs(try value(Float.self, coarse: false) - double) < 2e-3)
  }

  /// Derivatives of a learnt field that say that variances are below 0 leave no density; a coarse field holds them.
  @Test func coarseFieldsHoldLearntOnes() throws {
    let prior = try GaussianOracle<Double>(
      process: VariancePreserving(), mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]])
    func result(
      _ field: ChangedField, _ coarse: GaussianOracle<Double>?
    ) throws -> ParticleResult<Double> {
      let posterior = try PosteriorField(
        field, of: .entries([true, true], of: [2]), observed: Tensor([1, 2], [1, 0.5]),
        noiseDeviation: 0.1, coarse: coarse)
      return try ParticleSampler(posterior, particles: 100, steps: 50)
        .sample(sets: 2, key: RandomKey(7))
    }
    for field in [ChangedField.rigid(prior), .wavy(prior), .skew(prior)] {
      let held = try result(field, prior)
      #expect(held.isFinished && held.sets.allSatisfy { $0.lost == 0 })
      let found = try #require(held.logEvidence)
      #expect(abs(found.value) < 10)
    }
    #expect(try !result(.rigid(prior), nil).isFinished)
  }

  /// Particles that leave the finite numbers have no weight and are counted; where all do, the status says when.
  @Test func brokenParticlesAreTold() throws {
    let prior = try GaussianOracle<Double>(
      process: VariancePreserving(), mean: [0, 0], covariance: [[1, 0], [0, 1]])
    func result(_ field: ChangedField) throws -> ParticleResult<Double> {
      let posterior = try PosteriorField(
        field, of: .entries([true, false], of: [2]), observed: Tensor([1, 1], [1]),
        noiseDeviation: 0.1)
      return try ParticleSampler(posterior, particles: 100, steps: 20)
        .sample(sets: 2, keeping: 60, key: RandomKey(8))
    }
    // What is not observed, and has no part in ψ, breaks beyond a place.
    let some = try result(
      ChangedField(
        base: prior,
        added: { x in
          var out = 0 * x
          for row in 0..<x.rows where x[row, 1] > 1.5 { out[row, 1] = .nan }
          return out
        }, change: { pullback, _, _, _ in pullback }))
    #expect(some.isFinished && some.samples.isFinite)
    #expect(some.sets.allSatisfy { (1..<100).contains($0.lost) && $0.logEvidence != nil })
    let none = try result(.torn(prior))
    #expect(none.status == [SolveStatus](repeating: .nonFinite(time: 1), count: 120))
    #expect(none.logEvidence == nil && none.samples.shape == [120, 2])
    #expect(none.sets.allSatisfy { $0.lost == 100 && $0.effectiveSizes == [0] })
  }

  /// The listener hears of each step of each set, and stops the run.
  @Test func listenersStopRuns() throws {
    let field: PosteriorField<Double> = try Self.gaussian(VariancePreserving()).field
    let sampler = try ParticleSampler(field, particles: 20, steps: 10)
    var heard: [SamplingProgress] = []
    let whole = try sampler.sample(sets: 2, keeping: 5, key: RandomKey(1)) {
      heard.append($0)
      return true
    }
    #expect(whole.isFinished && heard.count == 20 && heard[10].samples == 5)
    #expect(zip(heard, heard.dropFirst()).allSatisfy { $0.fraction < $1.fraction })
    #expect(heard[10].fraction == 0.5 && heard[19].evaluations == 10)
    heard = []
    let stopped = try sampler.sample(sets: 3, keeping: 5, key: RandomKey(1)) {
      heard.append($0)
      return heard.count < 15
    }
    #expect(heard.count == 15 && stopped.samples.rows == 15 && stopped.samples.isFinite)
    #expect(stopped.status.count { $0.isFinished } == 5)
    #expect(stopped.status[5] == .cancelled(time: sampler.grid.steps[4].time))
    #expect(stopped.status[10] == .cancelled(time: 1))
    #expect(stopped.logEvidence == nil && stopped.sets[0] == whole.sets[0])
  }

  @Test func wrongInputIsRefused() throws {
    let process = try VariancePreserving()
    func refused(_ sentence: String, _ body: () throws -> Void) {
      #expect(throws: SamplingError(sentence)) { try body() }
    }
    func field(
      _ observation: LinearObservation, noise: Double = 0
    ) throws -> PosteriorField<Double> {
      let prior = try GaussianOracle<Double>(
        process: process, mean: 0, deviation: 1, sampleShape: observation.sampleShape)
      return try PosteriorField(
        prior, of: observation, observed: Tensor(Shape([1] + observation.shape.extents)),
        noiseDeviation: noise)
    }
    let one = try field(.entries([true, false], of: [2]))
    let each = try PosteriorField(
      one.prior, of: one.observation, observed: Tensor([3, 1]), noiseDeviation: 0.1)
    refused(
      "the posterior is of 3 samples, each with one of its own, and particles are of one observation; expected one for all"
    ) { _ = try ParticleSampler(each, particles: 10, steps: 5) }
    refused("a set has 1 particles; expected 2 or more") {
      _ = try ParticleSampler(one, particles: 1, steps: 10)
    }
    refused("the batch size is 0; expected 1 or more") {
      _ = try ParticleSampler(one, particles: 2, steps: 10, batchSize: 0)
    }
    refused("the number of steps is 0; expected 1 or more") {
      _ = try ParticleSampler(one, particles: 2, steps: 0)
    }
    refused(
      "the grid ends at t = 0.0, where the process vp has no noise; expected a time above 0"
    ) { _ = try ParticleSampler(one, particles: 2, grid: TimeGrid(times: [1, 0])) }
    let many = try field(.entries([Bool](repeating: true, count: 33), of: [33]))
    refused(
      "33 numbers are observed; expected at most 32 for particles, as each of them costs a pullback an evaluation"
    ) { _ = try ParticleSampler(many, particles: 2, steps: 10) }
    let twice = try LinearObservation.matrix([[1, 0], [2, 0]], of: [2])
    refused(
      "some of the 2 observed numbers are determined by the others and have no noise, so that they have no density; expected a deviation of their noise above 0"
    ) { _ = try ParticleSampler(field(twice), particles: 2, steps: 10) }
    #expect(throws: Never.self) {
      try ParticleSampler(field(twice, noise: 0.1), particles: 2, steps: 10)
    }
    let sampler = try ParticleSampler(one, particles: 10, steps: 3)
    refused("the number of sets is 0; expected 1 or more") {
      _ = try sampler.sample(sets: 0, key: RandomKey(1))
    }
    for count in [0, 11] {
      refused(
        "\(count) samples are to be kept of a set; expected 1 to 10, as many as it has particles"
      ) { _ = try sampler.sample(sets: 1, keeping: count, key: RandomKey(1)) }
    }
  }
}

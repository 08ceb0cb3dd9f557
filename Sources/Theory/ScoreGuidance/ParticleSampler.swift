import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// Sequential Monte Carlo for the posterior of a linear observation: the shares of modes are right too (the twisted diffusion
/// sampler, Wu, Trippe, Naesseth, Blei & Cunningham 2023).
///
/// A `PosteriorField` is approximate where data are not Gaussian. Here it proposes, and weights make up for what it is off by.
/// With the step of `SDEDPMSolver` from t to s, which is of order 2, and the moment-matched likelihood ψ of the field,
///
/// ```
/// log ψ_t(x) = log N(y; A x̂₀(x), diag(s²) + A V Aᵀ),   d_t(x) ≈ ∇ log ψ_t(x)
/// prior      p(x_s | x_t, x̂₀′) = N(μ, ṽ I),      μ = a σ_s²/σ_t² x_t + α_s v/σ_t² (x̂₀ + (x̂₀ − x̂₀′)/(2r))
/// proposal   q(x_s | x_t, x̂₀′) = N(μ + δ, ṽ I),  δ = v d_t(x_t)/a
/// at T       x_T ~ the process's prior,          log w = log ψ_T(x_T)
/// a step     x_s = μ + δ + √ṽ z,                 log w = log ψ_s(x_s) − log ψ_t(x_t) − |δ|²/(2ṽ) − z·δ/√ṽ
/// the end    E[x_0 | x_ε, y] = x̂₀ + (σ²/α) d_ε(x_ε)
/// ```
///
/// with a, v and ṽ of `Transition` and x̂₀′ of the step before, of length r times this one's in log(α/σ). The weights of a path
/// multiply to ψ_ε(x_ε) times the prior's density of the path over the proposal's. So weighted particles have the density
/// p(x_ε) ψ_ε(x_ε) up to its constant, whatever ψ is before ε; the constant is p(y), of which the products of mean weights are
/// estimates without bias. At ε p(x_0 | x_ε) is narrow, so that ψ_ε is the likelihood itself but for what is of the order of σ/α
/// there. Where the effective sample size falls below half of the particles they are resampled, systematically; in the end they
/// are in any case, and the samples have equal weights.
///
/// What is left is the error of the discretised reverse SDE, whose part in log p(y) fell as the step to the power 1.5 on a
/// Gaussian, and that of finitely many particles. Samples
/// of one set hang together, and have a bias that falls as one over its particles, not with more sets. Weights fluctuate more the
/// more numbers are observed and the more exactly; longer grids help there as more particles do.
///
/// The field's coarse one holds V here too: a particle whose A V Aᵀ is below a hundredth of the coarse one's in some direction
/// has its w halved until it is not. Particles whose numbers are not finite get the weight 0 and are counted.
///
/// One step costs a particle one evaluation of the field with m pullbacks for m observed numbers, and O(m³) operations.
///
/// ```swift
/// let sampler = try ParticleSampler(posterior, particles: 1000, steps: 100)
/// let result = try sampler.sample(sets: 4, key: RandomKey(1))
/// ```
///
/// Set j depends on the key and on j alone, bit for bit: not on the number of sets, on threads or on the batches.
public struct ParticleSampler<Scalar: TensorScalar>: Sendable {
  /// The field that proposes. Of its parameters `iterations` and `tolerance` count for nothing here: systems are solved whole.
  public let posterior: PosteriorField<Scalar>
  /// The time grid.
  public let grid: TimeGrid
  /// The particles of a set.
  public let particles: Int
  /// How many particles the field is asked for together; nil chooses by the size of a sample and of what is observed.
  public let batchSize: Int?
  /// The rows of A, `[m] + sampleShape`.
  private let directions: Tensor<Double>

  /// The most numbers that may be observed, as each costs a pullback an evaluation.
  public static var mostObserved: Int { 32 }

  /// Creates a sampler on a given grid.
  /// - Throws: `SamplingError` where each sample has an observation of its own, more than `mostObserved` numbers are observed, or numbers that determine one another
  ///   without noise, of which there is no density; unless there are two particles or more, memory for them, a batch size of 1 or more, and
  ///   noise is left where the grid ends.
  public init(
    _ posterior: PosteriorField<Scalar>, particles: Int, grid: TimeGrid, batchSize: Int? = nil
  ) throws(SamplingError) {
    if let rows = posterior.rowCount {
      throw SamplingError(
        "the posterior is of \(rows) samples, each with one of its own, and particles are of one observation; expected one for all"
      )
    }
    let m = posterior.observed.count
    guard m <= Self.mostObserved else {
      throw SamplingError(
        "\(m) numbers are observed; expected at most \(Self.mostObserved) for particles, as each of them costs a pullback an evaluation"
      )
    }
    guard particles >= 2 else {
      throw SamplingError("a set has \(particles) particles; expected 2 or more")
    }
    // States, predictions and directions in Double.
    try SamplingError.checkSamples(
      particles, of: posterior.sampleShape, Double.self, states: 3)
    if let batchSize, batchSize < 1 {
      throw SamplingError("the batch size is \(batchSize); expected 1 or more")
    }
    guard grid.end >= 0, posterior.process.marginal(at: grid.end).sigma > 0 else {
      throw SamplingError(
        "the grid ends at t = \(grid.end), where the process \(posterior.process.name) has no noise; expected a time above 0"
      )
    }
    let units = Tensor<Double>([m, m]) { out in
      for place in out.indices { out[place] = place % (m + 1) == 0 ? 1 : 0 }
    }
    directions = try posterior.observation.adjoint(
      units.reshaped(Shape([m] + posterior.observation.shape.extents)))
    let flat = directions.reshaped([m, directions.shape.rowCount])
    var products = flat.matmul(flat, transposeOther: true).scalars
    for i in 0..<m {
      products[i * (m + 1)] += posterior.noiseDeviations[i] * posterior.noiseDeviations[i]
    }
    guard Cholesky(products, order: m) != nil else {
      throw SamplingError(
        "some of the \(m) observed numbers are determined by the others and have no noise, so that they have no density; expected a deviation of their noise above 0"
      )
    }
    self.posterior = posterior
    self.grid = grid
    self.particles = particles
    self.batchSize = batchSize
  }

  /// Creates a sampler with a grid from the process's T to ε (its own for sampling where none is given), even in log(σ/α) where
  /// no schedule is given: with steps even in t weights fluctuate far more.
  /// - Throws: as the other, and `SamplingError` unless 1 ≤ N ≤ `TimeGrid.mostSteps` and 0 < ε < T.
  public init(
    _ posterior: PosteriorField<Scalar>, particles: Int, steps: Int,
    schedule: GridSchedule = .logSNR, epsilon: Double? = nil, batchSize: Int? = nil
  ) throws(SamplingError) {
    try self.init(
      posterior, particles: particles,
      grid: schedule.grid(for: posterior.process, steps: steps, to: epsilon), batchSize: batchSize)
  }

  /// Draws samples by sets number `first`, `first + 1`, … of particles.
  ///
  /// - Parameters:
  ///   - count: the samples of each set; as many as it has particles where none is given.
  ///   - progress: called before each step of each set; false stops the run, as does the task's cancellation.
  /// - Throws: `SamplingError` for less than one set or sample, a `first` below 0, more samples than particles, and more
  ///   than the machine has memory for; and what the field throws.
  public func sample(
    sets: Int, keeping count: Int? = nil, key: RandomKey, first: Int = 0,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> ParticleResult<Scalar> {
    try SamplingError.check(sets, "sets", most: .max)
    guard first >= 0, first < Int.max / particles - sets else {
      throw SamplingError(
        "the first of \(sets) sets has number \(first); expected numbers from 0 to \(Int.max / particles)"
      )
    }
    let count = count ?? particles
    guard count >= 1, count <= particles else {
      throw SamplingError(
        "\(count) samples are to be kept of a set; expected 1 to \(particles), as many as it has particles"
      )
    }
    try SamplingError.checkSamples(
      sets, of: Shape([count] + posterior.sampleShape.extents), Scalar.self)
    let progress = SamplingProgress.untilStopped(progress)
    let parts = try (0..<sets).map { set in
      let report = SamplingProgress.reports(
        of: set * count..<(set + 1) * count, among: sets * count, to: progress)
      return try run(set: first + set, keeping: count, key) { fraction, time, evaluations in
        !Task.isCancelled && report?(fraction, time, evaluations) ?? true
      }
    }
    return ParticleResult(joining: parts)
  }

  /// One set.
  private func run(
    set: Int, keeping count: Int, _ key: RandomKey,
    shouldContinue: (_ fraction: Double, _ time: Double, _ evaluations: Int) -> Bool
  ) throws -> ParticleResult<Scalar> {
    guard shouldContinue(0, grid.start, 0) else {
      return ParticleRun.unbegun(self, set: set, key: key, keeping: count)
    }
    var run = try ParticleRun(self, set: set, key: key)
    let firsts = Array(0..<count)
    guard run.isAlive else { return run.result(firsts, .nonFinite(time: grid.start)) }
    for (done, step) in grid.steps.enumerated() {
      if done > 0,
        !shouldContinue(Double(done) / Double(grid.steps.count), step.time, run.evaluations)
      {
        return run.result(firsts, .cancelled(time: step.time))
      }
      run.resampleIfFewCount(at: done)
      try run.advance(step)
      guard run.isAlive else { return run.result(firsts, .nonFinite(time: step.time)) }
    }
    return run.denoisedResult(keeping: count)
  }

  /// The likelihood at states of a time, in batches.
  func twisted(_ x: Tensor<Scalar>, at t: Double) throws -> Twist<Scalar> {
    let size =
      batchSize
      ?? Sampler<Scalar>.standardBatchSize(
        [directions.rows + 1, posterior.sampleShape.count])
    return .concatenated(
      try stride(from: 0, to: x.rows, by: size).map {
        try posterior.twist(
          x.rows($0..<min(x.rows, $0 + size)), at: t, directions: directions)
      })
  }
}

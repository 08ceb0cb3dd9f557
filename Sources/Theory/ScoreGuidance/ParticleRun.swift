import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// One set of particles on its way from noise to data.
struct ParticleRun<Scalar: TensorScalar> {
  private let sampler: ParticleSampler<Scalar>
  private let set: Int
  private let uniforms: RandomKey
  private var context: SolverContext<Scalar>
  private var x: Tensor<Scalar>
  /// The likelihood of the observation at the states.
  private var twist: Twist<Scalar>
  /// What the step before predicted, and its length in log(α/σ).
  private var past: (denoised: Tensor<Scalar>, length: Double)?
  private var weights: ParticleWeights
  /// The particles at the start that those at hand come from.
  private var ancestors: [Int]
  private var report = ParticleSet(
    logEvidence: 0, effectiveSizes: [], resamplings: 0, ancestors: 0, lost: 0)
  private(set) var evaluations = 1
  /// Whether any particle has a weight.
  private(set) var isAlive = true

  /// The particles of set number `set`, drawn from the prior and weighted.
  init(_ sampler: ParticleSampler<Scalar>, set: Int, key: RandomKey) throws {
    self.sampler = sampler
    self.set = set
    let count = sampler.particles
    uniforms = key.folded("resampling")
    context = Self.context(sampler, set, key)
    x = context.prior(count, at: sampler.grid.start)
    weights = ParticleWeights(count: count)
    ancestors = Array(0..<count)
    twist = try sampler.twisted(x, at: sampler.grid.start)
    weigh(twist.logLikelihoods)
  }

  private static func context(
    _ sampler: ParticleSampler<Scalar>, _ set: Int, _ key: RandomKey
  ) -> SolverContext<Scalar> {
    SolverContext(
      field: sampler.posterior, key: key,
      samples: .consecutive(first: set * sampler.particles))
  }

  /// The first draws of a set that is stopped before anything is evaluated.
  static func unbegun(
    _ sampler: ParticleSampler<Scalar>, set: Int, key: RandomKey, keeping count: Int
  ) -> ParticleResult<Scalar> {
    var context = context(sampler, set, key)
    let (x, time) = (context.prior(sampler.particles, at: sampler.grid.start), sampler.grid.start)
    return ParticleResult(
      samples: x.rows(Array(0..<count)),
      status: [SolveStatus](repeating: .cancelled(time: time), count: count),
      evaluations: [Int](repeating: 0, count: count),
      sets: [
        ParticleSet(
          logEvidence: nil, effectiveSizes: [], resamplings: 0, ancestors: count, lost: 0)
      ])
  }

  /// Draws particles by their weights where fewer than half of them count.
  mutating func resampleIfFewCount(at step: Int) {
    let count = sampler.particles
    guard 2 * weights.effectiveSize < Double(count) else { return }
    let chosen = weights.resampled(count, uniform(step))
    x = x.rows(chosen)
    twist = twist.rows(chosen)
    past = past.map { ($0.denoised.rows(chosen), $0.length) }
    ancestors = chosen.map { ancestors[$0] }
    weights = ParticleWeights(count: count)
    report.resamplings += 1
  }

  /// Takes all particles over a step, towards the observation, and weights them.
  mutating func advance(_ step: TimeStep) throws {
    let before = twist
    let transition = step.transition(of: sampler.posterior.process)
    let deviation = transition.posteriorVariance.squareRoot()
    let mean = nextMean(step, transition, before.denoised)
    // δ/√ṽ, the proposal's shift in units of its deviation; without noise there is nothing to propose.
    let gain = deviation > 0 ? transition.variance / (transition.scale * deviation) : 0
    let shift = gain * before.direction
    let z = context.normal(like: x, in: step)
    x = .combined(1, mean, Scalar(deviation), z, Scalar(deviation), Tensor<Scalar>(shift))
    twist = try sampler.twisted(x, at: step.next)
    evaluations += 1
    let (squares, products) = (shift.rowDots(shift), shift.rowDots(Tensor<Double>(z)))
    let (last, now) = (before.logLikelihoods, twist.logLikelihoods)
    weigh(last.indices.map { now[$0] - last[$0] - 0.5 * squares[$0] - products[$0] })
  }

  /// Where the step leads without noise, of second order with what the step before predicted.
  private mutating func nextMean(
    _ step: TimeStep, _ transition: Transition, _ denoised: Tensor<Scalar>
  ) -> Tensor<Scalar> {
    let process = sampler.posterior.process
    let (start, end) = (process.marginal(at: step.time), process.marginal(at: step.next))
    let ratio = end.sigma / start.sigma
    let weight = end.alpha * transition.variance / (start.sigma * start.sigma)
    var mean = Tensor.combined(
      Scalar(transition.scale * ratio * ratio), x, Scalar(weight), denoised)
    let length = end.halfLogSNR - start.halfLogSNR
    if let past, past.length > 0 {
      let share = 0.5 * weight * length / past.length
      mean = .combined(1, mean, Scalar(share), denoised, Scalar(-share), past.denoised)
    }
    past = (denoised, length)
    return mean
  }

  /// Takes the factors into the weights and the evidence.
  private mutating func weigh(_ logFactors: [Double]) {
    let before = weights.alive
    guard let logSum = weights.multiply(by: logFactors) else {
      report.lost += before
      report.effectiveSizes.append(0)
      isAlive = false
      return
    }
    report.lost += before - weights.alive
    report.logEvidence = (report.logEvidence ?? 0) + logSum
    report.effectiveSizes.append(weights.effectiveSize)
  }

  private func uniform(_ step: Int) -> Double {
    uniforms.folded(UInt64(step)).uniform([1, 1], samples: .consecutive(first: set)).scalars[0]
  }

  /// Samples by the weights, each E[x₀ | x_ε, y] of its particle.
  func denoisedResult(keeping count: Int) -> ParticleResult<Scalar> {
    let kernel = sampler.posterior.process.marginal(at: sampler.grid.end)
    let denoised = Tensor<Double>.combined(
      1, Tensor<Double>(twist.denoised), kernel.sigma * kernel.sigma / kernel.alpha,
      twist.direction)
    return result(
      weights.resampled(count, uniform(sampler.grid.steps.count)), .finished,
      of: Tensor<Scalar>(denoised))
  }

  /// The particles `kept`, as they are or as `samples` has them.
  func result(
    _ kept: [Int], _ status: SolveStatus, of samples: Tensor<Scalar>? = nil
  ) -> ParticleResult<Scalar> {
    var report = report
    report.ancestors = Set(kept.map { ancestors[$0] }).count
    if !status.isFinished { report.logEvidence = nil }
    return ParticleResult(
      samples: (samples ?? x).rows(kept), status: kept.map { _ in status },
      evaluations: kept.map { _ in evaluations }, sets: [report])
  }
}

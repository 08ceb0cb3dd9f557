import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// DDPM's chain against its published coefficients and against VP.
@Suite struct DDPMChainTests {
  static func relative(_ a: Double, _ b: Double) -> Double {
    a == b ? 0 : abs(a - b) / max(abs(a), abs(b))
  }

  @Test func publishedProducts() throws {
    let chain = try DDPMChain.linear()
    for (i, value) in [
      (0, 0.9999), (250, 0.521423030619), (500, 0.077796658365), (750, 0.00330015836157),
      (999, 4.03582976538e-05),
    ] {
      #expect(Self.relative(chain.cumulativeProducts[i], value) < 3e-12, "ᾱ[\(i)]")
      let kernel = chain.marginal(at: chain.time(ofStep: i))
      #expect(Self.relative(kernel.alpha * kernel.alpha, value) < 3e-12, "α² at step \(i)")
      #expect(Self.relative(kernel.sigma * kernel.sigma, 1 - value) < 3e-12, "σ² at step \(i)")
    }
    #expect(chain.betas[0] == 1e-4 && chain.betas[999] == 0.02)
    // VP at N = 1000 is this chain.
    let vp = try DDPMChain(try VariancePreserving(), steps: 1000)
    for (a, b) in zip(vp.betas, chain.betas) { #expect(Self.relative(a, b) < 1e-14) }
  }

  /// β_i of the cosine chain, computed with 40 digits; the last is clipped.
  @Test func publishedCosine() throws {
    let chain = try DDPMChain.cosine()
    for (i, beta) in Self.cosineBetas {
      #expect(Self.relative(chain.betas[i], beta) < 1e-10, "β[\(i)]: \(chain.betas[i])")
    }
    #expect(chain.betas[999] == 0.999)
  }

  static let cosineBetas: [(Int, Double)] = [
    (0, 4.12842248217778e-5), (1, 4.614175273669451e-5), (100, 0.0005318991556979648),
    (500, 0.003155691441585003), (900, 0.01974185587243387), (998, 0.749999392901162),
  ]

  /// q(x_i | x_{i−1}) is the chain's own, and steps compose to strided ones.
  @Test func transitions() throws {
    for chain in [try DDPMChain.linear(), try DDPMChain.cosine(steps: 50)] {
      for i in [0, 1, 7, chain.count - 1] {
        let step = chain.transition(from: i == 0 ? nil : i - 1, to: i)
        #expect(step.variance == chain.betas[i])
        #expect(step.scale == (1 - chain.betas[i]).squareRoot())
        let before = i == 0 ? 0 : 1 - chain.cumulativeProducts[i - 1]
        let posterior = chain.betas[i] * before / (1 - chain.cumulativeProducts[i])
        #expect(abs(step.posteriorVariance - posterior) < 1e-12 * chain.betas[i])
      }
      for steps in [2, 5, 10] {
        let kept = chain.strided(steps)
        #expect(kept.count == steps && kept.first == 0 && kept.last == chain.count - 1)
        var (scale, variance) = (1.0, 0.0)
        for (place, i) in kept.enumerated() {
          let step = chain.transition(from: place == 0 ? nil : kept[place - 1], to: i)
          scale *= step.scale
          variance = step.scale * step.scale * variance + step.variance
          let kernel = chain.marginal(at: chain.time(ofStep: i))
          #expect(Self.relative(scale, kernel.alpha) < 1e-12)
          #expect(Self.relative(variance, kernel.sigma * kernel.sigma) < 1e-12)
        }
      }
    }
    #expect(try DDPMChain.linear().strided(1) == [999])
    // Quarters of 999, each to the nearest step.
    #expect(try DDPMChain.linear().strided(5) == [0, 250, 500, 749, 999])
  }

  /// The posterior of x_j given (x_i, x_0) is Bayes' rule on the two Gaussian steps.
  @Test func posteriorIsBayesRule() throws {
    let chain = try DDPMChain.linear()
    for (j, i) in [(0, 1), (10, 11), (498, 499), (100, 400), (998, 999)] {
      let (prior, step) = (
        chain.marginal(at: chain.time(ofStep: j)), chain.transition(from: j, to: i)
      )
      let precision =
        1 / (prior.sigma * prior.sigma) + step.scale * step.scale / step.variance
      let posterior = chain.posterior(of: j, given: i)
      #expect(Self.relative(posterior.variance, 1 / precision) < 1e-11)
      #expect(
        Self.relative(posterior.stateFactor, step.scale / step.variance / precision) < 1e-11)
      #expect(
        Self.relative(
          posterior.dataFactor, prior.alpha / (prior.sigma * prior.sigma) / precision) < 1e-11)
    }
    #expect(
      chain.posterior(of: nil, given: 0)
        == ChainPosterior(dataFactor: 1, stateFactor: 0, variance: 0))
  }

  /// The chain is a process: consistent rates, its inverse, and VP's marginals nearby.
  @Test func theChainIsAProcess() throws {
    let chain = try DDPMChain.linear(steps: 20, from: 0.005, to: 0.3)
    for t in [0.013, 0.31, 0.476, 0.88] {
      let (kernel, rates) = (chain.marginal(at: t), chain.rates(at: t))
      let h = 1e-5
      let (low, high) = (chain.marginal(at: t - h), chain.marginal(at: t + h))
      #expect(abs((high.logAlpha - low.logAlpha) / (2 * h) - rates.drift) < 1e-6)
      let growth = (pow(high.sigma, 2) - pow(low.sigma, 2)) / (2 * h)
      #expect(
        abs(growth - 2 * rates.drift * pow(kernel.sigma, 2) - rates.squaredDiffusion) < 1e-6)
      #expect(Self.relative(rates.noiseGain, rates.squaredDiffusion / (2 * kernel.sigma)) < 1e-14)
      #expect(abs(chain.time(halfLogSNR: kernel.halfLogSNR) - t) < 1e-13)
    }
    for i in 0..<20 {
      let t = chain.time(ofStep: i)
      #expect(chain.step(nearest: t) == i && chain.step(nearest: .nan) == 0)
      #expect(abs(chain.time(halfLogSNR: chain.marginal(at: t).halfLogSNR) - t) < 1e-13)
    }
    #expect(chain.time(halfLogSNR: -50) == 1 && chain.time(halfLogSNR: 50) < 1e-30)
  }

  /// The loss of the exact field is its closed form; data entries are independent, so that it has a standard error.
  ///
  /// False alarms: 5 standard errors, 6e-7.
  @Test func lossIsItsClosedForm() throws {
    let chain = try DDPMChain.linear(steps: 100, from: 1e-3, to: 0.2)
    let oracle = try GaussianOracle<Double>(
      process: chain, mean: [0.5, -1], covariance: [[0.5, 0.2], [0.2, 0.3]])
    let data = oracle.sample(20_000, key: RandomKey(1))
    let losses = try chain.noiseLoss(of: oracle, on: data, key: RandomKey(2))
    let mean = losses.reduce(0, +) / Double(losses.count)
    let variance =
      losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(losses.count - 1)
    let error = (variance / Double(losses.count)).squareRoot()
    #expect(abs(mean - oracle.noiseLossFloor(of: chain)) < 5 * error)
    // One entry of variance v: 1/N Σ ᾱ v/(ᾱ v + 1 − ᾱ).
    let single = try GaussianOracle<Double>(
      process: chain, mean: 0, deviation: 2, sampleShape: [1])
    let floor =
      chain.cumulativeProducts.reduce(0.0) { $0 + 4 * $1 / (4 * $1 + 1 - $1) } / 100
    #expect(abs(single.noiseLossFloor(of: chain) - floor) < 1e-13)
  }

  @Test func trainingSteps() throws {
    let chain = try DDPMChain.linear(steps: 10, from: 0.01, to: 0.5)
    let steps = chain.drawnSteps(5000, key: RandomKey(4))
    #expect(Set(steps) == Set(0..<10))
    let counts = (0..<10).map { i in steps.filter { $0 == i }.count }
    // χ² of nine degrees of freedom is below 43 but once in 4e5 keys.
    #expect(counts.reduce(0.0) { $0 + pow(Double($1) - 500, 2) / 500 } < 43)
    #expect(
      chain.drawnSteps(2, key: RandomKey(4), samples: .explicit([7, 3])) == [steps[7], steps[3]])
  }

  @Test func refusesBadChains() throws {
    #expect(throws: ProcessError.self) { try DDPMChain(betas: [0.1]) }
    #expect(throws: ProcessError.self) { try DDPMChain(betas: [0.1, 1]) }
    // No noise at the first step, no score there.
    for make in [
      { try DDPMChain(betas: [0, 0.1]) }, { try DDPMChain.linear(from: 0, to: 0.02) },
      { try DDPMChain(VariancePreserving(betaMin: 0, betaMax: 20), steps: 50) },
    ] as [@Sendable () throws -> DDPMChain] {
      #expect(throws: ProcessError.self) { try make() }
    }
    #expect(try DDPMChain(betas: [0.1, 0]).count == 2)
    #expect(throws: ProcessError.self) { try DDPMChain(betas: [-0.1, 0.1]) }
    #expect(throws: ProcessError.self) { try DDPMChain.linear(steps: 1) }
    #expect(throws: ProcessError.self) { try DDPMChain.cosine(steps: -3) }
    #expect(throws: ProcessError.self) { try DDPMChain(try VariancePreserving(), steps: 10) }
  }
}

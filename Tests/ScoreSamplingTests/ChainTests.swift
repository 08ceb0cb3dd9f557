import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// DDPM's sampler as a solver and a grid.
@Suite struct ChainTests {
  private let m = 0.5
  private let s = 0.3

  /// x ← (x − β/√(1 − ᾱ) ε̂)/√(1 − β) + √w z for all steps or some of them, the last without noise.
  private func moments(
    _ chain: DDPMChain, _ steps: [Int], variance: Ancestral.Variance
  ) -> (mean: Double, variance: Double) {
    var (mean, spread) = (0.0, 1.0)
    for place in steps.indices.reversed() {
      let product = chain.cumulativeProducts[steps[place]]
      let before = place == 0 ? 1 : chain.cumulativeProducts[steps[place - 1]]
      let (alpha, beta) = (product / before, 1 - product / before)
      // ε̂ = √(1 − ᾱ) (x − √ᾱ m)/(ᾱ s² + 1 − ᾱ)
      let gain = beta / (product * s * s + 1 - product)
      mean = (mean - gain * (mean - product.squareRoot() * m)) / alpha.squareRoot()
      let noise =
        place == 0
        ? 0 : variance == .forward ? beta : beta * (1 - before) / (1 - product)
      spread = spread * (1 - gain) * (1 - gain) / alpha + noise
    }
    return (mean, spread)
  }

  @Test(arguments: Ancestral.Variance.allCases)
  func ancestralSamplingIsTheChainRunBack(_ variance: Ancestral.Variance) throws {
    for chain in [
      try DDPMChain.linear(steps: 100, from: 1e-3, to: 0.2), try DDPMChain.cosine(steps: 60),
    ] {
      for count in [chain.count, 20, 7] {
        let steps = chain.strided(count)
        let sampler = Sampler(
          GaussianField<Double>(process: chain), solver: Ancestral(variance: variance),
          grid: try .chain(chain, steps: steps))
        let found = try sampler.affineMoments()
        let expected = moments(chain, steps, variance: variance)
        #expect(abs(found.mean[0] - expected.mean) < 1e-12)
        #expect(abs(found.covariance[0][0] - expected.variance) < 1e-12)
      }
    }
  }

  /// β(t) jumps at each step of the chain, and solvers with steps of their own take no notice: they end where the flow of a
  /// Gaussian does, at the cost of a smooth process.
  @Test(arguments: ["dopri5", "dop853"])
  func adaptiveSolversPassTheJumps(_ name: String) throws {
    let method = try #require(EmbeddedPair.all.first { $0.method.name == name })
    for chain in [
      try DDPMChain.linear(), try DDPMChain.cosine(steps: 60),
      try DDPMChain(betas: [0.01, 0.5, 0.1, 0.9, 0.3]),
    ] {
      let field = GaussianField<Double>(process: chain)
      var sampler = Sampler(
        field, solver: try AdaptiveFlow(method: method, rtol: 1e-9, atol: 1e-9),
        grid: try .uniform(from: 1, to: chain.cutoffs.sampling, steps: 4))
      sampler.trajectoryStride = 1
      let starts = Tensor<Double>([3, 1], [-2, 0.1, 1.5])
      let result = try sampler.sample(from: starts, key: RandomKey(1))
      #expect(result.isFinished && result.maxEvaluations < 500, "\(result.maxEvaluations)")
      for row in 0..<3 {
        let exact = field.flow(starts[row, 0], from: 1, to: chain.cutoffs.sampling)
        #expect(abs(result.samples[row, 0] - exact) < 1e-7)
        for point in result.trajectory {
          let exact = field.flow(starts[row, 0], from: 1, to: point.time)
          // Interpolated, and to order 3 alone by the second.
          #expect(abs(point.x[row, 0] - exact) < (name == "dopri5" ? 1e-5 : 1e-3))
        }
      }
    }
    // A step without noise has no clock of its own: there the jumps are met, each at some cost.
    let quiet = try DDPMChain(betas: [0.01, 0, 0.1])
    let field = GaussianField<Double>(process: quiet)
    let sampler = try Sampler(field, solver: AdaptiveFlow(rtol: 1e-8, atol: 1e-8), steps: 1)
    let result = try sampler.sample(from: Tensor([1, 1], [1]), key: RandomKey(1))
    let exact = field.flow(1, from: 1, to: quiet.cutoffs.sampling)
    #expect(result.isFinished)
    #expect(abs(result.samples[0, 0] - exact) < 1e-4, "\(result.samples[0, 0]), \(exact)")
  }

  /// At N = 1000 the chain of VP is the reference grid: the same times and transitions, and the published moments.
  @Test func theReferenceGridIsTheChain() throws {
    let vp = try VariancePreserving()
    let chain = try TimeGrid.chain(try DDPMChain(vp, steps: 1000))
    let reference = try TimeGrid.reference(for: vp, steps: 1000, epsilon: 1e-3)
    for (a, b) in zip(chain.steps, reference.steps) {
      #expect(abs(a.time - b.time) < 1e-12)
      #expect(a.transition(of: vp) == b.transition(of: vp))
    }
    let moments = try Sampler(
      GaussianField<Double>(process: vp), solver: Ancestral(variance: .forward), grid: chain
    ).affineMoments()
    #expect(abs(moments.mean[0] - 0.4998813328926) < 1e-9)
    #expect(abs(moments.covariance[0][0].squareRoot() - 0.3017262745684) < 1e-9)
  }

  /// The reference grid of a chain is the chain, or some of its steps, whatever its β_i are.
  @Test func theReferenceGridOfAChainIsItself() throws {
    let chain = try DDPMChain.cosine(steps: 60)
    for (count, steps) in [(60, nil), (7, chain.strided(7))] {
      let reference = try TimeGrid.reference(for: chain, steps: count, epsilon: 1.0 / 60)
      let own = try TimeGrid.chain(chain, steps: steps)
      #expect(reference.steps.map(\.time) == own.steps.map(\.time))
      #expect(
        reference.steps.map { $0.transition(of: chain) }
          == own.steps.map { $0.transition(of: chain) })
    }
    for (count, epsilon) in [(61, 1.0 / 60), (60, 1.0 / 59), (1, 1.0 / 60)] {
      #expect(throws: SamplingError.self) {
        try TimeGrid.reference(for: chain, steps: count, epsilon: epsilon)
      }
    }
  }

  /// DDIM on some of the steps, in DDIM's own form: √ᾱ_j x̂₀ + √(1 − ᾱ_j) ε̂.
  @Test func implicitStepsOnTheChain() throws {
    let chain = try DDPMChain.linear()
    let steps = chain.strided(10)
    let field = GaussianField<Double>(process: chain)
    let found = try Sampler(field, solver: DDIM(), grid: .chain(chain, steps: steps)).sample(
      from: Tensor([1, 1], [0.7]), key: RandomKey(0)
    ).samples[0, 0]
    var x = 0.7
    for place in steps.indices.reversed() {
      let product = chain.cumulativeProducts[steps[place]]
      let before = place == 0 ? 1 : chain.cumulativeProducts[steps[place - 1]]
      let noise =
        (1 - product).squareRoot() * (x - product.squareRoot() * m)
        / (product * s * s + 1 - product)
      let data = (x - (1 - product).squareRoot() * noise) / product.squareRoot()
      x = before.squareRoot() * data + (1 - before).squareRoot() * noise
    }
    #expect(abs(found - x) < 1e-11)
  }

  @Test func refusesStepsThatAreNotOfTheChain() throws {
    let chain = try DDPMChain.linear()
    for steps in [[], [3, 3], [5, 2], [-1, 4], [1, 1000]] {
      #expect(throws: SamplingError.self) { try TimeGrid.chain(chain, steps: steps) }
    }
  }
}

import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// Times by signal-to-noise ratio, and the numbers that theory gives without sampling.
@Suite struct QuantityTests {
  /// Handmade takes the default, Newton's method; the others their closed forms.
  @Test func timesFromSignalToNoiseRatios() throws {
    let cosine = try CustomProcess(
      name: "cosine", alpha: { cos($0 * 1.55) }, sigma: { sin($0 * 1.55) })
    let processes: [any LinearProcess] =
      try standardProcesses() + [
        Handmade(), cosine, try VariancePreserving(betaMin: 0, betaMax: 12),
        try VariancePreserving(betaMin: 7, betaMax: 7),
        try SubVariancePreserving(betaMin: 0, betaMax: 30),
      ]
    for process in processes {
      for t in [1e-9, 1e-5, 1e-3, 0.02, 0.37, 0.5, 0.93, 1] {
        let lambda = process.marginal(at: t).halfLogSNR
        let found = process.time(halfLogSNR: lambda)
        // λ itself is known to rounding only, which moves t by about ulp(λ) / |dλ/dt|.
        let slope = process.rates(at: t).noiseGain / process.marginal(at: t).sigma
        let tolerance = 1e-14 * t + 8 * max(1, abs(lambda)) * .ulpOfOne / slope
        #expect(abs(found - t) <= tolerance, "\(process.name) at \(t): \(found)")
      }
      #expect(process.time(halfLogSNR: -1e4) == process.endTime)
      #expect(process.time(halfLogSNR: 1e4) == 0)
    }
  }

  @Test func masses() throws {
    let expected = [(23.864472365, 0), (37.678945732, 1)]
    let processes = try standardProcesses()
    for (mass, place) in expected {
      let times = try LikelihoodWeightedTimes(processes[place])
      #expect(abs(times.mass - mass) < 1e-8)
    }
    // VE: g²/σ² = 2 log(σmax/σmin) is constant.
    let ve = try LikelihoodWeightedTimes(processes[2], from: 0.25)
    #expect(abs(ve.mass - 1.5 * log(5000)) < 1e-12)
    #expect(abs(ve.time(at: 0.5) - 0.625) < 1e-14)
  }

  /// The density integrates to u at t(u), and is g²/σ² over the mass.
  @Test func timesInvertTheirDistribution() throws {
    let cosine = try CustomProcess(
      name: "cosine", alpha: { cos($0 * 1.55) }, sigma: { sin($0 * 1.55) })
    for process in try standardProcesses() + [cosine] {
      let times = try LikelihoodWeightedTimes(process, from: 1e-4)
      #expect(abs(times.time(at: 0) - 1e-4) < 1e-13 && abs(times.time(at: 1) - 1) < 1e-11)
      var previous = 1e-4
      for u in stride(from: 0.1, through: 1, by: 0.1) {
        let t = times.time(at: u)
        let share = integral(from: previous, to: t) { times.density(at: $0) }.value
        #expect(abs(share - 0.1) < 1e-11, "\(process.name), u = \(u)")
        previous = t
      }
      let (rates, kernel) = (process.rates(at: 0.3), process.marginal(at: 0.3))
      let ratio = rates.squaredDiffusion / (kernel.sigma * kernel.sigma)
      #expect(abs(times.density(at: 0.3) * times.mass / ratio - 1) < 1e-13)
    }
    #expect(throws: ProcessError.self) { try LikelihoodWeightedTimes(cosine, from: 0) }
    #expect(throws: ProcessError.self) { try LikelihoodWeightedTimes(cosine, from: 1) }
  }

  @Test func divergenceFromThePrior() throws {
    let expected = [5.398e-6, 5.399e-6, 5.004e-5]
    for (process, value) in zip(try standardProcesses(), expected) {
      let one = try GaussianOracle<Double>(
        process: process, mean: 0.5, deviation: 1, sampleShape: [1])
      #expect(abs(one.priorDivergence / value - 1) < 1e-4)
      let many = try GaussianOracle<Double>(
        process: process, mean: 0.5, deviation: 1, sampleShape: [7])
      #expect(abs(many.priorDivergence / (7 * one.priorDivergence) - 1) < 1e-13)
    }
    // Against quadrature of p log(p/q).
    let full = try GaussianOracle<Double>(
      process: Handmade(), mean: 3, deviation: 2, sampleShape: [1])
    let direct = integral(from: -12, to: 12) { x in
      let log = full.logDensityOrZero(x)
      let prior = -0.5 * (x * x + Foundation.log(2 * .pi))
      return Foundation.exp(log) * (log - prior)
    }.value
    #expect(abs(full.priorDivergence - direct) < 1e-12)
    // Data far smaller than the noise: ½ (x − log(1 + x)) for x = (10⁻³/80)², where the difference loses all digits but six.
    let tiny = try GaussianOracle<Double>(
      process: ElucidatedDiffusion(), mean: 0, deviation: 1e-3, sampleShape: [1])
    let x = 1e-6 / 6400
    #expect(abs(tiny.priorDivergence / (x * x / 4 - x * x * x / 6) - 1) < 1e-12)
  }

  @Test func floorOfTheDenoisingLoss() throws {
    let expected = [0.275988151, 0.321174334, 0.540668857]
    for (process, value) in zip(try standardProcesses(), expected) {
      let one = try GaussianOracle<Double>(
        process: process, mean: -2, deviation: 1, sampleShape: [1])
      #expect(abs(one.denoisingLossFloor() - value) < 1e-9)
      // Full covariances enter through their eigenvalues: the mean over them.
      let full = try GaussianOracle<Double>(
        process: process, mean: [0, 1], covariance: [[2, 1], [1, 2]])
      let parts = try [1.0, 3].map {
        try GaussianOracle<Double>(
          process: process, mean: 0, deviation: $0.squareRoot(), sampleShape: [1]
        ).denoisingLossFloor()
      }
      #expect(abs(full.denoisingLossFloor() - 0.5 * (parts[0] + parts[1])) < 1e-11)
      // A weight is taken into the integral.
      #expect(
        abs(one.denoisingLossFloor(weight: { _ in 3 }) - 3 * one.denoisingLossFloor()) < 1e-11)
    }
  }

  /// The floor is the loss that the exact field has: 20,000 draws, five standard errors (2 · 10⁻⁶ by chance).
  @Test func exactFieldReachesTheFloor() throws {
    let count = 20_000
    for process in try standardProcesses() {
      let oracle = try GaussianOracle<Double>(
        process: process, mean: 0.5, deviation: 1, sampleShape: [1])
      let u = RandomKey(41).uniform([count, 1], of: Double.self)
      let start = process.cutoffs.training
      let times = Times.perSample(u.scalars.map { start + $0 * (1 - start) })
      let data = oracle.sample(count, key: RandomKey(42))
      let z = RandomKey(43).normal(data.shape, of: Double.self)
      let noise = try oracle.noise(process.perturb(data, noise: z, at: times), at: times)
      let losses = (noise - z).scalars.map { $0 * $0 }
      let mean = losses.reduce(0, +) / Double(count)
      let variance = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
      #expect(
        abs(mean - oracle.denoisingLossFloor()) < 5 * (variance / Double(count)).squareRoot())
    }
  }

  @Test func quadrature() {
    #expect(abs(integral(from: 0, to: 3) { exp($0) }.value - (exp(3) - 1)) < 1e-13)
    #expect(abs(integral(from: 0, to: 1) { $0.squareRoot() }.value - 2.0 / 3) < 1e-12)
    #expect(abs(integral(from: 0, to: 1) { $0 < 0.3 ? 1 : 2 }.value - 1.7) < 1e-12)
    #expect(integral(from: 1, to: 1) { $0 }.value == 0)
  }
}

extension GaussianOracle<Double> {
  /// log p_T at one number.
  func logDensityOrZero(_ x: Double) -> Double {
    (try? logDensity(Tensor([1, 1], [x]), at: .shared(process.endTime))[0]) ?? 0
  }
}

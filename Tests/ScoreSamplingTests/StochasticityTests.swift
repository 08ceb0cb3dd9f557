import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Every stochasticity λ ≥ 0 has the process's own marginals.
@Suite struct StochasticityTests {
  static let levels = [0.0, 0.3, 1, 1.7, 3]

  static func family() throws -> [any LinearProcess] {
    processes + [
      try CosineVariancePreserving(), try OrnsteinUhlenbeck(), try RectifiedFlow(),
      try LinearVarianceExploding(sigmaMax: 5), try ElucidatedDiffusion(sigmaMax: 5),
    ]
  }

  /// Mean and variance of p_t change at the rates that the reverse process gives them, exactly, for each λ.
  ///
  /// Back in time, dx = (F x + G ε̂) dt + L dw̄ with ε̂ = σ (x − m)/v gives m′ = F m and v′ = 2 (F + G σ/v) v − L².
  @Test func momentsFollowEachLevel() throws {
    for process in try Self.family() {
      for t in [0.01, 0.2, 0.6, 0.95].map({ $0 * process.endTime }) {
        let (kernel, rates) = (process.marginal(at: t), process.rates(at: t))
        let variance = pow(kernel.alpha * 0.3, 2) + kernel.sigma * kernel.sigma
        let growth = 2 * rates.drift * variance + rates.squaredDiffusion
        for level in Self.levels {
          let reverse = process.reverseRates(at: t, stochasticity: level)
          let found =
            2 * (reverse.drift * variance + reverse.noiseGain * kernel.sigma)
            - reverse.diffusion * reverse.diffusion
          let size = abs(2 * rates.drift * variance) + (1 + level * level) * rates.squaredDiffusion
          #expect(abs(found - growth) <= 1e-13 * size, "\(process.name), λ = \(level), t = \(t)")
          #expect(reverse.drift == rates.drift)
        }
      }
    }
  }

  /// Euler–Maruyama at each λ goes to the oracle's moments at ε: extrapolated to steps of 0 they agree.
  ///
  /// Steps are even in log(σ/α) where even steps in t would be coarse beside σ. Two halvings take out the errors of
  /// first and second order.
  @Test(arguments: levels) func eulerMaruyamaReachesTheMarginal(_ level: Double) throws {
    let solver = try EulerMaruyama(stochasticity: level)
    #expect(solver.usesNoise == (level > 0))
    for process in try Self.family() {
      let field = GaussianField<Double>(process: process)
      let epsilon = 0.05 * process.endTime
      func moments(_ steps: Int) throws -> (Double, Double) {
        let sampler = try Sampler(
          field, solver: solver, steps: steps, schedule: .logSNR, epsilon: epsilon,
          denoising: .none)
        let moments = try sampler.affineMoments()
        return (moments.mean[0], moments.covariance[0][0])
      }
      let runs = try [200, 400, 800].map(moments)
      func limit(_ part: ((Double, Double)) -> Double) -> Double {
        let (a, b, c) = (part(runs[0]), part(runs[1]), part(runs[2]))
        return (a - 6 * b + 8 * c) / 3
      }
      // What the continuous process makes of the prior, which differs from p_T: the Gaussian flow at λ = 0, and less of
      // the difference the larger λ.
      let kernel = process.marginal(at: epsilon)
      let variance = pow(kernel.alpha * 0.3, 2) + kernel.sigma * kernel.sigma
      let end = process.marginal(at: process.endTime)
      let mismatch = 0.5 * end.alpha + 0.3 * end.alpha
      let tolerance = 3e-3 + mismatch * variance.squareRoot() / process.priorDeviation
      let (mean, found) = (limit(\.0), limit(\.1))
      #expect(abs(mean - kernel.alpha * 0.5) < tolerance, "\(process.name): \(mean)")
      #expect(
        abs(found.squareRoot() - variance.squareRoot()) < tolerance,
        "\(process.name): \(found), \(variance)")
    }
  }

  @Test func theEndsAreEulersMethodAndTheReverseSDE() throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    func moments(_ spec: String) throws -> AffineMoments {
      try Sampler(field, SolverSpec(spec), steps: 30, epsilon: 0.01).affineMoments()
    }
    let (flow, euler) = (
      try moments("euler-maruyama:stochasticity=0"), try moments("ode:method=euler")
    )
    #expect(abs(flow.mean[0] - euler.mean[0]) < 1e-13)
    #expect(abs(flow.covariance[0][0] - euler.covariance[0][0]) < 1e-13)
    #expect(
      try moments("euler-maruyama:stochasticity=1") == moments("euler-maruyama"))
    #expect(throws: SamplingError.self) { try EulerMaruyama(stochasticity: -1) }
    #expect(throws: SamplingError.self) { try EulerMaruyama(stochasticity: .infinity) }
  }
}

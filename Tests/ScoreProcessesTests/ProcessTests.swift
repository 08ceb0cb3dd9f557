import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// VP, sub-VP and VE against published and independently computed values.
@Suite struct ProcessTests {
  /// α, VP σ and sub-VP σ at t, computed with 40 digits.
  static let marginals: [(t: Double, alpha: Double, vp: Double, subVP: Double)] = [
    (1e-5, 0.999999499502625249, 0.00100049712593523833, 1.00099449900467215e-6),
    (1e-3, 0.999945026511097622, 0.0104854163350948961, 0.000109943955720274882),
    (0.1, 0.946721798820598073, 0.322052535524704461, 0.103717835637891029),
    (0.5, 0.281182880796752376, 0.959654202068036247, 0.920936187546839344),
    (1, 0.00657158649492961501, 0.99997840689233868, 0.999956814250939659),
  ]

  @Test func marginalsToRounding() throws {
    let (vp, subVP) = (try VariancePreserving(), try SubVariancePreserving())
    for row in Self.marginals {
      let (a, b) = (vp.marginal(at: row.t), subVP.marginal(at: row.t))
      #expect(abs(a.alpha / row.alpha - 1) < 2e-15 && a.logAlpha == b.logAlpha)
      #expect(abs(a.sigma / row.vp - 1) < 2e-15, "VP at \(row.t)")
      #expect(abs(b.sigma / row.subVP - 1) < 2e-15, "sub-VP at \(row.t)")
    }
    let ve = try VarianceExploding()
    #expect(abs(ve.marginal(at: 0.1).sigma / 0.0234367291159209944 - 1) < 2e-15)
    #expect(abs(sqrt(ve.rates(at: 0.1).squaredDiffusion) / 0.0967297905497855855 - 1) < 2e-15)
    #expect(ve.marginal(at: 0).sigma == 0.01 && abs(ve.marginal(at: 1).sigma - 50) < 1e-13)
  }

  /// VP at N = 1000 steps is DDPM: ᾱ from the product of 1 − β_i, β_i linear from 1e-4 to 0.02.
  @Test func vpIsTheLimitOfDDPM() throws {
    let vp = try VariancePreserving()
    var product = 1.0
    for i in 0..<1000 {
      product *= 1 - (1e-4 + (0.02 - 1e-4) * Double(i) / 999)
      let alpha = vp.marginal(at: Double(i + 1) / 1000).alpha
      #expect(abs(alpha * alpha - product) < 0.006)
    }
    let chain = try DDPMChain.linear()
    #expect(abs(chain.cumulativeProducts[999] - 4.03582976538e-05) < 1e-15)
  }

  /// Near t = 0 the cancelling forms lose digits that these keep: σ² ≈ β₀ t and σ ≈ β₀ t.
  @Test func sigmaKeepsItsDigitsNearZero() throws {
    let (vp, subVP) = (try VariancePreserving(), try SubVariancePreserving())
    for t in [1e-12, 1e-9, 1e-7] {
      // 1 − e^(−x) = x − x²/2 + x³/6 with x = β₀ t + ½ (β₁ − β₀) t²
      let x = 0.1 * t + 0.5 * 19.9 * t * t
      let series = x - x * x / 2 + x * x * x / 6
      #expect(abs(vp.marginal(at: t).sigma / series.squareRoot() - 1) < 1e-15)
      #expect(abs(subVP.marginal(at: t).sigma / series - 1) < 1e-15)
    }
    let single = 1 - exp(Float(2 * vp.logAlpha(at: 1e-5)))
    #expect(abs(Double(single.squareRoot()) / vp.marginal(at: 1e-5).sigma - 1) > 0.005)
  }

  /// g²/(2σ) stays finite at t = 0 for sub-VP, where the quotient is 0/0.
  @Test func noiseGainIsFiniteAtZero() throws {
    let subVP = try SubVariancePreserving()
    #expect(abs(subVP.rates(at: 0).noiseGain - 0.1) < 1e-15)
    for t in [1e-12, 1e-5, 0.3, 1] {
      let (rates, sigma) = (subVP.rates(at: t), subVP.marginal(at: t).sigma)
      #expect(abs(rates.noiseGain / (rates.squaredDiffusion / (2 * sigma)) - 1) < 1e-14)
    }
  }

  @Test func everyProcessIsConsistent() throws {
    for process in try standardProcesses() { try checkConsistency(of: process) }
    try checkConsistency(of: try VariancePreserving(betaMin: 0, betaMax: 3))
    try checkConsistency(of: try VariancePreserving(betaMin: 5, betaMax: 5))
    try checkConsistency(of: try SubVariancePreserving(betaMin: 0, betaMax: 40))
    try checkConsistency(of: try VarianceExploding(sigmaMin: 1e-4, sigmaMax: 1000))
  }

  /// Two transitions make one, and the transition from 0 is the marginal.
  @Test func transitionsCompose() throws {
    for process in try standardProcesses() {
      let (s, u, t) = (0.2, 0.45, 0.8)
      let (a, b) = (process.step(from: s, to: u), process.step(from: u, to: t))
      let c = process.step(from: s, to: t)
      #expect(abs(a.scale * b.scale / c.scale - 1) < 1e-14)
      #expect(abs((b.scale * b.scale * a.variance + b.variance) / c.variance - 1) < 1e-12)
      #expect(process.step(from: s, to: s).variance == 0)
    }
  }

  /// x_t = α x₀ + σ z, with one time or one a row.
  @Test func perturbMovesDataAlongTheKernel() throws {
    let vp = try VariancePreserving()
    let x = RandomKey(1).normal([3, 2], of: Double.self)
    let z = RandomKey(2).normal([3, 2], of: Double.self)
    let times = [0.1, 0.5, 0.9]
    let moved = vp.perturb(x, noise: z, at: .perSample(times))
    for (i, t) in times.enumerated() {
      let kernel = vp.marginal(at: t)
      for j in 0..<2 {
        #expect(abs(moved[i, j] - (kernel.alpha * x[i, j] + kernel.sigma * z[i, j])) < 1e-15)
      }
      let one = vp.perturb(x.rows(i..<i + 1), noise: z.rows(i..<i + 1), at: .shared(t))
      #expect(one == moved.rows(i..<i + 1))
    }
    #expect(
      vp.perturb(x, at: .shared(0.3), key: RandomKey(2))
        == vp.perturb(x, noise: z, at: .shared(0.3)))
    #expect(
      vp.perturb(x.rows(1..<3), at: .shared(0.3), key: RandomKey(2), samples: .explicit([1, 2]))
        == vp.perturb(x, noise: z, at: .shared(0.3)).rows(1..<3))
  }

  @Test func refusesBadParameters() {
    for (low, high) in [(-0.1, 20.0), (3, 2), (0, 0), (.nan, 1), (0.1, .infinity)] {
      #expect(throws: ProcessError.self) { try VariancePreserving(betaMin: low, betaMax: high) }
      #expect(throws: ProcessError.self) { try SubVariancePreserving(betaMin: low, betaMax: high) }
    }
    for (low, high) in [(0.0, 50.0), (-1, 50), (50, 50), (51, 50), (.nan, 1), (1, .infinity)] {
      #expect(throws: ProcessError.self) { try VarianceExploding(sigmaMin: low, sigmaMax: high) }
    }
  }
}

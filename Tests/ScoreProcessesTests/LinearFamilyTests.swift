import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// The cosine, linear VE, EDM, Ornstein–Uhlenbeck and rectified-flow processes against closed forms.
@Suite struct LinearFamilyTests {
  static func family() throws -> [any LinearProcess] {
    [
      try CosineVariancePreserving(), try CosineVariancePreserving(offset: 0),
      try LinearVarianceExploding(), try LinearVarianceExploding(sigmaMin: 0, sigmaMax: 3),
      try ElucidatedDiffusion(), try OrnsteinUhlenbeck(),
      try OrnsteinUhlenbeck(rate: 0.7, deviation: 2, endTime: 6), try RectifiedFlow(),
    ]
  }

  static func relative(_ a: Double, _ b: Double) -> Double {
    a == b ? 0 : abs(a - b) / max(abs(a), abs(b))
  }

  /// α and σ of the cosine schedule, computed with 40 digits.
  @Test func cosineToRounding() throws {
    let cosine = try CosineVariancePreserving()
    let rows: [(t: Double, alpha: Double, sigma: Double)] = [
      (1e-8, 0.9999999998057185, 0.0000197120014216772819),
      (1e-5, 0.999999805597201813, 0.000623542747997826186),
      (1e-3, 0.999979357674536311, 0.0064252801356655106),
      (0.1, 0.985947634062767643, 0.167054670350848993),
      (0.5, 0.702740058941169024, 0.711446701840244872),
      (0.9, 0.155215089923904806, 0.987880699204065908),
      (0.9946, 0.00841553495936126062, 0.999964588758695879),
    ]
    for row in rows {
      let kernel = cosine.marginal(at: row.t)
      // Near 1, t itself is rounded beside 1 − t.
      let tolerance = 2e-15 + 1.2e-16 / (1 - row.t)
      #expect(Self.relative(kernel.alpha, row.alpha) < tolerance, "α at \(row.t)")
      #expect(Self.relative(kernel.sigma, row.sigma) < 2e-15, "σ at \(row.t)")
    }
    // The stated clip: β(T) = 370, and the drift is −β/2.
    let end = cosine.rates(at: cosine.endTime)
    #expect(Self.relative(end.squaredDiffusion, 370.361628119986156) < 1e-12)
    #expect(end.drift == -0.5 * end.squaredDiffusion)
  }

  @Test func otherKernelsToRounding() throws {
    let ou = try OrnsteinUhlenbeck(rate: 5, deviation: 2)
    for (t, alpha, sigma) in [
      (1e-8, 0.99999995000000125, 0.000632455516222287895),
      (1e-3, 0.995012479192682313, 0.199501040105879613),
      (0.3, 0.223130160148429829, 1.94957731996670094),
      (1, 0.0067379469990854671, 1.99995459955493741),
    ] {
      let kernel = ou.marginal(at: t)
      #expect(Self.relative(kernel.alpha, alpha) < 2e-15, "α at \(t)")
      #expect(Self.relative(kernel.sigma, sigma) < 2e-15, "σ at \(t)")
    }
    #expect(ou.rates(at: 0.4).drift == -5 && ou.rates(at: 0.4).squaredDiffusion == 40)
    let flow = try RectifiedFlow()
    #expect(Self.relative(flow.marginal(at: 0.3).alpha, 0.7) < 2e-16)
    #expect(flow.marginal(at: 0.3).sigma == 0.3 && flow.priorDeviation == 0.995)
    let edm = try ElucidatedDiffusion()
    #expect(edm.endTime == 80 && edm.priorDeviation == 80 && edm.cutoffs.sampling == 0.002)
    #expect(edm.marginal(at: 7) == Marginal(logAlpha: 0, sigma: 7))
    let linear = try LinearVarianceExploding()
    #expect(Self.relative(linear.marginal(at: 0.5).sigma, 25.005) < 1e-15)
  }

  @Test func allAreConsistent() throws {
    for process in try Self.family() {
      do { try checkConsistency(of: process) } catch { Issue.record("\(error)") }
    }
  }

  /// At t = 0 every rate is a number or the infinity that it is: nowhere 0/0.
  @Test func limitsAtZero() throws {
    for process in try Self.family() + [try VariancePreserving(betaMin: 0, betaMax: 8)] {
      let (kernel, rates) = (process.marginal(at: 0), process.rates(at: 0))
      #expect(kernel.logAlpha == 0 && kernel.sigma >= 0 && kernel.sigma < 0.02, "\(process.name)")
      #expect(rates.drift.isFinite && rates.squaredDiffusion.isFinite, "\(process.name)")
      #expect(!rates.noiseGain.isNaN && rates.noiseGain > 0, "\(process.name)")
      // Finite limits are those of the times just above 0.
      if rates.noiseGain.isFinite {
        let near = process.rates(at: 1e-9 * process.endTime).noiseGain
        #expect(Self.relative(rates.noiseGain, near) < 1e-6, "\(process.name)")
      }
    }
    #expect(try RectifiedFlow().rates(at: 0).noiseGain == 1)
    #expect(try ElucidatedDiffusion().rates(at: 0).noiseGain == 1)
    #expect(try VariancePreserving(betaMin: 0, betaMax: 8).rates(at: 0).noiseGain == 2)
  }

  /// time(halfLogSNR:) inverts the kernel, and holds to the ends outside of it.
  @Test func timesOfSignalToNoiseRatios() throws {
    for process in try Self.family() {
      let end = process.endTime
      for t in [1e-6, 1e-4, 0.01, 0.2, 0.5, 0.83, 0.999].map({ $0 * end }) {
        let lambda = process.marginal(at: t).halfLogSNR
        // One ulp of λ or of σ moves t by no more than this.
        let slope = process.rates(at: t).noiseGain / process.marginal(at: t).sigma
        let tolerance = 4 * (max(1, abs(lambda)).ulp / slope + t.ulp) + 1e-15 * t
        let found = process.time(halfLogSNR: lambda)
        #expect(abs(found - t) <= tolerance, "\(process.name) at \(t): \(found)")
      }
      #expect(process.time(halfLogSNR: -100) == end, "\(process.name)")
      #expect(process.time(halfLogSNR: 600) < 1e-200 * end, "\(process.name)")
    }
  }

  /// Near t = 1, where α = cos u(t)/cos u(0) goes to 0, it keeps its digits.
  @Test func cosineKeepsItsDigitsAtTheEnd() throws {
    let cosine = try CosineVariancePreserving(offset: 0.008, endTime: 1 - 0x1p-21)
    let speed = 0.5 * Double.pi / 1.008
    let alpha = sin(speed * 0x1p-20) / cos(speed * 0.008)
    #expect(Self.relative(cosine.marginal(at: 1 - 0x1p-20).alpha, alpha) < 1e-13)
  }

  /// A β(t) of one's own: quadrature, or its integral, gives the schedules that are known.
  @Test func varianceFromBeta() throws {
    let vp = try VariancePreserving()
    let cosine = try CosineVariancePreserving()
    let bySum = try CustomProcess(name: "mine", beta: { vp.beta(at: $0) })
    let byIntegral = try CustomProcess(
      name: "mine", beta: { vp.beta(at: $0) }, integral: { -2 * vp.logAlpha(at: $0) })
    let cosineBySum = try CustomProcess(
      name: "mine", beta: { cosine.beta(at: $0) }, endTime: cosine.endTime)
    for (own, known) in [(bySum, vp as any LinearProcess), (byIntegral, vp), (cosineBySum, cosine)]
    {
      #expect(own.priorDeviation == 1)
      for t in [1e-6, 1e-3, 0.05, 0.4, 0.8, 0.99] {
        let (a, b) = (own.marginal(at: t), known.marginal(at: t))
        #expect(Self.relative(a.logAlpha, b.logAlpha) < 2e-14, "log α at \(t)")
        #expect(Self.relative(a.sigma, b.sigma) < 2e-14, "σ at \(t)")
        let (p, q) = (own.rates(at: t), known.rates(at: t))
        #expect(Self.relative(p.drift, q.drift) < 1e-14)
        #expect(Self.relative(p.noiseGain, q.noiseGain) < 3e-14)
      }
      #expect(own.rates(at: 0).noiseGain.isFinite)
    }
    #expect(throws: ProcessError.self) { try CustomProcess(name: "mine", beta: { 1 - 2 * $0 }) }
    #expect(throws: ProcessError.self) {
      try CustomProcess(name: "mine", beta: { 1 + $0 }, integral: { $0 + $0 * $0 })
    }
  }

  @Test func refusesBadParameters() {
    #expect(throws: ProcessError.self) { try CosineVariancePreserving(offset: -0.1) }
    #expect(throws: ProcessError.self) { try CosineVariancePreserving(endTime: 1) }
    #expect(throws: ProcessError.self) { try LinearVarianceExploding(sigmaMin: 2, sigmaMax: 1) }
    #expect(throws: ProcessError.self) { try LinearVarianceExploding(sigmaMin: -1) }
    #expect(throws: ProcessError.self) { try ElucidatedDiffusion(sigmaMin: 0) }
    #expect(throws: ProcessError.self) { try OrnsteinUhlenbeck(rate: 0) }
    #expect(throws: ProcessError.self) { try OrnsteinUhlenbeck(deviation: .nan) }
    #expect(throws: ProcessError.self) { try OrnsteinUhlenbeck(endTime: .infinity) }
    #expect(throws: ProcessError.self) { try RectifiedFlow(endTime: 1) }
    #expect(throws: ProcessError.self) { try RectifiedFlow(endTime: 0) }
  }
}

import Foundation
import ScoreProcesses
import Testing

/// A process as a user writes it, with a sign that can be broken in each formula.
struct Handmade: LinearProcess {
  enum Flaw: CaseIterable { case drift, diffusion, gain, alpha, sigma, none }
  var flaw = Flaw.none
  let name = "handmade"
  let endTime = 1.0
  var cutoffs = Cutoffs(sampling: 1e-3)
  let priorDeviation = 1.0

  func marginal(at t: Double) -> Marginal {
    let logAlpha = -t - 2 * t * t
    let sigma = (-expm1(2 * logAlpha)).squareRoot()
    return Marginal(
      logAlpha: flaw == .alpha ? -logAlpha : logAlpha, sigma: flaw == .sigma ? -sigma : sigma)
  }

  func rates(at t: Double) -> Rates {
    let beta = 2 + 8 * t
    let gain = beta / (2 * (-expm1(-2 * t - 4 * t * t)).squareRoot())
    return Rates(
      drift: (flaw == .drift ? 1 : -1) * beta / 2,
      squaredDiffusion: flaw == .diffusion ? -beta : beta,
      noiseGain: flaw == .gain ? -gain : gain)
  }
}

/// The check names the formula that is off, where, and both sides of it.
@Suite struct ConsistencyTests {
  static func sentence(_ process: some LinearProcess) -> String {
    do {
      try checkConsistency(of: process)
      return "no error"
    } catch { return error.description }
  }

  @Test func aPlainStructIsAProcess() throws {
    #expect(Self.sentence(Handmade()) == "no error")
    let oracle = try GaussianOracle<Double>(
      process: Handmade(), mean: 0.5, deviation: 0.3, sampleShape: [2])
    try OracleChecks.derivativesAgree(
      oracle, oracle.sample(3, at: .shared(0.4), key: .init(1)), at: 0.4)
  }

  @Test func everySignIsCaught() {
    let drift = Self.sentence(Handmade(flaw: .drift))
    #expect(drift.hasPrefix("the process \"handmade\" breaks α′ = f α at t = 1e-05: f is 1.0000"))
    #expect(drift.contains(", α′/α is -1.0000"))
    #expect(
      Self.sentence(Handmade(flaw: .alpha)).hasPrefix(
        "the process \"handmade\" breaks α′ = f α at t = 1e-05: f is -1.0000"))
    #expect(
      Self.sentence(Handmade(flaw: .diffusion)).hasPrefix(
        "the process \"handmade\" has g² = -2.00008 at t = 1e-05"))
    #expect(
      Self.sentence(Handmade(flaw: .gain)).hasPrefix(
        "the process \"handmade\" breaks g²/(2σ) = σ′ − f σ, its noiseGain, at t = 1e-05: the first is 223."
      ))
    #expect(
      Self.sentence(Handmade(flaw: .sigma)).hasPrefix(
        "the process \"handmade\" has σ = -0.0044"))
  }

  /// A process whose four functions are given one by one.
  struct Pieces: LinearProcess {
    var name = "pieces"
    var endTime = 1.0
    var cutoffs = Cutoffs(sampling: 1e-3)
    var priorDeviation = 1.0
    var logAlpha: @Sendable (Double) -> Double = { -2 * $0 }
    var sigma: @Sendable (Double) -> Double = { (-expm1(-4 * $0)).squareRoot() }
    var drift: @Sendable (Double) -> Double = { _ in -2 }
    var squared: @Sendable (Double) -> Double = { _ in 4 }
    func marginal(at t: Double) -> Marginal { Marginal(logAlpha: logAlpha(t), sigma: sigma(t)) }
    func rates(at t: Double) -> Rates {
      Rates(drift: drift(t), squaredDiffusion: squared(t), noiseGain: squared(t) / (2 * sigma(t)))
    }
  }

  @Test func factorsAreCaughtAsSignsAre() {
    #expect(Self.sentence(Pieces()) == "no error")
    // Half of g², or a part in a thousand.
    for factor in [0.5, 1.001] {
      let found = Self.sentence(Pieces(squared: { _ in 4 * factor }))
      #expect(found.contains("breaks (σ²)′ = 2 f σ² + g² at t = 1e-05: 2 f σ² + g² is"), "\(found)")
    }
    #expect(Self.sentence(Pieces(sigma: { -expm1(-4 * $0) })).contains("(σ²)′ = 2 f σ² + g²"))
    #expect(Self.sentence(Pieces(drift: { _ in -2.001 })).contains("breaks α′ = f α"))
    // A flaw in the middle of the time axis alone.
    #expect(
      Self.sentence(Pieces(drift: { $0 > 0.4 && $0 < 0.6 ? -2.5 : -2 })).contains("at t = 0.41"))
    #expect(
      Self.sentence(Pieces(sigma: { $0 < 0.9 ? $0.squareRoot() * 2 : .nan })).contains("σ = nan"))
    #expect(Self.sentence(Pieces(drift: { $0 > 0.9 ? -.infinity : -2 })).contains("f = -inf"))
    #expect(Self.sentence(Pieces(priorDeviation: 0)).contains("prior deviation 0.0"))
    #expect(
      Self.sentence(Pieces(cutoffs: Cutoffs(sampling: 1e-3, training: 0)))
        .contains("training cutoff 0.0"))
    // A kernel that cannot be differentiated is not waved through.
    #expect(
      Self.sentence(
        Pieces(
          logAlpha: { -2 * $0 + 0.005 * sin(1e12 * $0) })
      ).contains("too rough to differentiate"))
  }

  /// Kernels with kinks, VE's α = 1, and numbers spread over many scales pass.
  @Test func whatIsConsistentPasses() throws {
    let kinked = try CustomProcess(
      name: "kinked", drift: { $0 < 0.5 ? -1 : -4 }, squaredDiffusion: { $0 < 0.25 ? 1 : 9 })
    #expect(Self.sentence(kinked) == "no error")
    #expect(
      Self.sentence(try CustomProcess(name: "edm", alpha: { _ in 1 }, sigma: { $0 }, endTime: 80))
        == "no error")
    #expect(
      Self.sentence(
        try CustomProcess(name: "flow", alpha: { 1 - $0 }, sigma: { $0 }, endTime: 0.999))
        == "no error")
    #expect(
      Self.sentence(
        try CustomProcess(
          name: "late", drift: { _ in 0 }, squaredDiffusion: { $0 < 0.5 ? 0 : 1 },
          initialDeviation: 0.1)) == "no error")
    // Jumps at the very times that are looked at: a chain's first step ends at the cutoff.
    for steps in [25, 40, 200, 1000] {
      #expect(Self.sentence(try DDPMChain.linear(steps: steps)) == "no error")
    }
    #expect(Self.sentence(try DDPMChain.cosine()) == "no error")
  }
}

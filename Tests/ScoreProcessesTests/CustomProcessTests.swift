import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// Processes of one's own, against VP, sub-VP and VE and closed forms.
@Suite struct CustomProcessTests {
  static let times = [1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 1]

  static func relative(_ a: Double, _ b: Double) -> Double {
    a == b ? 0 : abs(a - b) / max(abs(a), abs(b))
  }

  static func agree(
    _ custom: CustomProcess, _ exact: some LinearProcess, tolerance: Double, rates: Double? = nil
  ) {
    for t in times {
      let (a, b) = (custom.marginal(at: t), exact.marginal(at: t))
      #expect(
        abs(a.logAlpha - b.logAlpha) <= tolerance * max(1, abs(b.logAlpha)), "log α at \(t)")
      #expect(relative(a.sigma, b.sigma) <= tolerance, "σ at \(t): \(a.sigma), \(b.sigma)")
      let (p, q) = (custom.rates(at: t), exact.rates(at: t))
      let tolerance = rates ?? tolerance
      #expect(relative(p.drift, q.drift) <= tolerance, "f at \(t)")
      #expect(relative(p.squaredDiffusion, q.squaredDiffusion) <= tolerance, "g² at \(t)")
      #expect(relative(p.noiseGain, q.noiseGain) <= tolerance, "g²/(2σ) at \(t)")
    }
  }

  /// The cosine of 1.55 t: rates by the calculus of school.
  @Test func cosineFromItsKernel() throws {
    let cosine = try CustomProcess(
      name: "cosine", alpha: { cos($0 * 1.55) }, sigma: { sin($0 * 1.55) })
    for t in Self.times {
      let rates = cosine.rates(at: t)
      // f = −k tan(kt); g²/(2σ) = k cos + k tan sin = k / cos.
      #expect(Self.relative(rates.drift, -1.55 * tan(1.55 * t)) < 1e-14)
      #expect(Self.relative(rates.noiseGain, 1.55 / cos(1.55 * t)) < 1e-14)
      #expect(Self.relative(rates.squaredDiffusion, 3.1 * tan(1.55 * t)) < 1e-14)
    }
    #expect(cosine.priorDeviation == sin(1.55) && cosine.endTime == 1)
    #expect(cosine.cutoffs == Cutoffs(sampling: 1e-3, training: 1e-5, likelihood: 1e-5))
    // Here even t = 0 is well defined.
    #expect(cosine.rates(at: 0) == Rates(drift: 0, squaredDiffusion: 0, noiseGain: 1.55))
  }

  /// Noise at a steady rate, σ = √t, is at a hundredth at 10⁻⁴ and at a thousandth at 10⁻⁶; noise of its own at t = 0 stays.
  @Test func cutoffsAreWhereThereIsLittleNoise() throws {
    let brownian = try CustomProcess(
      name: "brownian", drift: { _ in 0 }, squaredDiffusion: { _ in 1 })
    #expect(Self.relative(brownian.cutoffs.sampling, 1e-4) < 2e-3)
    #expect(Self.relative(brownian.cutoffs.likelihood, 1e-6) < 2e-3)
    #expect(brownian.cutoffs.training == brownian.cutoffs.likelihood)
    let noisy = try CustomProcess(
      name: "noisy", drift: { _ in 0 }, squaredDiffusion: { _ in 1 }, initialDeviation: 0.1)
    #expect(noisy.cutoffs == Cutoffs(sampling: 1e-3, training: 1e-5, likelihood: 1e-5))
    let text = "custom:drift=-1,diffusion=sqrt(2),end=5"
    let relaxing = try ProcessSpec.process(text)
    let start = relaxing.marginal(at: relaxing.cutoffs.sampling)
    #expect(abs(start.sigma / start.alpha - 0.01) < 1e-5)
    #expect(ProcessSpec.text(of: relaxing) == text)
  }

  @Test func standardProcessesFromTheirKernels() throws {
    let (low, high) = (0.1, 20.0)
    let logAlpha: @Sendable (Dual) -> Dual = {
      -0.25 * $0 * $0 * (high - low) - 0.5 * $0 * low
    }
    let vp = try CustomProcess(
      name: "my-vp", alpha: { exp(logAlpha($0)) }, sigma: { sqrt(-expm1(2 * logAlpha($0))) })
    Self.agree(vp, try VariancePreserving(), tolerance: 2e-13)
    let subVP = try CustomProcess(
      name: "my-subvp", logAlpha: logAlpha, logSigma: { log(-expm1(2 * logAlpha($0))) })
    Self.agree(subVP, try SubVariancePreserving(), tolerance: 2e-14, rates: 1e-12)
    let ve = try CustomProcess(
      name: "my-ve", logAlpha: { _ in 0 }, logSigma: { log(0.01) + log(5000) * $0 })
    Self.agree(ve, try VarianceExploding(), tolerance: 2e-14)
    #expect(abs(ve.priorDeviation - 50) < 1e-12)
  }

  @Test func standardProcessesFromTheirRates() throws {
    let (vp, subVP, ve) = (
      try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding()
    )
    Self.agree(
      try CustomProcess(
        name: "vp", drift: { -0.5 * vp.beta(at: $0) }, squaredDiffusion: { vp.beta(at: $0) }), vp,
      tolerance: 2e-14)
    Self.agree(
      try CustomProcess(
        name: "subvp", drift: { -0.5 * vp.beta(at: $0) },
        squaredDiffusion: { subVP.rates(at: $0).squaredDiffusion }), subVP, tolerance: 2e-14)
    Self.agree(
      try CustomProcess(
        name: "ve", drift: { _ in 0 }, squaredDiffusion: { ve.rates(at: $0).squaredDiffusion },
        initialDeviation: 0.01), ve, tolerance: 2e-14)
  }

  /// ∫ of powers, whose value near 0 must be relative: σ² = t^(p+1)/(p+1) for g² = t^p.
  @Test(arguments: [-0.75, -0.5, 0, 0.5, 1, 2.5, 6]) func powersOfTime(_ p: Double) throws {
    let process = try CustomProcess(
      name: "power", drift: { _ in 0 }, squaredDiffusion: { pow($0, p) })
    for t in Self.times + [1e-7, 3.3e-6] {
      let expected = (pow(t, p + 1) / (p + 1)).squareRoot()
      #expect(Self.relative(process.marginal(at: t).sigma, expected) < 5e-14, "at \(t)")
    }
  }

  /// The table agrees with the closed form between its nodes too, in every octave, also where f and g² are stiff.
  @Test func everywhereBetweenNodes() throws {
    let process = try CustomProcess(
      name: "stiff", drift: { -40 * (1 + cos(60 * $0)) }, squaredDiffusion: { _ in 3 }, endTime: 2)
    let worst = (1..<4000).reduce(0.0) {
      let t = 2 * Double($1) / 4000
      return max(
        $0, abs(process.marginal(at: t).logAlpha + 40 * t + 40.0 / 60 * sin(60 * t)) / (1 + 40 * t))
    }
    #expect(worst < 1e-14)
    // Ornstein–Uhlenbeck: σ² = g²/(2a) (1 − e^(−2at)).
    let relaxing = try CustomProcess(
      name: "ou", drift: { _ in -8 }, squaredDiffusion: { _ in 3 }, endTime: 5)
    for k in 1..<2000 {
      let t = 5 * pow(0.99, Double(k))
      let expected = (3.0 / 16 * -expm1(-16 * t)).squareRoot()
      #expect(Self.relative(relaxing.marginal(at: t).sigma, expected) < 2e-14)
    }
  }

  /// Jumps in the schedule are found and cost no accuracy.
  @Test func jumpsInTheSchedule() throws {
    let process = try CustomProcess(
      name: "steps", drift: { $0 < 0.37 ? -1 : -3 }, squaredDiffusion: { $0 < 0.61 ? 2 : 5 })
    // σ² solves (σ²)′ = 2 f σ² + g² piece by piece.
    var variance = -expm1(-2 * 0.37)
    variance = variance * exp(-6 * 0.24) + 2.0 / 6 * -expm1(-6 * 0.24)
    variance = variance * exp(-6 * 0.39) + 5.0 / 6 * -expm1(-6 * 0.39)
    let end = process.marginal(at: 1)
    #expect(abs(end.logAlpha + 0.37 + 3 * 0.63) < 1e-13)
    #expect(Self.relative(end.sigma * end.sigma, variance) < 1e-13)
  }

  /// At t = 0 there is no noise, whatever β is and however its integral rounds.
  @Test func nothingIsNoisyAtZero() throws {
    for place in 1...60 {
      let beta = 0.25 * Double(place)
      let constant = try CustomProcess(name: "constant", beta: { _ in beta })
      let rising = try CustomProcess(name: "rising", beta: { 0.1 + beta * $0 })
      for process in [constant, rising] {
        let start = process.marginal(at: 0)
        #expect(start.sigma == 0 && start.sigma.sign == .plus, "\(beta)")
        #expect(abs(start.logAlpha) < 1e-70)
      }
    }
    let chain = try DDPMChain.linear(steps: 10, from: 0.01, to: 0.5)
    #expect(chain.marginal(at: 0).sigma.sign == .plus)
    #expect(chain.rates(at: 0).noiseGain == .infinity)
  }

  /// A kernel that decays by e⁻¹⁰⁰⁰ overflows on long panels, and is the built-in one all the same.
  @Test func longDecaysAreResolved() throws {
    let table = try CustomProcess(
      name: "ou", drift: { _ in -5 }, squaredDiffusion: { _ in 10 }, endTime: 200)
    for t in [1e-3, 1, 60, 130, 200] {
      let found = table.marginal(at: t)
      #expect(Self.relative(found.logAlpha, -5 * t) < 1e-12)
      #expect(Self.relative(found.sigma, (-expm1(-10 * t)).squareRoot()) < 1e-12)
    }
  }

  /// At t = 0 itself the rates have their limits.
  @Test func ratesAtZeroFromRates() throws {
    let process = try CustomProcess(
      name: "edm", drift: { _ in 0 }, squaredDiffusion: { 2 * $0 }, endTime: 80)
    #expect(abs(process.rates(at: 0).noiseGain - 1) < 1e-12)
    #expect(process.marginal(at: 0).sigma == 0)
    #expect(Self.relative(process.marginal(at: 80).sigma, 80) < 1e-14)
    #expect(
      process.priorDeviation == process.marginal(at: 80).sigma
        && Self.relative(process.cutoffs.sampling, 0.01) < 2e-3)
  }

  @Test func bothWaysAtOnce() throws {
    let both = try CustomProcess(
      name: "both", alpha: { exp(-2 * $0) }, sigma: { sqrt(-expm1(-4 * $0)) }, drift: { _ in -2 },
      squaredDiffusion: { _ in 4 }, priorDeviation: 1)
    #expect(both.rates(at: 0.3).drift == -2 && both.rates(at: 0.3).squaredDiffusion == 4)
    #expect(both.priorDeviation == 1)
    #expect(throws: ProcessError.self) {
      try CustomProcess(
        name: "both", alpha: { exp(-2 * $0) }, sigma: { sqrt(-expm1(-4 * $0)) },
        drift: { _ in 2 }, squaredDiffusion: { _ in 4 })
    }
    #expect(throws: ProcessError.self) {
      try CustomProcess(
        name: "both", alpha: { exp(-2 * $0) }, sigma: { sqrt(-expm1(-4 * $0)) },
        drift: { _ in -2 }, squaredDiffusion: { _ in 3.9 })
    }
  }

  /// An exact field takes a custom process as it takes any other.
  @Test func oraclesTakeCustomProcesses() throws {
    let cosine = try CustomProcess(
      name: "cosine", alpha: { cos($0 * 1.55) }, sigma: { sin($0 * 1.55) })
    let oracle = try MixtureOracle<Double>(process: cosine, parameters: Mixtures.plane)
    try OracleChecks.derivativesAgree(
      oracle, oracle.sample(4, at: .shared(0.3), key: RandomKey(1)), at: 0.3)
  }

  @Test func refusesWhatIsNoProcess() {
    func sentence(_ body: () throws(ProcessError) -> CustomProcess) -> String {
      do {
        _ = try body()
        return "no error"
      } catch { return error.description }
    }
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(name: "p", alpha: { _ in 1 }, sigma: { $0 - 0.5 })
      }
        == "the process \"p\" has σ = -0.49999 at t = 1e-05; expected a finite number above 0")
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(name: "p", alpha: { _ in 1 }, sigma: { 2 - $0 })
      }.hasSuffix(
        "expected a finite number of at least 0: the signal-to-noise ratio α/σ must not grow"))
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(name: "p", alpha: { 0.5 - $0 }, sigma: { $0 })
      }.hasPrefix("the process \"p\" has log α = "))
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(name: "p", alpha: { _ in 1 }, sigma: { $0 }, endTime: 0)
      } == "the process \"p\" has the end time 0.0; expected a finite number above 0")
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(
          name: "p", alpha: { _ in 1 }, sigma: { $0 }, cutoffs: Cutoffs(sampling: 1))
      } == "the process \"p\" has the sampling cutoff 1.0; expected one between 0 and T = 1.0")
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(name: "p", alpha: { _ in 1 }, sigma: { $0 }, priorDeviation: -1)
      } == "the process \"p\" has the prior deviation -1.0; expected a finite number above 0")
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(name: "p", drift: { _ in .nan }, squaredDiffusion: { _ in 1 })
      }.hasPrefix("the process \"p\" has f = nan at t = "))
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(name: "p", drift: { _ in 0 }, squaredDiffusion: { 0.5 - $0 })
      }.hasPrefix("the process \"p\" has g² = -0."))
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(
          name: "p", drift: { _ in 0 },
          squaredDiffusion: { 2 + sin(1e9 * $0 * ($0 + 0.1)) })
      }.contains("too rough to integrate near t = "))
    #expect(
      sentence { () throws(ProcessError) in
        try CustomProcess(
          name: "p", drift: { _ in 0 }, squaredDiffusion: { _ in 1 }, initialDeviation: -1)
      }.contains("the initial deviation -1.0"))
  }

  /// A prior narrower than the noise at T fits no data; a wider one, and an α(T) that is not small, fit some.
  @Test func priorsThatFitNoDataAreRefused() throws {
    func make(_ deviation: Double, _ alpha: Double = 5) throws -> CustomProcess {
      try CustomProcess(
        name: "p", alpha: { exp(-alpha * $0) }, sigma: { sqrt(-expm1(-2 * alpha * $0)) },
        priorDeviation: deviation)
    }
    let error = #expect(throws: ProcessError.self) { try make(0.5) }
    #expect(
      error?.description.hasPrefix(
        "the process \"p\" has the prior deviation 0.5, less than σ = 0.99")
        == true)
    for deviation in [0.995, 1, 2] { #expect(try make(deviation).priorDeviation == deviation) }
    #expect(try make(1, 0.1).priorDeviation == 1)
  }

  @Test(arguments: [-0.5, 0, .nan, .infinity]) func factorsThatAreNotPositiveAreRefused(
    _ last: Double
  ) {
    let error = #expect(throws: ProcessError.self) {
      try CustomProcess(
        name: "p", alpha: { $0.value < 1 ? 1 - 0.5 * $0 : Dual(last) }, sigma: { $0 })
    }
    let expected = "at t = 1.0; expected a finite number: α is above 0"
    // Where α is 0 at the end alone an earlier end mends it.
    let remedy = last == 0 ? "; an earlier end time, such as end=0.999, stops where it is" : ""
    #expect(error?.description.hasSuffix(expected + remedy) == true)
  }

  /// Drifts so stiff that a time's rounding shows in ∫f are integrated all the same.
  @Test func stiffDrifts() throws {
    let process = try CustomProcess(
      name: "stiff", drift: { _ in -250 }, squaredDiffusion: { _ in 500 }, priorDeviation: 1)
    for t in [1e-4, 0.01, 0.5, 1] {
      #expect(Self.relative(process.marginal(at: t).sigma, (-expm1(-500 * t)).squareRoot()) < 1e-14)
    }
    let pole = try CustomProcess(
      name: "pole", drift: { -20 / (1.02 - $0) }, squaredDiffusion: { 40 / (1.02 - $0) })
    #expect(Self.relative(pole.marginal(at: 0.9).logAlpha, 20 * log(0.12 / 1.02)) < 1e-13)
  }

  /// A g² that is all at t = 0 is refused, as its integral is not to be had.
  @Test(arguments: [-0.9, -0.99]) func singularDiffusions(_ p: Double) {
    #expect(throws: ProcessError.self) {
      try CustomProcess(name: "singular", drift: { _ in 0 }, squaredDiffusion: { pow($0, p) })
    }
    #expect(throws: ProcessError.self) {
      try CustomProcess(name: "f", drift: { -0.1 * pow($0, p) }, squaredDiffusion: { _ in 1 })
    }
    // What dies away before the cutoff is no less to be had for that.
    #expect(throws: Never.self) {
      try CustomProcess(
        name: "early", drift: { _ in 0 }, squaredDiffusion: { pow($0, -0.75) * exp(-1e3 * $0) })
    }
  }

  /// f, g² and β are called at t > 0 only, for rates at 0 too.
  @Test func ratesAreNeverAskedForAtZero() throws {
    let rates = try CustomProcess(
      name: "rates", drift: { $0 > 0 ? -1 : .nan }, squaredDiffusion: { $0 > 0 ? 2 : .nan })
    let beta = try CustomProcess(name: "beta", beta: { $0 > 0 ? 1 / $0.squareRoot() : .nan })
    for process in [rates, beta] {
      let found = process.rates(at: 0)
      #expect(found.drift.isFinite && found.squaredDiffusion > 0 && found.noiseGain > 0)
    }
  }

  @Test func dataHaveTheirOwnScaleAtTheStart() {
    #expect(throws: ProcessError.self) {
      try CustomProcess(
        name: "twice", alpha: { 2 * exp(-5 * $0) }, sigma: { sqrt(-expm1(-10 * $0)) },
        drift: { _ in -5 }, squaredDiffusion: { _ in 10 })
    }
  }
}

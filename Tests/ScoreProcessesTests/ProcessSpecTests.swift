import ScoreProcesses
import Testing

/// Processes as text, both ways.
@Suite struct ProcessSpecTests {
  @Test(arguments: [
    ("vp", "vp:beta-min=0.1,beta-max=20"),
    ("vp:beta-max=10,beta-min=0.5", "vp:beta-min=0.5,beta-max=10"),
    ("subvp:beta-max=30.5", "subvp:beta-min=0.1,beta-max=30.5"),
    ("ve:sigma-max=1e3", "ve:sigma-min=0.01,sigma-max=1000"),
    ("cosine", "cosine:offset=0.008,end=0.9946"),
    ("ve-linear:sigma-min=0", "ve-linear:sigma-min=0,sigma-max=50"),
    ("edm:sigma-max=100", "edm:sigma-min=0.002,sigma-max=100"),
    ("ddpm", "ddpm:steps=1000,beta-start=0.0001,beta-end=0.02,power=1"),
    (
      "ddpm:steps=50,power=2,training-epsilon=0.1",
      "ddpm:steps=50,beta-start=0.0001,beta-end=0.02,power=2,training-epsilon=0.1"
    ),
    ("ddpm-cosine:steps=99", "ddpm-cosine:steps=99,offset=0.008,clip=0.999"),
    ("ou:theta=2,end=3", "ou:theta=2,std=1,end=3"), ("flow", "flow:end=0.995"),
    (
      "vp:sampling-epsilon=1e-4,training-epsilon=1e-5",
      "vp:beta-min=0.1,beta-max=20,sampling-epsilon=0.0001"
    ),
    ("edm:likelihood-epsilon=1e-3", "edm:sigma-min=0.002,sigma-max=80,likelihood-epsilon=0.001"),
    (
      "custom: alpha = cos( 1.55 * t ), sigma=sin(1.55*t)",
      "custom:alpha=cos(1.55*t),sigma=sin(1.55*t)"
    ),
    (
      "custom:drift=0.0,diffusion=2.50,initial-deviation=1e-2,end=3.0,sampling-epsilon=1e-4",
      "custom:drift=0,diffusion=2.5,initial-deviation=0.01,end=3,sampling-epsilon=0.0001"
    ),
  ])
  func writesTheCanonicalText(_ text: String, _ canonical: String) throws {
    let process = try ProcessSpec.process(text)
    #expect(ProcessSpec.text(of: process) == canonical)
    let again = try ProcessSpec.process(canonical)
    #expect(again.name == process.name && again.marginal(at: 0.3) == process.marginal(at: 0.3))
    #expect(again.cutoffs == process.cutoffs && again.endTime == process.endTime)
    #expect(ProcessSpec.names.contains(process.name))
  }

  @Test func everyNameIsAProcess() throws {
    for name in ProcessSpec.standardNames {
      let process = try ProcessSpec.process(name)
      #expect(process.name == name)
      try checkConsistency(of: process)
    }
    // Formulas that do not go together are told apart.
    let mixed = "custom:alpha=exp(-t),sigma=sqrt(-expm1(-2*t)),drift=-2,diffusion=sqrt(2)"
    #expect { try ProcessSpec.process(mixed) } throws: { "\($0)".contains("breaks α′ = f α") }
    // β_i of one's own have no text, and no such name.
    let own = try DDPMChain(betas: [0.1, 0.2])
    #expect(!ProcessSpec.isBuiltIn(own) && ProcessSpec.text(of: own) == "ddpm")
    var moved = try RectifiedFlow()
    moved.cutoffs = Cutoffs(sampling: 0.01, training: 0.02, likelihood: 0.03)
    let again = try ProcessSpec.process(ProcessSpec.text(of: moved))
    #expect(again.cutoffs == moved.cutoffs)
  }

  /// Formulas make the processes that they are those of, rates included.
  @Test(arguments: [
    ("custom:beta=0.1 + 19.9*t", "vp"),
    ("custom:log-alpha=-0.05*t - 4.975*t^2,log-sigma=log(-expm1(-0.1*t - 9.95*t^2))", "subvp"),
    ("custom:alpha=1,sigma=0.01*5000^t", "ve"),
    ("custom:drift=-5,diffusion=sqrt(10)", "ou"),
    ("custom:alpha=exp(-5*t),sigma=sqrt(-expm1(-10*t)),drift=-5,diffusion=sqrt(10)", "ou"),
    ("custom:drift=0,diffusion=sqrt(2*t),end=80,prior=80", "edm"),
    ("custom:alpha=1,sigma=0.01+49.99*t", "ve-linear"),
    ("custom:alpha=1-t,sigma=t,end=0.995", "flow"),
    ("custom:drift=0,diffusion=sqrt(2*(0.01+49.99*t)*49.99),initial-deviation=0.01", "ve-linear"),
  ])
  func formulasAreProcesses(_ text: String, _ name: String) throws {
    let (found, expected) = (try ProcessSpec.process(text), try ProcessSpec.process(name))
    #expect(found.name == "custom" && found.endTime == expected.endTime)
    #expect(abs(found.priorDeviation / expected.priorDeviation - 1) < 1e-3)
    for share in [1e-5, 1e-3, 0.1, 0.5, 0.9, 1] {
      let t = share * found.endTime
      let (a, b) = (found.marginal(at: t), expected.marginal(at: t))
      #expect(abs(a.logAlpha - b.logAlpha) <= 1e-11 * max(1e-5, abs(b.logAlpha)), "log α at \(t)")
      #expect(abs(a.sigma / b.sigma - 1) <= 1e-10, "σ at \(t): \(a.sigma), \(b.sigma)")
      let (p, q) = (found.rates(at: t), expected.rates(at: t))
      #expect(abs(p.drift - q.drift) <= 1e-9 * max(1, abs(q.drift)), "f at \(t)")
      #expect(abs(p.squaredDiffusion / q.squaredDiffusion - 1) <= 1e-8, "g² at \(t)")
      #expect(abs(p.noiseGain / q.noiseGain - 1) <= 1e-8, "g²/(2σ) at \(t)")
    }
  }

  @Test(arguments: [
    (
      "vpp",
      "there is no SDE \"vpp\" (did you mean vp?); known are vp, subvp, cosine, ve, ve-linear, edm, ou, flow, ddpm, ddpm-cosine, custom"
    ),
    (
      "ddpm:clip=1",
      "the SDE ddpm has no parameter \"clip\"; known are steps, beta-start, beta-end, power, sampling-epsilon, training-epsilon, likelihood-epsilon"
    ),
    ("ddpm:power=0", "the DDPM chain has power 0.0; expected a finite number above 0"),
    ("ddpm:steps=1", "the SDE ddpm has steps=1; expected a whole number from 2 to 10000000"),
    (
      "ddpm-cosine:clip=1",
      "the cosine chain has offset 0.008 and clip 1.0; expected an offset of at least 0, finite, and 0 < clip < 1"
    ),
    (
      "vp:beta=1",
      "the SDE vp has no parameter \"beta\"; known are beta-min, beta-max, sampling-epsilon, training-epsilon, likelihood-epsilon"
    ),
    (
      "flow:training-epsilon=1",
      "the SDE flow has training-epsilon=1; expected a number above 0 and below the end, 0.995"
    ),
    (
      "custom:alpha=cos(t)",
      "the SDE custom has alpha; expected alpha and sigma, log-alpha and log-sigma, drift and diffusion, or beta, each a formula of t, with prior beside all but beta, and initial-deviation beside drift and diffusion"
    ),
    (
      "custom:end=2",
      "the SDE custom has no formulas; expected alpha and sigma, log-alpha and log-sigma, drift and diffusion, or beta, each a formula of t, with prior beside all but beta, and initial-deviation beside drift and diffusion"
    ),
    (
      "custom:beta=0.1+20t",
      "the SDE custom has beta=0.1+20t; expected a formula of t, such as 0.1 + 19.9*t^2; \"t\" is its character 7, where an operator or the end is expected"
    ),
    (
      "custom:alpha=1-t,sigma=t",
      "the process \"custom\" has log α = -inf at t = 1.0; expected a finite number: α is above 0; an earlier end time, such as end=0.999, stops where it is"
    ),
    ("vp:beta-max=x", "the SDE vp has beta-max=x; expected a number that is finite"),
    (
      "subvp:beta-min=3,beta-max=2",
      "the sub-VP process has beta-min 3.0 and beta-max 2.0; expected 0 <= beta-min <= beta-max, finite, and beta-max > 0"
    ),
    (
      "ve:sigma-min=50",
      "the VE process has sigma-min 50.0 and sigma-max 50.0; expected 0 < sigma-min < sigma-max, finite"
    ),
  ])
  func saysWhatIsWrong(_ text: String, _ sentence: String) {
    do {
      _ = try ProcessSpec.process(text)
      Issue.record("\(text) was read")
    } catch { #expect("\(error)" == sentence) }
  }
}

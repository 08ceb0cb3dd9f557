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
    for name in ProcessSpec.names {
      let process = try ProcessSpec.process(name)
      #expect(process.name == name)
      try checkConsistency(of: process)
    }
    // β_i of one's own have no text, and no such name.
    let own = try DDPMChain(betas: [0.1, 0.2])
    #expect(!ProcessSpec.isBuiltIn(own) && ProcessSpec.text(of: own) == "ddpm")
    var moved = try RectifiedFlow()
    moved.cutoffs = Cutoffs(sampling: 0.01, training: 0.02, likelihood: 0.03)
    let again = try ProcessSpec.process(ProcessSpec.text(of: moved))
    #expect(again.cutoffs == moved.cutoffs)
  }

  @Test(arguments: [
    (
      "vpp",
      "there is no SDE \"vpp\" (did you mean vp?); known are vp, subvp, cosine, ve, ve-linear, edm, ou, flow, ddpm, ddpm-cosine"
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

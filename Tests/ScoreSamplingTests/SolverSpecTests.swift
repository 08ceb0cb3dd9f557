import ScoreProcesses
import ScoreSampling
import Testing

@Suite struct SolverSpecTests {
  @Test(arguments: [
    "euler-maruyama", "euler-maruyama:stochasticity=0.5", "reverse-diffusion", "ancestral",
    "ancestral:variance=forward", "ddim",
    "ddim:eta=0.5", "ode:method=heun", "ode:method=rk4,variable=noise",
    "ode:method=dopri5,rtol=1e-06,atol=1e-07",
    "ode:method=dopri5,rtol=1e-05,atol=1e-05,max-evaluations=500",
    "pc:predictor=reverse-diffusion,corrector=langevin,snr=0.16,corrector-steps=1",
    "pc:predictor=ancestral,corrector=ald,snr=0.1,corrector-steps=2,variance=forward",
    "pc:predictor=none,corrector=none", "euler-maruyama:grid=reference",
    "ode:method=heun,grid=karras,rho=5,denoise=tweedie",
    "pc:predictor=none,corrector=langevin,snr=0.3,corrector-steps=1,shrinkage=0,grid=log-snr",
    "stochastic-heun", "sra1", "dpm-solver:order=1", "dpm-solver:order=2,r1=0.4",
    "dpm-solver:order=3,r1=0.25,r2=0.75", "dpm-solver++:method=2m", "dpm-solver++:method=3m",
    "dpm-solver++:method=2s,r1=0.3", "dpm-solver++:method=3s", "sde-dpm-solver++:order=1",
    "deis:order=2", "deis:order=3,variable=log-snr", "unipc:order=2",
    "unipc:order=3,b=bh1,prediction=noise", "edm", "edm:churn=40,min=0.05,max=50,noise=1.003",
    "ode:method=tsit5,rtol=1e-05,atol=1e-05", "ode:method=dop853,adaptive=false,variable=noise",
    "ddim:grid=quadratic",
    "pc:predictor=heun,corrector=langevin,snr=0.16,corrector-steps=1,variable=noise",
    "pc:predictor=euler,corrector=none,variable=time",
  ])
  func textReadsBackAsItself(_ text: String) throws {
    #expect(try SolverSpec(text).spec.description == text)
  }

  @Test func shortNamesMeanTheLongOnes() throws {
    #expect(try SolverSpec("heun").spec.description == "ode:method=heun,variable=noise")
    #expect(try SolverSpec("euler").spec.description == "ode:method=euler")
    #expect(
      try SolverSpec("ode").spec.description == "ode:method=dopri5,rtol=1e-05,atol=1e-05")
    #expect(
      try SolverSpec("pc").spec.description
        == "pc:predictor=reverse-diffusion,corrector=langevin,snr=0.16,corrector-steps=1")
    for name in SolverSpec.names { _ = try SolverSpec(name) }
  }

  @Test func solversDeclareWhatTheyAre() throws {
    func facts(_ text: String) throws -> String {
      let solver = try SolverSpec(text).solver
      return "\(solver.order) \(solver.usesNoise) \(solver.evaluationsPerStep)"
    }
    #expect(try facts("euler-maruyama") == "1 true 1")
    #expect(try facts("ddim") == "1 false 1")
    #expect(try facts("ddim:eta=1") == "1 true 1")
    #expect(try facts("rk4") == "4 false 4")
    #expect(try facts("ode:method=dopri5") == "5 false 6")
    #expect(try facts("pc:predictor=heun,corrector-steps=2") == "0 true 4")
    #expect(try facts("pc:predictor=heun,corrector=none") == "2 false 2")
    #expect(try facts("pc:predictor=none,corrector=none") == "0 false 0")
    #expect(try facts("ode:method=dop853") == "8 false 12")
    #expect(try facts("ode:method=bosh3") == "3 false 3")
    #expect(try facts("dpm-solver:order=3") == "3 false 3")
    #expect(try facts("dpm-solver:order=3,r1=0.3,r2=0.7") == "2 false 3")
    #expect(try facts("unipc:order=1") == "2 false 1")
    #expect(try facts("sra1") == "2 true 2")
    #expect(try facts("edm:churn=1") == "2 true 2")
  }

  @Test(arguments: [
    ("rk5", "known are euler-maruyama"), ("pc:predictor=ode", "one of euler-maruyama"),
    ("pc:corrector=hmc", "langevin, ald, none"), ("pc:snr=0", "positive"),
    ("pc:snr=x", "snr=x"), ("pc:corrector-steps=0", "1 to 10000"), ("ddim:eta=2", "0 to 1"),
    ("ode:rtol=0", "rtol"), ("ode:atol=-1", "atol"), ("ode:method=rk9", "dopri5"),
    ("heun:rtol=1e-3", "rtol"), ("euler-maruyama:steps=3", "known are stochasticity, grid"),
    ("ancestral:variance=big", "posterior, forward"), ("heun:grid=even", "uniform"),
    ("heun:rho=3", "karras"), ("heun:grid=karras,rho=0", "rho"), ("ddim:grid=reference", "grid"),
    ("fitted:grid=uniform", "none: the solver finds its own"),
    ("pc:predictor=heun,grid=reference", "grid"), ("heun:denoise=yes", "tweedie"),
    ("pc:corrector=ald,shrinkage=1", "shrinkage"), ("pc:corrector=none,snr=0.1", "snr"),
    ("dpm-solver:order=4", "1, 2 or 3"),
    ("dpm-solver:order=2,r2=0.5", "r2"), ("dpm-solver:order=3,r1=0.9,r2=0.5", "r1 < r2"),
    ("dpm-solver++:method=4m", "2m, 3m"), ("dpm-solver++:method=2m,r1=0.5", "r1"),
    ("sde-dpm-solver++:order=3", "1 or 2"), ("deis:order=0", "1, 2 or 3"),
    ("unipc:b=bh3", "bh1, bh2"),
    ("edm:churn=-1", "0 or more"), ("edm:min=3,max=1", "min <= max"),
    ("ode:method=dopri5,variable=noise", "variable"),
    ("ode:method=dopri5,adaptive=false,rtol=1", "rtol"),
    ("ode:method=heun,adaptive=false", "adaptive"),
  ])
  func wrongTextIsRefusedInOneSentence(_ text: String, _ part: String) {
    do {
      _ = try SolverSpec(text)
      Issue.record("\(text) was read")
    } catch {
      let sentence = "\(error)"
      #expect(sentence.contains(part), "\(sentence)")
      #expect(!sentence.contains("\n"))
    }
  }
}

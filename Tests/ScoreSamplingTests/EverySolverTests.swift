import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Every solver on every process: its moments on Gaussian data, exact where it is affine, at a stated number of steps.
@Suite struct EverySolverTests {
  /// The solvers, their steps, and how far mean and deviation may be off from those of the flow's or SDE's exact end.
  static let cases: [(spec: String, steps: Int, tolerance: Double)] = [
    ("euler-maruyama", 400, 0.02), ("reverse-diffusion", 400, 0.02), ("ancestral", 400, 0.02),
    ("stochastic-heun", 200, 0.01), ("sra1", 200, 0.01), ("ddim", 200, 0.01),
    ("ddim:eta=1", 200, 0.012), ("euler", 400, 0.02), ("heun", 60, 0.003), ("midpoint", 60, 0.003),
    ("rk4", 20, 0.003), ("dpm-solver:order=1", 200, 0.01), ("dpm-solver:order=2", 40, 0.003),
    ("dpm-solver:order=3", 20, 0.003), ("dpm-solver++:method=2m", 40, 0.003),
    ("dpm-solver++:method=3m", 40, 0.003), ("dpm-solver++:method=2s", 40, 0.003),
    ("dpm-solver++:method=3s", 20, 0.003), ("sde-dpm-solver++:order=1", 200, 0.012),
    ("sde-dpm-solver++:order=2", 60, 0.006), ("deis:order=1", 200, 0.01),
    ("deis:order=2", 40, 0.008), ("deis:order=3", 40, 0.005),
    ("deis:order=3,variable=noise", 40, 0.005), ("deis:order=3,variable=log-snr", 40, 0.003),
    ("unipc:order=1", 40, 0.008), ("unipc:order=2", 40, 0.003), ("unipc:order=3", 40, 0.003),
    ("unipc:order=3,prediction=noise", 40, 0.003), ("edm", 60, 0.003), ("edm:churn=20", 60, 0.008),
    ("ode:method=bosh3,adaptive=false,variable=noise", 30, 0.003),
    ("ode:method=dopri5,adaptive=false,variable=noise", 12, 0.003),
    ("ode:method=tsit5,adaptive=false,variable=noise", 12, 0.003),
    ("ode:method=dop853,adaptive=false,variable=noise", 8, 0.003),
    ("pc:corrector=none", 400, 0.02), ("pc:corrector=ald,snr=0.1", 300, 0.02),
    ("fitted:pilot=64,sweeps=0", 10, 0.003), ("unipc:grid=optimized", 10, 0.01),
  ]

  static let everyProcess: [any LinearProcess] = {
    do {
      return processes + [
        try ProcessSpec.process("cosine"), try ProcessSpec.process("ou"),
        try ProcessSpec.process("flow"), try ProcessSpec.process("edm"),
      ]
    } catch {
      preconditionFailure("the standard processes are refused: \(error)")
    }
  }()

  @Test(arguments: cases.indices, everyProcess.indices)
  func reachesTheDistribution(_ index: Int, _ place: Int) throws {
    let (name, steps, tolerance) = Self.cases[index]
    let process = Self.everyProcess[place]
    var text = name
    // Steps even in log(σ/α) suit all of these; those in t keep their own grid.
    if !text.hasPrefix("fitted"), !text.contains("grid="), !text.hasPrefix("pc"), text != "euler",
      !["euler-maruyama", "reverse-diffusion", "stochastic-heun", "sra1"].contains(text)
    {
      text += (text.contains(":") ? "," : ":") + "grid=log-snr"
    } else if process.name != "ve", !text.contains("grid="), !text.hasPrefix("fitted") {
      text += (text.contains(":") ? "," : ":") + "grid=quadratic"
    }
    let field = GaussianField<Double>(process: process, mean: 0.5, deviation: 0.3)
    let sampler = try Sampler(
      field, SolverSpec(text), steps: steps, epsilon: 1e-3 * process.endTime)
    var plain = sampler
    plain.denoising = .none
    let moments = try plain.affineMoments()
    let end = process.marginal(at: 1e-3 * process.endTime)
    let (mean, deviation) = (
      end.alpha * 0.5, (pow(end.alpha * 0.3, 2) + end.sigma * end.sigma).squareRoot()
    )
    let found = moments.covariance[0][0].squareRoot()
    // The prior is not quite p_T: its mean is 0.
    #expect(
      abs(moments.mean[0] - mean) < tolerance + 0.004,
      "\(text) on \(process.name), \(steps) steps: mean \(moments.mean[0]), not \(mean)")
    #expect(
      abs(found - deviation) < tolerance,
      "\(text) on \(process.name), \(steps) steps: deviation \(found), not \(deviation)")
  }

  @Test func everyNameIsHere() throws {
    let names = Set(Self.cases.map { String($0.spec.prefix { $0 != ":" }) })
    // Langevin's and the adaptive solvers are not affine; they have tests of their own.
    #expect(names.union(["ode", "adaptive-sde"]) == Set(SolverSpec.names).union(["ode"]))
  }
}

import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Processes that go on long after the data are lost: betas of a thousand steps over many thousands, and one's own.
@Suite struct NoiseAloneTests {
  /// log α(T) of −50, −100 and −1000, and of −500 and −800, where α is no number of either type.
  private static let processes: [any LinearProcess] = {
    do {
      return try [10_000, 20_000, 200_000].map { try DDPMChain.linear(steps: $0) } + [
        CustomProcess(name: "own", beta: { 2000 * $0 }),
        CustomProcess(
          name: "log", logAlpha: { -800 * $0 }, logSigma: { 0.5 * log(-expm1(-1600 * $0)) },
          cutoffs: Cutoffs(sampling: 1e-5, training: 1e-6, likelihood: 1e-6)),
      ]
    } catch {
      Issue.record(error)
      return []
    }
  }()

  @Test func gridsStartWhereTheDataAreLost() throws {
    for process in Self.processes {
      let start = process.solveStart
      #expect(start < process.endTime)
      let kernel = process.marginal(at: start)
      #expect(abs(exp(kernel.halfLogSNR) / Double(Float.ulpOfOne) - 1) < 1e-9, "\(process.name)")
      for schedule in [GridSchedule.uniform, .quadratic, .logSNR, .karras(rho: 7)] {
        #expect(try schedule.grid(for: process, steps: 10).start == start)
        #expect(try schedule.grid(for: process, steps: 10, from: 1).start == 1)
      }
    }
    let chain = try DDPMChain.linear(steps: 20_000)
    // A grid that is to end before that is from T.
    #expect(try GridSchedule.uniform.grid(for: chain, steps: 10, to: 0.5).start == 1)
    #expect(try GridSchedule.reference.grid(for: chain, steps: 10).start == 1)
    // Those that end at the data's size, and those whose noise goes on growing, start at T.
    let usual: [any LinearProcess] = [
      try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding(),
      try VarianceExploding(sigmaMin: 0.01, sigmaMax: 1e9), try ElucidatedDiffusion(),
      try CosineVariancePreserving(), try RectifiedFlow(), try OrnsteinUhlenbeck(),
      try DDPMChain.linear(), try DDPMChain.cosine(),
    ]
    for process in usual { #expect(process.solveStart == process.endTime, "\(process.name)") }
  }

  /// In single precision solvers of the flow give N(½, 0.3²), at 4000 samples within six standard errors and their own error.
  @Test(arguments: ["ddim", "dpm-solver", "dpm-solver++", "unipc", "deis:order=3", "ode", "heun"])
  func solversGiveTheData(_ name: String) throws {
    for process in Self.processes {
      let field = try GaussianOracle<Float>(
        process: process, mean: 0.5, deviation: 0.3, sampleShape: [1])
      let result = try Sampler(field, SolverSpec(name), steps: 400).sample(4000, key: RandomKey(1))
      let numbers = result.samples.scalars.map { Double($0) }
      let mean = numbers.reduce(0, +) / 4000
      let square = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
      #expect(abs(mean - 0.5) < 0.03, "\(process.name): \(mean)")
      #expect(abs(square.squareRoot() - 0.3) < 0.025, "\(process.name): \(square.squareRoot())")
    }
  }

  /// From T itself, where α is no number of Float, x̂₀ stays one.
  @Test(arguments: ["dpm-solver++", "unipc", "dpm-solver++:method=2s"])
  func dataPredictionsAreFiniteFromTheEnd(_ name: String) throws {
    let process = try DDPMChain.linear(steps: 20_000)
    let field = try GaussianOracle<Float>(
      process: process, mean: 0.5, deviation: 0.3, sampleShape: [1])
    let result = try Sampler(field, SolverSpec(name), steps: 200, from: 1).sample(
      1000, key: RandomKey(1))
    let numbers = result.samples.scalars.map { Double($0) }
    #expect(abs(numbers.reduce(0, +) / 1000 - 0.5) < 0.06)
    #expect(numbers.allSatisfy { abs($0 - 0.5) < 2 })
  }
}

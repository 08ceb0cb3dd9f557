import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Measured orders of convergence, by the slope of log error against log step.
@Suite struct ConvergenceTests {
  private func slope(_ errors: [Double]) -> Double {
    // Step counts double from one error to the next.
    log2(errors[errors.count - 2] / errors[errors.count - 1])
  }

  @Test(
    arguments: RungeKuttaTableau.all.map(\.name), [FlowRungeKutta.Variable.time, .noise])
  func flowSolversHaveTheirOrder(_ name: String, _ variable: FlowRungeKutta.Variable) throws {
    let method = try #require(RungeKuttaTableau.all.first { $0.name == name })
    for process in processes {
      // Not a Gaussian field: on those the midpoint rule in σ/α is of order 3 by luck.
      let field = BentField<Double>(process: process, sampleShape: [1])
      let x = Tensor<Double>([1, 1], [0.2])
      let fine = try AdaptiveFlow(rtol: 1e-13, atol: 1e-13)
      let ends = try TimeGrid.uniform(from: 0.8, to: 0.4, steps: 1)
      let exact = try Sampler(field, solver: fine, grid: ends)
        .sample(from: x, key: RandomKey(0)).samples[0, 0]
      let solver = FlowRungeKutta(method, variable: variable)
      let errors = try [64, 128, 256].map { steps in
        let grid = try TimeGrid.uniform(from: 0.8, to: 0.4, steps: steps)
        let result = try Sampler(field, solver: solver, grid: grid)
          .sample(from: x, key: RandomKey(0))
        #expect(result.maxEvaluations == steps * solver.evaluationsPerStep)
        return abs(result.samples[0, 0] - exact)
      }
      let measured = slope(errors)
      print("\(solver.spec) on \(process.name): order", (measured * 100).rounded() / 100)
      #expect(
        abs(measured - Double(solver.order)) < 0.2,
        "\(solver.spec) on \(process.name): order \(measured), errors \(errors)")
    }
  }

  @Test(arguments: ["euler-maruyama", "reverse-diffusion", "ancestral", "ddim:eta=1"])
  func stochasticSolversHaveWeakOrderOne(_ name: String) throws {
    for process in processes.dropLast() {
      let field = GaussianField<Double>(process: process, mean: 0.5, deviation: 0.1)
      let marginal = process.marginal(at: 0.2)
      let variance = pow(marginal.alpha * 0.1, 2) + marginal.sigma * marginal.sigma
      let errors = try [100, 200, 400].map { steps in
        let grid = try TimeGrid.uniform(from: 0.6, to: 0.2, steps: steps)
        let moments = try Sampler(
          field, solver: SolverSpec(name).solver, grid: grid, denoising: .none
        ).affineMoments()
        return moments.covariance[0][0] / variance - 1
      }
      // Richardson's difference removes the part that the prior's mismatch at T puts in, which no step reduces.
      let measured = log2(abs((errors[0] - errors[1]) / (errors[1] - errors[2])))
      print("\(name) on \(process.name): weak order", (measured * 100).rounded() / 100)
      #expect(abs(measured - 1) < 0.2, "\(name) on \(process.name): \(errors)")
    }
  }

  @Test func dormandPrinceHasOrderFiveInTheTolerance() throws {
    // Error per tolerance stays bounded while evaluations grow like tolerance^(−1/5).
    let process = try VariancePreserving()
    let field = GaussianField<Double>(process: process)
    let exact = field.flow(0.9, from: 1, to: 1e-3)
    var evaluations: [Double] = []
    for tolerance in [1e-5, 1e-7, 1e-9, 1e-11] {
      let solver = try AdaptiveFlow(rtol: tolerance, atol: tolerance)
      let result = try Sampler(field, solver: solver, steps: 1, epsilon: 1e-3)
        .sample(from: Tensor([1, 1], [0.9]), key: RandomKey(0))
      #expect(abs(result.samples[0, 0] - exact) < 30 * tolerance)
      evaluations.append(Double(result.maxEvaluations))
    }
    let growth = evaluations[3] / evaluations[2]
    #expect(growth > 1.8 && growth < 3.2, "\(evaluations)")  // 100^(1/5) = 2.51
  }

  @Test func heunTakesOneEvaluationWhereTheEndIsClean() throws {
    // EDM's count: N noise levels and the clean end cost 2N − 1 evaluations.
    struct Straight: LinearProcess {
      var name: String { "straight" }
      var endTime: Double { 80 }
      var cutoffs: Cutoffs { Cutoffs(sampling: 0.002) }
      var priorDeviation: Double { 80 }
      func marginal(at t: Double) -> Marginal { Marginal(logAlpha: 0, sigma: t) }
      func rates(at t: Double) -> Rates {
        Rates(drift: 0, squaredDiffusion: 2 * t, noiseGain: 1)
      }
    }
    let process = Straight()
    let inner = try TimeGrid.karras(of: process, from: 80, to: 0.002, steps: 17)
    let times = inner.steps.map(\.time) + [0.002, 0]
    let field = GaussianField<Double>(process: process)
    let sampler = Sampler(field, solver: FlowRungeKutta(.heun), grid: try TimeGrid(times: times))
    let result = try sampler.sample(from: Tensor([1, 1], [40]), key: RandomKey(0))
    #expect(result.evaluations == [2 * 18 - 1])
    #expect(abs(result.samples[0, 0] - field.flow(40, from: 80, to: 0)) < 0.02)
    let midpoint = Sampler(
      field, solver: FlowRungeKutta(.midpoint, variable: .noise),
      grid: try TimeGrid(times: times))
    #expect(
      try midpoint.sample(from: Tensor([1, 1], [40]), key: RandomKey(0)).isFinished)
  }
}

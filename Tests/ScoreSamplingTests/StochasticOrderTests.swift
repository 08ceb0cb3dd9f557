import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Measured weak orders by exact moments, and strong orders on one Brownian path for all steps.
@Suite struct StochasticOrderTests {
  @Test(arguments: [
    "stochastic-heun", "sra1", "sde-dpm-solver++:order=1", "sde-dpm-solver++:order=2",
    "edm:churn=2", "ddim:eta=0.5", "sra1:stochasticity=0.5", "stochastic-heun:stochasticity=1.5",
  ])
  func weakOrdersAreTheDeclaredOnes(_ spec: String) throws {
    let order = Double(try SolverSpec(spec).solver.order)
    for process in processes {
      let field = GaussianField<Double>(process: process, mean: 0.5, deviation: 0.4)
      // VE's noise grows by a factor of 13 where that of the others grows by less than 2.
      let end = process.name == "ve" ? 0.6 : 0.4
      let exact = process.marginal(at: end)
      let scale = pow(exact.alpha * 0.4, 2) + exact.sigma * exact.sigma
      let counts = spec.hasPrefix("edm") ? [40, 80, 160] : [80, 160, 320]
      let results = try counts.map { steps in
        let grid = try TimeGrid.uniform(from: 0.7, to: end, steps: steps)
        let moments = try Sampler(
          field, solver: SolverSpec(spec).solver, grid: grid, denoising: .none
        ).affineMoments()
        return (moments.mean[0] / scale.squareRoot(), moments.covariance[0][0] / scale)
      }
      // Differences drop what the prior's mismatch puts in, which no step reduces.
      let variance = log2(
        abs((results[0].1 - results[1].1) / (results[1].1 - results[2].1)))
      print("\(spec) on \(process.name): weak order", (variance * 100).rounded() / 100)
      #expect(abs(variance - order) < 0.2, "\(spec) on \(process.name): \(results)")
    }
  }

  @Test(arguments: ["euler-maruyama", "stochastic-heun", "sra1"])
  func strongOrdersAreTheDeclaredOnes(_ spec: String) throws {
    let solver = try SolverSpec(spec).solver
    let order = try #require(solver.strongOrder)
    for process in processes {
      // Two hundred samples in the plane: a root mean square is off by 1/√800 of itself at most, a slope by 0.07.
      let field = BentField<Double>(process: process)
      let (start, end, cells) = (0.7, process.name == "ve" ? 0.67 : 0.5, 1024)
      let path = BrownianPath(key: RandomKey(77), from: start, to: end, cells: cells)
      let x =
        process.marginal(at: start).sigma * RandomKey(3).normal([200, 2], of: Double.self)
      func run(_ solver: any Solver, _ steps: Int) throws -> Tensor<Double> {
        let grid = try TimeGrid.uniform(from: start, to: end, steps: steps)
        let sampler = Sampler(field, solver: solver, grid: grid, denoising: .none)
        return try sampler.run(200, .path(path, RandomKey(1)), 0, x, nil).samples
      }
      let exact = try run(StochasticRungeKutta(), cells)
      let errors = try [16, 32, 64].map { steps in
        (try run(solver, steps) - exact).scalars.reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
      let slope = log2(errors[0] / errors[2]) / 2
      print("\(spec) on \(process.name): strong order", (slope * 100).rounded() / 100)
      #expect(abs(slope - order) < 0.2, "\(spec) on \(process.name): \(errors)")
    }
  }

  @Test func pathsAreBrownian() throws {
    // Both draws of a step are standard normal and independent, whatever its length: 4000 rows, five standard errors.
    let path = BrownianPath(key: RandomKey(4), from: 1, to: 0.5, cells: 64)
    let field = GaussianField<Double>(process: try VariancePreserving())
    let x = Tensor<Double>([4000, 1])
    struct Draws: StepSolver {
      var spec: Spec { Spec(kind: "solver", name: "draws") }
      var order: Int { 0 }
      var usesNoise: Bool { true }
      var evaluationsPerStep: Int { 0 }
      let place: Int
      func step<Scalar: TensorScalar>(
        _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
      ) throws -> Tensor<Scalar> {
        let draws = [context.normal(like: x, in: step), context.normal(like: x, in: step)]
        return draws[place]
      }
    }
    for steps in [1, 16] {
      let grid = try TimeGrid.uniform(from: 1, to: 0.5, steps: steps)
      let draws = try [0, 1].map {
        try Sampler(field, solver: Draws(place: $0), grid: grid, denoising: .none)
          .run(4000, .path(path, RandomKey(1)), 0, x, nil).samples.scalars
      }
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / 4000 }
      for draw in draws {
        #expect(abs(mean(draw)) < 5 / 4000.0.squareRoot())
        #expect(abs(mean(draw.map { $0 * $0 }) - 1) < 5 * (2 / 4000.0).squareRoot())
      }
      #expect(abs(mean(zip(draws[0], draws[1]).map { $0 * $1 })) < 5 / 4000.0.squareRoot())
    }
  }

  /// On a field that is 0 nothing is taken away again: S_noise² of the variance that churn adds stays.
  @Test func churnAddsNoiseOfItsDeviation() throws {
    struct Nothing: ScoreField {
      let process: any LinearProcess
      var sampleShape: Shape { [1] }
      func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> { 0 * x }
    }
    let process = try VarianceExploding()
    let grid = try TimeGrid.karras(of: process, from: 1, to: 1e-3, steps: 12)
    func variance(_ spec: String) throws -> Double {
      try Sampler(
        Nothing(process: process), solver: SolverSpec(spec).solver, grid: grid, denoising: .none
      ).affineMoments().covariance[0][0]
    }
    let none = try variance("edm")
    let one = try variance("edm:churn=3") - none
    // γ = 3/12: σ² (1.25² − 1) for each step but the first.
    let expected = grid.steps.dropFirst().reduce(0.0) {
      $0 + pow(process.marginal(at: $1.time).sigma, 2) * (1.25 * 1.25 - 1)
    }
    #expect(abs(one / expected - 1) < 1e-9)
    for noise in [0.5, 1.003, 2] {
      let found = try variance("edm:churn=3,noise=\(noise)") - none
      #expect(abs(found / one - noise * noise) < 1e-9, "\(noise)")
    }
  }

  @Test func churnAddsNoiseWhereItShould() throws {
    let process = try VarianceExploding()
    let field = GaussianField<Double>(process: process)
    let grid = try TimeGrid.karras(of: process, from: 1, to: 1e-3, steps: 12)
    func samples(_ spec: String) throws -> Tensor<Double> {
      try Sampler(field, solver: SolverSpec(spec).solver, grid: grid, denoising: .none)
        .sample(5, key: RandomKey(2)).samples
    }
    let plain = try samples("ode:method=heun,variable=noise")
    #expect(try samples("edm") == plain)
    #expect(try samples("edm:churn=10,min=100") == plain)
    #expect(try samples("edm:churn=10,min=1,max=10") != plain)
    // γ is 1/12 a step at most √2 − 1: above 12 (√2 − 1) = 4.97 more churn changes nothing.
    #expect(try samples("edm:churn=6") == samples("edm:churn=60"))
    #expect(try samples("edm:churn=4") != samples("edm:churn=60"))
    // Its range is one of σ/α, which is above 1 where σ is not.
    let other = GaussianField<Double>(process: try VariancePreserving())
    let ofOther = try ["edm", "edm:churn=4,min=1.5"].map {
      try Sampler(other, SolverSpec($0), steps: 12).sample(5, key: RandomKey(2)).samples
    }
    #expect(ofOther[0] != ofOther[1])
  }
}

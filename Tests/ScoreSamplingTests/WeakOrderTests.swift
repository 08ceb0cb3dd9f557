import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Weak orders of solvers of the SDE on a mixture, where nothing is linear, without a statistical error.
///
/// From the last step to the first, u_k(x) = E u_(k+1)(step(x, z)), with the expectation by Gauss–Hermite nodes and u by
/// its values at Chebyshev's points: so the error of E φ(x_ε) from given starts is the solver's alone. Its slope is of
/// differences between steps and half steps.
@Suite struct WeakOrderTests {
  /// The nine-point rule for a standard normal number: exact for polynomials up to degree 17.
  private static let rule: (nodes: [Double], weights: [Double]) = {
    let half = [
      (0.0, 0.40634920634920635), (1.0232556637891326, 0.24409750289493953),
      (2.07684797867783, 0.04991640676521782), (3.20542900285647, 0.0027891413212317692),
      (4.512745863399783, 2.2345844007746607e-05),
    ]
    let mirrored = half.dropFirst().map { (-$0.0, $0.1) } + half
    return (mirrored.map(\.0), mirrored.map(\.1))
  }()

  private static let radius = 5.0
  private static let points = (0..<120).map { radius * cos(.pi * Double($0) / 119) }

  /// The polynomial through values at the points, at x (Berrut & Trefethen 2004).
  private static func interpolate(_ values: [Double], at x: Double) -> Double {
    let x = min(radius, max(-radius, x))
    var (above, below) = (0.0, 0.0)
    for (place, point) in points.enumerated() {
      if x == point { return values[place] }
      let end = place == 0 || place == points.count - 1
      let weight = (end ? 0.5 : 1) * (place % 2 == 0 ? 1 : -1) / (x - point)
      above += weight * values[place]
      below += weight
    }
    return above / below
  }

  /// E φ from five starts, after so many even steps.
  private static func expectations(
    _ solver: any Solver, _ field: any ScoreField<Double>, draws: Int, from start: Double,
    to end: Double, steps: Int
  ) throws -> [Double] {
    let copies = (0..<draws).reduce(1) { size, _ in size * rule.nodes.count }
    let weights = (0..<copies).map { copy in
      (0..<draws).reduce((1.0, copy)) {
        state, _ in
        (state.0 * rule.weights[state.1 % rule.nodes.count], state.1 / rule.nodes.count)
      }.0
    }
    let states = Tensor<Double>(
      [points.count * copies, 1], points.flatMap { [Double](repeating: $0, count: copies) })
    var values = points.map { cos(2 * $0) }
    for step in try TimeGrid.uniform(from: start, to: end, steps: steps).steps.reversed() {
      let sampler = Sampler(
        field, solver: solver, grid: try TimeGrid(times: [step.time, step.next]),
        denoising: .none, batchSize: states.rows)
      let ends = try sampler.run(states.rows, .nodes(rule.nodes), 0, states, nil).samples.scalars
      values = points.indices.map { place in
        (0..<copies).reduce(0) {
          $0 + weights[$1] * interpolate(values, at: ends[place * copies + $1])
        }
      }
    }
    return [-1.5, -0.5, 0.3, 1, 2].map { interpolate(values, at: $0) }
  }

  /// Each solver with the numbers that a step draws. Solvers with a memory are held by exact moments elsewhere.
  @Test(arguments: [
    ("euler-maruyama", 1), ("reverse-diffusion", 1), ("ancestral", 1),
    ("ancestral:variance=forward", 1), ("ddim:eta=1", 1), ("ddim:eta=0.5", 1),
    ("stochastic-heun", 1), ("stochastic-heun:stochasticity=0.5", 1), ("sra1", 2),
    ("sde-dpm-solver++:order=1", 1),
  ])
  func weakOrdersOnAMixtureAreTheDeclaredOnes(_ spec: String, _ draws: Int) throws {
    let solver = try SolverSpec(spec).solver
    // Two numbers a step want 81 nodes: one process is enough.
    for process in draws == 1 ? processes : Array(processes.prefix(1)) {
      let field = try MixtureOracle<Double>(
        process: process, weights: [0.6, 0.4], means: [[-0.8], [0.6]],
        covariances: [[[0.2]], [[0.1]]])
      let results = try [32, 64, 128].map {
        try Self.expectations(solver, field, draws: draws, from: 0.6, to: 0.3, steps: $0)
      }
      let changes = zip(results, results.dropFirst()).map { pair in
        zip(pair.0, pair.1).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      }
      let slope = log2(changes[0] / changes[1])
      print("\(spec) on \(process.name), mixture: weak order", (slope * 100).rounded() / 100)
      #expect(
        abs(slope - Double(solver.order)) < 0.2, "\(spec) on \(process.name): \(slope), \(changes)")
    }
  }

  /// With a corrector of a fixed size no step is small enough: the variance keeps an excess, as `PredictorCorrector` says.
  @Test func aCorrectorLeavesNoOrder() throws {
    for process in processes {
      let field = GaussianField<Double>(process: process, mean: 0.5, deviation: 0.3)
      let solver = try SolverSpec("pc:predictor=ancestral,corrector=ald,snr=0.3").solver
      #expect(solver.order == 0)
      let (start, end) = (0.6, process.name == "ve" ? 0.5 : 0.3)
      let kernel = process.marginal(at: end)
      let square = kernel.sigma * kernel.sigma
      let variance = pow(kernel.alpha * 0.3, 2) + square
      let excess = try [100, 200].map { steps in
        let grid = try TimeGrid.uniform(from: start, to: end, steps: steps)
        let found = try Sampler(field, solver: solver, grid: grid, denoising: .none)
          .affineMoments().covariance[0][0]
        return found / variance - 1
      }
      let limit = 1 / (1 - 0.09 * square / variance) - 1
      print("\(solver.spec) on \(process.name): excess", excess, "limit", limit)
      // Any order would halve it; it comes nearer to its limit.
      #expect(
        abs(excess[1] / limit - 1) < 0.1 && abs(excess[1] - limit) < 0.7 * abs(excess[0] - limit),
        "\(process.name): \(excess), \(limit)")
    }
  }
}

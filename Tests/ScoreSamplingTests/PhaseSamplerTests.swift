import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Samplers of critically damped Langevin diffusion on Gaussian data, by their exact moments.
@Suite struct PhaseSamplerTests {
  private let deviation = 0.3
  private let mean = 0.5

  private func oracle() throws -> PhaseOracle<Double> {
    try PhaseOracle(
      process: CriticallyDampedLangevin(), mean: [mean],
      covariance: [[deviation * deviation]])
  }

  private func state(_ x: [Double], _ v: [Double]) -> PhaseState<Double> {
    PhaseState(position: Tensor([x.count, 1], x), velocity: Tensor([v.count, 1], v))
  }

  /// Mean and covariance after N even steps from p_T to ε, pushed through the sampler's own affine steps.
  private func moments(
    _ method: PhaseSampler<Double>.Method, steps: Int, epsilon: Double
  ) throws -> [Double] {
    let oracle = try oracle()
    let sampler = try PhaseSampler(oracle, method: method)
    let end = oracle.process.endTime
    let map = oracle.process.propagator(over: end)
    var m = (map.xx * mean, map.vx * mean)
    let first = oracle.covariance(0, at: end)
    var c = (first.xx, first.xv, first.vv)
    // Rows: zero, the two unit states, then one for each random number.
    let x = [0.0, 1, 0, 0, 0, 0, 0]
    let v = [0.0, 0, 1, 0, 0, 0, 0]
    func unit(_ place: Int) -> [Double] { (0..<7).map { $0 == place ? 1 : 0 } }
    let z = (first: state(unit(3), unit(4)), second: state(unit(5), unit(6)))
    for step in try TimeGrid.uniform(from: end, to: epsilon, steps: steps).steps {
      let u = try sampler.step(state(x, v), step, noise: z)
      let (p, q) = (u.position.scalars, u.velocity.scalars)
      func response(_ k: Int) -> (Double, Double) { (p[k] - p[0], q[k] - q[0]) }
      let (a, b) = (response(1), response(2))
      m = (p[0] + a.0 * m.0 + b.0 * m.1, q[0] + a.1 * m.0 + b.1 * m.1)
      func pushed(_ i: (Double, Double), _ j: (Double, Double)) -> Double {
        i.0 * j.0 * c.0 + (i.0 * j.1 + i.1 * j.0) * c.1 + i.1 * j.1 * c.2
      }
      let (forX, forV) = ((a.0, b.0), (a.1, b.1))
      c = (pushed(forX, forX), pushed(forX, forV), pushed(forV, forV))
      for k in 3..<7 {
        let r = response(k)
        c = (c.0 + r.0 * r.0, c.1 + r.0 * r.1, c.2 + r.1 * r.1)
      }
    }
    return [m.0, m.1, c.0, c.1, c.2]
  }

  /// Errors of all moments fall with the declared order, and go to those of the oracle.
  @Test(arguments: [
    (PhaseSampler<Double>.Method.eulerMaruyama(stochasticity: 1), 1.0),
    (.eulerMaruyama(stochasticity: 0), 1), (.eulerMaruyama(stochasticity: 0.5), 1),
    (.symmetricSplitting(midpoint: false), 1), (.symmetricSplitting(midpoint: true), 2),
  ]) func order(_ method: PhaseSampler<Double>.Method, _ order: Double) throws {
    let oracle = try oracle()
    let epsilon = 0.1
    let map = oracle.process.propagator(over: epsilon)
    let c = oracle.covariance(0, at: epsilon)
    let exact = [map.xx * mean, map.vx * mean, c.xx, c.xv, c.vv]
    let runs = try [400, 800, 1600].map { try moments(method, steps: $0, epsilon: epsilon) }
    let errors = runs.map { run in zip(run, exact).reduce(0) { max($0, abs($1.0 - $1.1)) } }
    let slope = log2(errors[1] / errors[2])
    print("cld \(method): errors \(errors), order \(slope)")
    #expect(abs(slope - order) < 0.2)
    // Extrapolated to steps of 0.
    let p = pow(2, order)
    for k in exact.indices {
      let coarse = (p * runs[1][k] - runs[0][k]) / (p - 1)
      let fine = (p * runs[2][k] - runs[1][k]) / (p - 1)
      let limit = (2 * p * fine - coarse) / (2 * p - 1)
      #expect(abs(limit - exact[k]) < 5e-3 * errors[2] + 1e-9, "moment \(k)")
    }
  }

  /// From rest data come back, up to the bias of 200 steps, which the same recursion written elsewhere gives.
  ///
  /// False alarms: 5 standard errors, 6e-7 each.
  @Test(arguments: [
    (
      PhaseSampler<Double>.Method.symmetricSplitting(midpoint: true), 0.499837467589, 0.300518073145
    ),
    (.symmetricSplitting(midpoint: false), 0.504135814078, 0.290782835380),
    (.eulerMaruyama(stochasticity: 1), 0.504145500949, 0.303307115138),
  ]) func drawnSamples(
    _ method: PhaseSampler<Double>.Method, _ expected: Double, _ expectedSpread: Double
  ) throws {
    let count = 4000
    let u = try PhaseSampler(try oracle(), method: method)
      .sample(count, steps: 200, key: RandomKey(1))
    let x = u.position.scalars
    let found = x.reduce(0, +) / Double(count)
    let spread = (x.reduce(0) { $0 + ($1 - found) * ($1 - found) } / Double(count)).squareRoot()
    let error = expectedSpread / Double(count).squareRoot()
    #expect(abs(found - expected) < 5 * error)
    #expect(abs(spread - expectedSpread) < 5 * error / 2.0.squareRoot())
  }

  /// A listener hears of each step and of the evaluations before it, and stops the run; so does the task.
  @Test(arguments: [
    (PhaseSampler<Double>.Method.symmetricSplitting(midpoint: true), 2),
    (.symmetricSplitting(midpoint: false), 1), (.eulerMaruyama(stochasticity: 0), 1),
  ]) func runsAreToldOfAndStop(_ method: PhaseSampler<Double>.Method, _ cost: Int) async throws {
    let sampler = try PhaseSampler(try oracle(), method: method)
    var reports: [SamplingProgress] = []
    let told = try sampler.sample(3, steps: 4, key: RandomKey(1)) {
      reports.append($0)
      return true
    }
    #expect(try told == sampler.sample(3, steps: 4, key: RandomKey(1)))
    #expect(reports.map(\.fraction) == [0, 0.25, 0.5, 0.75])
    #expect(reports.map(\.evaluations) == (0..<4).map { cost * $0 })
    #expect(throws: CancellationError.self) {
      try sampler.sample(3, steps: 4, key: RandomKey(1)) { $0.fraction < 0.5 }
    }
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try sampler.sample(3, steps: 4, key: RandomKey(1))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func aSampleDependsOnItsNumberAlone() throws {
    let u = try PhaseSampler(try oracle()).sample(9, steps: 20, key: RandomKey(1))
    let few = try PhaseSampler(try oracle()).sample(3, steps: 20, key: RandomKey(1))
    #expect(few.position == u.position.rows(0..<3))
    #expect(throws: SamplingError.self) {
      try PhaseSampler(try oracle(), method: .eulerMaruyama(stochasticity: .nan))
    }
    struct Broken: PhaseField {
      let process: CriticallyDampedLangevin
      let result: Tensor<Double>
      var sampleShape: Shape { [1] }
      func noise(_ u: PhaseState<Double>, at t: Times) -> Tensor<Double> { result }
    }
    for result in [Tensor<Double>([2, 1], repeating: .nan), Tensor([1, 1])] {
      let field = Broken(process: try CriticallyDampedLangevin(), result: result)
      for method in [
        PhaseSampler<Double>.Method.symmetricSplitting(midpoint: true),
        .eulerMaruyama(stochasticity: 1),
      ] {
        #expect(throws: SamplingError.self) {
          try PhaseSampler(field, method: method).sample(2, steps: 2, key: RandomKey(1))
        }
      }
    }
    #expect(throws: SamplingError.self) {
      try PhaseSampler(try oracle()).sample(0, steps: 2, key: RandomKey(1))
    }
  }
}

import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// Processes with drift and diffusion of the state.
@Suite struct GeneralProcessTests {
  /// Comes to rest at N(0, 1): f = −D x + D′, g² = 2D, with D(x) = ½ + 1/(1 + x²).
  static func resting(endTime: Double = 1) throws -> GeneralProcess {
    try GeneralProcess(
      name: "resting",
      drift: { x, _ in
        x.map { x in -(0.5 + 1 / (1 + x * x)) * x - 2 * x / pow(1 + x * x, 2) }
      }, squaredDiffusion: { x, _ in x.map { x in 2 * (0.5 + 1 / (1 + x * x)) } },
      endTime: endTime)
  }

  @Test func simulationIsEulerMaruyama() throws {
    let process = try Self.resting()
    let key = RandomKey(3)
    let start = key.folded("start").normal([3, 2], of: Double.self)
    let times = [0, 0.1, 0.25, 0.6]
    let found = try process.simulate(start, along: times, key: key)
    for row in 0..<3 {
      for j in 0..<2 {
        var x = start[row, j]
        for k in 0..<3 {
          let h = times[k + 1] - times[k]
          let d = 0.5 + 1 / (1 + x * x)
          let z = key.folded(UInt64(k)).normal([3, 2], of: Double.self)[row, j]
          x += h * (-d * x - 2 * x / pow(1 + x * x, 2)) + (2 * d * h).squareRoot() * z
        }
        #expect(abs(found[row, j] - x) < 1e-14)
      }
    }
    #expect(
      try process.simulate(start.rows([2, 0]), along: times, key: key, samples: .explicit([2, 0]))
        == found.rows([2, 0]))
  }

  @Test func aCancelledSimulationStops() async throws {
    let process = try Self.resting()
    let x = Tensor<Double>([1, 1])
    for run in [
      { _ = try process.simulate(x, along: [0, 0.5, 1], key: RandomKey(1)) },
      { _ = try process.shortSteps(x, along: [0, 0.5, 1], key: RandomKey(1)) },
    ] as [@Sendable () throws -> Void] {
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try run()
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  /// Any process is simulated so; a linear one goes to its kernel.
  ///
  /// False alarms: 5 standard errors, 6e-7 each.
  @Test func aLinearProcessReachesItsKernel() throws {
    let process = try OrnsteinUhlenbeck(rate: 1, deviation: 1, endTime: 2)
    let count = 20_000
    let times = (0...200).map { Double($0) / 200 }
    let x = try process.simulate(
      Tensor<Double>([count, 1], repeating: 2), along: times, key: RandomKey(1))
    let kernel = process.marginal(at: 1)
    let mean = x.mean
    let variance = x.scalars.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    let error = kernel.sigma / Double(count).squareRoot()
    #expect(abs(mean - 2 * kernel.alpha) < 5 * error + 2 * 0.005 * kernel.alpha)
    #expect(abs(variance.squareRoot() - kernel.sigma) < 5 * error / 1.4 + 0.005)
  }

  @Test func slopesOfTheDiffusion() throws {
    let process = try Self.resting()
    let x = RandomKey(5).normal([50, 3], of: Double.self).map { 3 * $0 }
    let slope = try #require(try process.diffusionSlope(x, at: .shared(0.3)))
    for (x, found) in zip(x.scalars, slope.scalars) {
      #expect(abs(found + 4 * x / pow(1 + x * x, 2)) < 1e-9)
    }
    let plain = try GeneralProcess(
      name: "plain", drift: { x, t in x.map { -t * $0 } }, diffusion: { 1 + $0 })
    #expect(try plain.diffusionSlope(x, at: .shared(0.3)) == nil)
    #expect(try plain.squaredDiffusion(x, at: .shared(1)).scalars.allSatisfy { $0 == 4 })
    #expect(try plain.drift(x.rows(0..<2), at: .perSample([1, 2]))[1, 0] == -2 * x[1, 0])
  }

  /// Regressed on where they end, the scores of short steps give the score of the process: −x at rest.
  ///
  /// False alarms: 5 standard errors, 6e-7; the simulation's own law is off by O(h).
  @Test func shortStepsGiveTheScore() throws {
    let process = try Self.resting()
    let count = 20_000
    let data = RandomKey(7).normal([count, 1], of: Double.self)
    let times = (0...20).map { 0.01 * Double($0) }
    let steps = try process.shortSteps(data, along: times, key: RandomKey(8))
    #expect(steps.states.rows == 2 * count && steps.times.count == 2 * count)
    #expect(Set(steps.times) == Set(times.dropFirst()))
    #expect(steps.lengths.allSatisfy { abs($0 - 0.01) < 1e-15 })
    var (products, squares) = ([Double](), 0.0)
    for i in 0..<count {
      let (a, b) = (steps.states[i, 0], steps.states[count + i, 0])
      let target = steps.targets[i, 0]
      #expect(target == -steps.targets[count + i, 0])
      products.append(target * a - target * b)
      squares += a * a + b * b
    }
    let slope = products.reduce(0, +) / squares
    let spread = products.reduce(0) { $0 + $1 * $1 } / Double(count)
    let error = (spread * Double(count)).squareRoot() / squares
    #expect(error < 0.02)
    #expect(abs(slope + 1) < 5 * error + 0.02)
  }

  @Test func stepsWithoutDiffusionHaveNoScore() throws {
    let process = try GeneralProcess(
      name: "late", drift: { x, _ in x }, diffusion: { max(0, $0 - 0.5) })
    let data = Tensor<Double>([20, 1], repeating: 1)
    #expect(throws: ProcessError.self) {
      try process.shortSteps(data, along: [0, 0.25, 0.5], key: RandomKey(1))
    }
    let late = try process.shortSteps(data, along: [0.6, 0.8], key: RandomKey(1))
    #expect(late.targets.isFinite)
  }

  /// What a closure gets wrong is said in one sentence, wherever it is used.
  @Test func closuresThatFailAreNamed() throws {
    let x = Tensor<Double>([3, 2], [0, 1, 2, 3, 4, -5])
    func sentence(
      along times: [Double] = [0, 0.5, 1], drift: @escaping @Sendable ([Double]) -> [Double],
      squared: @escaping @Sendable ([Double]) -> [Double] = { $0.map { _ in 1 } }
    ) throws -> String {
      let process = try GeneralProcess(
        name: "p", drift: { x, _ in drift(x) }, squaredDiffusion: { x, _ in squared(x) })
      let simulation = #expect(throws: ProcessError.self) {
        _ = try process.simulate(x, along: times, key: RandomKey(1))
      }
      let steps = #expect(throws: ProcessError.self) {
        _ = try process.shortSteps(x, along: times, key: RandomKey(1))
      }
      #expect(simulation == steps)
      return simulation?.description ?? ""
    }
    #expect(
      try sentence { $0 + [0] }
        == "the process \"p\" has a drift of 3 entries at t = 0.0 for a state of 2; expected as many"
    )
    #expect(
      try sentence(drift: { $0 }, squared: { [$0[0]] })
        == "the process \"p\" has a g² of 1 entry at t = 0.0 for a state of 2; expected as many")
    #expect(
      try sentence { x in x.map { $0 == 4 ? .nan : 0 } }
        == "the process \"p\" has the drift nan at t = 0.0 where the state is 4.0; expected a finite number"
    )
    #expect(
      try sentence(drift: { $0 }, squared: { $0 })
        == "the process \"p\" has the g² -5.0 at t = 0.0 where the state is -5.0; expected a finite number of at least 0"
    )
    #expect(
      try sentence(along: [0, 2, 4]) { x in x.map { _ in 1.5e308 } }.hasPrefix(
        "the process \"p\" leaves the finite numbers between t = 0.0 and t = 2.0; expected"))
    #expect(
      try sentence(along: [0, 0.5, 0.5], drift: { $0 })
        == "the process \"p\" is simulated from t = 0.5 to t = 0.5; expected rising times")
    let process = try Self.resting()
    #expect(throws: ProcessError.self) { try process.shortSteps(x, along: [0], key: RandomKey(1)) }
    let short = try GeneralProcess(
      name: "p", drift: { x, _ in x }, squaredDiffusion: { _, _ in [1] })
    #expect(throws: ProcessError.self) { try short.diffusionSlope(x, at: .shared(0.5)) }
  }

  @Test func refusesBadParameters() {
    func make(_ end: Double, _ deviation: Double, _ cutoffs: Cutoffs?) throws -> GeneralProcess {
      try GeneralProcess(
        name: "x", drift: { x, _ in x }, diffusion: { _ in 1 }, endTime: end, cutoffs: cutoffs,
        priorDeviation: deviation)
    }
    #expect(throws: ProcessError.self) { try make(0, 1, nil) }
    #expect(throws: ProcessError.self) { try make(.infinity, 1, nil) }
    #expect(throws: ProcessError.self) { try make(1, -1, nil) }
    #expect(throws: ProcessError.self) { try make(1, 1, Cutoffs(sampling: 1)) }
  }
}

import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Processes of any kind run back in time.
@Suite struct GeneralSamplerTests {
  /// Comes to rest at N(0, 1): f = −D x + D′, g² = 2D, with D(x) = ½ + 1/(1 + x²).
  private func resting() throws -> GeneralProcess {
    try GeneralProcess(
      name: "resting",
      drift: { x, _ in
        x.map { x in -(0.5 + 1 / (1 + x * x)) * x - 2 * x / pow(1 + x * x, 2) }
      }, squaredDiffusion: { x, _ in x.map { x in 2 * (0.5 + 1 / (1 + x * x)) } })
  }

  /// At rest the flow stands still: the slope of g² cancels the drift's, the score the pull.
  @Test func theFlowStandsStillAtRest() throws {
    let sampler = try GeneralSampler<Double>(try resting(), stochasticity: 0) { x, _ in -x }
    let x = RandomKey(1).normal([20, 2], of: Double.self)
    let end = try sampler.sample(
      from: x, along: .uniform(from: 1, to: 0.01, steps: 50), key: RandomKey(2))
    for (a, b) in zip(x.scalars, end.scalars) { #expect(abs(a - b) < 1e-8) }
  }

  /// At every stochasticity what is at rest stays so.
  ///
  /// False alarms: 5 standard errors, 6e-7 each; Euler's bias is about h.
  @Test(arguments: [0.5, 1, 1.5]) func whatIsAtRestStaysSo(_ level: Double) throws {
    let sampler = try GeneralSampler<Double>(try resting(), stochasticity: level) { x, _ in -x }
    let count = 10_000
    let x = try sampler.sample(count, shape: [1], steps: 100, key: RandomKey(3)).scalars
    func moment(_ power: Double) -> Double {
      x.reduce(0) { $0 + pow(abs($1), power) } / Double(count)
    }
    let root = Double(count).squareRoot()
    #expect(abs(x.reduce(0, +) / Double(count)) < 5 / root)
    #expect(abs(moment(2) - 1) < 5 * 2.0.squareRoot() / root + 0.03)
    #expect(abs(moment(4) - 3) < 5 * 96.0.squareRoot() / root + 0.16)
  }

  /// A listener hears of each step before it is taken, and stops the run; so does the task.
  @Test func runsAreToldOfAndStop() async throws {
    let sampler = try GeneralSampler<Double>(try resting()) { x, _ in -x }
    var reports: [SamplingProgress] = []
    func run(_ last: Int) throws -> Tensor<Double> {
      try sampler.sample(3, shape: [1], steps: 4, key: RandomKey(1)) {
        reports.append($0)
        return $0.evaluations < last
      }
    }
    let cutoff = sampler.process.cutoffs.sampling
    #expect(try run(4) == sampler.sample(3, shape: [1], steps: 4, key: RandomKey(1)))
    #expect(reports.map(\.fraction) == [0, 0.25, 0.5, 0.75])
    #expect(reports.map(\.evaluations) == [0, 1, 2, 3])
    for (i, report) in reports.enumerated() {
      #expect(abs(report.time - (1 + (cutoff - 1) * Double(i) / 4)) < 1e-12)
    }
    reports = []
    #expect(throws: CancellationError.self) { try run(2) }
    #expect(reports.count == 3)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try sampler.sample(3, shape: [1], steps: 4, key: RandomKey(1))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  /// On a linear process the steps are those of Euler–Maruyama.
  @Test func linearProcesses() throws {
    let process = try OrnsteinUhlenbeck()
    let field = GaussianField<Double>(process: process)
    let grid = try TimeGrid.uniform(from: 1, to: 0.01, steps: 40)
    let x = RandomKey(1).normal([5, 1], of: Double.self)
    let sampler = try GeneralSampler<Double>(process, stochasticity: 0) {
      try field.score($0, at: .shared($1))
    }
    let found = try sampler.sample(from: x, along: grid, key: RandomKey(2))
    let expected = try Sampler(field, solver: EulerMaruyama(stochasticity: 0), grid: grid)
      .sample(from: x, key: RandomKey(2)).samples
    for (a, b) in zip(found.scalars, expected.scalars) { #expect(abs(a - b) < 1e-12) }
    #expect(throws: SamplingError.self) {
      try GeneralSampler<Double>(process, stochasticity: -1) { x, _ in x }
    }
    #expect(throws: SamplingError.self) {
      try sampler.sample(0, shape: [1], steps: 3, key: RandomKey(0))
    }
  }

  /// Scores, processes and states that are no numbers, or of another shape, end a run in one sentence.
  @Test func whatIsNoNumberIsNamed() throws {
    func sentence(
      _ process: any DiffusionProcess, from x: Tensor<Double> = Tensor([2, 1], [0.5, -1]),
      score: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>
    ) throws -> String {
      let sampler = try GeneralSampler<Double>(process) { x, _ in score(x) }
      do {
        _ = try sampler.sample(
          from: x, along: .uniform(from: 1, to: 0.5, steps: 2), key: RandomKey(2))
        return ""
      } catch { return "\(error)" }
    }
    let process = try resting()
    #expect(
      try sentence(process) { x in x.map { $0 == -1 ? .nan : 0 } }
        == "the score has entries that are not finite numbers at t = 1.0; expected finite ones")
    #expect(
      try sentence(process) { x in x.rows(0..<1) }
        == "the score has shape [1, 1] at t = 1.0 for states of shape [2, 1]; expected the same")
    #expect(
      try sentence(process, from: Tensor([1, 1], [.infinity])) { x in x }
        == "the states at t = 1.0 have entries that are not finite numbers; expected finite ones")
    #expect(
      try sentence(process) { x in x.map { _ in 1.5e308 } }.hasPrefix(
        "the samples leave the finite numbers between t = 1.0 and t = 0.75; expected"))
    let bad = try GeneralProcess(name: "p", drift: { _, _ in [0, 0] }, diffusion: { _ in 1 })
    #expect(try sentence(bad) { -$0 }.contains("a drift of 2 entries"))
    let negative = try GeneralProcess(
      name: "p", drift: { x, _ in x }, squaredDiffusion: { x, _ in x })
    #expect(try sentence(negative) { -$0 }.contains("the g² -1.0"))
    #expect(throws: SamplingError.self) {
      let sampler = try GeneralSampler<Double>(process) { x, _ in x.map { _ in .nan } }
      _ = try sampler.sample(2, shape: [1], steps: 3, key: RandomKey(0))
    }
  }

  @Test func aSampleDependsOnItsNumberAlone() throws {
    let sampler = try GeneralSampler<Float>(try resting()) { x, _ in -x }
    let many = try sampler.sample(9, shape: [2], steps: 20, key: RandomKey(5))
    let few = try sampler.sample(4, shape: [2], steps: 20, key: RandomKey(5))
    #expect(many.rows(0..<4) == few)
  }
}

import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Synchronization
import Testing

/// What a listener is told while a solver is fitted to a field, and how it stops the fit.
@Suite struct FitProgressTests {
  static let specs = [
    "fitted:pilot=32,sweeps=2", "heun:grid=optimized", "fitted:pilot=32,sweeps=0",
  ]

  private static func sampler(_ spec: String, steps: Int = 6) throws -> Sampler<Double> {
    let field = BentField<Double>(process: try VariancePreserving())
    var sampler = try Sampler(field, SolverSpec(spec), steps: steps)
    sampler.batchSize = 2
    return sampler
  }

  @Test(arguments: specs, [1, 6, 12])
  func fitsGoFromNothingToAll(_ spec: String, _ steps: Int) throws {
    var reports: [SamplingProgress] = []
    _ = try Self.sampler(spec, steps: steps).fitted {
      reports.append($0)
      return true
    }
    let parts = reports.map(\.fraction)
    #expect(parts.first == 0 && parts.last == 1 && parts == parts.sorted())
    // A search that finds nothing ends early; nowhere else is there a leap.
    let leaps = zip(parts, parts.dropFirst()).map { $1 - $0 }
    #expect((leaps.max() ?? 1) < 0.3, "\(spec), \(steps) steps: \(leaps.max() ?? 1)")
    #expect(Set(parts).count > 50)
    for report in reports {
      #expect(report.isFitting && report.samples == 0 && report.evaluations == 0)
      #expect(report.time == 1)
    }
  }

  /// What is declared of a fit's cost is about what it takes, or a run's shares of it would mean nothing.
  @Test(arguments: ["fitted", "fitted:pilot=32,sweeps=0", "heun:grid=optimized"], [5, 20])
  func fitsCostAboutWhatTheyDeclare(_ spec: String, _ steps: Int) throws {
    let field = CountingField(BentField<Double>(process: try VariancePreserving()))
    let sampler = try Sampler(field, SolverSpec(spec), steps: steps)
    _ = try sampler.fitted()
    let share = Double(field.count) / (try sampler.fitEvaluations())
    print("\(spec), \(steps) steps: \(share) of the evaluations that are declared")
    #expect(0.5 < share && share < 1.25)
  }

  /// Between the fine solve and the search the axes of samples of many entries are found, without an evaluation.
  @Test func theAxesOfManyEntriesAreReportedAndCanBeStopped() throws {
    let width = 64
    let field = CountingField(
      BentField<Double>(process: try VariancePreserving(), sampleShape: [width]))
    let sampler = try Sampler(field, SolverSpec("fitted:pilot=100,sweeps=0"), steps: 1)
    var (calls, last) = (0, -1)
    var quiet: [(call: Int, fraction: Double)] = []
    _ = try sampler.fitted {
      if field.count == last { quiet.append((calls, $0.fraction)) }
      (calls, last) = (calls + 1, field.count)
      return true
    }
    // A sweep has a report a row, and one sweep is too few.
    try #require(quiet.count > 2 * width)
    let fractions = quiet.map(\.fraction)
    #expect(fractions == fractions.sorted() && Set(fractions).count > 2 * width)
    let middle = quiet[width].call
    calls = 0
    #expect(throws: CancellationError.self) {
      try sampler.fitted { _ in
        calls += 1
        return calls <= middle
      }
    }
    #expect(calls == middle + 1)
  }

  @Test(arguments: specs)
  func aRunThatFitsFirstGoesOnWithItsSamples(_ spec: String) throws {
    let sampler = try Self.sampler(spec)
    let fit = try sampler.fitEvaluations()
    let own = Double(1000 * 6 * sampler.solver.evaluationsPerStep)
    var reports: [SamplingProgress] = []
    _ = try sampler.sample(1000, key: RandomKey(1)) {
      reports.append($0)
      return true
    }
    let parts = reports.map(\.fraction)
    #expect(parts.first == 0 && parts == parts.sorted())
    #expect(parts.last.map { $0 > 0.99 && $0 < 1 } == true && reports.last?.samples == 998)
    let begin = try #require(reports.firstIndex { !$0.isFitting })
    try #require(begin > 0)
    #expect(reports[begin].fraction == reports[begin - 1].fraction)
    #expect(reports[begin...].count == 500 * 6 && !reports[begin...].contains(where: \.isFitting))
    let first = reports[begin + 1]
    // The batches of two samples begin where the fit ends: one of five hundred batches has made one of six steps.
    let begun = first.fraction - fit / (fit + own)
    #expect(abs(begun - own / (fit + own) / 3000) < 1e-12)
  }

  @Test(arguments: specs)
  func aListenerChangesNoBits(_ spec: String) throws {
    let sampler = try Self.sampler(spec)
    let alone = try sampler.sample(5, key: RandomKey(3))
    let watched = try sampler.sample(5, key: RandomKey(3)) { _ in true }
    let fitted = try sampler.fitted { _ in true }
    #expect(watched.samples == alone.samples && watched.evaluations == alone.evaluations)
    #expect(try fitted.sample(5, key: RandomKey(3)).samples == alone.samples)
    #expect(fitted.grid.steps == (try sampler.fitted().grid.steps))
  }

  /// A fit that is stopped has no solver to give; a run that is stopped in its fit ends as one that is at its first step.
  @Test(arguments: specs)
  func aFitIsStoppedAtAnyReport(_ spec: String) throws {
    let sampler = try Self.sampler(spec)
    var all = 0
    _ = try sampler.fitted { _ in
      all += 1
      return true
    }
    let start = try Sampler(sampler.field, SolverSpec("ddim"), steps: 6)
      .sample(5, key: RandomKey(3)) { _ in false }
    for last in [1, 2, 50, all / 2, all - 1, all] {
      var calls = 0
      func stops(_ progress: SamplingProgress) -> Bool {
        calls += 1
        return calls != last
      }
      #expect(throws: CancellationError.self) { try sampler.fitted(progress: stops) }
      #expect(calls == last)

      calls = 0
      let result = try sampler.sample(5, key: RandomKey(3), progress: stops)
      #expect(calls == last)
      #expect(result.status == [SolveStatus](repeating: .cancelled(time: 1), count: 5))
      #expect(result.samples == start.samples && result.status == start.status)
      #expect(result.evaluations == start.evaluations && result.maxEvaluations == 0)
    }
  }

  @Test(arguments: specs)
  func aTasksCancellationStopsTheRunAsTheListenerDoes(_ spec: String) async throws {
    let sampler = try Self.sampler(spec)
    let task = Task {
      var calls = 0
      let result = try sampler.sample(3, key: RandomKey(3)) { _ in
        calls += 1
        if calls == 60 { withUnsafeCurrentTask { $0?.cancel() } }
        return true
      }
      return (calls, result)
    }
    let (calls, result) = try await task.value
    #expect(calls == 60)
    #expect(result.status == [SolveStatus](repeating: .cancelled(time: 1), count: 3))
  }

  /// Where nobody stops the run, a field's own cancellation is an error like any other.
  @Test func whatAFieldThrowsIsNoStop() throws {
    let field = CancelledField(process: try VariancePreserving())
    let sampler = try Sampler(field, SolverSpec("fitted:pilot=32"), steps: 6)
    #expect(throws: CancellationError.self) {
      try sampler.sample(3, key: RandomKey(3)) { _ in true }
    }
  }

  @Test func whatWantsNoFitHasNoneToTellOf() throws {
    let sampler = try Self.sampler("ddim")
    #expect(try sampler.fitEvaluations() == 0)
    var calls = 0
    let fitted = try sampler.fitted { _ in
      calls += 1
      return false
    }
    #expect(calls == 0 && fitted.grid.steps == sampler.grid.steps)
  }

  @Test func fitsOfTooManyStepsAreRefusedBeforeTheyBegin() throws {
    let sampler = try Self.sampler("fitted", steps: 1001)
    #expect(throws: SamplingError.self) { try sampler.fitEvaluations() }
    #expect(throws: SamplingError.self) { try sampler.fitted { _ in false } }
    #expect(throws: SamplingError.self) { try sampler.sample(1, key: RandomKey(1)) { _ in false } }
  }
}

/// A field that cannot be fitted to: evaluations of more than 3 samples end in a cancellation.
private struct CancelledField: ScoreField {
  let process: any LinearProcess
  var sampleShape: Shape { [1] }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    if x.rows > 3 { throw CancellationError() }
    return x
  }
}

/// A field that counts the samples that it evaluates.
private final class CountingField: ScoreField {
  let inner: BentField<Double>
  private let rows = Mutex(0)
  var process: any LinearProcess { inner.process }
  var sampleShape: Shape { inner.sampleShape }
  var count: Int { rows.withLock { $0 } }

  init(_ inner: BentField<Double>) { self.inner = inner }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    rows.withLock { $0 += x.rows }
    return try inner.noise(x, at: t)
  }
}

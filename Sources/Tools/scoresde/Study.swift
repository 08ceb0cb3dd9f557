import Foundation
import ScoreSDE

/// Error against the number of function evaluations (NFE) on the score field of one model, under one process or several.
///
/// Solvers without noise are held to a fine solve of the flow of their process from the same starting noise, by the root
/// mean square over all entries. All solvers are held to a reference set by the energy distance: exact samples of the
/// data, the same for all processes, where the fields are oracles, else a fine solve from other noise.
struct Study<Scalar: TensorScalar> {
  /// The score field of the model under each process.
  let subjects: [Subject]
  /// The NFE to compare at.
  let budgets: [Int]
  /// The solvers, as text.
  let solvers: [String]
  let grids: [String]
  let count: Int
  let key: RandomKey

  /// The model's score field under a process.
  struct Subject {
    /// The process, as text.
    let sde: String
    let field: any DifferentiableScoreField<Scalar>
    /// Where samples stop.
    let epsilon: Double
  }

  /// What samples under a process are held to.
  private struct Truth {
    /// A fine solve from the noise of the study.
    let ends: Tensor<Scalar>
    /// The samples that distances are to.
    let reference: Tensor<Scalar>
    let floor: Estimate
  }

  /// Measures all curves.
  /// - Parameters:
  ///   - earlier: what a study of the same field and settings knew when it was stopped; it is not measured again.
  ///   - progress: told the part that is done, with a note; false stops the study.
  ///   - save: given what is known after each measurement.
  /// - Throws: `CancellationError` where `progress` stops it.
  func run(
    after earlier: Result? = nil, progress: @escaping (Double, String) -> Bool,
    save: (Result) throws -> Void
  ) throws -> Result {
    let exact = (subjects[0].field as? any ScoreOracle<Scalar>).map {
      $0.sample(count, key: key.folded("reference"))
    }
    let truths = try subjects.enumerated().map { place, subject in
      try truth(of: subject, exact: exact) { fraction in
        progress(0.08 * (Double(place) + fraction) / Double(subjects.count), "fine solve")
      }
    }
    var result = Result(
      reference: exact == nil ? "a fine solve from other noise" : "exact samples",
      processes: zip(subjects, truths).map { .init(sde: $0.sde, floor: $1.floor) })

    let jobs = try subjects.indices.flatMap { place in
      try solvers.flatMap { try curves(of: $0, on: place) }
    }
    result.omissions = jobs.flatMap(\.omissions)
    var runs = jobs.flatMap { job in job.runs.map { (job: job, run: $0) } }
    if let earlier {
      runs.removeAll { result.add($0.run, of: $0.job, from: earlier) }
    }
    result.remaining = runs.count
    let total = runs.reduce(0.0) { $0 + $1.run.cost + $1.run.fitCost }
    var done = 0.0
    func listener(_ cost: Double, _ note: String) -> (SamplingProgress) -> Bool {
      let before = done
      done += cost
      return { progress(0.08 + 0.92 * (before + cost * $0.fraction) / total, note) }
    }
    for (job, run) in runs {
      result.remaining -= 1
      do {
        let sampler = try run.sampler.fitted(
          progress: listener(run.fitCost, note(job, "fit at NFE \(run.budget ?? 0)")))
        let samples = try sampler.sample(
          count, key: key, progress: listener(run.cost, note(job, job.grid)))
        result.add(try point(of: run, samples, truths[job.subject]), of: job)
      } catch let error as SamplingError {
        result.omissions.append(job.omission(run.budget, run.tolerance, error))
      }
      try save(result)
    }
    return result
  }

  /// What is said of a job on its way.
  private func note(_ job: Job, _ what: String) -> String {
    "\(job.solver), \(what)" + (subjects.count == 1 ? "" : ", \(job.sde.prefix { $0 != ":" })")
  }

  /// What samples under a process are held to: by two fine solves, and by exact samples where there are such.
  private func truth(
    of subject: Subject, exact: Tensor<Scalar>?,
    progress: @escaping (_ fraction: Double) -> Bool
  ) throws -> Truth {
    let ends = try solved(subject, key) { progress(0.5 * $0) }
    let other = try solved(subject, key.folded("reference")) { progress(0.5 + 0.5 * $0) }
    let reference = exact ?? other
    return Truth(
      ends: ends, reference: reference,
      floor: Metrics.energyDistance(exact == nil ? ends : other, reference))
  }

  /// Samples by a fine solve of the flow.
  private func solved(
    _ subject: Subject, _ key: RandomKey, progress: @escaping (_ fraction: Double) -> Bool
  ) throws -> Tensor<Scalar> {
    let fine = try AdaptiveFlow(rtol: tolerance, atol: tolerance, maxEvaluations: 100_000)
    let sampler = try Sampler(subject.field, solver: fine, steps: 1, epsilon: subject.epsilon)
    let result = try sampler.sample(count, key: key) { progress($0.fraction) }
    try result.checkNotStopped()
    guard let bad = result.status.firstIndex(where: { !$0.isFinished }) else {
      return result.samples
    }
    throw CommandError.failure(
      "the fine solve of sample \(bad) did not finish: \(result.status[bad])")
  }

  /// What a run comes to.
  /// - Throws: `SamplingError` for a solver that blows up, which has no error to show, and `CancellationError` where it was stopped.
  private func point(
    of run: Run, _ found: SamplingResult<Scalar>, _ truth: Truth
  ) throws -> Point {
    try found.checkNotStopped()
    let unfinished = found.status.count { !$0.isFinished }
    if let status = found.status.first(where: { !$0.isFinished }) {
      throw SamplingError(
        "\(NumberText.grouped(unfinished)) of \(NumberText.counted(count, "sample")) did not finish, the first: \(status)",
        isNumerical: true)
    }
    guard found.samples.isFinite else {
      throw SamplingError("samples are no finite numbers", isNumerical: true)
    }
    return Point(
      budget: run.budget, tolerance: run.tolerance, evaluations: found.meanEvaluations,
      error: run.sampler.solver.usesNoise ? nil : Self.error(found.samples, truth.ends),
      distance: Metrics.energyDistance(found.samples, truth.reference))
  }

  private var tolerance: Double { Scalar.self == Float.self ? 1e-6 : 1e-9 }

  private static func error(_ found: Tensor<Scalar>, _ exact: Tensor<Scalar>) -> Estimate {
    let difference = Tensor<Double>(found) - Tensor<Double>(exact)
    let width = Double(difference.shape.rowCount)
    let square = Estimate(meanOf: difference.rowDots(difference).map { $0 / width })
    let root = square.value.squareRoot()
    return Estimate(root, standardError: root > 0 ? square.standardError / (2 * root) : 0)
  }
}

extension SamplingResult {
  /// - Throws: `CancellationError` where the solve was stopped on its way.
  fileprivate func checkNotStopped() throws {
    let isStopped = status.contains { if case .cancelled = $0 { true } else { false } }
    if isStopped { throw CancellationError() }
  }
}

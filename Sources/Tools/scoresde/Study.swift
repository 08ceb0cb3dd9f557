import Foundation
import ScoreSDE

/// Error against the number of function evaluations (NFE) on one score field.
///
/// Solvers without noise are held to a fine solve of the flow from the same starting noise, by the root mean square over
/// all entries. All solvers are held to a reference set by the energy distance: exact samples of the data where the
/// field is an oracle, else a fine solve from other noise.
struct Study<Scalar: TensorScalar> {
  let field: any DifferentiableScoreField<Scalar>
  /// The NFE to compare at.
  let budgets: [Int]
  /// The solvers, as text.
  let solvers: [String]
  let grids: [String]
  let count: Int
  let epsilon: Double
  let key: RandomKey

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
    let ends = try solved(key) { progress(0.04 * $0, "fine solve") }
    let other = try solved(key.folded("reference")) { progress(0.04 + 0.04 * $0, "fine solve") }
    let exact = (field as? any ScoreOracle<Scalar>).map {
      $0.sample(count, key: key.folded("reference"))
    }
    let reference = exact ?? other
    var result = Result(
      reference: exact == nil ? "a fine solve from other noise" : "exact samples",
      floor: Metrics.energyDistance(exact == nil ? ends : other, reference))

    let jobs = try solvers.flatMap { try curves(of: $0) }
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
          progress: listener(run.fitCost, "\(job.solver), fit at NFE \(run.budget ?? 0)"))
        let samples = try sampler.sample(
          count, key: key, progress: listener(run.cost, "\(job.solver), \(job.grid)"))
        result.add(try point(of: run, samples, ends: ends, reference: reference), of: job)
      } catch let error as SamplingError {
        result.omissions.append(job.omission(run.budget, run.tolerance, error))
      }
      try save(result)
    }
    return result
  }

  /// Samples by a fine solve of the flow.
  private func solved(
    _ key: RandomKey, progress: @escaping (_ fraction: Double) -> Bool
  ) throws -> Tensor<Scalar> {
    let fine = try AdaptiveFlow(rtol: tolerance, atol: tolerance, maxEvaluations: 100_000)
    let sampler = try Sampler(field, solver: fine, steps: 1, epsilon: epsilon)
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
    of run: Run, _ found: SamplingResult<Scalar>, ends: Tensor<Scalar>, reference: Tensor<Scalar>
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
      error: run.sampler.solver.usesNoise ? nil : Self.error(found.samples, ends),
      distance: Metrics.energyDistance(found.samples, reference))
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

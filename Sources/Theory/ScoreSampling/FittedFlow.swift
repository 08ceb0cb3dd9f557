import Foundation
import ScoreProcesses
import ScoreTensors

/// A multistep solver of the flow whose times and weights are fitted to one score field and one number of steps.
///
/// ```
/// x(t₀) = a x(T) + b                                       no evaluation: noise drowns the data before t₀ ≤ T
/// x_{i+1} = a_i x_i + Σⱼ wᵢⱼ ε̂_{i−j} + b_i,   j < memory    one evaluation a step, the first at t₀
/// ```
///
/// Each principal axis of the samples has a, w and b of its own, so that the flow of Gaussian data is solved exactly whatever
/// their covariance; samples of more than 512 entries share a and w among the entries. They are those that bring the
/// states of a pilot batch nearest to a fine solve of the same samples, in the mean square and beside a small ridge
/// towards the exact exponential weights of order 2; the times, t₀ among them, are searched for the least error at the end.
/// Deterministic. It declares order 1, as no order is left when N is fixed.
///
/// The fit costs each pilot sample 4 ln(u_T/u_ε)/0.1 evaluations for the fine solve and 512 of them up to 400 N
/// for the search (u = σ/α); it pays where many samples are drawn in few steps. A step costs three products with a
/// D × D matrix a sample besides its evaluation. Solvers with weights and times of their own for each step are those of
/// Shaul et al. 2024 (bespoke non-stationary solvers).
public struct FittedFlow: FieldFittedSolver {
  /// The latest predictions that a step may use.
  public let memory: Int
  /// The samples of the pilot batch.
  public let pilot: Int
  /// How often each time has its turn in the search.
  public let sweeps: Int
  /// The key of the pilot batch.
  public var key = RandomKey(0)

  /// Creates the solver, to be fitted when it is used.
  /// - Throws: `SamplingError` unless memory is 1 to 1000, pilot 2 to 2²⁰ and sweeps 0 to 1000.
  public init(memory: Int = 4, pilot: Int = 1024, sweeps: Int = 6) throws(SamplingError) {
    for (name, value, range) in [
      ("memory", memory, 1...1000), ("pilot", pilot, 2...1 << 20), ("sweeps", sweeps, 0...1000),
    ] where !range.contains(value) {
      throw SamplingError(
        "the fitted solver has \(name) \(value); expected \(range.lowerBound) to \(range.upperBound)"
      )
    }
    self.memory = memory
    self.pilot = pilot
    self.sweeps = sweeps
  }

  public var spec: Spec {
    var parameters: [Spec.Parameter] = []
    for (key, value, standard) in [
      ("memory", memory, 4), ("pilot", pilot, 1024), ("sweeps", sweeps, 6),
    ] where value != standard {
      parameters.append(Spec.Parameter(key: key, value: "\(value)"))
    }
    return Spec(kind: "solver", name: "fitted", argument: nil, parameters: parameters)
  }
  public var order: Int { 1 }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { 1 }

  public func fitEvaluations(for process: any LinearProcess, along grid: TimeGrid) -> Double {
    parts(for: process, along: grid).reduce(0, +)
  }

  // The fine solve, the starts, two searches and the last fit.
  private func parts(for process: any LinearProcess, along grid: TimeGrid) -> [Double] {
    let steps = grid.steps.count
    let fine = FlowPilot<Double>.evaluations(of: process, from: grid.start, to: grid.end)
    let few = Double(min(pilot, Self.few(of: pilot)) * steps)
    // A trial goes through the steps from the first that it moves on: about two thirds of them.
    let trials = Double(search.mostTrials(steps, from: 0))
    return [Double(pilot) * fine, 12 * few, 4 / 3 * trials * few, Double(pilot * steps)]
  }

  private var search: KnotSearch { KnotSearch(sweeps: sweeps, maxTrials: 200) }

  // Times are few and want fewer samples than weights do.
  private static func few(of pilot: Int) -> Int { max(512, pilot / 4) }

  public func fitted<Scalar: TensorScalar>(
    to field: any ScoreField<Scalar>, along grid: TimeGrid,
    progress: ((SamplingProgress) -> Bool)?
  ) throws -> (solver: any Solver, grid: TimeGrid) {
    let check = SamplingProgress.checks(
      of: parts(for: field.process, along: grid), at: grid.start, by: progress)
    let pilot = try FlowPilot(
      field, count: pilot, from: grid.start, to: grid.end, key: key
    ) { try check(0, 0.9 * $0) }
    let few = pilot.first(Self.few(of: pilot.count))
    // Of samples of many entries the axes take a part of the time that the fine solve does.
    let axes = try PrincipalAxes(
      ofStates: pilot.end, fromNormal: pilot.start,
      deviation: field.process.priorDeviation(at: grid.start)
    ) { try check(0, 0.9 + 0.1 * $0) }
    // The search is made from the best two grids: it ends in a minimum near where it starts.
    let candidates = candidates(pilot, steps: grid.steps.count)
    let starts = try candidates.enumerated().map { place, knots in
      try MultistepFit(few, axes: axes, knots: knots, memory: memory) {
        try check(1, Double(place) / Double(candidates.count))
      }
    }.filter { $0.error.isFinite }.sorted { $0.error < $1.error }
    guard var best = starts.first else {
      throw SamplingError(
        "no grid of \(grid.steps.count) steps solves the flow of the field", isNumerical: true)
    }
    for (place, start) in starts.prefix(2).enumerated() {
      var fit = start
      try search.improve(
        start.knots, loss: start.error, highest: pilot.ends.high
      ) { knots, moved, error, done in
        let trial = try fit.changed(few, axes: axes, knots: knots, from: moved) {
          try check(2, (Double(place) + done) / 2)
        }
        guard trial.error < error else { return nil }
        fit = trial
        return trial.error
      }
      if fit.error < best.error { best = fit }
    }
    let fit = try MultistepFit(pilot, axes: axes, knots: best.knots, memory: memory) {
      try check(3, 0)
    }
    let times = [grid.start] + best.knots.dropFirst().dropLast().map(pilot.time) + [grid.end]
    let solved = try TimeGrid(times: times)
    let solver = FittedMultistep(
      grid: solved, entry: pilot.time(at: best.knots[0]), axes: axes, maps: fit.maps)
    return (solver, solved)
  }

  // Steps that crowd at the data and steps even in log(σ/α), from the start and from where noise drowns the data.
  private func candidates<Scalar: TensorScalar>(
    _ pilot: FlowPilot<Scalar>, steps: Int
  ) -> [[Double]] {
    let (high, low) = pilot.ends
    let spread = log(pilot.spread)
    let tops = [high] + [spread, spread + log(3)].filter { low + 0.1 < $0 && $0 < high }
    return tops.flatMap { KnotSearch.candidates(from: $0, to: low, steps: steps) }
  }
}

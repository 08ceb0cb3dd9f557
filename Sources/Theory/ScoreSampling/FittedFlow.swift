import Foundation
import ScoreProcesses
import ScoreTensors

/// A multistep solver of the flow whose times and weights are fitted to one score field and one number of steps.
///
/// ```
/// x_{i+1} = (α_{i+1}/α_i) x_i + Σⱼ wᵢⱼ ε̂_{i−j},   j < memory
/// ```
///
/// The weights of a step are those that bring the states of a pilot batch nearest to a fine solve of the same samples, in
/// the mean square and beside a small ridge towards the exact exponential weights of order 2; the times are searched for
/// the least error at the end. One evaluation a step, deterministic. The fit costs each pilot sample about
/// 5 ln(u_T/u_ε)/0.1 evaluations for the fine solve and up to 800 N for the search (u = σ/α); it pays where many samples
/// are drawn in few steps. It declares order 1, as no order is left when N is fixed. Solvers with weights and
/// times of their own for each step are those of Shaul et al. 2024 (bespoke non-stationary solvers).
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
  /// - Throws: `SamplingError` unless memory ≥ 1, pilot ≥ 2 and sweeps ≥ 0.
  public init(memory: Int = 4, pilot: Int = 1024, sweeps: Int = 6) throws(SamplingError) {
    for (name, value, least) in [("memory", memory, 1), ("pilot", pilot, 2), ("sweeps", sweeps, 0)]
    {
      guard value >= least else {
        throw SamplingError("the fitted solver has \(name) \(value); expected \(least) or more")
      }
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

  public func fitted<Scalar: TensorScalar>(
    to field: any ScoreField<Scalar>, along grid: TimeGrid
  ) throws -> (solver: any Solver, grid: TimeGrid) {
    let pilot = try FlowPilot(
      field, count: pilot, from: grid.start, to: grid.end, key: key)
    let process = field.process
    func joined(_ knots: [Double]) throws -> TimeGrid {
      try process.grid(knots, from: grid.start, to: grid.end)
    }
    // The search is made from the best two grids: it ends in a minimum near where it starts.
    let starts = try KnotSearch.candidates(
      from: pilot.ends.high, to: pilot.ends.low, steps: grid.steps.count
    ).map { knots in
      (knots, try MultistepFit(pilot, grid: joined(knots), knots: knots, memory: memory))
    }.filter { $0.1.error.isFinite }.sorted { $0.1.error < $1.1.error }
    guard var best = starts.first?.1 else {
      throw SamplingError("no grid of \(grid.steps.count) steps solves the flow of the field")
    }
    for (knots, start) in starts.prefix(2) {
      var fit = start
      try KnotSearch(sweeps: sweeps).improve(knots, loss: fit.error) { knots, moved, error in
        // The steps before the one that ends in the knot stay as they are.
        let trial = try fit.changed(pilot, grid: joined(knots), knots: knots, from: moved - 1)
        guard trial.error < error else { return nil }
        fit = trial
        return trial.error
      }
      if fit.error < best.error { best = fit }
    }
    return (FittedMultistep(grid: best.grid, weights: best.weights), best.grid)
  }
}

/// A multistep solver with weights for each step of one grid.
public struct FittedMultistep: StepSolver {
  /// The grid that the weights belong to.
  public let grid: TimeGrid
  /// For each step the weights of the predictions, the latest first.
  public let weights: [[Double]]

  /// Creates the solver; one list of weights for each step of the grid, none longer than the steps so far.
  public init(grid: TimeGrid, weights: [[Double]]) {
    precondition(
      weights.count == grid.steps.count
        && zip(weights, 1...).allSatisfy { 1...$1 ~= $0.count },
      "\(weights.map(\.count)) weights for \(grid.steps.count) steps")
    self.grid = grid
    self.weights = weights
  }

  public var spec: Spec { Spec(kind: "solver", name: "fitted") }
  public var order: Int { 1 }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { 1 }

  /// One step of the grid that the weights belong to.
  /// - Throws: `SamplingError` for a step of another grid, and what the field throws.
  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    guard step.index < weights.count, step.time == grid.steps[step.index].time,
      step.next == grid.steps[step.index].next
    else {
      throw SamplingError(
        "step \(step.index) goes from t = \(step.time) to \(step.next); expected the grid of \(weights.count) steps that the solver was fitted for"
      )
    }
    let row = weights[step.index]
    let longest = weights.map(\.count).max() ?? 1
    let noise = try context.predictedNoise(x, at: step.time)
    context.remember(noise, at: step.time, keeping: longest)
    guard context.past.count >= row.count else {
      throw SamplingError(
        "step \(step.index) wants \(row.count) predictions and finds \(context.past.count); expected the steps before it"
      )
    }
    let (from, to) = (
      context.process.marginal(at: step.time), context.process.marginal(at: step.next)
    )
    return x.adding(
      context.past.map(\.value), row, scale: exp(to.logAlpha - from.logAlpha))
  }
}

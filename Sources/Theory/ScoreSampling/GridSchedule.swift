import ScoreProcesses

/// How the steps of a time grid are spread, apart from their number and ends.
///
/// Where none is given, the solver takes the one that suits it and the process. With u = σ/α, a process suits steps even in
/// t if the last of fifty starts at u ≤ 0.1 and the first divides u by 20 at most, as those of VP, sub-VP, VE, cosine, rectified
/// flow and DDPM's chain do and those of EDM, linear VE, Ornstein–Uhlenbeck and the cosine chain do not. A method whose variable
/// is u wants the first to divide u by e at most, which leaves VP, sub-VP, VE and DDPM's chain.
///
/// | solver | even t suits | it does not |
/// |---|---|---|
/// | dpm-solver++, sde-dpm-solver++, unipc | log-snr | log-snr |
/// | heun, midpoint, rk4, euler, edm, ode with even steps | uniform | karras |
/// | all others | uniform | log-snr |
public enum GridSchedule: Sendable, Hashable {
  /// Even in t.
  case uniform
  /// Even in √t.
  case quadratic
  /// Even in log(σ/α).
  case logSNR
  /// Karras et al. 2022, eq. 5.
  case karras(rho: Double)
  /// The grid and the transitions of the published reference code; see `TimeGrid.reference`.
  case reference

  /// What suits most solvers: steps even in t where that suits the process, else in log(σ/α).
  static func standard(for process: any LinearProcess) -> GridSchedule {
    process.suitsEvenTimes ? .uniform : .logSNR
  }

  /// The grid from T (or a given start) to ε (or the process's own).
  ///
  /// Where α/σ at T is below the rounding of Float, grids but the reference start where it is at that, as there is noise alone
  /// before.
  /// - Throws: `SamplingError` unless 1 ≤ N ≤ `TimeGrid.mostSteps` and 0 < ε < T.
  public func grid(
    for process: any LinearProcess, steps: Int, from start: Double? = nil, to epsilon: Double? = nil
  ) throws(SamplingError) -> TimeGrid {
    let epsilon = epsilon ?? process.cutoffs.sampling
    let usual = process.solveStart
    let start = start ?? (self == .reference || usual <= epsilon ? process.endTime : usual)
    guard start <= process.endTime else {
      throw SamplingError(
        "the start \(start) is past the end T = \(process.endTime) of the process")
    }
    switch self {
    case .uniform:
      return try .uniform(from: start, to: epsilon, steps: steps)
    case .quadratic:
      return try .quadratic(from: start, to: epsilon, steps: steps)
    case .logSNR:
      return try .logSNR(of: process, from: start, to: epsilon, steps: steps)
    case .karras(let rho):
      return try .karras(of: process, from: start, to: epsilon, steps: steps, rho: rho)
    case .reference:
      guard start == process.endTime else {
        throw SamplingError(
          "the reference grid starts at \(start); expected the end T = \(process.endTime)")
      }
      return try .reference(for: process, steps: steps, epsilon: epsilon)
    }
  }
}

extension GridSchedule: CustomStringConvertible {
  public var description: String {
    switch self {
    case .uniform: "uniform"
    case .quadratic: "quadratic"
    case .logSNR: "log-snr"
    case .karras: "karras"
    case .reference: "reference"
    }
  }
}

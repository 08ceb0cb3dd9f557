import ScoreSampling

/// How the probability-flow ODE is solved for a likelihood or a latent.
public enum FlowMethod: Sendable, Equatable {
  /// Dormand–Prince 5(4), each sample with steps of its own.
  ///
  /// The state and the log density are held to the tolerances separately.
  case adaptive(rtol: Double = 1e-5, atol: Double = 1e-5, maxEvaluations: Int = 10_000)
  /// Steps of one length in t.
  case fixed(RungeKuttaTableau, steps: Int)

  /// Checks the parameters.
  func check() throws(SamplingError) {
    switch self {
    case .adaptive(let rtol, let atol, let maxEvaluations):
      _ = try AdaptiveIntegrator(rtol: rtol, atol: atol, maxEvaluations: maxEvaluations)
    case .fixed(let tableau, let steps):
      _ = try FixedIntegrator(tableau, steps: steps)
    }
  }

  func integrate<System: RowSystem>(
    _ system: inout System, _ states: [Double], from t0: Double, to t1: Double,
    shouldContinue: ((_ fraction: Double, _ time: Double, _ evaluations: Int) -> Bool)?
  ) throws -> RowSolution {
    switch self {
    case .adaptive(let rtol, let atol, let maxEvaluations):
      try AdaptiveIntegrator(rtol: rtol, atol: atol, maxEvaluations: maxEvaluations)
        .integrateFlow(&system, states, from: t0, to: t1, shouldContinue: shouldContinue)
    case .fixed(let tableau, let steps):
      try FixedIntegrator(tableau, steps: steps)
        .integrate(&system, states, from: t0, to: t1, shouldContinue: shouldContinue)
    }
  }
}

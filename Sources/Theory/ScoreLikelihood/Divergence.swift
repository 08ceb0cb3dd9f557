import ScoreProcesses
import ScoreTensors

/// How the divergence of the flow is found.
public enum Divergence: Sendable, Hashable {
  /// The trace of ∂ε̂/∂x, exactly: D pullbacks an evaluation, or none where the field knows it in closed form.
  case exact
  /// Hutchinson's estimate, the mean over probes v of vᵀ (∂ε̂/∂x) v: one pullback a probe and evaluation.
  ///
  /// The probes are drawn once for each sample and held fixed along the solve, so the solver sees a smooth function.
  case hutchinson(Probe = .rademacher, probes: Int = 1)

  /// The distribution of probes; all give the trace in the mean.
  public enum Probe: String, Sendable, CaseIterable {
    /// Entries ±1. For a matrix J the variance is 2 Σ_{i≠j} S_ij² with S = (J + Jᵀ)/2: none where J is diagonal.
    case rademacher
    /// Standard normal entries. The variance is 2 Σ_ij S_ij².
    case gaussian

    func draw<Scalar: TensorScalar>(
      _ shape: Shape, key: RandomKey, samples: SampleIndices
    ) -> Tensor<Scalar> {
      switch self {
      case .rademacher: key.rademacher(shape, samples: samples)
      case .gaussian: key.normal(shape, samples: samples)
      }
    }
  }
}

extension Divergence: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exact: "exact"
    case .hutchinson(let probe, let probes): "hutchinson:probe=\(probe.rawValue),probes=\(probes)"
    }
  }
}

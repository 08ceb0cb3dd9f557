import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// How the divergence of the flow is found.
public enum Divergence: Sendable, Hashable {
  /// The trace of ∂ε̂/∂x, exactly: D pullbacks an evaluation, or none where the field knows it in closed form.
  case exact
  /// Hutchinson's estimate, the mean over probes v of vᵀ (∂ε̂/∂x) v: one pullback a probe and evaluation.
  ///
  /// The probes are drawn once for each sample and held fixed along the solve, so the solver sees a smooth function.
  case hutchinson(Probe = .rademacher, probes: Int = 1)
  /// Hutch++ (Meyer, Musco, Musco & Woodruff 2021): exact on a sketched subspace, Hutchinson's estimate on the rest.
  ///
  /// ```
  /// A = I/σ − (∂ε̂/∂x)ᵀ,   Q = orth(A S),   tr A = tr QᵀAQ + mean over g of gᵀ(I − QQᵀ) A (I − QQᵀ) g
  /// ```
  ///
  /// A is α/σ times the Jacobian of the denoiser, (α²/σ³) Cov[x₀ | x_t] for an exact score: its rank is that of the data
  /// around x, so data near a surface of few dimensions leave nothing for the probes. From A the probes see the multiple
  /// of 1 subtracted that A has along the last direction of Q, as its trace is known; this serves data that fill
  /// their space. S has `sketch` normal columns, and `probes` random signs g are drawn, fixed along the solve. Costs
  /// 2·sketch + probes pullbacks an evaluation; exact for sketch ≥ D.
  case hutchPlusPlus(sketch: Int = 4, probes: Int = 2)

  /// The distribution of probes; all give the trace in the mean.
  ///
  /// Variances are those of one probe for a matrix J, with S = (J + Jᵀ)/2.
  public enum Probe: String, Sendable, CaseIterable {
    /// Entries ±1: 2 Σ_{i≠j} S_ij², so none where J is diagonal.
    case rademacher
    /// Standard normal entries: 2 Σ_ij S_ij².
    case gaussian
    /// Uniform on the sphere of radius √D: 2D/(D + 2) (Σ_ij S_ij² − (tr S)²/D), none where J is a multiple of 1.
    case sphere

    func draw<Scalar: TensorScalar>(
      _ shape: Shape, key: RandomKey, samples: SampleIndices
    ) -> Tensor<Scalar> {
      switch self {
      case .rademacher: return key.rademacher(shape, samples: samples)
      case .gaussian: return key.normal(shape, samples: samples)
      case .sphere:
        let normal: Tensor<Scalar> = key.normal(shape, samples: samples)
        let radius = Double(shape.rowCount).squareRoot()
        return .combinedRows(
          normal.doubleRowDots(normal).map { Scalar(radius / $0.squareRoot()) }, normal)
      }
    }
  }

  /// The most probes, and the most directions of a sketch.
  public static var mostProbes: Int { 1 << 16 }

  /// Refuses a batch whose probes do not fit into memory with the pullbacks of them.
  func checkMemory<Scalar: TensorScalar>(
    of rows: Int, _ shape: Shape, _ type: Scalar.Type
  ) throws(SamplingError) {
    let probes: Int
    switch self {
    case .exact: return
    case .hutchinson(_, let count): probes = count
    case .hutchPlusPlus(let sketch, let count): probes = min(sketch, shape.count) + count
    }
    let numbers = 2 * Double(probes) * Double(rows) * Double(shape.count)
    if let shortage = Memory.shortage(of: numbers, type) {
      throw SamplingError(
        "\(probes) probes of each of \(rows) samples of shape \(shape) take \(shortage); expected fewer probes, or smaller batches"
      )
    }
  }

  /// Checks the numbers of probes.
  func check() throws(SamplingError) {
    switch self {
    case .exact: return
    case .hutchinson(_, let probes):
      try SamplingError.check(probes, "probes", most: Self.mostProbes)
    case .hutchPlusPlus(let sketch, let probes):
      guard sketch >= 1, probes >= 1 else {
        throw SamplingError(
          "Hutch++ has a sketch of \(sketch) and \(probes) probes; expected 1 or more of each")
      }
      try SamplingError.check(max(sketch, probes), "probes", most: Self.mostProbes)
    }
  }
}

extension Divergence: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exact: "exact"
    case .hutchinson(let probe, let probes): "hutchinson:probe=\(probe.rawValue),probes=\(probes)"
    case .hutchPlusPlus(let sketch, let probes): "hutch++:sketch=\(sketch),probes=\(probes)"
    }
  }
}

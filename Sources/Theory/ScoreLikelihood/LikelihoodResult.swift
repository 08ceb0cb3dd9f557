import ScoreSampling
import ScoreTensors

/// Log densities, in nats, with what is known of their errors; one entry a sample everywhere.
public struct LikelihoodResult<Scalar: TensorScalar>: Sendable {
  /// log p of each sample; NaN for one whose solve did not finish.
  public var logDensity: [Double]
  /// The log density of the latent under the prior: the part of `logDensity` that is not the flow's divergence.
  public var priorLogDensity: [Double]
  /// The standard error of `logDensity` that comes from the probes: 0 for the exact divergence, nil for a single probe,
  /// whose spread cannot be seen. A few random signs may give the same value: see `ErrorBudget.probes`.
  public var probeStandardError: [Double]?
  /// An estimate of the solver's error in `logDensity`: the magnitudes of the local errors' consequences, summed over the
  /// steps. It may fall short of the error, seldom threefold for oracles but tenfold and more for networks, so that
  /// `ErrorBudget` learns from second solves what it is worth. NaN for samples that did not finish; nil for fixed steps,
  /// which do not know their errors.
  public var solverError: [Double]?
  /// Where the flow carries each sample at T: `[n] + sampleShape`.
  public var latent: Tensor<Scalar>
  /// How each sample's solve ended.
  public var status: [SolveStatus]
  /// The evaluations of drift and divergence that each sample took; one costs a pullback a probe.
  public var evaluations: [Int]

  /// Whether all samples finished.
  public var isFinished: Bool { status.allSatisfy(\.isFinished) }

  /// The mean of `logDensity`; NaN unless all samples finished.
  public var mean: Double { logDensity.reduce(0, +) / Double(logDensity.count) }

  /// The standard error of the mean over samples, probes included, or nil for fewer than two samples.
  public var standardError: Double? {
    guard logDensity.count > 1 else { return nil }
    return SampleMean(logDensity).standardError
  }

  /// The mean over samples of the number of evaluations.
  public var meanEvaluations: Double {
    Double(evaluations.reduce(0, +)) / Double(max(1, evaluations.count))
  }
  /// The greatest number of evaluations that a sample took.
  public var maxEvaluations: Int { evaluations.max() ?? 0 }
}

/// States carried along the flow.
public struct FlowResult<Scalar: TensorScalar>: Sendable {
  /// The states at the end, `[n] + sampleShape`.
  public var x: Tensor<Scalar>
  /// How each sample's solve ended; the samples that did not finish hold their last state.
  public var status: [SolveStatus]
  /// The evaluations of the field that each sample took.
  public var evaluations: [Int]
}

/// Samples drawn together with their log densities.
public struct SampledDensity<Scalar: TensorScalar>: Sendable {
  /// The samples at ε, `[n] + sampleShape`.
  public var samples: Tensor<Scalar>
  /// Their log densities, with the latents that they were drawn from.
  public var likelihood: LikelihoodResult<Scalar>
}

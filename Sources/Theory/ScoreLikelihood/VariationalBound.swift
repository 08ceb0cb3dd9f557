import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// The variational lower bound of the log density that the reverse SDE gives (Kingma et al. 2021; Song et al. 2021b).
///
/// ```
/// log p(x) ≥ E log N(x; x̂₀(x_ε), (σ/α)² I) − KL(N(α x, σ² I) at T ‖ N(0, s² I)) − ½ ∫_ε^T (g²/σ²) E|z − ε̂(x_t, t)|² dt
/// ```
///
/// The first term is the reconstruction from x_ε, which stands for the truncation at ε. Times are drawn in proportion
/// to g²/σ², two in each of as many strata, so the variance of the mean is known without bias; |z|² − D, whose mean
/// is 0, is subtracted with the factor (α² d²/(α² d² + σ²))², right for data of deviation d. Sample i depends on (key, i) alone. No derivatives are taken: a
/// sample costs 2 (strata + 1) evaluations of the field.
///
/// It bounds the density of the model, drawn from the prior by the reverse SDE, so its mean over data lies below the mean
/// log density of the data themselves, whatever the field.
public struct VariationalBound<Scalar: TensorScalar>: Sendable {
  /// The score field.
  public let field: any ScoreField<Scalar>
  /// The strata of times.
  public let strata: Int
  /// Where the integral starts.
  public let epsilon: Double
  /// The deviation d of the data, by which the variance is reduced; the mean does not depend on it.
  public let dataDeviation: Double
  private let times: LikelihoodWeightedTimes

  /// The most strata.
  public static var mostStrata: Int { 1 << 16 }

  /// Creates the computation; ε is the process's own for likelihoods where none is given.
  /// - Throws: `SamplingError` unless 0 < ε < T, strata is 1 to `mostStrata` and d ≥ 0 is finite; `ProcessError` where α/σ does not fall.
  public init(
    _ field: any ScoreField<Scalar>, strata: Int = 32, epsilon: Double? = nil,
    dataDeviation: Double = 1
  ) throws {
    try SamplingError.check(strata, "strata", most: Self.mostStrata)
    guard dataDeviation >= 0, dataDeviation.isFinite else {
      throw SamplingError("the data's deviation is \(dataDeviation); expected 0 or more, finite")
    }
    self.field = field
    self.strata = strata
    self.dataDeviation = dataDeviation
    self.epsilon = epsilon ?? field.process.cutoffs.likelihood
    times = try LikelihoodWeightedTimes(field.process, from: self.epsilon)
  }

  /// The bound for each row of x, which is sample number `first`, `first + 1`, …
  ///
  /// - Parameter progress: called with the part done before each stratum; false stops, as does the task's cancellation.
  /// - Throws: `SamplingError` for samples of another shape than the field's and a `first` below 0, `CancellationError` where it is
  ///   stopped, and what the field throws.
  public func callAsFunction(
    _ x: Tensor<Scalar>, key: RandomKey = RandomKey(0), first: Int = 0,
    progress: ((Double) -> Bool)? = nil
  ) throws -> VariationalBoundResult {
    guard x.shape.rank > 0, x.rows > 0, x.shape.row == field.sampleShape else {
      throw SamplingError(
        "the samples have shape \(x.shape); expected [n] followed by \(field.sampleShape), n 1 or more"
      )
    }
    try SamplingError.checkSamples(x.rows, of: field.sampleShape, Scalar.self, first: first)
    try field.checkSampleCount(x.rows)
    let size = Sampler<Scalar>.standardBatchSize(field.sampleShape)
    var result = VariationalBoundResult()
    for start in stride(from: 0, to: x.rows, by: size) {
      let rows = start..<min(x.rows, start + size)
      try add(x.rows(rows), field.rows(rows), key, .consecutive(first: first + start), to: &result)
      { fraction in
        let done = (Double(start) + fraction * Double(rows.count)) / Double(x.rows)
        return !Task.isCancelled && progress?(done) ?? true
      }
    }
    return result
  }

  private func add(
    _ x: Tensor<Scalar>, _ field: any ScoreField<Scalar>, _ key: RandomKey,
    _ samples: SampleIndices,
    to result: inout VariationalBoundResult, shouldContinue: (Double) -> Bool
  ) throws {
    let (rows, dimensions) = (x.rows, Double(x.shape.rowCount))
    var diffusion = [Double](repeating: 0, count: rows)
    var squares = diffusion
    for stratum in 0..<strata {
      guard shouldContinue(Double(stratum) / Double(strata + 1)) else {
        throw CancellationError()
      }
      let key = key.folded("stratum").folded(UInt64(stratum))
      let pair = try [0, 1].map { draw in
        let key = key.folded(UInt64(draw))
        let uniform: Tensor<Double> = key.folded("times").uniform([rows, 1], samples: samples)
        let t = uniform.scalars.map { times.time(at: (Double(stratum) + $0) / Double(strata)) }
        return try misses(x, field, t, key.folded("noise"), samples)
      }
      for row in 0..<rows {
        let (a, b) = (pair[0][row], pair[1][row])
        diffusion[row] += 0.5 * (a + b) / Double(strata)
        squares[row] += 0.25 * (a - b) * (a - b) / Double(strata * strata)
      }
    }
    let start = field.process.marginal(at: epsilon)
    let ends = try [0, 1].map { draw in
      try misses(
        x, field, [Double](repeating: epsilon, count: rows),
        key.folded("reconstruction").folded(UInt64(draw)), samples)
    }
    let scale = 2 * Double.pi * exp(2 * (log(start.sigma) - start.logAlpha))
    let norms = x.doubleRowDots(x)
    let half = 0.5 * times.mass
    for row in 0..<rows {
      let (a, b) = (ends[0][row], ends[1][row])
      result.reconstruction.append(-0.5 * dimensions * log(scale) - 0.25 * (a + b))
      result.prior.append(priorDivergence(norms[row], dimensions))
      result.diffusion.append(half * diffusion[row])
      result.standardError.append(
        (half * half * squares[row] + 0.0625 * (a - b) * (a - b)).squareRoot())
    }
  }

  // |z − ε̂(α x + σ z, t)|², less the part of |z|² − D that small times make up.
  private func misses(
    _ x: Tensor<Scalar>, _ field: any ScoreField<Scalar>, _ t: [Double], _ key: RandomKey,
    _ samples: SampleIndices
  ) throws -> [Double] {
    let z: Tensor<Scalar> = key.normal(x.shape, samples: samples)
    let noise = try field.checkedNoise(
      field.process.perturb(x, noise: z, at: .perSample(t)), at: .perSample(t))
    let difference = z - noise
    let (misses, norms) = (difference.doubleRowDots(difference), z.doubleRowDots(z))
    let dimensions = Double(x.shape.rowCount)
    return (0..<x.rows).map { row in
      let kernel = field.process.marginal(at: t[row])
      let signal = pow(kernel.alpha * dataDeviation, 2)
      let share = signal / (signal + kernel.sigma * kernel.sigma)
      return misses[row] - share * share * (norms[row] - dimensions)
    }
  }

  private func priorDivergence(_ square: Double, _ dimensions: Double) -> Double {
    let kernel = field.process.marginal(at: field.process.endTime)
    let s = field.process.priorDeviation
    let excess = (kernel.sigma - s) * (kernel.sigma + s) / (s * s)
    let ratio = kernel.alpha / s
    return 0.5 * (dimensions * (excess - log1p(excess)) + ratio * ratio * square)
  }
}

/// Variational bounds, in nats, with their parts; one entry a sample everywhere.
public struct VariationalBoundResult: Sendable, Equatable {
  /// E log p(x | x_ε).
  public var reconstruction: [Double] = []
  /// KL(p(x_T | x) ‖ prior), in closed form.
  public var prior: [Double] = []
  /// ½ ∫ (g²/σ²) E|z − ε̂|² dt.
  public var diffusion: [Double] = []
  /// The standard error of the bound over the draws of times and noise.
  public var standardError: [Double] = []

  /// The bounds: reconstruction − prior − diffusion.
  public var bound: [Double] {
    reconstruction.indices.map { reconstruction[$0] - prior[$0] - diffusion[$0] }
  }

  /// The mean of the bounds.
  public var mean: Double { bound.reduce(0, +) / Double(bound.count) }

  /// The standard error of the mean over samples, draws included, or nil for fewer than two samples.
  public var meanStandardError: Double? {
    bound.count > 1 ? SampleMean(bound).standardError : nil
  }
}

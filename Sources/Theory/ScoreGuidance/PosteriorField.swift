import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// The field of samples x given an observation y = A x + n of noise n ~ N(0, diag(s²)).
///
/// ```
/// ∇ log p_t(x | y) = ∇ log p_t(x) + ∇ log p(y | x_t),   p(x_0 | x_t) ≈ N(x̂₀, V),   V = (σ²/α) ∂x̂₀/∂x_t
/// ∇ log p(y | x_t) = (∂x̂₀/∂x_t)ᵀ Aᵀ (diag(s²) + A V Aᵀ)⁻¹ (y − A x̂₀)
/// ```
///
/// Mean and covariance of p(x_0 | x_t) are the true ones (moment matching: Boys et al. 2023; MMPS: Rozet et al. 2024), so that
/// the field is exact where the data are Gaussian. Elsewhere it is approximate at high noise and becomes exact as t → 0, so that
/// modes are themselves right but not how frequent they are: one of three well-parted modes that has 0.31 of a posterior got
/// 0.59 of the samples by `unipc` and 0.56 by `ancestral`. `ParticleSampler` gives them their shares.
///
/// One y holds for all samples, or each has its own, of which other numbers may be known: rows of A and y that a sample lacks
/// are left out of its system. The matrix is not formed: its system is
/// solved row by row with conjugate gradients, of whose iterates the one with the least residual is taken. One evaluation costs
/// one of the field, and at most one pullback for each of `iterations`; fewer where the residual falls to `tolerance` before. An
/// exact field takes m iterations at most for m numbers, but for rounding. A network's derivatives are not quite symmetric, and
/// its samples of digits given half of the pixels, or means of 2 × 2, were the same from 4 iterations on (2 to 16 tried).
///
/// With s = 0 samples meet A x = y up to the noise that is left at the end, σ(ε)/α(ε), and with denoising closer. The score then
/// grows as 1/σ² away from that plane, while ε̂ of states that a solver comes to stays bounded. Observations that no sample
/// meets need s > 0.
///
/// V takes a factor (σ/α)² into the derivatives of ε̂, and their errors with it: by a network on moons the variance of a
/// coordinate was −13 to 3 at σ/α = 30, where it is 1.3, and some samples lay fifteen deviations off. So a learnt field's is
/// held to that of a `coarse` one, V', the Gaussian with the data's mean and covariance, of mean variance d²:
///
/// ```
/// V ← w V + (1 − w) V',   1/w = 1 + h² (1 + σ²/(α d)²)²,   h = 0.15
/// ```
///
/// which weighs the two by the inverse squares of their errors, h σ²/α² and all of it: it is near V up to σ/α = d and near
/// V' from 4 d on. A direction p of the conjugate gradients has pᵀVp ≥ pᵀV'p/100 besides, and |Vp|² ≤ λ pᵀVp, as
/// covariances with variances up to λ have, for which w is halved where that is wanting; λ is the data's largest variance, or
/// σ²/α² where that is more. Without the latter a network on moons, which reach to 1.3, had V that are no covariances at points
/// between the two: of 1000 samples by `unipc` in 20 steps six lay at 7 to 331.
///
/// x̂₀ itself is off as well, and by more than V says where numbers hang together closely. So A has another noise beside its own,
/// of a variance that dies away with σ/α:
///
/// ```
/// diag(s²) + A (V + e²) Aᵀ,   e² = c² /(α²/σ² + 1/d²),   c = 0.1
/// ```
///
/// Without it, of 500 samples of a series under a network, three of whose 16 numbers were known exactly, three lay at up to 120 where
/// data reach to 5, by 20 iterations.
///
/// A row whose numbers are not finite comes out not finite, which samplers tell in its status. The field has no derivatives,
/// so no likelihoods.
public struct PosteriorField<Scalar: TensorScalar>: ScoreField {
  /// The field of samples before anything is observed.
  public private(set) var prior: any DifferentiableScoreField<Scalar>
  /// What is observed of a sample.
  public let observation: LinearObservation
  /// The observation y, in the order of its entries: one row for all samples, or a row a sample, NaN where it lacks a number.
  public private(set) var observed: Tensor<Double>
  private let isOfEach: Bool
  /// The deviations s of its noise, one an entry.
  public let noiseDeviations: [Double]
  /// The most conjugate gradients at an evaluation.
  public let iterations: Int
  /// The part of ‖y − A x̂₀‖ at which a row's system counts as solved.
  public let tolerance: Double
  /// The Gaussian of the data's moments, to which derivatives are held; nil trusts them everywhere.
  public let coarse: GaussianOracle<Double>?
  /// h, the order of the error of a learnt field's derivatives.
  private static var derivativeError: Double { 0.15 }
  /// c, the order of the error of a learnt x̂₀ beside the deviation of p(x_0 | x_t).
  static var valueError: Double { 0.1 }
  /// The part of the coarse variance along a direction that is its least.
  static var leastShare: Double { 0.01 }

  /// Creates the field.
  /// - Parameters:
  ///   - observed: y, `[1] + observation.shape` for all samples, or `[n] + observation.shape`, n above 1, for batches of n
  ///     samples, each with its own, and there NaN where a number is not known of a sample.
  ///   - noiseDeviations: s: one for all observed entries, or one each, in their order.
  ///   - coarse: the Gaussian of the data's moments, for priors that are learnt; nil for exact ones.
  ///   - iterations: at most so many conjugate gradients, and as many pullbacks, an evaluation; nil takes as many as numbers are
  ///     observed, up to 32, or 4 beside a coarse field.
  /// - Throws: `SamplingError` where the observation is of samples of another shape, y has another shape or is not finite, or
  ///   is of another number of samples than a field of which each has its own, a
  ///   deviation is not finite or negative, or there are not as many as said; where the coarse field is of samples of another
  ///   shape or of another process; unless iterations ≥ 1 and 0 ≤ tolerance < 1.
  public init(
    _ prior: any DifferentiableScoreField<Scalar>, of observation: LinearObservation,
    observed: Tensor<Scalar>, noiseDeviations: [Double], coarse: GaussianOracle<Double>? = nil,
    iterations: Int? = nil, tolerance: Double = 1e-4
  ) throws(SamplingError) {
    guard observation.sampleShape == prior.sampleShape else {
      throw SamplingError(
        "the observation is of samples of shape \(observation.sampleShape); expected \(prior.sampleShape), as the field has"
      )
    }
    let count = observation.shape.count
    guard observed.shape.rank > 0, observed.rows > 0, observed.shape.row == observation.shape
    else {
      throw SamplingError(
        "what is observed has shape \(observed.shape); expected \(Shape([1] + observation.shape.extents)), one for all samples, or one each"
      )
    }
    let entries = observed.scalars.map { Double($0) }
    let mayLack = observed.rows > 1
    if let bad = entries.firstIndex(where: { mayLack ? $0.isInfinite : !$0.isFinite }) {
      throw SamplingError(
        "entry \(bad) of what is observed is \(entries[bad]); expected a finite number\(mayLack ? ", or nan where it is not known" : "")"
      )
    }
    if let rows = prior.rowCount, observed.rows > 1, observed.rows != rows {
      throw SamplingError(
        "there are observations of \(observed.rows) samples, and the field is of \(rows), each with one of its own; expected as many"
      )
    }
    guard [1, count].contains(noiseDeviations.count) else {
      throw SamplingError(
        "there are \(noiseDeviations.count) deviations of the noise; expected 1, or \(count), one for each observed entry"
      )
    }
    if let bad = noiseDeviations.first(where: { !($0 >= 0) || !($0 * $0).isFinite }) {
      throw SamplingError(
        "a deviation of the noise is \(bad.inSentence); expected 0 or above, with a finite square")
    }
    if let coarse {
      let (own, other) = (prior.process, coarse.process)
      guard coarse.sampleShape == prior.sampleShape, own.endTime == other.endTime,
        own.marginal(at: own.endTime / 2) == other.marginal(at: own.endTime / 2)
      else {
        throw SamplingError(
          "the coarse field is of samples of shape \(coarse.sampleShape) under \(other.name); expected \(prior.sampleShape) under \(own.name), as the field's"
        )
      }
    }
    let iterations = iterations ?? (coarse == nil ? min(max(count, 1), 32) : 4)
    guard iterations >= 1, tolerance >= 0, tolerance < 1 else {
      throw SamplingError(
        "an evaluation takes \(iterations) conjugate gradients to a tolerance of \(tolerance); expected 1 or more, to 0 or more and below 1"
      )
    }
    self.prior = prior
    self.observation = observation
    self.observed = Tensor([observed.rows, count], entries)
    isOfEach = observed.rows > 1
    self.noiseDeviations =
      noiseDeviations.count == count
      ? noiseDeviations : [Double](repeating: noiseDeviations[0], count: count)
    self.coarse = coarse
    self.iterations = iterations
    self.tolerance = tolerance
  }

  /// Creates the field with one deviation s of the noise.
  /// - Throws: `SamplingError`, as the other.
  public init(
    _ prior: any DifferentiableScoreField<Scalar>, of observation: LinearObservation,
    observed: Tensor<Scalar>, noiseDeviation: Double, coarse: GaussianOracle<Double>? = nil,
    iterations: Int? = nil, tolerance: Double = 1e-4
  ) throws(SamplingError) {
    try self.init(
      prior, of: observation, observed: observed, noiseDeviations: [noiseDeviation],
      coarse: coarse, iterations: iterations, tolerance: tolerance)
  }

  public var process: any LinearProcess { prior.process }
  public var sampleShape: Shape { prior.sampleShape }
  public var rowCount: Int? { isOfEach ? observed.rows : prior.rowCount }
  public func rows(_ rows: [Int]) -> PosteriorField {
    var field = self
    field.prior = prior.rows(rows)
    if isOfEach { field.observed = observed.rows(rows) }
    return field
  }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try noiseAndResiduals(x, at: t).noise
  }

  /// ε̂, and what part of ‖y − A x̂₀‖ each row's system was left with.
  ///
  /// A small part is no proof that more iterations change no sample, nor a large one that they do: root mean square over the
  /// run, an exact series of 20 numbers of which ten were known to 0.02 was left with 0.09 by 4 iterations, which moved means by
  /// up to 0.4 deviations, and digits given half of their pixels, of a network, with 0.49 by 4 and 0.25 by 16, which gave the
  /// same samples.
  public func noiseAndResiduals(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, residuals: [Double]) {
    if let rowCount, rowCount != x.rows {
      throw SamplingError(
        "there are observations of \(rowCount) samples, and the batch has \(x.rows); expected as many"
      )
    }
    let noise = try prior.checkedNoise(x, at: t)
    let kernels = (0..<x.rows).map { process.marginal(at: t[$0]) }
    let alphas = kernels.map(\.alpha)
    let sigmas = kernels.map(\.sigma)
    // (x − σ ε̂)/α and its pullback (v − σ vᵀ ∂ε̂/∂x)/α are one combination.
    func denoised<Entry: TensorScalar>(
      _ x: Tensor<Entry>, _ noise: Tensor<Entry>, _ rows: [Int]
    ) -> Tensor<Double> {
      .combinedRows(
        rows.map { 1 / alphas[$0] }, Tensor<Double>(x), rows.map { -sigmas[$0] / alphas[$0] },
        Tensor<Double>(noise))
    }
    let prediction = try observation.apply(denoised(x, noise, Array(0..<x.rows)))
    let places = isOfEach ? Array(0..<x.rows) : [Int](repeating: 0, count: x.rows)
    let target = observed.rows(places).reshaped(prediction.shape)
    let isWhole = !target.scalars.contains(where: \.isNaN)
    // Without the numbers that a row lacks.
    func known(_ values: Tensor<Double>, of rows: [Int]) -> Tensor<Double> {
      isWhole ? values : values.zip(with: target.rows(rows)) { $1.isNaN ? 0 : $0 }
    }
    let solution = try ConjugateGradients(iterations: iterations, tolerance: tolerance).solve(
      known(target - prediction, of: Array(0..<x.rows)), shift: noiseDeviations.map { $0 * $0 },
      imageShape: sampleShape
    ) { rows, p in
      let v = try observation.adjoint(p)
      let (own, times) = (Tensor<Scalar>(v), t.rows(rows))
      let pullback = try prior.rows(rows).checkedNoiseAndPullback(
        x.rows(rows), at: times, cotangent: own
      ).pullback
      var images = denoised(own, pullback, rows)
      if let coarse {
        // Of a Gaussian the derivatives are the same at every x.
        let pullback = try coarse.noiseAndPullback(v, at: times, cotangent: v).pullback
        images = held(
          images, to: denoised(v, pullback, rows), along: v, rows.map { kernels[$0] })
      }
      let covariance = Tensor.combinedRows(
        rows.map { sigmas[$0] * sigmas[$0] / alphas[$0] }, images,
        rows.map { valueVariance(kernels[$0]) }, v)
      return (images, try known(observation.apply(covariance), of: rows))
    }
    let guided = Tensor<Double>.combinedRows(
      alphas.map { _ in 1 }, Tensor<Double>(noise), sigmas.map { -$0 }, solution.images)
    return (Tensor<Scalar>(guided), solution.residuals)
  }

  /// e², the variance of what a learnt x̂₀ is off by in any direction; 0 without a coarse field.
  func valueVariance(_ kernel: Marginal) -> Double {
    guard let coarse else { return 0 }
    let variances = coarse.principalVariances
    let signal =
      kernel.alpha * kernel.alpha * variances.reduce(0, +) / Double(variances.count)
    let noise = kernel.sigma * kernel.sigma
    return Self.valueError * Self.valueError * noise * signal
      / (kernel.alpha * kernel.alpha * (noise + signal))
  }

  /// w at a time, 1 without a coarse field.
  func weight(_ kernel: Marginal) -> Double {
    guard let coarse else { return 1 }
    let variances = coarse.principalVariances
    let signal =
      kernel.alpha * kernel.alpha * variances.reduce(0, +) / Double(variances.count)
    let error = Self.derivativeError * (1 + kernel.sigma * kernel.sigma / signal)
    return 1 / (1 + error * error)
  }

  /// w V p + (1 − w) V' p, row by row, with enough more of V' p that its part along p is not below the least, and with w halved
  /// until it is of a covariance; both V are over σ²/α.
  private func held(
    _ own: Tensor<Double>, to coarse: Tensor<Double>, along p: Tensor<Double>, _ kernels: [Marginal]
  ) -> Tensor<Double> {
    let (ownParts, coarseParts) = (own.rowDots(p), coarse.rowDots(p))
    let (squares, products, coarseSquares) = (
      own.rowDots(own), own.rowDots(coarse), coarse.rowDots(coarse)
    )
    let largest = self.coarse?.principalVariances.max() ?? .infinity
    var weights = kernels.map(weight)
    let shares = kernels.indices.map { row in
      let (alpha, sigma) = (kernels[row].alpha, kernels[row].sigma)
      // λ, over σ²/α as the images are.
      let most = max(sigma * sigma / (alpha * alpha), largest) * alpha / (sigma * sigma)
      while true {
        let w = weights[row]
        let part = w * ownParts[row] + (1 - w) * coarseParts[row]
        let lack = Self.leastShare - part / coarseParts[row]
        let share = 1 - w + (lack > 0 ? lack : 0)
        let square =
          w * w * squares[row] + 2 * w * share * products[row] + share * share * coarseSquares[row]
        let along = w * ownParts[row] + share * coarseParts[row]
        if w == 0 || !(square > most * along) { return share }
        weights[row] = Self.halved(w)
      }
    }
    return .combinedRows(weights, own, shares, coarse)
  }

  /// The next weight to try of derivatives that are not a covariance's.
  static func halved(_ weight: Double) -> Double { weight > 1e-6 ? weight / 2 : 0 }
}

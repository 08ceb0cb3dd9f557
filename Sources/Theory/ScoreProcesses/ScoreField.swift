import ScoreTensors

/// A model of the score of a linear process: an exact oracle, or a trained network.
///
/// ```
/// ε̂(x, t) = −σ(t) ∇ log p_t(x)
/// ```
///
/// ε̂ is bounded where the score is not, so it is what fields give and solvers use; score, x̂₀ and v are views of it.
public protocol ScoreField<Scalar>: Sendable {
  associatedtype Scalar: TensorScalar

  /// The process whose marginals p_t the field describes.
  var process: any LinearProcess { get }

  /// The shape of one sample.
  var sampleShape: Shape { get }

  /// The noise prediction ε̂(x, t), of the shape `[n] + sampleShape` of x.
  ///
  /// Row i depends on row i of x and on its time alone, bit for bit.
  /// - Throws: where x does not fit the field.
  func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar>

  /// How many samples the field is of, where each has one of its own, such as that of its condition; nil, the default,
  /// where one field is for all.
  var rowCount: Int? { get }

  /// The field of some of the samples, in this order, where each has one of its own; by default the field itself.
  ///
  /// Solvers that carry part of a batch, as where some rows are done, ask for it.
  func rows(_ rows: [Int]) -> Self
}

extension ScoreField {
  public var rowCount: Int? { nil }
  public func rows(_ rows: [Int]) -> Self { self }

  /// The field of consecutive samples, as of a batch of them.
  package func rows(_ rows: Range<Int>) -> Self {
    rowCount == nil || rows == 0..<(rowCount ?? 0) ? self : self.rows(Array(rows))
  }

  /// The field of so many samples, those that it has in turns.
  package func cycled(to count: Int) -> Self {
    rowCount.map { own in rows((0..<count).map { $0 % own }) } ?? self
  }
}

/// A field with reverse-mode derivatives: what likelihood and guidance need.
public protocol DifferentiableScoreField<Scalar>: ScoreField {
  /// ε̂(x, t) and the vector–Jacobian product vᵀ ∂ε̂/∂x, row by row; v has the shape of x.
  func noiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>)

  /// ε̂(x, t) and one pullback a cotangent, all at the same (x, t); there is at least one cotangent.
  ///
  /// By default one pullback after another; a field whose forward pass is worth sharing gives them together. Each
  /// pullback has the bits that `noiseAndPullback` gives it.
  func noiseAndPullbacks(
    _ x: Tensor<Scalar>, at t: Times, cotangents: [Tensor<Scalar>]
  ) throws -> (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>])

  /// ε̂(x, t) and the trace of ∂ε̂/∂x, one number a row.
  ///
  /// By default D pullbacks, one for each unit vector; oracles give it in closed form.
  func noiseAndTrace(_ x: Tensor<Scalar>, at t: Times) throws -> (
    noise: Tensor<Scalar>, trace: [Scalar]
  )
}

extension DifferentiableScoreField {
  public func noiseAndPullbacks(
    _ x: Tensor<Scalar>, at t: Times, cotangents: [Tensor<Scalar>]
  ) throws -> (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>]) {
    precondition(!cotangents.isEmpty, "pullbacks of no cotangent")
    var noise = x
    let pullbacks = try cotangents.map { cotangent in
      let result = try noiseAndPullback(x, at: t, cotangent: cotangent)
      noise = result.noise
      return result.pullback
    }
    return (noise, pullbacks)
  }

  public func noiseAndTrace(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, trace: [Scalar]) {
    let (rows, width) = (x.rows, x.shape.rowCount)
    var trace = [Scalar](repeating: 0, count: rows)
    var noise = x
    // As many unit vectors at a time as share a forward pass without much memory.
    for first in stride(from: 0, to: width, by: 8) {
      let columns = first..<min(width, first + 8)
      let units = columns.map { j in
        var unit = Tensor<Scalar>(x.shape)
        unit.withUnsafeMutableBuffer { buffer in
          for i in 0..<rows { buffer[i * width + j] = 1 }
        }
        return unit
      }
      let result = try checkedNoiseAndPullbacks(x, at: t, cotangents: units)
      noise = result.noise
      for (j, pullback) in zip(columns, result.pullbacks) {
        pullback.withUnsafeBuffer { pullback in
          for i in 0..<rows { trace[i] += pullback[i * width + j] }
        }
      }
    }
    return (noise, trace)
  }
}

extension ScoreField {
  /// The score ∇ log p_t(x) = −ε̂/σ.
  /// - Throws: `ProcessError` where σ is 0, as it is at t = 0, and what the field throws.
  public func score(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try check(t, "the score is −ε̂/σ, and σ", \.sigma)
    return scaled(try checkedNoise(x, at: t), t) { -1 / $0.sigma }
  }

  /// The denoised data E[x_0 | x_t] = (x − σ ε̂)/α.
  /// - Throws: `ProcessError` where α is 0, as after a long time, and what the field throws.
  public func denoised(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try check(t, "x̂₀ is (x − σ ε̂)/α, and α", \.alpha)
    let noise = try checkedNoise(x, at: t)
    return combined(t, x, noise) { (1 / $0.alpha, -$0.sigma / $0.alpha) }
  }

  /// The velocity v = α ε̂ − σ x̂₀ (Salimans & Ho 2022).
  /// - Throws: as `denoised`.
  public func velocity(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try check(t, "v is α ε̂ − σ (x − σ ε̂)/α, and α", \.alpha)
    let noise = try checkedNoise(x, at: t)
    return combined(t, x, noise) {
      (-$0.sigma / $0.alpha, $0.alpha + $0.sigma * $0.sigma / $0.alpha)
    }
  }

  /// The drift of the probability-flow ODE, f x + g²/(2σ) ε̂, from a noise prediction already at hand.
  public func flowDrift(_ x: Tensor<Scalar>, noise: Tensor<Scalar>, at t: Times) -> Tensor<Scalar> {
    let process = process
    switch t {
    case .shared(let t):
      let rates = process.rates(at: t)
      return .combined(Scalar(rates.drift), x, Scalar(rates.noiseGain), noise)
    case .perSample(let times):
      let rates = times.map { process.rates(at: $0) }
      return .combinedRows(
        rates.map { Scalar($0.drift) }, x, rates.map { Scalar($0.noiseGain) }, noise)
    }
  }

  // What is divided by must be positive in the field's own numbers, where 1 over it must be finite too.
  private func check(
    _ t: Times, _ what: String, _ divisor: KeyPath<Marginal, Double>
  ) throws(ProcessError) {
    let times: [Double]
    switch t {
    case .shared(let t): times = [t]
    case .perSample(let all): times = all
    }
    for t in times {
      let value = process.marginal(at: t)[keyPath: divisor]
      guard Scalar(1 / value).isFinite, value > 0 else {
        throw ProcessError(
          "\(what) is \(value.inSentence) at t = \(t); expected a time at which it is a number above 0"
        )
      }
    }
  }

  private func scaled(
    _ y: Tensor<Scalar>, _ t: Times, _ factor: (Marginal) -> Double
  ) -> Tensor<Scalar> {
    switch t {
    case .shared(let t): Scalar(factor(process.marginal(at: t))) * y
    case .perSample(let times):
      .combinedRows(times.map { Scalar(factor(process.marginal(at: $0))) }, y)
    }
  }

  private func combined(
    _ t: Times, _ x: Tensor<Scalar>, _ y: Tensor<Scalar>, _ factors: (Marginal) -> (Double, Double)
  ) -> Tensor<Scalar> {
    switch t {
    case .shared(let t):
      let (a, b) = factors(process.marginal(at: t))
      return .combined(Scalar(a), x, Scalar(b), y)
    case .perSample(let times):
      let pairs = times.map { factors(process.marginal(at: $0)) }
      return .combinedRows(pairs.map { Scalar($0.0) }, x, pairs.map { Scalar($0.1) }, y)
    }
  }
}

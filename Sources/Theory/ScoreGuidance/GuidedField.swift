import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// A conditional field pushed away from an unconditional one: classifier-free guidance (Ho & Salimans 2022, equation 6).
///
/// ```
/// ε̂ = ε̂_u + w (ε̂_c − ε̂_u)
/// ```
///
/// A scale w of 1 is the conditional field alone and 0 the unconditional one; the other is then not evaluated. Where
/// `noiseRatios` is given, only times whose σ/α lies in it are guided, and the conditional field alone counts at all others
/// (Kynkäänniemi et al. 2024).
///
/// At each t this is the score of p_t(x) p_t(c | x)^w up to its constant, yet these densities are the marginals of a diffusion
/// for w = 0 and 1 alone. Elsewhere samples follow no density that can be written down, not p(x) p(c | x)^w at t = 0 either,
/// and solvers that would give the same marginals differ. They do follow it for Gaussians of one covariance. Of N(0, 1) and
/// the condition's N(1, 0.5²), w = 2, that density has deviation 0.378, and the flow under `vp` ends with 0.250.
///
/// One evaluation costs one of each field where it guides.
public struct GuidedField<Conditional: ScoreField, Unconditional: ScoreField>: ScoreField
where Conditional.Scalar == Unconditional.Scalar {
  public typealias Scalar = Conditional.Scalar

  /// The field ε̂_c of samples that meet the condition.
  public let conditional: Conditional
  /// The field ε̂_u of all samples.
  public let unconditional: Unconditional
  /// The scale w.
  public let scale: Double
  /// The noise ratios σ/α that are guided; nil guides at all of them.
  public let noiseRatios: Range<Double>?

  /// Creates the field; see also `guided(from:scale:noiseRatios:)`, which takes any fields.
  /// - Throws: `SamplingError` where the fields differ in the shape of a sample or in their process, the scale is not finite,
  ///   or no noise ratio is in the interval.
  public init(
    _ conditional: Conditional, from unconditional: Unconditional, scale: Double,
    noiseRatios: Range<Double>? = nil
  ) throws(SamplingError) {
    guard scale.isFinite else {
      throw SamplingError("the guidance scale is \(scale); expected a finite number")
    }
    if let noiseRatios, noiseRatios.isEmpty || noiseRatios.upperBound <= 0 {
      throw SamplingError(
        "guidance is asked for at noise ratios from \(noiseRatios.lowerBound) to below \(noiseRatios.upperBound), where there are none; expected an interval above 0"
      )
    }
    guard conditional.sampleShape == unconditional.sampleShape else {
      throw SamplingError(
        "the conditional field has samples of shape \(conditional.sampleShape) and the unconditional one of \(unconditional.sampleShape); expected one shape"
      )
    }
    if let rows = conditional.rowCount, let others = unconditional.rowCount, rows != others {
      throw SamplingError(
        "the conditional field is of \(rows) samples and the unconditional one of \(others), each with one of its own; expected as many"
      )
    }
    if let difference = conditional.process.difference(from: unconditional.process) {
      throw SamplingError(
        "the conditional and the unconditional field have two processes: \(difference); expected one"
      )
    }
    self.conditional = conditional
    self.unconditional = unconditional
    self.scale = scale
    self.noiseRatios = noiseRatios
  }

  private init(_ conditional: Conditional, _ unconditional: Unconditional, of other: GuidedField) {
    self.conditional = conditional
    self.unconditional = unconditional
    (scale, noiseRatios) = (other.scale, other.noiseRatios)
  }

  public var process: any LinearProcess { conditional.process }
  public var sampleShape: Shape { conditional.sampleShape }
  public var rowCount: Int? { conditional.rowCount ?? unconditional.rowCount }
  public func rows(_ rows: [Int]) -> GuidedField {
    GuidedField(conditional.rows(rows), unconditional.rows(rows), of: self)
  }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try combined(
      x.rows, t, { [try conditional.checkedNoise(x, at: t)] },
      { [try $0.of(unconditional).checkedNoise($0.of(x), at: $0.of(t))] })[0]
  }

  /// Results of the conditional field, guided by those of the unconditional one in the rows where it counts.
  private func combined(
    _ count: Int, _ t: Times, _ conditional: () throws -> [Tensor<Scalar>],
    _ unconditional: (RowChoice) throws -> [Tensor<Scalar>]
  ) throws -> [Tensor<Scalar>] {
    let choice = choice(count, t)
    guard choice.rows?.isEmpty != true else { return try conditional() }
    if scale == 0, choice.rows == nil { return try unconditional(choice) }
    let others = try unconditional(choice)
    return try zip(conditional(), others).map { result, other in
      let guided = Tensor.combined(
        Scalar(scale), choice.of(result), Scalar(1 - scale), other)
      guard let rows = choice.rows else { return guided }
      var result = result
      result.setRows(rows, to: guided)
      return result
    }
  }

  /// The rows at whose times the unconditional field counts.
  private func choice(_ count: Int, _ t: Times) -> RowChoice {
    if scale == 1 { return RowChoice(rows: []) }
    guard let noiseRatios else { return RowChoice(rows: nil) }
    func isGuided(_ t: Double) -> Bool {
      noiseRatios.contains(exp(-process.marginal(at: t).halfLogSNR))
    }
    switch t {
    case .shared(let t): return RowChoice(rows: isGuided(t) ? nil : [])
    case .perSample(let times):
      let rows = times.indices.filter { isGuided(times[$0]) }
      return RowChoice(rows: rows.count == count ? nil : rows)
    }
  }
}

extension GuidedField: DifferentiableScoreField
where Conditional: DifferentiableScoreField, Unconditional: DifferentiableScoreField {
  public func noiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    let (noise, pullbacks) = try noiseAndPullbacks(x, at: t, cotangents: [v])
    return (noise, pullbacks[0])
  }

  public func noiseAndPullbacks(
    _ x: Tensor<Scalar>, at t: Times, cotangents: [Tensor<Scalar>]
  ) throws -> (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>]) {
    func joined(_ result: (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>]))
      -> [Tensor<Scalar>]
    { [result.noise] + result.pullbacks }
    let results = try combined(
      x.rows, t,
      { joined(try conditional.checkedNoiseAndPullbacks(x, at: t, cotangents: cotangents)) },
      { choice in
        joined(
          try choice.of(unconditional).checkedNoiseAndPullbacks(
            choice.of(x), at: choice.of(t), cotangents: cotangents.map(choice.of)))
      })
    return (results[0], Array(results.dropFirst()))
  }

  public func noiseAndTrace(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, trace: [Scalar]) {
    func joined(_ result: (noise: Tensor<Scalar>, trace: [Scalar])) -> [Tensor<Scalar>] {
      [result.noise, Tensor([result.trace.count, 1], result.trace)]
    }
    let results = try combined(
      x.rows, t, { joined(try conditional.checkedNoiseAndTrace(x, at: t)) },
      { joined(try $0.of(unconditional).checkedNoiseAndTrace($0.of(x), at: $0.of(t))) })
    return (results[0], results[1].scalars)
  }
}

/// Rows of a batch; nil are all of them.
private struct RowChoice {
  let rows: [Int]?

  func of<Scalar: TensorScalar>(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    rows.map { x.rows($0) } ?? x
  }
  func of(_ t: Times) -> Times { rows.map { t.rows($0) } ?? t }
  func of<Field: ScoreField>(_ field: Field) -> Field { rows.map { field.rows($0) } ?? field }
}

extension ScoreField {
  /// This field, that of a condition, pushed away from an unconditional one; see `GuidedField`.
  /// - Throws: `SamplingError`, as `GuidedField`.
  public func guided(
    from unconditional: some ScoreField<Scalar>, scale: Double, noiseRatios: Range<Double>? = nil
  ) throws(SamplingError) -> any ScoreField<Scalar> {
    try GuidedField(self, from: unconditional, scale: scale, noiseRatios: noiseRatios)
  }
}

extension DifferentiableScoreField {
  /// This field, that of a condition, pushed away from an unconditional one; see `GuidedField`.
  /// - Throws: `SamplingError`, as `GuidedField`.
  public func guided(
    from unconditional: some DifferentiableScoreField<Scalar>, scale: Double,
    noiseRatios: Range<Double>? = nil
  ) throws(SamplingError) -> any DifferentiableScoreField<Scalar> {
    try GuidedField(self, from: unconditional, scale: scale, noiseRatios: noiseRatios)
  }
}

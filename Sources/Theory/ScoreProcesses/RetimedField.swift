import Foundation
import ScoreTensors

/// A field of one linear process used on another: the states scaled, the times matched by their signal-to-noise ratio.
///
/// ```
/// ε̂_B(x, t) = ε̂_A(x α_A(u)/α_B(t), u),   α_A(u)/σ_A(u) = α_B(t)/σ_B(t)
/// ```
///
/// x/α is data plus noise of σ/α in every linear process, so that the identity is exact: a model trained under VP
/// samples along EDM's path, and any path takes the solvers and grids made for another. It holds for the times in
/// `exactTimes`. Where B is noisier than A ever is, A's end is taken with x scaled by σ_A/σ_B instead, and where B is
/// cleaner, A's start. Times that are not from 0 to T of B are refused.
public struct RetimedField<Base: ScoreField>: ScoreField {
  public typealias Scalar = Base.Scalar

  /// The field of A.
  public let base: Base
  /// The process B.
  public let process: any LinearProcess

  /// Creates the field of B; see also `retimed(onto:)`, which takes any field.
  public init(_ base: Base, onto process: any LinearProcess) {
    self.base = base
    self.process = process
  }

  public var sampleShape: Shape { base.sampleShape }
  public var rowCount: Int? { base.rowCount }
  public func rows(_ rows: [Int]) -> RetimedField {
    RetimedField(base.rows(rows), onto: process)
  }

  /// The times of B whose signal-to-noise ratio A has too.
  public var exactTimes: ClosedRange<Double> {
    let from = base.process
    let first = process.time(halfLogSNR: from.marginal(at: 0).halfLogSNR)
    let last = process.time(halfLogSNR: from.marginal(at: from.endTime).halfLogSNR)
    return min(first, last)...last
  }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    let match = try match(t)
    return try base.noise(match.scaled(x), at: match.times)
  }

  /// The factors of the states and the times of A.
  fileprivate func match(_ t: Times) throws(ProcessError) -> Match<Scalar> {
    // Those of A are held to its range, so that the field of A would not see them.
    try t.check(upTo: process.endTime)
    let from = base.process
    func pair(_ t: Double) -> (scale: Double, time: Double) {
      let there = process.marginal(at: t)
      let time = from.time(halfLogSNR: there.halfLogSNR)
      let here = from.marginal(at: time)
      let scale =
        time < from.endTime
        ? exp(here.logAlpha - there.logAlpha) : here.sigma / there.sigma
      return (scale, time)
    }
    switch t {
    case .shared(let t):
      let (scale, time) = pair(t)
      return Match(scales: [Scalar(scale)], times: .shared(time))
    case .perSample(let times):
      let pairs = times.map(pair)
      return Match(
        scales: pairs.map { Scalar($0.scale) }, times: .perSample(pairs.map(\.time)))
    }
  }
}

private struct Match<Scalar: TensorScalar> {
  let scales: [Scalar]
  let times: Times

  func scaled(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    if case .shared = times { return scales[0] * x }
    return .combinedRows(scales, x)
  }
}

extension RetimedField: DifferentiableScoreField where Base: DifferentiableScoreField {
  public func noiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    let match = try match(t)
    let result = try base.noiseAndPullback(match.scaled(x), at: match.times, cotangent: v)
    return (result.noise, match.scaled(result.pullback))
  }

  public func noiseAndPullbacks(
    _ x: Tensor<Scalar>, at t: Times, cotangents: [Tensor<Scalar>]
  ) throws -> (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>]) {
    let match = try match(t)
    let result = try base.noiseAndPullbacks(
      match.scaled(x), at: match.times, cotangents: cotangents)
    return (result.noise, result.pullbacks.map(match.scaled))
  }

  public func noiseAndTrace(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, trace: [Scalar]) {
    let match = try match(t)
    let result = try base.noiseAndTrace(match.scaled(x), at: match.times)
    let trace = result.trace.enumerated().map { row, value in
      match.scales[match.scales.count == 1 ? 0 : row] * value
    }
    return (result.noise, trace)
  }
}

extension ScoreField {
  /// This field as one of another linear process, by scaling and re-timing; see `RetimedField`.
  public func retimed(onto process: any LinearProcess) -> any ScoreField<Scalar> {
    RetimedField(self, onto: process)
  }
}

extension DifferentiableScoreField {
  /// This field as one of another linear process, by scaling and re-timing; see `RetimedField`.
  public func retimed(onto process: any LinearProcess) -> any DifferentiableScoreField<Scalar> {
    RetimedField(self, onto: process)
  }
}

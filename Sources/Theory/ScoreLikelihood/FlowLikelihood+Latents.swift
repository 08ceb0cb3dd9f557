import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

extension FlowLikelihood {
  /// Carries data at ε to their latents at T.
  /// - Throws: `SamplingError` for samples of another shape than the field's, and what the field throws.
  public func encode(
    _ x: Tensor<Scalar>, progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> FlowResult<Scalar> {
    try carry(x, from: epsilon, to: field.process.endTime, progress)
  }

  /// Carries latents at T to data at ε; undoes `encode` to the tolerance.
  /// - Throws: `SamplingError` for samples of another shape than the field's, and what the field throws.
  public func decode(
    _ latent: Tensor<Scalar>, progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> FlowResult<Scalar> {
    try carry(latent, from: field.process.endTime, to: epsilon, progress)
  }

  /// Data between pairs of data: encoded, joined along great circles, decoded.
  ///
  /// ```
  /// z(u) = ((1 − u) |z_a| + u |z_b|) · [sin((1 − u) ω) ẑ_a + sin(u ω) ẑ_b]/sin ω
  /// ```
  ///
  /// with directions ẑ = z/|z| and ω the angle between them. Straight lines would leave the shell on which the prior's draws
  /// lie; this keeps to it (after Shoemake 1985, whose ends have one norm). Where the latents point the same way or opposite ways, as they must in one dimension, the line is straight. The result has
  /// one entry a fraction, each with a row a pair; u = 0 and 1 give the data back to the tolerance. A row's status is that of
  /// the first of its three ways that did not finish: from `a`, from `b`, back; its evaluations are those of all three.
  /// - Throws: `SamplingError` for shapes that differ from the field's or from one another and fractions that are not finite, and what the field throws.
  public func interpolate(
    from a: Tensor<Scalar>, to b: Tensor<Scalar>, at fractions: [Double],
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> [FlowResult<Scalar>] {
    try check(a)
    guard a.shape == b.shape else {
      throw SamplingError(
        "the interpolation goes from samples of shape \(a.shape) to \(b.shape); expected the same shape"
      )
    }
    if let bad = fractions.first(where: { !$0.isFinite }) {
      throw SamplingError(
        "a fraction of the interpolation is \(bad.inSentence); expected finite numbers")
    }
    guard !fractions.isEmpty else { return [] }
    let progress = SamplingProgress.untilStopped(progress)
    func taken(_ times: Int) throws(SamplingError) -> FlowLikelihood {
      try rows((0..<times * a.rows).map { $0 % a.rows })
    }
    let encoded = try taken(2).encode(.concatenated([a, b]), progress: progress)
    let ends = encoded.x
    let (start, end) = (ends.rows(0..<a.rows), ends.rows(a.rows..<2 * a.rows))
    let latents = fractions.map { Self.onGreatCircle(start, end, $0) }
    let decoded = try taken(fractions.count).decode(.concatenated(latents), progress: progress)
    return fractions.indices.map { place in
      let rows = place * a.rows..<(place + 1) * a.rows
      // What never came to a latent has not finished, wherever the way from there led.
      let status = (0..<a.rows).map { row in
        [encoded.status[row], encoded.status[a.rows + row]].first { !$0.isFinished }
          ?? decoded.status[rows.lowerBound + row]
      }
      let evaluations = (0..<a.rows).map { row in
        encoded.evaluations[row] + encoded.evaluations[a.rows + row]
          + decoded.evaluations[rows.lowerBound + row]
      }
      return FlowResult(x: decoded.x.rows(rows), status: status, evaluations: evaluations)
    }
  }

  package static func onGreatCircle(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, _ u: Double
  ) -> Tensor<Scalar> {
    let (squaresA, squaresB) = (a.doubleRowDots(a), b.doubleRowDots(b))
    let factors = a.doubleRowDots(b).enumerated().map { row, dot in
      let cosine = dot / (squaresA[row] * squaresB[row]).squareRoot()
      let angle = acos(min(1, max(-1, cosine)))
      // Also where a latent is 0 and has no direction.
      guard sin(angle) > 1e-6 else { return (1 - u, u) }
      let (normA, normB) = (squaresA[row].squareRoot(), squaresB[row].squareRoot())
      let scale = ((1 - u) * normA + u * normB) / sin(angle)
      return (scale / normA * sin((1 - u) * angle), scale / normB * sin(u * angle))
    }
    return .combinedRows(factors.map { Scalar($0.0) }, a, factors.map { Scalar($0.1) }, b)
  }

  private func carry(
    _ x: Tensor<Scalar>, from t0: Double, to t1: Double,
    _ progress: ((SamplingProgress) -> Bool)?
  ) throws -> FlowResult<Scalar> {
    try check(x)
    let parts = try batches(x, progress) { batch, start, shouldContinue in
      var system = FlowSystem(field.rows(start..<start + batch.rows))
      let solution = try method.integrate(
        &system, batch.doubles, from: t0, to: t1, shouldContinue: shouldContinue)
      return FlowResult<Scalar>(
        x: Tensor(rows: solution.states, stride: batch.shape.rowCount, shape: batch.shape),
        status: solution.status, evaluations: solution.evaluations)
    }
    return FlowResult(
      x: .concatenated(parts.map(\.x)), status: parts.flatMap(\.status),
      evaluations: parts.flatMap(\.evaluations))
  }
}

import ScoreTensors

// Fields of one's own are read into buffers of the shape of x, so what they give is looked at first. Everything that solves or
// scores with a field asks it through these.
extension ScoreField {
  /// `noise`, in the shape of x.
  /// - Throws: `ProcessError` where ε̂ has another, or the field is of another number of samples, and what the field throws.
  package func checkedNoise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try checkRows(x)
    return try checked(noise(x, at: t), "ε̂", x)
  }

  fileprivate func checkRows(_ x: Tensor<Scalar>) throws(ProcessError) {
    if let rowCount, rowCount != x.rows {
      throw ProcessError(
        "the field is of \(rowCount) samples, each with one of its own, and there are \(x.rows); expected as many, which rows(_:) of the field gives"
      )
    }
  }

  fileprivate func checked(
    _ result: Tensor<Scalar>, _ what: String, _ x: Tensor<Scalar>
  ) throws(ProcessError) -> Tensor<Scalar> {
    guard result.shape == x.shape else {
      throw ProcessError(
        "\(what) of the field has shape \(result.shape); expected that of x, \(x.shape)")
    }
    return result
  }
}

extension DifferentiableScoreField {
  /// `noiseAndPullback`, both in the shape of x.
  /// - Throws: as `checkedNoise`.
  package func checkedNoiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    try checkRows(x)
    let (noise, pullback) = try noiseAndPullback(x, at: t, cotangent: v)
    return (try checked(noise, "ε̂", x), try checked(pullback, "a pullback", x))
  }

  /// `noiseAndPullbacks`, one for each cotangent and all in the shape of x.
  /// - Throws: as `checkedNoise`, and where their number is another.
  package func checkedNoiseAndPullbacks(
    _ x: Tensor<Scalar>, at t: Times, cotangents: [Tensor<Scalar>]
  ) throws -> (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>]) {
    try checkRows(x)
    let (noise, pullbacks) = try noiseAndPullbacks(x, at: t, cotangents: cotangents)
    guard pullbacks.count == cotangents.count else {
      throw ProcessError(
        "the field gives \(pullbacks.count) pullbacks of \(cotangents.count) cotangents; expected one of each"
      )
    }
    for pullback in pullbacks { _ = try checked(pullback, "a pullback", x) }
    return (try checked(noise, "ε̂", x), pullbacks)
  }

  /// `noiseAndTrace`, ε̂ in the shape of x and one number a row.
  /// - Throws: as `checkedNoise`, and where there are more or fewer traces than rows.
  package func checkedNoiseAndTrace(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, trace: [Scalar]) {
    try checkRows(x)
    let (noise, trace) = try noiseAndTrace(x, at: t)
    guard trace.count == x.rows else {
      throw ProcessError(
        "the field gives \(trace.count) traces of \(x.rows) rows; expected one of each")
    }
    return (try checked(noise, "ε̂", x), trace)
  }
}

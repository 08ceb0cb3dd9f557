import ScoreTensors

// Fields of one's own are read into buffers of the shape of x, so what they give is looked at first. Everything that solves or
// scores with a field asks it through these.
extension ScoreField {
  /// `noise`, in the shape of x.
  /// - Throws: `ProcessError` where ε̂ has another, the field is of another number of samples, or there are times for more or
  ///   fewer, and what the field throws.
  package func checkedNoise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try checkRows(x, t)
    return try checked(noise(x, at: t), "ε̂", x)
  }

  fileprivate func checkRows(_ x: Tensor<Scalar>, _ t: Times) throws(ProcessError) {
    try ProcessError.checkRows(rowCount, "the field", x.rows)
    try t.check(rows: x.rows)
  }

  fileprivate func checked(
    _ result: Tensor<Scalar>, _ what: String, _ x: Tensor<Scalar>
  ) throws(ProcessError) -> Tensor<Scalar> {
    try ProcessError.checkShape(result.shape, "\(what) of the field", x.shape)
    return result
  }
}

extension ConsistencyFunction {
  /// `origins`, in the shape of x.
  /// - Throws: `ProcessError` where they have another, the function is of another number of samples, or there are times for
  ///   more or fewer, and what the function throws.
  package func checkedOrigins(of x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try ProcessError.checkRows(rowCount, "the consistency function", x.rows)
    try t.check(rows: x.rows)
    let origins = try origins(of: x, at: t)
    try ProcessError.checkShape(origins.shape, "what the consistency function gives", x.shape)
    return origins
  }
}

extension ProcessError {
  fileprivate static func checkRows(
    _ own: Int?, _ what: String, _ rows: Int
  ) throws(ProcessError) {
    if let own, own != rows {
      throw ProcessError(
        "\(what) is of \(own) samples, each with one of its own, and there are \(rows); expected as many, which its rows(_:) gives"
      )
    }
  }

  fileprivate static func checkShape(
    _ found: Shape, _ what: String, _ expected: Shape
  ) throws(ProcessError) {
    guard found == expected else {
      throw ProcessError("\(what) has shape \(found); expected that of x, \(expected)")
    }
  }
}

extension DifferentiableScoreField {
  /// `noiseAndPullback`, both in the shape of x.
  /// - Throws: as `checkedNoise`.
  package func checkedNoiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    try checkRows(x, t)
    let (noise, pullback) = try noiseAndPullback(x, at: t, cotangent: v)
    return (try checked(noise, "ε̂", x), try checked(pullback, "a pullback", x))
  }

  /// `noiseAndPullbacks`, one for each cotangent and all in the shape of x.
  /// - Throws: as `checkedNoise`, and where their number is another.
  package func checkedNoiseAndPullbacks(
    _ x: Tensor<Scalar>, at t: Times, cotangents: [Tensor<Scalar>]
  ) throws -> (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>]) {
    try checkRows(x, t)
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
    try checkRows(x, t)
    let (noise, trace) = try noiseAndTrace(x, at: t)
    guard trace.count == x.rows else {
      throw ProcessError(
        "the field gives \(trace.count) traces of \(x.rows) rows; expected one of each")
    }
    return (try checked(noise, "ε̂", x), trace)
  }
}

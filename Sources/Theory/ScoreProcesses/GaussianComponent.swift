import ScoreTensors

/// A Gaussian in its principal axes: Σ = Σₖ λₖ qₖ qₖᵀ, checked.
struct GaussianComponent: Sendable {
  let mean: [Double]
  /// The eigenvalues λₖ, all positive.
  let variances: [Double]
  /// The axes qₖ, one a row, or nil where Σ is diagonal and they are the coordinate axes.
  let axes: Tensor<Double>?

  /// The number of dimensions D.
  var dimensions: Int { mean.count }

  /// Checks and decomposes a mean and a covariance.
  ///
  /// `progress` is told about how much of the axes is found; false stops.
  /// - Throws: `ProcessError`, in the caller's names for mean and covariance, and where it is stopped.
  init(
    mean: [Double], covariance: [[Double]], named names: (mean: String, covariance: String),
    progress: ((Double) -> Bool)? = nil
  ) throws(ProcessError) {
    let order = mean.count
    guard order > 0 else {
      throw ProcessError("\(names.mean) is empty; expected one number a dimension")
    }
    for (i, value) in mean.enumerated() where !value.isFinite {
      throw ProcessError("\(names.mean)[\(i)] is \(value.inSentence); expected a finite number")
    }
    guard covariance.count == order else {
      throw ProcessError(
        "\(names.covariance) has \(covariance.count) rows; expected \(order), the length of \(names.mean)"
      )
    }
    for (i, row) in covariance.enumerated() {
      guard row.count == order else {
        throw ProcessError(
          "\(names.covariance)[\(i)] has \(row.count) entries; expected \(order), the length of \(names.mean)"
        )
      }
      for (j, value) in row.enumerated() where !value.isFinite {
        throw ProcessError(
          "\(names.covariance)[\(i)][\(j)] is \(value.inSentence); expected a finite number")
      }
    }
    try Self.checkSymmetry(covariance, names.covariance)

    self.mean = mean
    let isDiagonal = (0..<order).allSatisfy { i in
      (0..<order).allSatisfy { i == $0 || covariance[i][$0] == 0 }
    }
    if isDiagonal {
      variances = (0..<order).map { covariance[$0][$0] }
      axes = nil
    } else {
      let eigen = try SymmetricEigen(Array(covariance.joined()), order: order) {
        done throws(ProcessError) in
        guard !Task.isCancelled, progress?(done) ?? true else {
          throw ProcessError("the search for the axes of \(names.covariance) was cancelled")
        }
      }
      variances = eigen.values
      axes = Tensor([order, order], eigen.vectors)
    }
    let (least, most) = (variances.min() ?? 0, variances.max() ?? 0)
    // An eigenvalue below the rounding error of the largest may as well be 0 or negative.
    guard least > 0, isDiagonal || least > most * Double(order) * .ulpOfOne else {
      throw ProcessError(
        "\(names.covariance) has the eigenvalue \(least)\(least > 0 ? ", which is rounding beside its largest, \(most)" : ""); expected a positive definite matrix"
      )
    }
  }

  /// Independent entries of one mean and one variance, already checked.
  init(mean: Double, variance: Double, dimensions: Int) {
    self.mean = [Double](repeating: mean, count: dimensions)
    variances = [Double](repeating: variance, count: dimensions)
    axes = nil
  }

  private static func checkSymmetry(
    _ covariance: [[Double]], _ name: String
  ) throws(ProcessError) {
    let largest = covariance.joined().reduce(0) { max($0, abs($1)) }
    for i in covariance.indices {
      for j in 0..<i where abs(covariance[i][j] - covariance[j][i]) > 1e-8 * largest {
        throw ProcessError(
          "\(name)[\(i)][\(j)] is \(covariance[i][j]) and \(name)[\(j)][\(i)] is \(covariance[j][i]); expected a symmetric matrix"
        )
      }
    }
  }

  /// Coordinates along the axes of the rows of `[n, D]`.
  func rotated(_ rows: Tensor<Double>) -> Tensor<Double> {
    axes.map { rows.matmul($0, transposeOther: true) } ?? rows
  }

  /// The rows of `[n, D]` back from coordinates along the axes.
  func rotatedBack(_ rows: Tensor<Double>) -> Tensor<Double> {
    axes.map { rows.matmul($0) } ?? rows
  }

  /// μ + Σₖ √λₖ zₖ qₖ for rows z of standard normal numbers.
  func shifted(_ noise: Tensor<Double>) -> Tensor<Double> {
    var rows = noise
    let width = dimensions
    rows.withUnsafeMutableBuffer { rows in
      for place in rows.indices { rows[place] *= variances[place % width].squareRoot() }
    }
    rows = rotatedBack(rows)
    rows.withUnsafeMutableBuffer { rows in
      for place in rows.indices { rows[place] += mean[place % width] }
    }
    return rows
  }
}

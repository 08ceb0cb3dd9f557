import ScoreTensors

/// The axes in which the maps of a fitted solver are diagonal: the principal ones of a batch, or those of the entries.
package struct PrincipalAxes: Sendable {
  /// The shape of a sample.
  let sampleShape: Shape
  /// One axis a row, `[D, D]`; nil for those of the entries.
  package let axes: Tensor<Double>?

  /// The samples' entries up to which principal axes are found: a solver takes three products with a D × D matrix a step,
  /// and the axes cost some 50 D³ operations, seconds at the limit.
  static let limit = 512

  /// Finds the axes of the covariance of states to which a map takes a batch of normal numbers of one variance, where a
  /// sample has no more entries than the limit.
  ///
  /// The covariance is that of the linear part of the map, for which the numbers' own is known, and of what it leaves. So
  /// the axes of an affine map are exact however few the samples, if there are more of them than entries.
  ///
  /// `check` is told about how much is done on the way, and what it throws ends the work.
  package init<Scalar: TensorScalar>(
    ofStates states: Tensor<Scalar>, fromNormal numbers: Tensor<Scalar>, deviation: Double,
    check: (_ done: Double) throws -> Void
  ) throws {
    sampleShape = states.shape.row
    let (count, width) = (states.rows, sampleShape.count)
    guard width <= Self.limit, width > 1 else {
      axes = nil
      return
    }
    func centred(_ x: Tensor<Scalar>, _ scale: Double) -> Tensor<Double> {
      let rows = Tensor<Double>(x).reshaped([count, width])
      let ones = Tensor<Double>([count, 1], repeating: 1)
      let mean = 1 / Double(count) * ones.matmul(rows, transposeSelf: true)
      return scale * (rows - ones.matmul(mean))
    }
    let (x, z) = (centred(states, 1), centred(numbers, 1 / deviation))
    var covariance = x.matmul(x, transposeSelf: true)
    if count > width + 1,
      let inner = Cholesky(z.matmul(z, transposeSelf: true).scalars, order: width)
    {
      // One row an entry of x: its coefficients in z.
      let products = x.matmul(z, transposeSelf: true)
      let map = Tensor<Double>(rows: (0..<width).map { inner.solve(products.row($0)) })
      let rest = x - z.matmul(map, transposeOther: true)
      covariance =
        Double(count) * map.matmul(map, transposeOther: true)
        + rest.matmul(rest, transposeSelf: true)
    }
    let eigen = try SymmetricEigen(covariance.scalars, order: width, check: check)
    axes = Tensor([width, width], eigen.vectors)
  }

  /// The coordinates of states, `[n, D]`.
  func coordinates<Scalar: TensorScalar>(_ states: Tensor<Scalar>) -> Tensor<Double> {
    let rows = Tensor<Double>(states).reshaped([states.rows, sampleShape.count])
    return axes.map { rows.matmul($0, transposeOther: true) } ?? rows
  }

  /// The states at coordinates `[n, D]`.
  func states<Scalar: TensorScalar>(_ coordinates: Tensor<Double>) -> Tensor<Scalar> {
    Tensor<Scalar>(axes.map { coordinates.matmul($0) } ?? coordinates)
      .reshaped(Shape([coordinates.rows] + sampleShape.extents))
  }
}

import ScoreTensors

/// Numbers of which rounding to a narrower type would leave little: time stamps that differ by seconds, in Float.
enum Precision {
  /// What rounding may take of the numbers of a column in the mean, in deviations of the column.
  private static let mostLost = 0.01
  /// Columns that deviate by no more than so many units in the last place are of equal numbers, but for rounding in Double.
  private static let leastUnits = 1000.0

  /// Checks the columns of numbers, row by row; those that are not finite take no part.
  /// - Parameter name: how a column is called in the sentence, by its place.
  /// - Throws: `unsupported` for the first column of which `Scalar` would leave little.
  static func check<Scalar: TensorScalar>(
    _ values: [Double], width: Int, as: Scalar.Type, _ path: String, name: (Int) -> String
  ) throws(DataError) {
    guard Scalar.self != Double.self else { return }
    for column in 0..<width {
      let entries = stride(from: column, to: values.count, by: width).map { values[$0] }
        .filter { $0.isFinite }
      let count = Double(entries.count)
      let mean = entries.reduce(0) { $0 + $1 / count }
      // Squares of small numbers would be 0.
      let deviation = entries.reduce(0) { $0 + abs($1 - mean) / count }
      let losses = entries.map { abs($0 - Double(Scalar($0))) }
      let lost = losses.reduce(0) { $0 + $1 / count }
      guard deviation > leastUnits * mean.ulp, lost > mostLost * deviation else { continue }
      throw DataError(
        .unsupported, path,
        "the numbers\(name(column)) deviate by \(deviation) about \(mean), and \(Scalar.typeName) rounds them by up to \(losses.max() ?? 0); expected them in float64, or less a constant"
      )
    }
  }
}

extension Tensor<Double> {
  /// The same in another type, once that leaves enough of the columns of a table, or of all numbers of other shapes.
  /// - Throws: as `Precision.check`, and where a number is not finite in that type, unless it may be.
  func rounded<Narrow: TensorScalar>(
    allowsNonFinite: Bool, _ path: String
  ) throws(DataError) -> Tensor<Narrow> {
    let result = Tensor<Narrow>(self)
    if !allowsNonFinite { try result.checkFinite(path) }
    let isTable = shape.rank == 2
    try Precision.check(
      scalars, width: isTable ? shape[1] : 1, as: Narrow.self, path
    ) { isTable ? " of column \($0 + 1)" : "" }
    return result
  }
}

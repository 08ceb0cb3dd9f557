/// A mean over samples, with its standard error.
public struct MeanLoss: Sendable, Equatable {
  public var value: Double
  /// The standard deviation of the samples over the root of their number; NaN of fewer than two.
  public var standardError: Double

  public init(value: Double, standardError: Double) {
    (self.value, self.standardError) = (value, standardError)
  }

  /// The mean of values, one a sample.
  init(_ values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(value: mean, standardError: (squares / (count * (count - 1))).squareRoot())
  }

  /// The mean of the differences of pairs: what pairs have in common is no part of its error.
  /// - Precondition: as many of one as of the other.
  init(of values: [Double], less others: [Double]) {
    self.init(zip(values, others).map { $0 - $1 })
  }
}

import ScoreTensors

/// The means and covariances of the coordinates of samples, in Double.
public struct SampleMoments: Sendable {
  /// The number of samples.
  public let count: Int
  /// The mean of each coordinate.
  public let mean: [Double]
  /// The unbiased covariances, row by row.
  public let covariance: [Double]

  /// Creates moments that are known, such as those of a normal distribution.
  public init(count: Int = .max, mean: [Double], covariance: [Double]) {
    precondition(
      covariance.count == mean.count * mean.count,
      "\(covariance.count) covariances for \(mean.count) coordinates")
    (self.count, self.mean, self.covariance) = (count, mean, covariance)
  }

  /// The moments of samples `[n, …]`, two or more; each sample is taken as a row of numbers.
  ///
  /// Costs n d² operations.
  public init<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) {
    let rows = samples.sampleRows
    precondition(rows.rows >= 2, "covariances take two samples or more, got \(rows.rows)")
    count = rows.rows
    mean = rows.columnMeans
    let centred = rows.centred(by: mean)
    let products = centred.matmul(centred, transposeSelf: true)
    covariance = products.scalars.map { $0 / Double(rows.rows - 1) }
  }

  /// The number of coordinates.
  public var dimensions: Int { mean.count }
}

extension Metrics {
  /// The mean of each coordinate.
  public static func means<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) -> [Estimate] {
    columns(samples).map { Estimate(meanOf: $0) }
  }

  /// The standard deviation of each coordinate, with the error that follows from the fourth moment.
  ///
  /// ```
  /// s² = Σ (x − x̄)² / (n − 1),   error(s) ≈ √((m₄ − s⁴) / n) / 2s
  /// ```
  public static func standardDeviations<Scalar: TensorScalar>(_ samples: Tensor<Scalar>)
    -> [Estimate]
  {
    columns(samples).map { values in
      precondition(values.count >= 2, "a standard deviation takes two samples or more")
      let count = Double(values.count)
      let mean = values.mean
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
      let fourth =
        values.reduce(0) {
          let square = ($1 - mean) * ($1 - mean)
          return $0 + square * square
        } / count
      let error = (max(0, fourth - variance * variance) / count).squareRoot()
      let deviation = variance.squareRoot()
      return Estimate(deviation, standardError: deviation > 0 ? error / (2 * deviation) : 0)
    }
  }

  private static func columns<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) -> [[Double]] {
    let rows = samples.sampleRows
    let width = rows.shape[1]
    let values = rows.scalars
    return (0..<width).map { column in
      stride(from: column, to: values.count, by: width).map { values[$0] }
    }
  }
}

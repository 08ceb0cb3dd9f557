import ScoreTensors

/// Distances between sets of samples, and other numbers about them, each with its standard error.
///
/// | metric | use |
/// |---|---|
/// | `energyDistance` | sets of any size and dimension; unbiased, so small sets compare fairly |
/// | `energyTest` | the same, with how often chance alone makes it as large (p) |
/// | `maximumMeanDiscrepancy` | the same with a length scale of one's own |
/// | `slicedWasserstein` | distances in the data's own unit; biased upwards for small sets |
/// | `frechetDistance` | means and covariances alone; strongly biased unless n ≫ d |
/// | `wasserstein` | numbers, exactly |
/// | `precision` | the share of samples within the manifold of others; recall, the other way round |
/// | `copying` | whether samples repeat the data that they should only be like |
/// | `areaUnderROC` | how well a score separates two classes |
/// | `rankedProbabilityScores`, `energyScore` | draws for each row against its true value; beside them `Calibration` |
public enum Metrics {}

extension Tensor {
  /// Samples `[n, …]` as a matrix of Doubles with one row a sample.
  var sampleRows: Tensor<Double> {
    precondition(shape.rank >= 1, "samples of shape \(shape) have no first axis")
    return Tensor<Double>(self).reshaped([shape.rows, shape.rowCount])
  }
}

extension Tensor<Double> {
  /// The mean of each column of a matrix.
  var columnMeans: [Double] {
    let width = shape[1]
    var sums = [Double](repeating: 0, count: width)
    withUnsafeBuffer { values in
      for row in 0..<rows {
        for column in 0..<width { sums[column] += values[row * width + column] }
      }
    }
    return sums.map { $0 / Double(rows) }
  }

  /// The matrix with a number subtracted from each column.
  func centred(by mean: [Double]) -> Tensor<Double> {
    var result = self
    let width = shape[1]
    result.withUnsafeMutableBuffer { values in
      for i in 0..<values.count { values[i] -= mean[i % width] }
    }
    return result
  }
}

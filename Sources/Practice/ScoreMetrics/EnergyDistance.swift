import Foundation
import ScoreTensors

extension Metrics {
  /// The energy distance between the distributions behind two sets of samples `[n, …]`, without bias.
  ///
  /// ```
  /// 2 E|X − Y| − E|X − X′| − E|Y − Y′|
  /// ```
  ///
  /// It is 0 for equal distributions alone, and estimates of it may be negative. Since the estimate has no bias, sets of
  /// different and of small sizes compare fairly: the metric for "distance to the test set". The error is the larger of the
  /// jackknife's and of the deviation that the estimate has where the distributions are equal, for there the jackknife's is
  /// at times far too small. Each set needs three samples. Costs (n + m)² d / 2 operations. Reference: Székely & Rizzo 2013,
  /// "Energy statistics".
  public static func energyDistance<Scalar: TensorScalar>(
    _ first: Tensor<Scalar>, _ second: Tensor<Scalar>
  ) -> Estimate {
    discrepancy(first, second) { -$0.squareRoot() }
  }

  /// The squared maximum mean discrepancy with a Gaussian kernel, without bias.
  ///
  /// ```
  /// E k(X, X′) + E k(Y, Y′) − 2 E k(X, Y),   k(x, y) = exp(−|x − y|² / 2h²)
  /// ```
  ///
  /// Error, cost and conditions are those of `energyDistance`. Reference: Gretton et al. 2012, "A kernel two-sample test".
  /// - Parameter bandwidth: the length h, positive
  public static func maximumMeanDiscrepancy<Scalar: TensorScalar>(
    _ first: Tensor<Scalar>, _ second: Tensor<Scalar>, bandwidth: Double
  ) -> Estimate {
    precondition(bandwidth > 0, "the bandwidth is \(bandwidth)")
    let factor = -0.5 / (bandwidth * bandwidth)
    return discrepancy(first, second) { exp(factor * $0) }
  }

  /// E k(X, X′) + E k(Y, Y′) − 2 E k(X, Y) for a kernel of the squared distance.
  private static func discrepancy<Scalar: TensorScalar>(
    _ first: Tensor<Scalar>, _ second: Tensor<Scalar>, kernel: (Double) -> Double
  ) -> Estimate {
    let (x, y) = (first.sampleRows, second.sampleRows)
    precondition(
      x.shape[1] == y.shape[1], "samples of \(x.shape[1]) and of \(y.shape[1]) values")
    precondition(
      x.rows >= 3 && y.rows >= 3, "the error takes three samples a set, got \(x.rows), \(y.rows)")
    return discrepancy(
      own: (ownSums(x, kernel), ownSums(y, kernel)), mixed: mixedSums(x, y, kernel))
  }

  /// The same from sums of the kernel: those of each row over the other rows of its set, with that of squares over all ordered
  /// pairs, and those over the rows of the other set.
  static func discrepancy(
    own: ((sums: [Double], square: Double), (sums: [Double], square: Double)),
    mixed: (x: [Double], y: [Double])
  ) -> Estimate {
    let (n, m) = (Double(mixed.x.count), Double(mixed.y.count))
    let sums = (own.0.sums.reduce(0, +), own.1.sums.reduce(0, +), mixed.x.reduce(0, +))
    let value = sums.0 / (n * (n - 1)) + sums.1 / (m * (m - 1)) - 2 * sums.2 / (n * m)

    // The estimate without each sample in turn; what does not change cancels in the variance.
    let withoutX = zip(own.0.sums, mixed.x).map { own, mixed in
      (sums.0 - 2 * own) / ((n - 1) * (n - 2)) - 2 * (sums.2 - mixed) / ((n - 1) * m)
    }
    let withoutY = zip(own.1.sums, mixed.y).map { own, mixed in
      (sums.1 - 2 * own) / ((m - 1) * (m - 2)) - 2 * (sums.2 - mixed) / (n * (m - 1))
    }
    // With equal distributions the estimate is a sum over pairs of the centred kernel, whose terms do not correlate.
    let pairs = (centredSquare(own.0), centredSquare(own.1))
    let alike =
      2 / (n * (n - 1)) * pairs.0 + 2 / (m * (m - 1)) * pairs.1
      + 4 / (n * m) * (pairs.0 * pairs.1).squareRoot()
    return Estimate(
      value, standardError: max(spread(withoutX) + spread(withoutY), alike).squareRoot())
  }

  /// The mean square of k(X, X′) − E k(X, ·) − E k(·, X′) + E k over pairs.
  private static func centredSquare(_ own: (sums: [Double], square: Double)) -> Double {
    let n = Double(own.sums.count)
    let rows = own.sums.map { $0 / (n - 1) }
    let mean = rows.reduce(0, +) / n
    return max(
      0, own.square / (n * (n - 1)) - 2 * rows.reduce(0) { $0 + $1 * $1 } / n + mean * mean)
  }

  /// The jackknife's variance: (n − 1)/n Σ (θᵢ − θ̄)².
  private static func spread(_ values: [Double]) -> Double {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    return (count - 1) / count * values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  }

  /// For each row, the sum of the kernel over the other rows; and the sum of its squares over all ordered pairs.
  static func ownSums(
    _ x: Tensor<Double>, _ kernel: (Double) -> Double
  ) -> (sums: [Double], square: Double) {
    var sums = [Double](repeating: 0, count: x.rows)
    var square = 0.0
    let width = x.shape[1]
    x.withUnsafeBuffer { x in
      for i in sums.indices {
        for j in 0..<i {
          let value = kernel(squaredDistance(x, i * width, x, j * width, width))
          sums[i] += value
          sums[j] += value
          square += 2 * value * value
        }
      }
    }
    return (sums, square)
  }

  /// For each row of either set, the sum of the kernel over the rows of the other.
  static func mixedSums(
    _ x: Tensor<Double>, _ y: Tensor<Double>, _ kernel: (Double) -> Double
  ) -> (x: [Double], y: [Double]) {
    var sums = (x: [Double](repeating: 0, count: x.rows), y: [Double](repeating: 0, count: y.rows))
    let width = x.shape[1]
    x.withUnsafeBuffer { x in
      y.withUnsafeBuffer { y in
        for i in sums.x.indices {
          for j in sums.y.indices {
            let value = kernel(squaredDistance(x, i * width, y, j * width, width))
            sums.x[i] += value
            sums.y[j] += value
          }
        }
      }
    }
    return sums
  }

  @inline(__always)
  static func squaredDistance(
    _ x: UnsafeBufferPointer<Double>, _ i: Int, _ y: UnsafeBufferPointer<Double>, _ j: Int,
    _ width: Int
  ) -> Double {
    // Four running sums in one vector, so that no addition waits for the last one.
    var sums = SIMD4<Double>.zero
    var k = 0
    while k + 4 <= width {
      let difference =
        SIMD4(x[i + k], x[i + k + 1], x[i + k + 2], x[i + k + 3])
        - SIMD4(y[j + k], y[j + k + 1], y[j + k + 2], y[j + k + 3])
      sums += difference * difference
      k += 4
    }
    var sum = sums.sum()
    while k < width {
      sum += (x[i + k] - y[j + k]) * (x[i + k] - y[j + k])
      k += 1
    }
    return sum
  }
}

import Foundation
import ScoreTensors

/// How true values lie among draws from what was said of them: whether a density of each says as much as it knows, and no more.
///
/// Where truth and draws come from one density the truth's rank among m draws is even over 0 … m, whatever that density is and
/// however it differs from row to row. Reference: Talts et al. 2018, "Validating Bayesian inference algorithms with
/// simulation-based calibration"; Gneiting, Balabdaoui & Raftery 2007.
public struct Calibration: Sendable, Equatable {
  /// The draws m for each true value.
  public let draws: Int
  /// For each column the rank of each row's true value: how many of its draws are less.
  public let ranks: [[Int]]

  /// Ranks of true values.
  ///
  /// - Parameters:
  ///   - truths: `[n, …]`, one row or more.
  ///   - draws: `[n m, …]`, m after one another for each row of `truths`.
  ///   - key: breaks ties, evenly.
  /// - Throws: `MetricsError` where a number is not finite.
  public init<Scalar: TensorScalar>(
    of truths: Tensor<Scalar>, among draws: Tensor<Scalar>, key: RandomKey = RandomKey(0)
  ) throws(MetricsError) {
    let pair = DrawnRows(truths, draws)
    for (name, values) in [("true values", truths), ("draws", draws)] where !values.isFinite {
      throw MetricsError(
        "the \(name) hold a number that is not finite, which has no rank; expected finite ones")
    }
    let (rows, columns) = (pair.truths.rows, pair.columns)
    let ties: Tensor<Double> = key.folded("ties").uniform([rows, columns])
    self.draws = pair.count
    ranks = (0..<columns).map { column in
      (0..<rows).map { row in
        let truth = pair.truths[row, column]
        let values = pair.draws(of: row, column)
        let equal = values.count { $0 == truth }
        return values.count { $0 < truth } + Int(ties[row, column] * Double(equal + 1))
      }
    }
  }

  /// The rows.
  public var count: Int { ranks.first?.count ?? 0 }

  /// A share of true values within the middle of their draws.
  public struct Coverage: Sendable, Equatable {
    /// The share that is expected of m draws, as near to what was asked for as whole ranks are.
    public var nominal: Double
    /// The share found, with the error that it has where densities are right.
    public var found: Estimate
  }

  /// The share of a column's true values between two of their draws, as many below the first as above the second.
  ///
  /// - Parameter level: the share wanted, between 0 and 1, as 0.9.
  public func coverage(of column: Int, level: Double) -> Coverage {
    precondition(level > 0 && level < 1, "the level is \(level)")
    let places = Double(draws + 1)
    let tail = min(max(1, Int((0.5 * (1 - level) * places).rounded())), draws / 2)
    let inside = ranks[column].count { $0 >= tail && $0 <= draws - tail }
    let nominal = 1 - 2 * Double(tail) / places
    return Coverage(
      nominal: nominal,
      found: Estimate(
        Double(inside) / Double(count),
        standardError: (nominal * (1 - nominal) / Double(count)).squareRoot()))
  }

  /// A column's ranks counted in bins as even as whole ranks are, and how many of them are expected in each.
  public func histogram(of column: Int, bins: Int) -> (counts: [Int], expected: [Double]) {
    precondition((1...draws + 1).contains(bins), "\(bins) bins of \(draws + 1) ranks")
    var counts = [Int](repeating: 0, count: bins)
    var widths = counts
    for rank in 0...draws { widths[rank * bins / (draws + 1)] += 1 }
    for rank in ranks[column] { counts[rank * bins / (draws + 1)] += 1 }
    return (counts, widths.map { Double($0 * count) / Double(draws + 1) })
  }

  /// The bins for a histogram and a test: at most 20, with ten ranks or more expected in each where there are twenty.
  public var usualBins: Int { min(draws + 1, max(2, min(20, count / 10))) }

  /// How often ranks that are even lie as unevenly as those of a column, by the χ² of `usualBins` bins: where it is below a
  /// thousandth, densities are hardly right.
  public func evenness(of column: Int) -> Double {
    let (counts, expected) = histogram(of: column, bins: usualBins)
    let square = zip(counts, expected).reduce(0.0) {
      $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) / $1.1
    }
    return ChiSquared.share(above: square, degrees: counts.count - 1)
  }
}

/// True values `[n, columns]`, and m draws for each.
struct DrawnRows {
  let truths: Tensor<Double>
  let draws: Tensor<Double>
  /// The draws for each row.
  let count: Int
  var columns: Int { truths.shape[1] }

  init<Scalar: TensorScalar>(_ truths: Tensor<Scalar>, _ draws: Tensor<Scalar>) {
    (self.truths, self.draws) = (truths.sampleRows, draws.sampleRows)
    count = draws.rows / max(1, truths.rows)
    precondition(
      truths.rows > 0 && count >= 2 && count * truths.rows == draws.rows
        && self.truths.shape[1] == self.draws.shape[1],
      "draws of shape \(draws.shape) for true values of shape \(truths.shape)")
  }

  /// The draws of one row's column.
  func draws(of row: Int, _ column: Int) -> [Double] {
    draws.withUnsafeBuffer { values in
      (row * count..<(row + 1) * count).map { values[$0 * columns + column] }
    }
  }
}

/// The χ² distribution.
package enum ChiSquared {
  /// The share of draws above a value: Q(k/2, x/2), by the series of the lower incomplete gamma function or the continued fraction
  /// of the upper one, whichever ends soon. Reference: Abramowitz & Stegun 6.5.29, 6.5.31.
  package static func share(above value: Double, degrees: Int) -> Double {
    let (a, x) = (0.5 * Double(degrees), 0.5 * value)
    guard x > 0 else { return 1 }
    let scale = exp(a * log(x) - x - lgamma(a))
    if x < a + 1 {
      var (term, sum, k) = (1 / a, 1 / a, a)
      while term > 1e-17 * sum {
        k += 1
        term *= x / k
        sum += term
      }
      return 1 - scale * sum
    }
    // Lentz's evaluation of 1/(x + 1 − a − 1(1 − a)/(x + 3 − a − …)).
    var b = x + 1 - a
    var (c, d) = (1e300, 1 / b)
    var value = d
    for k in 1..<1000 {
      let term = Double(k) * (a - Double(k))
      b += 2
      d = 1 / (term * d + b)
      c = b + term / c
      value *= c * d
      if abs(c * d - 1) < 1e-16 { break }
    }
    return scale * value
  }
}

extension Metrics {
  /// The continuous ranked probability score of each column: how far draws are from the true value, less half their own spread.
  ///
  /// ```
  /// E|X − y| − ½ E|X − X′|
  /// ```
  ///
  /// In the column's unit; the less the better, and least in the mean where draws come from the true value's own density. Without
  /// bias for any number of draws, and the mean over rows with its error. Shapes are those of `Calibration`, with two rows or more.
  /// Reference: Gneiting & Raftery 2007; Ferro 2014 for the form without bias.
  public static func rankedProbabilityScores<Scalar: TensorScalar>(
    of truths: Tensor<Scalar>, among draws: Tensor<Scalar>
  ) -> [Estimate] {
    let pair = DrawnRows(truths, draws)
    return (0..<pair.columns).map { column in
      Estimate(
        meanOf: (0..<pair.truths.rows).map { row in
          rankedProbabilityScore(of: pair.truths[row, column], pair.draws(of: row, column))
        })
    }
  }

  /// The scores that each column would have if all that was said of a row were the other rows' true values.
  public static func rankedProbabilityScores<Scalar: TensorScalar>(
    ofTruthsAlone truths: Tensor<Scalar>
  ) -> [Estimate] {
    let rows = truths.sampleRows
    precondition(rows.rows >= 3, "the scores take three rows, got \(rows.rows)")
    return (0..<rows.shape[1]).map { column in
      let values = (0..<rows.rows).map { rows[$0, column] }
      return Estimate(
        meanOf: values.indices.map { row in
          var others = values
          others.remove(at: row)
          return rankedProbabilityScore(of: values[row], others)
        })
    }
  }

  private static func rankedProbabilityScore(of truth: Double, _ draws: [Double]) -> Double {
    let count = Double(draws.count)
    let distance = draws.reduce(0) { $0 + abs($1 - truth) } / count
    // Σ |a − b| over pairs, from sorted values.
    let pairs = draws.sorted().enumerated().reduce(0.0) {
      $0 + (2 * Double($1.offset) - count + 1) * $1.element
    }
    return distance - pairs / (count * (count - 1))
  }

  /// The energy score of whole rows: the ranked probability score with the distance of rows in place of that of numbers.
  ///
  /// Sees how columns hang together, which scores of columns do not. Columns should be of one size. Costs n m² d / 2 operations.
  public static func energyScore<Scalar: TensorScalar>(
    of truths: Tensor<Scalar>, among draws: Tensor<Scalar>
  ) -> Estimate {
    let pair = DrawnRows(truths, draws)
    let (m, count) = (pair.count, Double(pair.count))
    return Estimate(
      meanOf: (0..<pair.truths.rows).map { row in
        let truth = pair.truths.rows(row..<row + 1)
        let own = pair.draws.rows(row * m..<(row + 1) * m)
        return mixedSums(truth, own) { $0.squareRoot() }.x[0] / count
          - 0.5 * ownSums(own) { $0.squareRoot() }.sums.reduce(0, +) / (count * (count - 1))
      })
  }
}

import Foundation
import ScoreTensors

extension Metrics {
  /// The Wasserstein distance of order 1 or 2 between two sets of numbers, exact for the sets.
  ///
  /// ```
  /// W_p = (∫₀¹ |F⁻¹(u) − G⁻¹(u)|ᵖ du)^(1/p)
  /// ```
  ///
  /// The error is the bootstrap's. The distance between finite sets of one distribution is not 0 but shrinks with their
  /// size. Costs a sort, and one pass a replicate.
  public static func wasserstein(
    _ first: [Double], _ second: [Double], order: Int = 1, replicates: Int = 200,
    key: RandomKey = RandomKey(0)
  ) -> Estimate {
    precondition(!first.isEmpty && !second.isEmpty, "a distance takes samples on both sides")
    let pair = SortedPair(first, second, order: order)
    let value = root(pair.cost(nil, nil), order)
    let resampled = Resampling(first.count, second.count, replicates: replicates, key: key)
      .map { x, y in root(pair.cost(x, y), order) }
    return Estimate(value, standardError: deviation(resampled))
  }

  /// The sliced Wasserstein-2 distance between two sets of samples `[n, …]`.
  ///
  /// ```
  /// (mean over unit vectors θ of W₂²(θ·X, θ·Y))^½
  /// ```
  ///
  /// The error joins the bootstrap over samples with the spread over directions. The distance between finite sets of one
  /// distribution is not 0 but shrinks with their size. Costs (n + m) log(n + m) a direction, and one pass a direction
  /// and replicate. Reference: Bonneel et al. 2015, "Sliced and Radon Wasserstein barycenters of measures".
  public static func slicedWasserstein<Scalar: TensorScalar>(
    _ first: Tensor<Scalar>, _ second: Tensor<Scalar>, directions: Int = 128,
    replicates: Int = 50, key: RandomKey = RandomKey(0)
  ) -> Estimate {
    let (x, y) = (first.sampleRows, second.sampleRows)
    let width = x.shape[1]
    precondition(width == y.shape[1], "samples of \(width) and of \(y.shape[1]) values")
    precondition(directions >= 2, "the error takes two directions, got \(directions)")
    let units = unitVectors(directions, width, key.folded("directions"))
    let projectedX = units.matmul(x, transposeOther: true)
    let projectedY = units.matmul(y, transposeOther: true)
    let pairs = (0..<directions).map {
      SortedPair(projectedX.row($0), projectedY.row($0), order: 2)
    }
    let costs = pairs.map { $0.cost(nil, nil) }
    let mean = Estimate(meanOf: costs)
    let value = mean.value.squareRoot()
    let resampled = Resampling(x.rows, y.rows, replicates: replicates, key: key).map { x, y in
      (pairs.reduce(0) { $0 + $1.cost(x, y) } / Double(directions)).squareRoot()
    }
    let ofSamples = deviation(resampled)
    let ofDirections = value > 0 ? mean.standardError / (2 * value) : 0
    return Estimate(
      value,
      standardError: (ofSamples * ofSamples + ofDirections * ofDirections).squareRoot())
  }

  private static func root(_ cost: Double, _ order: Int) -> Double {
    order == 2 ? cost.squareRoot() : cost
  }

  private static func deviation(_ values: [Double]) -> Double {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
  }

  private static func unitVectors(_ count: Int, _ width: Int, _ key: RandomKey) -> Tensor<Double> {
    var vectors: Tensor<Double> = key.normal([count, width])
    let lengths = vectors.rowDots(vectors).map { $0.squareRoot() }
    vectors.withUnsafeMutableBuffer { entries in
      for i in 0..<entries.count { entries[i] /= lengths[i / width] }
    }
    return vectors
  }
}

/// Two sets of numbers in ascending order, and the cost of moving one onto the other.
private struct SortedPair {
  let x: [Double]
  let y: [Double]
  /// The place of each sorted number in its set.
  let xOrder: [Int]
  let yOrder: [Int]
  let order: Int

  init(_ x: [Double], _ y: [Double], order: Int) {
    precondition(order == 1 || order == 2, "the order is 1 or 2, got \(order)")
    xOrder = x.indices.sorted { x[$0] < x[$1] }
    yOrder = y.indices.sorted { y[$0] < y[$1] }
    self.x = xOrder.map { x[$0] }
    self.y = yOrder.map { y[$0] }
    self.order = order
  }

  /// The mean of |x − y|ᵖ over the monotone coupling, where sample i counts `xCounts[i]` times, once where nil.
  func cost(_ xCounts: [Int]?, _ yCounts: [Int]?) -> Double {
    // Each x carries as much mass as there are y, and the other way round, so that all masses are whole numbers.
    let (xMass, yMass) = (y.count, x.count)
    var (i, j) = (0, 0)
    var left = (x: (xCounts?[xOrder[0]] ?? 1) * xMass, y: (yCounts?[yOrder[0]] ?? 1) * yMass)
    var total = 0.0
    while true {
      while left.x == 0 {
        i += 1
        if i == x.count { return total / (Double(xMass) * Double(yMass)) }
        left.x = (xCounts?[xOrder[i]] ?? 1) * xMass
      }
      while left.y == 0 {
        j += 1
        if j == y.count { return total / (Double(xMass) * Double(yMass)) }
        left.y = (yCounts?[yOrder[j]] ?? 1) * yMass
      }
      let mass = min(left.x, left.y)
      let distance = abs(x[i] - y[j])
      total += Double(mass) * (order == 2 ? distance * distance : distance)
      left.x -= mass
      left.y -= mass
    }
  }
}

/// The bootstrap: how often each sample of two sets is drawn in each replicate.
private struct Resampling {
  private let draws: (Tensor<Double>, Tensor<Double>)

  init(_ n: Int, _ m: Int, replicates: Int, key: RandomKey) {
    precondition(replicates >= 2, "the error takes two replicates, got \(replicates)")
    draws = (
      key.folded("first").uniform([replicates, n]), key.folded("second").uniform([replicates, m])
    )
  }

  func map<Result>(_ body: ([Int], [Int]) -> Result) -> [Result] {
    (0..<draws.0.rows).map { body(Self.counts(draws.0.row($0)), Self.counts(draws.1.row($0))) }
  }

  private static func counts(_ draws: [Double]) -> [Int] {
    var counts = [Int](repeating: 0, count: draws.count)
    for draw in draws { counts[min(Int(draw * Double(draws.count)), draws.count - 1)] += 1 }
    return counts
  }
}

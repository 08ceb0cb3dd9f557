import ScoreTensors

extension Metrics {
  /// The share of samples that lie within the manifold of a reference: within one of the balls about its samples that each reach
  /// to that one's k-th nearest other sample.
  ///
  /// ```
  /// 1/n #{x : |x − y| ≤ r(y) for some y},   r(y) = |y − y′| for the k-th nearest y′
  /// ```
  ///
  /// With model samples against data it is the precision of the samples, the other way round their recall: precision falls where
  /// samples are unlike all data, recall where data are unlike all samples. Samples of one distribution do not all lie within
  /// the manifold, the fewer the more dimensions there are, so compare with other data. The error is the jackknife's over
  /// both sets, in the mean no less than the true one (Efron & Stein 1981); for normal samples it was about twice that. Where squares
  /// are not finite the result is NaN. Costs m² d + n m d multiply-adds. Reference: Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models".
  ///
  /// - Parameters:
  ///   - samples: `[n, …]`, two or more.
  ///   - reference: `[m, …]`, more than k.
  ///   - neighbours: k.
  ///   - progress: told the share that is done.
  public static func precision<Scalar: TensorScalar>(
    of samples: Tensor<Scalar>, within reference: Tensor<Scalar>, neighbours k: Int = 3,
    pool: ThreadPool? = nil, progress: ((Double) -> Void)? = nil
  ) -> Estimate {
    let (x, y) = (samples.sampleRows, reference.sampleRows)
    precondition(
      x.rows >= 2 && k >= 1 && y.rows > k, "\(x.rows) samples, \(y.rows) with \(k) neighbours each")
    let pairs = PairDistances(x, y)
    guard pairs.isFinite else { return Estimate(.nan, standardError: .nan) }
    let first = Double(y.rows) / Double(x.rows + y.rows)
    let manifold = Manifold(y, neighbours: k, pool: pool) { progress?(first * $0) }
    let width = y.rows
    let rest = { progress?(first + (1 - first) * $0) ?? () }
    let blocks = pairs.mapBlocks(pool: pool, progress: rest) { rows, distances in
      distances.withUnsafeBuffer { distances in
        rows.indices.map { place in
          let start = (place - rows.lowerBound) * width
          return manifold.membership(
            UnsafeBufferPointer(rebasing: distances[start..<start + width]))
        }
      }
    }
    let (n, m) = (Double(x.rows), Double(y.rows))
    var inside = 0.0
    // How many samples more are inside without each sample of the reference.
    var changes = [Double](repeating: 0, count: y.rows)
    for member in blocks.joined() {
      inside += member.isInside ? 1 : 0
      for j in member.turnsWithout { changes[j] += member.isInside ? -1 : 1 }
    }
    let mean = changes.reduce(0, +) / m
    let ofReference =
      (m - 1) / m * changes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n * n)
    // None, or all, inside is no proof that all others would be.
    let share = (inside + 0.5) / (n + 1)
    return Estimate(
      inside / n, standardError: (share * (1 - share) / n + ofReference).squareRoot())
  }
}

/// Balls about samples, each as large as the distance to its k-th nearest other sample.
private struct Manifold: Sendable {
  private let k: Int
  private let nearest: [Int]
  private let radii: [Double]
  /// The radii that balls have without one of their neighbours.
  private let wideRadii: [Double]

  init(
    _ y: Tensor<Double>, neighbours k: Int, pool: ThreadPool?, progress: ((Double) -> Void)?
  ) {
    self.k = k
    // Of k + 1 samples no ball has another neighbour to reach to.
    let count = min(k + 1, y.rows - 1)
    let near = NearestNeighbours(
      PairDistances(y, y), count: count, isWithin: true, first: nil, pool, progress)
    radii = (0..<y.rows).map { near.distances[$0 * count + k - 1] }
    wideRadii = (0..<y.rows).map { near.distances[$0 * count + count - 1] }
    nearest = (0..<y.rows).flatMap { near.indices[$0 * count..<$0 * count + k] }
  }

  /// Whether a sample is inside, and without which samples of the manifold it would not be so, or would be.
  func membership(
    _ distances: UnsafeBufferPointer<Double>
  ) -> (isInside: Bool, turnsWithout: [Int]) {
    var inside = 0
    var last = 0
    // Balls that hold the sample, or would if they lost a neighbour.
    var reached: [Int] = []
    for j in distances.indices where distances[j] <= wideRadii[j] {
      reached.append(j)
      if distances[j] <= radii[j] { (inside, last) = (inside + 1, j) }
    }
    func neighbours(_ j: Int) -> ArraySlice<Int> { nearest[j * k..<(j + 1) * k] }
    switch inside {
    case 0: return (false, Array(Set(reached.flatMap(neighbours))))
    case 1:
      let isHeld = reached.contains { $0 != last && neighbours($0).contains(last) }
      return (true, isHeld ? [] : [last])
    default: return (true, [])
    }
  }
}

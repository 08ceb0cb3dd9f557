import ScoreTensors

/// The nearest rows of a reference to each sample, with their distances.
public struct NearestNeighbours: Sendable {
  /// The neighbours k of each sample.
  public let count: Int
  /// The distances `[n, k]`, row by row, the nearest first.
  public let distances: [Double]
  /// The neighbours' rows in the reference, in the order of the distances; of equally near ones the first.
  public let indices: [Int]

  /// The rows of `reference` that are nearest to each of `samples`.
  ///
  /// Costs n m d multiply-adds. Results are the same for any number of threads.
  /// - Parameters:
  ///   - samples: `[n, …]`.
  ///   - reference: `[m, …]`, m ≥ k.
  ///   - count: the neighbours k of each.
  ///   - progress: told the share that is done.
  /// - Throws: `MetricsError` where a number, or the sum of a row's squares, is not finite, as those of samples that diverged.
  public init<Scalar: TensorScalar>(
    of samples: Tensor<Scalar>, among reference: Tensor<Scalar>, count: Int,
    pool: ThreadPool? = nil, progress: ((Double) -> Void)? = nil
  ) throws(MetricsError) {
    let pairs = PairDistances(samples.sampleRows, reference.sampleRows)
    try Self.check(pairs)
    self.init(pairs, count: count, isWithin: false, first: nil, pool, progress)
  }

  /// The other rows of one set that are nearest to each of its samples, or to each of the first `queries`.
  /// - Throws: as the other.
  public init<Scalar: TensorScalar>(
    within samples: Tensor<Scalar>, ofTheFirst queries: Int? = nil, count: Int,
    pool: ThreadPool? = nil, progress: ((Double) -> Void)? = nil
  ) throws(MetricsError) {
    let rows = samples.sampleRows
    let pairs = PairDistances(rows, rows)
    try Self.check(pairs)
    self.init(pairs, count: count, isWithin: true, first: queries, pool, progress)
  }

  private static func check(_ pairs: PairDistances) throws(MetricsError) {
    let bad = pairs.notFinite
    guard let row = bad.x ?? bad.y else { return }
    throw MetricsError(
      "row \(row) of the \(bad.x == nil ? "reference" : "samples") has no nearest neighbour, as the sum of its squares is not a finite number; expected finite numbers whose squares are so, too"
    )
  }

  /// The same of distances that are all finite.
  init(
    _ pairs: PairDistances, count k: Int, isWithin: Bool, first: Int?, _ pool: ThreadPool?,
    _ progress: ((Double) -> Void)?
  ) {
    let m = pairs.y.rows
    precondition(
      k >= 1 && k <= m - (isWithin ? 1 : 0) && first ?? 0 <= pairs.x.rows,
      "\(k) neighbours among \(m) samples")
    let blocks = pairs.mapBlocks(ofTheFirst: first, pool: pool, progress: progress) {
      rows, distances in
      var found = (distances: [Double](), indices: [Int]())
      for (place, i) in rows.enumerated() {
        var near = [Double](repeating: .infinity, count: k)
        var who = [Int](repeating: 0, count: k)
        distances.withUnsafeBuffer { distances in
          for j in 0..<m where distances[place * m + j] < near[k - 1] && !(isWithin && i == j) {
            let distance = distances[place * m + j]
            var slot = k - 1
            while slot > 0 && near[slot - 1] > distance {
              (near[slot], who[slot]) = (near[slot - 1], who[slot - 1])
              slot -= 1
            }
            (near[slot], who[slot]) = (distance, j)
          }
        }
        found.distances += near
        found.indices += who
      }
      return found
    }
    count = k
    distances = blocks.flatMap(\.distances)
    indices = blocks.flatMap(\.indices)
  }

  /// How many samples have a neighbour that equals them, number for number.
  public var identical: Int {
    stride(from: 0, to: distances.count, by: count).count { distances[$0] == 0 }
  }
}

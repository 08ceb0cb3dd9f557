import ScoreTensors

/// Whether two sets of samples are of one distribution: their energy distance, and how often chance alone makes one as large.
public struct EnergyTest: Sendable, Equatable {
  /// The energy distance of the sets, as `Metrics.energyDistance` gives it.
  public let distance: Estimate
  /// The p value, with the error that a finite number of permutations leaves.
  public let p: Estimate
  /// The permutations that it is of.
  public let permutations: Int
}

extension Metrics {
  /// The permutation test that two sets of samples `[n, …]` and `[m, …]` are of one distribution, by their energy distance.
  ///
  /// ```
  /// p = (1 + #{permutations with no less a distance}) / (1 + permutations)
  /// ```
  ///
  /// Samples of both sets are mixed and parted anew into n and m, which changes nothing where both are of one distribution: p is
  /// then even over 1/(1 + permutations) … 1, whatever that distribution is. All distances are computed once and none is
  /// kept. Costs (n + m)² (d + permutations) multiply-adds, as matrix products, and memory for (n + m) (permutations + d)
  /// numbers. The same bits for any number of threads. Each set needs three samples; where squares are not finite the results are
  /// NaN. Reference: Székely & Rizzo 2013.
  /// - Parameter progress: told the share that is done.
  public static func energyTest<Scalar: TensorScalar>(
    _ first: Tensor<Scalar>, _ second: Tensor<Scalar>, permutations: Int = 199,
    key: RandomKey = RandomKey(0), pool: ThreadPool? = nil, progress: ((Double) -> Void)? = nil
  ) -> EnergyTest {
    let (x, y) = (first.sampleRows, second.sampleRows)
    precondition(
      x.shape[1] == y.shape[1], "samples of \(x.shape[1]) and of \(y.shape[1]) values")
    precondition(
      x.rows >= 3 && y.rows >= 3 && permutations >= 1,
      "\(x.rows) and \(y.rows) samples, \(permutations) permutations; expected 3, 3, 1 or more")
    let (n, count) = (x.rows, x.rows + y.rows)
    let all = Tensor<Double>.concatenated([x, y])
    let pairs = PairDistances(all, all)
    guard pairs.isFinite else {
      let none = Estimate(.nan, standardError: .nan)
      return EnergyTest(distance: none, p: none, permutations: permutations)
    }
    let parts = Self.parts(n, of: count, permutations, key.folded("permutations"))
    let width = permutations + 1
    let blocks = pairs.mapBlocks(pool: pool, progress: progress) { rows, distances in
      BlockSums(rows, distances, first: n, parts: parts)
    }

    let rows = blocks.flatMap(\.rows)
    let distance = discrepancy(
      own: (
        (rows[..<n].map { -$0.first }, rows[..<n].reduce(0) { $0 + $1.square }),
        (rows[n...].map { -$0.second }, rows[n...].reduce(0) { $0 + $1.square })
      ), mixed: (rows[..<n].map { -$0.second }, rows[n...].map { -$0.first }))

    // Sums of distances within the first part, from it to all, and between all.
    var within = [Double](repeating: 0, count: width)
    for block in blocks { for place in 0..<width { within[place] += block.within[place] } }
    var outwards = [Double](repeating: 0, count: width)
    parts.withUnsafeBuffer { parts in
      for (i, sums) in rows.enumerated() {
        let total = sums.first + sums.second
        for place in 0..<width { outwards[place] += parts[i * width + place] * total }
      }
    }
    let total = rows.reduce(0) { $0 + $1.first + $1.second }
    let (a, b) = (Double(n), Double(count - n))
    let distances = (0..<width).map { place -> Double in
      let mixed = outwards[place] - within[place]
      let others = total - outwards[place] - mixed
      return 2 * mixed / (a * b) - within[place] / (a * (a - 1)) - others / (b * (b - 1))
    }
    // Parts that differ in name alone have sums that differ by rounding.
    let rounding = 1e-12 * total / Double(count * count)
    let asFar = distances.dropFirst().count { $0 >= distances[0] - rounding }
    let p = Double(1 + asFar) / Double(width)
    return EnergyTest(
      distance: distance,
      p: Estimate(p, standardError: (p * (1 - p) / Double(width)).squareRoot()),
      permutations: permutations)
  }

  /// For each sample a 1 where it is in the first part, else a 0: `[count, 1 + permutations]`, of which column 0 are the sets
  /// themselves.
  private static func parts(
    _ n: Int, of count: Int, _ permutations: Int, _ key: RandomKey
  ) -> Tensor<Double> {
    let width = permutations + 1
    return Tensor([count, width]) { entries in
      entries.update(repeating: 0)
      for i in 0..<n { entries[i * width] = 1 }
      for permutation in 0..<permutations {
        let draws: Tensor<Double> = key.uniform([1, n], samples: .consecutive(first: permutation))
        var order = Array(0..<count)
        for i in 0..<n {
          // The draws of a shuffle that ends where the first part is full.
          order.swapAt(i, min(count - 1, i + Int(draws[0, i] * Double(count - i))))
          entries[order[i] * width + permutation + 1] = 1
        }
      }
    }
  }
}

/// Sums of distances over a block of rows.
private struct BlockSums: Sendable {
  /// For each row its sums over both sets, and that of squares over its own.
  let rows: [(first: Double, second: Double, square: Double)]
  /// For each division the sum between this block's rows in the first part and that part.
  let within: [Double]

  init(
    _ range: Range<Int>, _ distances: Tensor<Double>, first n: Int, parts: Tensor<Double>
  ) {
    let (count, width) = (parts.rows, parts.shape[1])
    rows = distances.withUnsafeBuffer { distances in
      range.enumerated().map { place, i in
        let row = UnsafeBufferPointer(rebasing: distances[place * count..<(place + 1) * count])
        let own = i < n ? row[..<n] : row[n...]
        return (
          row[..<n].reduce(0, +), row[n...].reduce(0, +), own.reduce(0) { $0 + $1 * $1 }
        )
      }
    }
    var within = [Double](repeating: 0, count: width)
    let sums = distances.matmul(parts)
    parts.withUnsafeBuffer { parts in
      sums.withUnsafeBuffer { sums in
        for (place, i) in range.enumerated() {
          for k in 0..<width { within[k] += parts[i * width + k] * sums[place * width + k] }
        }
      }
    }
    self.within = within
  }
}

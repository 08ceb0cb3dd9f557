import ScoreTensors
import Synchronization

/// Euclidean distances between the rows of two sets, a block of rows at a time, so that they are never all in memory.
///
/// ```
/// |x − y|² = |x|² + |y|² − 2 x·y
/// ```
///
/// Where that cancels, as between rows that are alike, the differences are summed themselves: equal rows are exactly 0 apart. n m d
/// multiply-adds, as matrix products.
struct PairDistances: Sendable {
  let x: Tensor<Double>
  let y: Tensor<Double>
  private let squares: (x: [Double], y: [Double])

  /// - Parameters:
  ///   - x: rows `[n, d]`.
  ///   - y: rows `[m, d]`.
  init(_ x: Tensor<Double>, _ y: Tensor<Double>) {
    precondition(x.shape[1] == y.shape[1], "samples of \(x.shape[1]) and of \(y.shape[1]) values")
    (self.x, self.y) = (x, y)
    squares = (x.rowDots(x), y.rowDots(y))
  }

  /// Whether squares of all rows are finite numbers; else distances are not.
  var isFinite: Bool { notFinite.x == nil && notFinite.y == nil }

  /// The first rows of which that is not so.
  var notFinite: (x: Int?, y: Int?) {
    func first(_ squares: [Double]) -> Int? {
      squares.firstIndex { !($0.isFinite && $0 < 1e300) }
    }
    return (first(squares.x), first(squares.y))
  }

  /// What `body` makes of each block of rows of distances, `[rows, m]`, in their order.
  ///
  /// Blocks are the same for any number of threads.
  /// - Parameters:
  ///   - count: the rows of x that are taken, the first ones; all where nil.
  ///   - progress: told the share that is done.
  func mapBlocks<Result: Sendable>(
    ofTheFirst count: Int? = nil, pool: ThreadPool?, progress: ((Double) -> Void)?,
    _ body: @escaping @Sendable (_ rows: Range<Int>, _ distances: Tensor<Double>) -> Result
  ) -> [Result] {
    let rows = count ?? x.rows
    let size = min(64, max(8, (1 << 20) / max(1, y.rows)))
    let blocks = (rows + size - 1) / size
    let results = Mutex([Result?](repeating: nil, count: blocks))
    let step = 8 * (pool?.threads ?? 1)
    for start in stride(from: 0, to: blocks, by: step) {
      let round = start..<min(blocks, start + step)
      let run: @Sendable (Range<Int>) -> Void = { range in
        for block in range.map({ round.lowerBound + $0 }) {
          let own = block * size..<min(rows, (block + 1) * size)
          let result = body(own, distances(own))
          results.withLock { $0[block] = result }
        }
      }
      if let pool { pool.forEachRange(of: round.count, run) } else { run(0..<round.count) }
      progress?(Double(round.upperBound) / Double(blocks))
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  /// The distances of some rows of x to all of y, `[rows, m]`.
  private func distances(_ rows: Range<Int>) -> Tensor<Double> {
    var products = x.rows(rows).matmul(y, transposeOther: true)
    let width = x.shape[1]
    products.withUnsafeMutableBuffer { out in
      x.withUnsafeBuffer { x in
        y.withUnsafeBuffer { y in
          squares.y.withUnsafeBufferPointer { ySquares in
            for (place, i) in rows.enumerated() {
              let own = squares.x[i]
              for j in ySquares.indices {
                let sum = own + ySquares[j]
                var square = sum - 2 * out[place * ySquares.count + j]
                // Of sixteen digits ten are left.
                if square < 1e-6 * sum {
                  square = Metrics.squaredDistance(x, i * width, y, j * width, width)
                }
                out[place * ySquares.count + j] = square.squareRoot()
              }
            }
          }
        }
      }
    }
    return products
  }
}

import ScoreSDE
import Synchronization

/// One number of samples in two sets, in its own unit.
struct ColumnComparison: Sendable {
  let name: String
  /// Among the numbers of a sample.
  let place: Int
  let means: (data: Estimate, reference: Estimate)
  let deviations: (data: Estimate, reference: Estimate)
  /// The Wasserstein distance.
  let distance: Estimate

  /// How far the sets are apart, in deviations of the reference.
  var difference: Double {
    let unit = deviations.reference.value
    return unit > 0 ? distance.value / unit : distance.value > 0 ? .infinity : 0
  }

  /// All numbers of samples in their order.
  static func all<Scalar: TensorScalar>(
    of compared: ComparedData<Scalar>, pool: ThreadPool, key: RandomKey
  ) -> [ColumnComparison] {
    let names = compared.names
    let sets = [
      (compared.data, compared.counts.data), (compared.reference, compared.counts.reference),
    ].map { set, count in
      Tensor<Double>(set.samples.rows(0..<count)).reshaped([count, compared.dimensions])
    }
    let results = Mutex([ColumnComparison?](repeating: nil, count: names.count))
    pool.forEachRange(of: names.count) { range in
      for place in range {
        let columns = sets.map { set in (0..<set.rows).map { set[$0, place] } }
        let rows = columns.map { Tensor<Double>([$0.count, 1], $0) }
        let result = ColumnComparison(
          name: names[place], place: place,
          means: (Metrics.means(rows[0])[0], Metrics.means(rows[1])[0]),
          deviations: (
            Metrics.standardDeviations(rows[0])[0], Metrics.standardDeviations(rows[1])[0]
          ),
          distance: Metrics.wasserstein(
            columns[0], columns[1], replicates: 100, key: key.folded(UInt64(place))))
        results.withLock { $0[place] = result }
      }
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  /// Those that differ most, in their order.
  static func worst(_ columns: [ColumnComparison], atMost count: Int) -> [ColumnComparison] {
    guard columns.count > count else { return columns }
    let worst = columns.sorted { ($1.difference, $0.place) < ($0.difference, $1.place) }
    return worst.prefix(count).sorted { $0.place < $1.place }
  }
}

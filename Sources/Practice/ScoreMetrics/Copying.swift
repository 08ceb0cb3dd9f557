import ScoreTensors

extension Metrics {
  /// How often a sample is nearer to the data than one of the data is to the rest of them: whether samples are copies.
  ///
  /// ```
  /// P(min_y |x − y| < min_{y″ ≠ y′} |y′ − y″|),   ties count one half
  /// ```
  ///
  /// ½ for samples of the data's own distribution that are not copies of them, near 1 where samples repeat the data that a model
  /// was trained on, and below ½ where they lie off the data. Where some are copied and others lie off, these make up for those.
  /// It is the area under the ROC of nearest distances; since these hang together through the data, the error is not that of
  /// `areaUnderROC` but the jackknife's over samples and data, in the mean no less than the true one (Efron & Stein 1981); for
  /// normal samples it was 1.3 to 1.5 times that. Costs sorts of the distances. Reference: Meehan, Chaudhuri & Dasgupta 2020, "A non-parametric
  /// test to detect data-copying in generative models", where held-out samples stand for the data's own.
  ///
  /// - Parameters:
  ///   - samples: `NearestNeighbours(of: samples, among: data, count: 2)`, of two samples or more.
  ///   - data: `NearestNeighbours(within: data, count: 2)`, of all data or of the first of them, two or more.
  ///   - count: how many data there are.
  public static func copying(
    _ samples: NearestNeighbours, _ data: NearestNeighbours, among count: Int
  ) -> Estimate {
    let (x, y) = (NearestTwo(samples), NearestTwo(data))
    precondition(
      x.first.count >= 2 && y.first.count >= 2 && count >= max(3, y.first.count),
      "\(x.first.count) and \(y.first.count) nearest distances among \(count) data")
    let (n, q) = (Double(x.first.count), Double(y.first.count))
    let (xs, ys) = (x.first.sorted(), y.first.sorted())
    /// How many of the data's distances are more than one, and how many of the samples' less.
    func above(_ distance: Double) -> Double { q - ys.countBelow(distance) }
    func below(_ distance: Double) -> Double { xs.countBelow(distance) }
    let scores = x.first.map(above)
    let sum = scores.reduce(0, +)

    // The sum without each of the data in turn, whose followers then have their second nearest one.
    let (samplesOf, dataOf) = (x.followers(of: count), y.followers(of: count))
    let without = (0..<count).map { j -> Double in
      var rest = sum
      for a in samplesOf[j] { rest += above(x.second[a]) - scores[a] }
      for b in dataOf[j] {
        rest += below(y.second[b]) - below(y.first[b])
        for a in samplesOf[j] {
          rest += x.gain(a, over: y.second[b]) - x.gain(a, over: y.first[b])
        }
      }
      guard j < y.first.count else { return rest / (n * q) }
      rest -= below(y.first[j])
      for a in samplesOf[j] { rest -= x.gain(a, over: y.first[j]) }
      return rest / (n * (q - 1))
    }
    let mean = without.reduce(0, +) / Double(count)
    let ofData =
      Double(count - 1) / Double(count) * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let own = Estimate(meanOf: scores.map { $0 / q })
    return Estimate(
      own.value, standardError: (own.standardError * own.standardError + ofData).squareRoot())
  }
}

/// The two nearest distances of each sample, and whose the nearest is.
private struct NearestTwo {
  let first: [Double]
  let second: [Double]
  private let nearest: [Int]

  init(_ near: NearestNeighbours) {
    precondition(near.count >= 2, "the error takes two neighbours, got \(near.count)")
    let starts = stride(from: 0, to: near.distances.count, by: near.count)
    first = starts.map { near.distances[$0] }
    second = starts.map { near.distances[$0 + 1] }
    nearest = starts.map { near.indices[$0] }
  }

  /// For each of the data the samples that it is nearest to.
  func followers(of count: Int) -> [[Int]] {
    var found = [[Int]](repeating: [], count: count)
    for (sample, place) in nearest.enumerated() { found[place].append(sample) }
    return found
  }

  /// How much more often the second distance of a sample is below another one than the first, −1 to 0.
  func gain(_ sample: Int, over distance: Double) -> Double {
    func isBelow(_ own: Double) -> Double { own < distance ? 1 : own == distance ? 0.5 : 0 }
    return isBelow(second[sample]) - isBelow(first[sample])
  }
}

extension [Double] {
  /// How many of these, in ascending order, are below a number; equal ones count one half.
  fileprivate func countBelow(_ number: Double) -> Double {
    func place(_ isBefore: (Double) -> Bool) -> Int {
      var (low, high) = (0, count)
      while low < high {
        let middle = (low + high) / 2
        if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return 0.5 * Double(place { $0 < number } + place { $0 <= number })
  }
}

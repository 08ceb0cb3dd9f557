import ScoreTensors

extension Metrics {
  /// The area under the receiver operating characteristic: the probability that a positive scores above a negative.
  ///
  /// Ties count one half. The error is that of DeLong, DeLong & Clarke-Pearson 1988. Each class needs two scores; with one that is
  /// not a number, neither is the result. Costs one sort.
  public static func areaUnderROC(positives: [Double], negatives: [Double]) -> Estimate {
    precondition(
      positives.count >= 2 && negatives.count >= 2,
      "the error takes two scores a class, got \(positives.count), \(negatives.count)")
    guard !(positives + negatives).contains(where: \.isNaN) else {
      return Estimate(.nan, standardError: .nan)
    }
    let (n, m) = (Double(positives.count), Double(negatives.count))
    let together = midranks(positives + negatives)
    let own = (midranks(positives), midranks(negatives))
    // The share of the other class that each score beats.
    let aboveNegatives = zip(together.prefix(positives.count), own.0).map { ($0 - $1) / m }
    let belowPositives = zip(together.dropFirst(positives.count), own.1).map { 1 - ($0 - $1) / n }
    let first = Estimate(meanOf: aboveNegatives)
    let second = Estimate(meanOf: belowPositives)
    let square =
      first.standardError * first.standardError + second.standardError * second.standardError
    return Estimate(first.value, standardError: square.squareRoot())
  }

  /// The rank of each value from 1 on; equal values share the mean of their ranks.
  private static func midranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count && values[order[end]] == values[order[start]] { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
      start = end
    }
    return ranks
  }
}

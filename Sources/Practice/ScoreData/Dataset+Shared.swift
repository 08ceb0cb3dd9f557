import ScoreTensors

/// Samples that two sets share.
extension Dataset {
  /// How many samples are in another set too, number for number, with their labels and covariates.
  ///
  /// Reads every entry once, and compares hashes of 64 bits.
  /// - Precondition: samples of as many numbers.
  public func sharedCount(with other: Dataset) -> Int {
    precondition(
      dimensions == other.dimensions,
      "samples of \(dimensions) numbers beside samples of \(other.dimensions)")
    let there = Set(other.rowHashes)
    return rowHashes.count { there.contains($0) }
  }

  /// How many samples are there more than once, each time counted, as rows of few kinds are by chance.
  package var repeatedCount: Int {
    let counts = Dictionary(rowHashes.map { ($0, 1) }, uniquingKeysWith: +)
    return counts.values.reduce(0) { $0 + ($1 > 1 ? $1 : 0) }
  }

  private var rowHashes: [UInt64] {
    samples.withUnsafeBuffer { entries in
      (0..<count).map { row in
        let numbers = UnsafeBufferPointer(
          rebasing: entries[row * dimensions..<(row + 1) * dimensions])
        var parts = [Self.hash(UnsafeRawBufferPointer(numbers))]
        if let labels { parts.append(UInt64(labels[row])) }
        if let covariates { parts += covariates.values.row(row).map(\.bitPattern) }
        return parts.withUnsafeBytes { Self.hash($0) }
      }
    }
  }
}

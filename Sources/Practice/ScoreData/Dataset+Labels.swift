/// The classes of samples: their numbers, and what they are called.
extension Dataset {
  /// A text that tells these labels from others, or nil where there are none.
  public var labelFingerprint: String? {
    labels.map { labels in
      "\(labels.count) \(String(labels.withUnsafeBytes { Self.hash($0) }, radix: 16))"
    }
  }

  /// The same samples with other labels, or without any; their own keep the names that the classes have.
  ///
  /// - Parameter classNames: what these classes are called, one a class in order of the numbers.
  /// - Throws: `wrongShape` unless there is a label a sample, and a name for each of them where there are names.
  public func labelled(
    _ labels: [Int]?, classNames: [String]? = nil
  ) throws(DataError) -> Dataset {
    if let labels, labels.count != count {
      throw DataError(
        .wrongShape, name,
        "there are \(labels.count) labels for \(count) samples; expected one a sample")
    }
    if let names = classNames, let label = Self.unnamed(labels, names) {
      throw DataError(
        .wrongShape, name,
        "there are \(names.count) names of classes, and a label \(label); expected a name for each")
    }
    var result = self
    result.labels = labels
    result.classNames =
      labels == nil ? nil : classNames ?? (labels == self.labels ? self.classNames : nil)
    return result
  }

  /// A label that has none of the names, where classes have some.
  static func unnamed(_ labels: [Int]?, _ names: [String]?) -> Int? {
    names.flatMap { names in labels?.first { !names.indices.contains($0) } }
  }
}

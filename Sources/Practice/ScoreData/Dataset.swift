import ScoreTensors

/// Samples with what is known about them: labels, a name and, where they are quantised, their scale.
public struct Dataset<Scalar: TensorScalar>: Sendable {
  /// The name, as the command line would spell it.
  public var name: String
  /// The samples, of shape `[n, …]`, in the data's own units: raw levels where there is a scale.
  ///
  /// Images are of shape `[n, height, width, channels]`.
  public let samples: Tensor<Scalar>
  /// The class of each sample, if known.
  public internal(set) var labels: [Int]?
  /// What the classes are called, one a class in order of the numbers, or nil where they have numbers alone.
  ///
  /// There may be more than the labels name: a class need not have samples.
  public internal(set) var classNames: [String]?
  /// The numbers that each sample is conditioned on, if there are any.
  public internal(set) var covariates: Covariates?
  /// How raw levels map to the model space, or nil where the data are not quantised.
  public private(set) var scale: DataScale?
  /// How data that are not quantised map to the model space, or nil where they lie there as they are.
  public var standardization: Standardization?

  /// Which numbers of samples that have no scale are whole, or nil where all are measurements.
  public var discrete: DiscreteColumns?

  /// The names of the columns of a table, where its first row has them; a column of texts is one for each of these.
  public private(set) var columns: [String]?
  /// The columns of a table that hold texts.
  public internal(set) var texts: [TextColumn] = []
  /// The names of columns of a file that are left out, as they hold more texts than `TextColumn.most`.
  public internal(set) var leftOut: [String] = []
  /// The names of columns of a file that are left out, as its reader does not know them.
  package internal(set) var unknown: [String] = []
  /// The number of rows of a file that are left out, as something is missing in them.
  public internal(set) var dropped = 0
  /// The line that each sample is on, the first one 1, where they are rows of a table as text.
  package internal(set) var lines: [Int]?

  /// Creates a data set.
  /// - Precondition: a first axis, as many labels as samples, a name for each label where classes have names, and as many names of
  ///   columns as a row of a table has numbers.
  public init(
    name: String, samples: Tensor<Scalar>, labels: [Int]? = nil, classNames: [String]? = nil,
    scale: DataScale? = nil, columns: [String]? = nil
  ) {
    precondition(
      columns.map { samples.shape.row == [$0.count] } ?? true,
      "\(columns?.count ?? 0) columns of samples of shape \(samples.shape)")
    self.columns = columns
    precondition(samples.shape.rank >= 1, "samples of shape \(samples.shape) have no first axis")
    precondition(
      labels?.count ?? samples.rows == samples.rows,
      "\(labels?.count ?? 0) labels for \(samples.rows) samples")
    precondition(
      Self.unnamed(labels, classNames) == nil,
      "\(classNames?.count ?? 0) names of classes for labels up to \(labels?.max() ?? -1)")
    self.name = name
    self.samples = samples
    self.labels = labels
    self.classNames = classNames
    self.scale = scale
  }

  /// The number of samples.
  public var count: Int { samples.rows }
  /// The extents of one sample.
  public var sampleShape: Shape { samples.shape.row }
  /// The number of values in one sample.
  public var dimensions: Int { samples.shape.rowCount }

  /// Where a sample stands, for messages: its line in a table as text, elsewhere its number from 0 on.
  package func place(of sample: Int) -> String {
    lines.map { "\(name), line \($0[sample])" } ?? "\(name), sample \(sample)"
  }

  /// A text that tells these samples from others: their shape and a hash of their bits.
  ///
  /// Reads every entry once. Not a cryptographic hash: it finds another file in a file's place, not a forged one.
  public var fingerprint: String {
    let hash = samples.withUnsafeBuffer { Self.hash(UnsafeRawBufferPointer($0)) }
    return "\(samples.shape) \(String(hash, radix: 16))"
  }

  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0
    let words = bytes.count / 8
    for word in 0..<words {
      hash ^= bytes.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
      hash &*= 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 32
    }
    for byte in bytes[(8 * words)...] { hash = (hash ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15 }
    return hash
  }

  /// The same samples under other covariates, or under none.
  /// - Throws: `wrongShape` unless there is a row a sample.
  public func given(_ covariates: Covariates?) throws(DataError) -> Dataset {
    if let covariates, covariates.values.rows != count {
      throw DataError(
        .wrongShape, name,
        "there are \(covariates.values.rows) rows of covariates for \(count) samples; expected one a sample"
      )
    }
    var result = self
    result.covariates = covariates
    return result
  }

  /// All samples in model space: whole numbers are spread over their bins, and all standardised where there is a map for that.
  ///
  /// Row `i` depends on (key, `i`) alone. For training, a key of its own each epoch gives each epoch its own noise.
  public func modelSamples(key: RandomKey) -> Tensor<Scalar> {
    placed(samples, key, .consecutive(first: 0))
  }

  /// Chosen samples in model space, each with the noise that it has in `modelSamples(key:)`.
  public func modelSamples(_ indices: [Int], key: RandomKey) -> Tensor<Scalar> {
    placed(samples.rows(indices), key, .explicit(indices))
  }

  private func placed(
    _ raw: Tensor<Scalar>, _ key: RandomKey, _ indices: SampleIndices
  ) -> Tensor<Scalar> {
    if let scale { return scale.dequantised(raw, key: key, samples: indices) }
    let spread = discrete?.dequantised(raw, key: key, samples: indices) ?? raw
    return standardization?.standardized(spread) ?? spread
  }

  /// The same samples, which models see with mean 0 and deviation 1, by columns, channels or as a whole; whole numbers with their bins.
  /// - Throws: `badParameter` where the data are quantised, `empty` where there are none, `notFinite` where entries or their squares
  ///   are no finite numbers.
  public func standardized(by grouping: Standardization.Grouping) throws(DataError) -> Dataset {
    guard scale == nil else {
      throw DataError(
        .badParameter, name,
        "the data are quantised, and their levels have a map of their own; expected data that are not"
      )
    }
    var result = self
    result.standardization = try Standardization(
      of: samples, by: grouping, bins: discrete?.bins, name: name)
    return result
  }

  /// The first samples with their labels.
  public func prefix(_ count: Int) -> Dataset { rows(Array(0..<min(count, self.count))) }

  /// The samples in an order of which each beginning is spread evenly over all of them, as where they stand by classes.
  ///
  /// Sample i comes where the fraction of i times the golden ratio is in its order.
  package var spread: Dataset {
    let ratio = 0.5 * (5.0.squareRoot() - 1)
    let places = (0..<count).map { (Double($0) * ratio).truncatingRemainder(dividingBy: 1) }
    return rows(places.indices.sorted { places[$0] < places[$1] })
  }

  /// Some samples, in the order asked for, with all that is known of them.
  private func rows(_ rows: [Int]) -> Dataset {
    var result = Dataset(
      name: name, samples: samples.rows(rows), labels: labels.map { all in rows.map { all[$0] } },
      classNames: classNames, scale: scale, columns: columns)
    result.standardization = standardization
    result.lines = lines.map { all in rows.map { all[$0] } }
    (result.discrete, result.texts) = (discrete, texts)
    (result.leftOut, result.unknown, result.dropped) = (leftOut, unknown, dropped)
    result.covariates = covariates.map {
      Covariates(
        names: $0.names, values: $0.values.rows(rows), shape: $0.shape, texts: $0.texts)
    }
    return result
  }

  /// The same samples read as levels of a scale, such as that of a model.
  /// - Throws: `outOfRange` where a sample is not one of the levels, to two units in the last place.
  public func scaled(by scale: DataScale) throws(DataError) -> Dataset {
    if let bad = scale.firstBetweenLevels(of: samples) {
      let value = samples.withUnsafeBuffer { $0[bad] }
      throw DataError(
        .outOfRange, name,
        "sample \(bad / max(1, dimensions)) holds \(value), where levels 0 … \(scale.levels - 1)\(scale.binWidth == 1 ? "" : " times \(scale.binWidth)") are expected"
      )
    }
    var result = self
    result.scale = scale
    return result
  }

  /// The mean bits per dimension with its standard error, from those of the log density in nats.
  /// - Throws: `notQuantised` where the data have no levels whose probability could be coded.
  public func bitsPerDimension(meanLogDensity: Double, standardError: Double)
    throws(DataError) -> (mean: Double, standardError: Double)
  {
    guard let scale else {
      throw DataError(
        .notQuantised, name,
        "bits per dimension count the bits that code one of finitely many levels, and these data are not quantised"
      )
    }
    return scale.bitsPerDimension(
      meanLogDensity: meanLogDensity, standardError: standardError, dimensions: dimensions)
  }

  /// Checks that a sample has the number of values that a model takes.
  /// - Throws: `wrongShape` with both shapes.
  public func checkSampleShape(_ expected: Shape) throws(DataError) {
    guard dimensions == expected.count else {
      let hint = expected.rank == 3 ? DataSource.hint(name, toShape: expected) : ""
      throw DataError(
        .wrongShape, name,
        "a sample has shape \(sampleShape), where \(expected) is expected\(hint)"
      )
    }
  }
}

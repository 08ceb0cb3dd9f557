import Foundation
import ScoreSDE

/// Two sets of samples in the same numbers: of the same columns, or of the same levels.
struct ComparedData<Scalar: TensorScalar> {
  /// The samples in question and those that they are held to, in the data's own units, all of them; where some are
  /// compared, in an order whose beginnings are spread over each set.
  let data: Dataset<Scalar>
  let reference: Dataset<Scalar>
  /// How many of each are compared, the first ones.
  let counts: (data: Int, reference: Int)
  /// What was done to the numbers, in sentences.
  let remarks: [String]

  /// The fewest samples that have three nearest others.
  static var fewest: Int { 4 }

  /// - Throws: where a set has too few samples, or the two have not the same numbers.
  init(_ source: DataSource, with other: DataSource, atMost count: Int) throws {
    var reference: Dataset<Scalar> = try other.load()
    var data: Dataset<Scalar> = try source.load(texts: reference.texts.map(\.name))
    // What is known of texts by one is known of both, as of codes that are numbers in a table of samples.
    let known = data.texts.map(\.name).filter { name in
      !reference.texts.contains { $0.name == name }
    }
    if known.contains(where: reference.hasColumn) {
      reference = try other.load(texts: (data.texts + reference.texts).map(\.name))
    }
    // Messages name the files alone, where these tell the two apart.
    let files = [source, other].map { DataSource.file(of: $0.description) }
    if files[0] != files[1] { (data.name, reference.name) = (files[0], files[1]) }
    var remarks: [String] = []
    if let columns = reference.columns(beside: data), let own = data.columns(beside: reference) {
      guard own == columns || Set(columns).count == columns.count else {
        throw CommandError.failure(
          "--with \(reference.name) has two columns of one name among \(CSV.list(columns)); expected each once"
        )
      }
      let common = columns.filter(own.contains)
      guard !common.isEmpty else {
        throw CommandError.failure(
          "--data \(data.name) has none of the columns of --with \(reference.name), \(CSV.list(columns)); expected some of them, and there are \(CSV.list(own))"
        )
      }
      remarks = [
        Self.remark(own.filter { !common.contains($0) } + data.leftOut, beyond: reference.name),
        Self.remark(columns.filter { !common.contains($0) } + reference.leftOut, beyond: data.name),
      ].compactMap { $0 }
      data = try data.columns(named: common)
      reference = try reference.columns(named: common)
    }
    let nameless = [data, reference].filter { $0.columns == nil }
    if let other = nameless.first, nameless.count == 1, data.dimensions == reference.dimensions {
      remarks.append(
        "\(other.name) has no names of columns, which are those of \(data.columns == nil ? reference.name : data.name) in their order"
      )
    }
    remarks += [data, reference].compactMap { DataRemarks.remark(onDropped: $0) }
    for (option, set) in [("--data", data), ("--with", reference)] {
      guard set.count >= Self.fewest else {
        throw CommandError.failure(
          "\(option) \(set.name) has \(NumberText.counted(set.count, "sample")); expected \(Self.fewest) or more"
        )
      }
    }
    guard data.dimensions == reference.dimensions else {
      throw CommandError.failure(
        "--data \(data.name) has samples of shape \(data.sampleShape), and --with \(reference.name) of shape \(reference.sampleShape); expected as many numbers in each"
      )
    }
    let (own, others) = try Self.inLevels(data, reference, &remarks)
    if others.standardization != nil {
      remarks.append(
        "distances are of standardised columns, by mean and deviation in \(others.name), and for p in both sets"
      )
    }
    let sets = [own, others].map { $0.count > count ? $0.spread : $0 }
    (self.data, self.reference, self.remarks) = (sets[0], sets[1], remarks)
    counts = (min(count, own.count), min(count, others.count))
    for (option, set) in [("--data", data), ("--with", reference)] {
      let rows = standardised(set)
      // The sums of squares of columns are looked at as well.
      let square = rows.withUnsafeBuffer { $0.reduce(0.0) { $0 + Double($1) * Double($1) } }
      guard square < 1e290 else {
        let largest = set.samples.withUnsafeBuffer { $0.reduce(0.0) { max($0, abs(Double($1))) } }
        throw CommandError.failure(
          "\(option) \(set.name): the entries are so large, up to \(Spec.text(largest)), that their squares are no finite numbers"
        )
      }
    }
  }

  /// What is said of columns that the other set has not; nil where there are none.
  private static func remark(_ columns: [String], beyond other: String) -> String? {
    guard !columns.isEmpty else { return nil }
    let isOne = columns.count == 1
    return
      "\(other) has no column\(isOne ? "" : "s") \(CSV.list(columns)), which \(isOne ? "is" : "are") left out"
  }

  /// Samples between levels, as models of quantised data give them, rounded down to those of the other set.
  private static func inLevels(
    _ data: Dataset<Scalar>, _ reference: Dataset<Scalar>, _ remarks: inout [String]
  ) throws -> (Dataset<Scalar>, Dataset<Scalar>) {
    func rounded(_ set: Dataset<Scalar>, as other: Dataset<Scalar>) -> Dataset<Scalar> {
      guard set.scale == nil, let scale = other.scale else { return set }
      if let same = try? set.scaled(by: scale) { return same }
      let top = scale.top
      let beyond = set.samples.withUnsafeBuffer {
        $0.count { Double($0) < 0 || Double($0) >= top }
      }
      let share = Double(beyond) / Double(max(1, set.samples.count))
      remarks.append(
        "\(set.name) holds numbers between the \(scale.levels) levels of \(other.name): rounded down to them\(beyond == 0 ? "" : ", and the \(NumberText.significant(100 * share, digits: 2)) % of its numbers that lie beyond are clipped")"
      )
      let levels = set.samples.map { number in
        let level = (Double(number) / scale.binWidth).rounded(.down)
        return Scalar(scale.binWidth * min(max(0, level), Double(scale.levels - 1)))
      }
      return Dataset(name: set.name, samples: levels, scale: scale, columns: set.columns)
    }
    let pair = (rounded(data, as: reference), rounded(reference, as: data))
    if let own = pair.0.scale, let other = pair.1.scale, own.levels != other.levels {
      remarks.append(
        "\(data.name) has \(own.levels) levels and \(reference.name) \(other.levels): compared as they are"
      )
    }
    return pair
  }

  /// Samples as distances are taken of them, `[n, dimensions]`.
  func standardised(_ set: Dataset<Scalar>) -> Tensor<Double> {
    let rows = Tensor<Double>(set.samples).reshaped([set.count, set.dimensions])
    return reference.standardization?.standardized(rows) ?? rows
  }

  /// Rows as `standardised` gives them, by the moments of both sets together where columns are standardised: a test of whether
  /// sets are of one distribution is to tell them apart by no scale that one of them has set.
  func evenly(
    _ x: Tensor<Double>, _ y: Tensor<Double>
  ) throws -> (x: Tensor<Double>, y: Tensor<Double>) {
    guard reference.standardization != nil else { return (x, y) }
    let both = try Standardization(of: .concatenated([x, y]), by: .columns)
    return (both.standardized(x), both.standardized(y))
  }

  var dimensions: Int { reference.dimensions }

  /// The names of the columns, or their numbers from 1 on.
  var names: [String] {
    reference.columns ?? data.columns ?? (1...max(1, dimensions)).map(String.init)
  }

  /// Whether samples are images [height, width, 1 or 3], and not series as those of two axes may be.
  var isImages: Bool {
    reference.sampleShape.rank == 3 && [1, 3].contains(reference.sampleShape[2])
  }

  /// Whether samples are points in the plane, or rows of two numbers.
  var isPlanar: Bool { reference.sampleShape.rank == 1 && dimensions == 2 }
}

extension Dataset {
  /// The names of a table's columns, those of a column of texts with the texts that another has of it; nil where they have none.
  fileprivate func columns(beside other: Dataset) -> [String]? {
    columns.map { columns in
      let others = texts.flatMap { own in
        other.texts.first { $0.name == own.name }?.columns ?? []
      }
      return columns + others.filter { !columns.contains($0) }
    }
  }
}

import Foundation
import ScoreSDE

/// What users should know of their data before a network is trained on them.
enum DataRemarks {
  /// Nats a dimension between prior and noised data above which the user is told.
  private static let mostMismatch = 0.1
  /// Noise that samples keep, in deviations of the data, above which the user is told.
  private static let mostNoise = 0.1
  /// Rows from which on a column of fewer different whole numbers than this is one of counts or codes.
  private static let (fewestRows, mostCounts) = (300, 20)

  /// What is said of columns of a table that are no kinds; nil where there are none.
  static func remark<Scalar: TensorScalar>(onLeftOut data: Dataset<Scalar>) -> String? {
    guard !data.leftOut.isEmpty else { return nil }
    return
      "more than \(TextColumn.most) different texts in \(CSV.list(data.leftOut)), which \(data.leftOut.count == 1 ? "is" : "are") left out"
  }

  /// What is said of rows that a table lacks; nil where there are none.
  static func remark<Scalar: TensorScalar>(onDropped data: Dataset<Scalar>) -> String? {
    guard data.dropped > 0 else { return nil }
    return
      "\(NumberText.counted(data.dropped, "row")) of \(DataSource.file(of: data.name)) \(data.dropped == 1 ? "is" : "are") left out, as something is missing there, and \(NumberText.counted(data.count, "row")) \(data.count == 1 ? "is" : "are") taken"
  }

  /// A sentence for each thing that is out of the ordinary.
  ///
  /// - Parameters:
  ///   - samples: the data as the model sees them.
  ///   - hasLevel: whether one noise level alone is trained, so that nothing is sampled.
  static func of<Scalar: TensorScalar>(
    _ data: Dataset<Scalar>, as samples: TrainingData<Scalar>, process: any LinearProcess,
    hasLevel: Bool
  ) -> [String] {
    let isTable = data.scale == nil && data.sampleShape.rank == 1
    let columns =
      isTable
      ? try? Standardization(of: samples.samples, by: .columns, bins: samples.bins).deviations : nil
    var remarks: [String] = []
    let names = ClassNames(data.classNames)
    let empty = samples.emptyClasses + names.beyond(samples.classes)
    if !empty.isEmpty {
      remarks.append(
        "no sample is of class \(names.said(empty)): nothing is learnt of it, and --class refuses it\(data.classNames == nil ? "; classes are numbered from 0 without gaps" : "")"
      )
    }
    if data.scale == nil, data.sampleShape.rank > 1, data.samples.isOfBytes {
      remarks.append(
        "all numbers are whole, from 0 to 255, and are taken as continuous, as they are no bytes: if they are the levels of images, train on an array of bytes, in NumPy x.astype(\"uint8\")"
      )
    }
    let extents = data.sampleShape.extents
    if extents.count == 3, extents[0] < extents[1], extents[0] < extents[2],
      extents[1] == extents[2]
    {
      remarks.append(
        "samples of shape \(data.sampleShape) are images of \(extents[0]) × \(extents[1]) pixels with \(extents[2]) channels: if channels come first there, as PyTorch has them, train on numpy.moveaxis(x, 1, -1)"
      )
    }
    remarks += [remark(onLeftOut: data), remark(onDropped: data)].compactMap { $0 }
    if isTable {
      let constants = constantColumns(data.samples).filter { data.discrete?.ranges[$0] == nil }
      if !constants.isEmpty {
        remarks.append(
          "the same number in every row of \(said(constants, of: data)): such data have no density, and likelihoods grow without bound as the network learns"
        )
      }
      let counts = countColumns(data.samples).filter {
        !constants.contains($0) && data.discrete?.ranges[$0] == nil
      }
      if !counts.isEmpty {
        let names = counts.map { data.columns?[$0] ?? "\($0 + 1)" }
        // Tables as text whose names need no quotes have codes as well.
        let hasCodes =
          data.lines != nil && data.columns != nil
          && !names.contains { $0.contains("+") || $0.contains(",") }
        let codes =
          hasCodes
          ? ", and \(DataSource.file(of: data.name)):texts=\(names.joined(separator: "+")) as codes without an order"
          : ""
        remarks.append(
          "few numbers, all whole, in \(said(counts, of: data)): these are taken as continuous, so that likelihoods grow without bound as the network learns, and samples are not whole; --whole '\(CSV.list(names).replacing(", ", with: ","))' takes them as whole numbers\(codes)"
        )
      }
    }
    if let covariates = data.covariates, !covariates.areImages {
      let constants = constantColumns(covariates.values)
      if let first = constants.first {
        let name = covariates.names.map { CSV.spelled($0[first]) } ?? "number \(first + 1)"
        remarks.append(
          "the same number in every row of \(name), which is given: nothing is learnt of others")
      }
    }
    guard !hasLevel else { return remarks }
    if let sentence = noise(of: process) { remarks.append(sentence) }
    // Levels have a map of their own.
    let remedy =
      data.scale != nil
      ? "" : isTable ? "--standardize columns, or " : "--standardize whole or channels, or "
    let (mean, deviation) = samples.moments
    let square = mean * mean + deviation * deviation
    if let sentence = Self.mismatch(square, process) {
      remarks.append("\(sentence); \(remedy)an SDE with more noise brings them together")
    }
    let start = process.marginal(at: process.cutoffs.sampling)
    let noise = start.sigma / start.alpha
    let least = columns?.enumerated().min { $0.element < $1.element }
    if noise > mostNoise * min(deviation, least?.element ?? deviation) {
      let whose =
        least.map { least in
          "\(data.columns.map { CSV.spelled($0[least.offset]) } ?? "column \(least.offset + 1)"), of deviation \(number(least.element)),"
        }
        ?? "data of deviation \(number(deviation))"
      remarks.append(
        "samples of \(whose) keep noise of \(number(noise)) where \(process.name) stops; \(remedy)a smaller sampling-epsilon mends that"
      )
    }
    return remarks
  }

  /// What is to say of bytes that are none above a quarter of their range, as of levels that are fewer; nil of others.
  static func fewLevels<Scalar: TensorScalar>(of data: Dataset<Scalar>) -> String? {
    guard data.scale == .bytes, let most = data.samples.range?.upperBound, most < 64 else {
      return nil
    }
    return
      "\(data.name) has bytes up to \(Int(most)), which are taken as the first of 256 levels: pictures are dark, and bits per dimension are those of 256; --levels \(Int(most) + 1) takes them as \(Int(most) + 1)"
  }

  /// What is to say of a process of which a part is noise alone.
  private static func noise(of process: any LinearProcess) -> String? {
    let (start, end) = (process.solveStart, process.endTime)
    guard start < end else { return nil }
    return
      "from t = \(number(start)) to \(number(end)) \(process.name) has noise alone, with log α = \(number(process.marginal(at: end).logAlpha)) at the end: samples start from there, and training at later times teaches nothing; smaller betas, in a chain ones that shrink as 1/steps, mend that"
  }

  /// What is to say where data of this mean square are far from the prior.
  static func mismatch(_ square: Double, _ process: any LinearProcess) -> String? {
    let end = process.marginal(at: process.endTime)
    let mismatch = end.alpha * end.alpha * square / (2 * end.sigma * end.sigma)
    guard mismatch > mostMismatch else { return nil }
    return
      "entries of \(number(square.squareRoot())), root mean square, are large beside the noise at the end of \(process.name), \(number(end.sigma / end.alpha)) in their units: the prior is some \(number(mismatch)) nats a dimension from them"
  }

  /// How data were standardised, in a sentence; nil where they were not.
  static func standardization<Scalar: TensorScalar>(of data: Dataset<Scalar>) -> String? {
    guard let map = data.standardization else { return nil }
    let end = "samples and likelihoods are in the data's own units"
    let grouping = map.grouping(of: data.sampleShape)
    guard grouping != .whole, let least = map.deviations.min(),
      let greatest = map.deviations.max()
    else {
      return
        "the data are standardised, less their mean \(number(map.means[0])) and over their deviation \(number(map.deviations[0])): \(end)"
    }
    return
      "the \(map.means.count) \(grouping.rawValue) are standardised, each less its mean and over its deviation, \(number(least)) to \(number(greatest)): \(end)"
  }

  /// Some columns of a table in a sentence, the first of many.
  private static func said<Scalar: TensorScalar>(
    _ columns: [Int], of data: Dataset<Scalar>
  ) -> String {
    let names = columns.prefix(5).map { place in
      data.columns.map { CSV.spelled($0[place]) } ?? "\(place + 1)"
    }
    return
      "\(data.columns == nil ? "column " : "")\(names.joined(separator: ", "))\(columns.count > 5 ? ", …" : "")"
  }

  /// The columns of counts and codes: of whole numbers alone, of which so many rows would show more if they were measured.
  private static func countColumns<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) -> [Int] {
    guard samples.rows >= fewestRows else { return [] }
    let width = samples.shape.rowCount
    return samples.withUnsafeBuffer { entries in
      (0..<width).filter { column in
        var found: Set<Scalar> = []
        return stride(from: column, to: entries.count, by: width).allSatisfy {
          found.insert(entries[$0])
          return entries[$0] == entries[$0].rounded() && found.count < mostCounts
        }
      }
    }
  }

  private static func constantColumns<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) -> [Int] {
    let width = samples.shape.rowCount
    return samples.withUnsafeBuffer { entries in
      (0..<width).filter { column in
        stride(from: column, to: entries.count, by: width).allSatisfy {
          entries[$0] == entries[column]
        }
      }
    }
  }

  private static func number(_ value: Double) -> String {
    NumberText.significant(value, digits: 3)
  }
}

import Foundation
import ScoreTensors

/// Where data come from, as the command line names it: a set by name with parameters, or a file or folder.
///
/// ```
/// digits  digits:test  fashion-mnist  fashion-mnist:test          count=100 takes the first hundred
/// moons  circles  …  moons:count=10000,seed=0,noise=0.1,test      draws of a known density in the plane
/// FILE.npy  FILE.npz:NAME  FILE.csv  FILE.tsv                    IDX file[.gz]  CIFAR-10 .bin
/// FILE.csv:columns=a+b,texts=b,missing=drop                      some columns of a table, and rows that lack none of them
/// FILE.png  FILE.jpg  folder of these                             photos:size=32x48,channels=3 makes them alike
/// ```
public struct DataSource: Hashable, Sendable, CustomStringConvertible {
  enum Kind: Hashable, Sendable {
    case digits(Digits.Half)
    case fashionMNIST(isTest: Bool)
    case planar(PlanarSet, deviation: Double?, seed: UInt64, isTest: Bool)
    case path(String)
    case table(String, TableReading)
    /// Pictures that get one height and width, and one number of channels, where these are there.
    case pictures(String, size: Shape?, channels: Int?)
  }

  let kind: Kind
  let count: Int?
  /// The text that named the source.
  public let description: String

  /// The names of the sets that need no file.
  public static let names = ["digits", "fashion-mnist"] + PlanarSet.allCases.map(\.rawValue)

  /// Whether a text names one of these, or a file or folder that is there, with parameters or without.
  public static func isThere(_ text: String) -> Bool {
    names.contains { text == $0 || text.hasPrefix("\($0):") }
      || [text, file(of: text)].contains(where: FileManager.default.fileExists)
  }

  /// The number of points that a set in the plane has unless the parameter `count` says otherwise.
  public static let planarCount = 10_000

  /// Reads a name such as `moons:count=500,seed=1`; a text that is no set's name is a path.
  /// - Throws: `unknownName` with the names known, or `badParameter`.
  public init(_ text: String) throws(DataError) {
    description = text
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    guard Self.names.contains(name) else {
      if let (path, text) = Self.table(text) {
        var parameters = try DataParameters(text, of: description)
        let columns = try parameters.names("columns")
        let texts = try parameters.names("texts") ?? []
        let missing = try parameters.word("missing", of: ["drop"])
        kind = .table(
          path,
          TableReading(
            columns: columns, texts: texts, missing: missing == "drop" ? .dropped : .refused))
        count = nil
        try parameters.finish()
        return
      }
      if let (path, text) = Self.pictures(text) {
        var parameters = try DataParameters(text, of: description)
        kind = .pictures(
          path, size: try parameters.sides("size"),
          channels: try parameters.number("channels") { [1, 3].contains($0) })
        count = nil
        try parameters.finish()
        return
      }
      let isPath =
        name.contains("/") || name.contains(".") || FileManager.default.fileExists(atPath: text)
      guard isPath, !text.isEmpty else {
        throw DataError(
          .unknownName, "data “\(text)”",
          "there is no such set or file\(NearMiss.hint(for: name, among: Self.names)); known are \(Self.names.joined(separator: ", ")), and files and folders: .npy, .npz, .csv, .tsv, .png, .jpg, IDX, CIFAR-10 .bin"
        )
      }
      kind = Self.isTable(text) ? .table(text, TableReading()) : .path(text)
      count = nil
      return
    }
    var parameters = try DataParameters(parts.count > 1 ? parts[1] : nil, of: text)
    let isTest = try parameters.flag("test")
    count = try parameters.number("count") { (1...100_000_000).contains($0) }
    if let set = PlanarSet(rawValue: name) {
      let seed: UInt64? = try parameters.number("seed") { _ in true }
      let deviation: Double? =
        set == .checkerboard ? nil : try parameters.number("noise") { (1e-4...10).contains($0) }
      kind = .planar(set, deviation: deviation, seed: seed ?? 0, isTest: isTest)
    } else if name == "digits" {
      kind = .digits(isTest ? .test : .training)
    } else {
      kind = .fashionMNIST(isTest: isTest)
    }
    try parameters.finish()
  }

  /// The density that the data are drawn from, where it is known.
  public var density: (any PlanarDensity)? {
    guard case .planar(let set, let deviation, _, _) = kind else { return nil }
    return set.density(deviation: deviation)
  }

  /// Reads or draws the data; every value is finite, and there is at least one sample.
  ///
  /// The columns of tables in files, samples `[n, columns]` that are not quantised, come with their standardisation.
  /// - Parameters:
  ///   - texts: columns of tables as text that hold texts where they are there, whatever their fields are.
  ///   - columns: those that are read where such a table has some of them and its parameters do not say which; nil for all.
  /// - Throws: a `DataError` that says what is wrong with the file.
  public func load<Scalar: TensorScalar>(
    as type: Scalar.Type = Scalar.self, texts: [String] = [], columns: [String]? = nil
  ) throws(DataError) -> Dataset<Scalar> {
    var data: Dataset<Scalar>
    switch kind {
    case .digits(let half): data = Digits.load(half)
    case .fashionMNIST(let isTest): data = try FashionMNIST.load(isTest: isTest)
    case .planar(let set, let deviation, let seed, let isTest):
      let key = RandomKey(seed).folded(set.rawValue).folded(isTest ? "test" : "training")
      let (density, count) = (set.density(deviation: deviation), count ?? Self.planarCount)
      data = Dataset(
        name: description, samples: density.sample(count, key: key),
        labels: density.labels(count, key: key, samples: .consecutive(first: 0)))
    case .table(let path, var reading):
      (reading.knownTexts, reading.knownColumns) = (texts, columns)
      data = try Dataset(CSV.read(path, reading), name: path)
      data = (try? data.standardized(by: .columns)) ?? data
    case .path(let path):
      data = try Self.read(path)
      // Where squares overflow there is none: such data can still be looked at.
      if data.scale == nil, data.sampleShape.rank == 1 {
        data = (try? data.standardized(by: .columns)) ?? data
      }
    case .pictures(let path, let size, let channels):
      data = try Self.pictures(path, size: size, channels: channels)
    }
    data.name = description
    return count.map { data.prefix($0) } ?? data
  }

  /// Reads the data as labels: whole numbers from 0 on, one a sample, which are its samples as well, or one column of texts, which
  /// the classes are called.
  /// - Parameters:
  ///   - texts: as `load` takes them.
  ///   - columns: as `load` takes them.
  /// - Throws: a `DataError` that says what is wrong with the file, or which number is no label.
  public func loadLabels(
    texts: [String] = [], columns: [String]? = nil
  ) throws(DataError) -> Dataset<Double> {
    let data = try load(as: Double.self, texts: texts, columns: columns)
    if let texts = data.texts.first, data.tableColumns?.count == 1 {
      return try data.labelled(data.labels(of: texts), classNames: texts.texts)
    }
    guard data.dimensions == 1 else {
      throw DataError(
        .wrongShape, description,
        "rows of \(data.dimensions) numbers are no labels; expected one whole number a sample")
    }
    return try data.labelled(Self.labels(data.samples.scalars, place: data.place))
  }

  /// Numbers as labels; `place` says where each stands, for messages.
  static func labels(
    _ numbers: [Double], place: (Int) -> String
  ) throws(DataError) -> [Int] {
    let labels = numbers.map { Int(exactly: $0) ?? -1 }
    if let bad = labels.firstIndex(where: { $0 < 0 }) {
      throw DataError(
        .outOfRange, place(bad),
        "the label is \(numbers[bad]); expected a whole number from 0 on")
    }
    return labels
  }

  // ------------------------------------------------------------------ files

  /// Whether a file is a table as text, by the ending of its name: `.csv`, `.tsv` or `.txt`.
  public static func isTable(_ path: String) -> Bool {
    [".csv", ".tsv", ".txt"].contains { path.lowercased().hasSuffix($0) }
  }

  /// The file or folder that a text names, without the parameters behind it.
  public static func file(of text: String) -> String {
    table(text)?.path ?? NPZ.parts(of: text)?.path ?? pictures(text)?.path ?? text
  }

  /// The table as text and the parameters that a text names; nil where it has no such parameters.
  static func table(_ text: String) -> (path: String, parameters: Substring)? {
    guard !FileManager.default.fileExists(atPath: text), !isTable(text) else { return nil }
    for colon in text.indices where text[colon] == ":" && isTable(String(text[..<colon])) {
      return (String(text[..<colon]), text[text.index(after: colon)...])
    }
    return nil
  }

  /// Whether a text names a file of samples by its ending, an array of an archive, or pictures or a folder that there are.
  public static func isFile(_ text: String) -> Bool {
    let lowercased = text.lowercased()
    return isTable(text) || table(text) != nil || NPZ.parts(of: text) != nil
      || [".npy", ".bin", ".png", ".jpg", ".jpeg"].contains(where: lowercased.hasSuffix)
      || pictures(text) != nil || ImageFolder.isFolder(text)
      || lowercased.contains("idx") && FileManager.default.fileExists(atPath: text)
  }

  private static func read<Scalar: TensorScalar>(_ path: String) throws(DataError)
    -> Dataset<Scalar>
  {
    if ImageFolder.isFolder(path) {
      return CIFAR.trainingNames(in: path).isEmpty
        ? try ImageFolder.read(path) : try CIFAR.readTraining(folder: path)
    }
    let lowercased = path.lowercased()
    func ends(_ endings: String...) -> Bool { endings.contains { lowercased.hasSuffix($0) } }
    if Picture.isPicture(path) { return try pictures(path, size: nil, channels: nil) }
    if ends(".bin") { return try CIFAR.read(path) }
    if let (file, name) = NPZ.parts(of: path) {
      let (bytes, place) = try NPZ.array(file, name)
      let (tensor, isBytes) = try NPY.decode(bytes, path: place, as: Scalar.self)
      return dataset(path, tensor, isBytes: isBytes)
    }
    let bytes = try FileBytes.read(path)
    if ends(".npy") || bytes.starts(with: [0x93, 0x4E]) {
      let (tensor, isBytes) = try NPY.decode(bytes, path: path, as: Scalar.self)
      return dataset(path, tensor, isBytes: isBytes)
    }
    if lowercased.contains("idx") || IDX.isLikely(bytes) { return try images(idx: path, bytes) }
    throw DataError(
      .wrongFormat, path,
      "the file is of no known kind; known are .npy, .npz, .csv, .tsv, .png, .jpg, IDX and CIFAR-10 .bin"
    )
  }

  /// An IDX file, with the labels beside it where the name says that it holds images.
  static func images<Scalar: TensorScalar>(idx path: String, _ bytes: [UInt8]? = nil)
    throws(DataError) -> Dataset<Scalar>
  {
    var content = bytes ?? []
    if bytes == nil { content = try FileBytes.read(path) }
    let (tensor, isBytes) = try IDX.decode(content, path: path, as: Scalar.self)
    let labelPath = path.split(separator: "images-idx3", omittingEmptySubsequences: false)
      .joined(separator: "labels-idx1")
    var labels: [Int]?
    if labelPath != path, FileManager.default.fileExists(atPath: labelPath) {
      let values = try IDX.read(labelPath, as: Double.self)
      guard values.shape == [tensor.rows] else {
        throw DataError(
          .wrongShape, labelPath, "labels of shape \(values.shape) for \(tensor.rows) images")
      }
      labels = try self.labels(values.scalars) { "\(labelPath), sample \($0)" }
    }
    return dataset(path, tensor, isBytes: isBytes, labels: labels)
  }

  /// Numbers as samples: single numbers get an axis, and grey images of bytes a channel.
  private static func dataset<Scalar: TensorScalar>(
    _ path: String, _ tensor: Tensor<Scalar>, isBytes: Bool, labels: [Int]? = nil
  ) -> Dataset<Scalar> {
    let extents = tensor.shape.extents
    let shape: Shape =
      switch extents.count {
      case 0: [1, 1]
      case 1: [extents[0], 1]
      case 3 where isBytes: Shape(extents + [1])
      default: tensor.shape
      }
    return Dataset(
      name: path, samples: tensor.reshaped(shape), labels: labels, scale: isBytes ? .bytes : nil)
  }
}

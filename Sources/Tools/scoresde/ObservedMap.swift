import ScoreSDE

/// What `--observe-as` says is observed of a sample, in the data's units.
struct ObservedMap {
  /// As the option calls it: entries, block-means or matrix.
  let kind: String
  let map: LinearObservation
  /// The deviation of each observed number where every entry of a sample has noise of deviation 1.
  let noises: [Double]
  /// The rows of a matrix, whose numbers have no size that entries have.
  private let rows: [[Double]]?

  /// - Parameters:
  ///   - shape: of a sample.
  ///   - isSeries: whether samples are series, and no images.
  ///   - columns: the names of its entries, by which the columns of a matrix in a table may stand in any order.
  /// - Throws: where the text names no observation of such samples, and where a matrix cannot be read or does not fit them.
  init(_ spec: Spec, of shape: Shape, isSeries: Bool, columns: [String]?) throws {
    kind = spec.name
    switch kind {
    case "entries":
      try spec.expect(keys: ["iterations"])
      map = try LinearObservation(of: shape, shape: shape, apply: { $0 }, adjoint: { $0 })
      noises = [Double](repeating: 1, count: shape.count)
      rows = nil
    case "block-means":
      try spec.expect(keys: ["size", "iterations"])
      let size = try spec.integer("size", default: 2, in: .between(1, 1_048_576))
      guard columns == nil else {
        throw SpecError("means over blocks are of images and series; found the columns of a table")
      }
      map = try .blockMeans(of: shape, size: size, isSeries: isSeries)
      let count = Double(isSeries ? size : size * size)
      noises = [Double](repeating: 1 / count.squareRoot(), count: map.shape.count)
      rows = nil
    case "matrix":
      try spec.expect(keys: ["iterations"], argument: true)
      guard let path = spec.argument else {
        throw SpecError(
          "the observation matrix names no file; expected matrix:FILE, in quotes where its name has commas"
        )
      }
      let rows = try Self.matrix(path, of: shape, columns)
      map = try .matrix(rows, of: shape)
      noises = rows.map { Self.norm($0) }
      self.rows = rows
    default: throw spec.unknownName(known: ["entries", "block-means", "matrix"])
    }
  }

  /// By what the observed numbers of the model's samples are divided to be of their entries' size, where an entry of the data has
  /// so many of these units.
  func scales(_ deviations: [Double]) throws -> [Double] {
    if let rows { return rows.map { Self.norm(zip($0, deviations).map { $0 * $1 }) } }
    let one = Shape([1] + map.sampleShape.extents)
    return try map.apply(Tensor(one, deviations)).scalars.map(abs)
  }

  private static func norm(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// The rows of a file: an .npy file of shape [m, …sample], or a table of a row each, whose columns may have their names.
  private static func matrix(
    _ path: String, of shape: Shape, _ columns: [String]?
  ) throws -> [[Double]] {
    do {
      return try rows(of: path, shape, columns)
    } catch let error as DataError {
      // The option is as it should be, and the file is not.
      throw CommandError.failure("\(error)")
    }
  }

  private static func rows(
    of path: String, _ shape: Shape, _ columns: [String]?
  ) throws -> [[Double]] {
    let values: Tensor<Double>
    var places = Array(0..<shape.count)
    if DataSource.isTable(path) {
      let table: CSV.Contents<Double> = try CSV.read(path)
      if let names = table.columns, let columns {
        guard Set(names) == Set(columns), names.count == columns.count else {
          throw CommandError.failure(
            "\(path) has the columns \(CSV.list(names)); expected those of samples, \(CSV.list(columns)), each once"
          )
        }
        places = columns.compactMap { names.firstIndex(of: $0) }
      }
      values = table.values
    } else {
      values = try NPY.read(path, as: Double.self)
    }
    let extents = values.shape.extents
    guard extents.count >= 2, extents[0] > 0, values.shape.rowCount == shape.count else {
      throw CommandError.failure(
        "\(path) has shape \(values.shape); expected [m, \(shape.count)], a row for each observed number and a column for each entry of a sample"
      )
    }
    let rows = (0..<values.rows).map { row in
      let entries = values.row(row)
      return places.map { entries[$0] }
    }
    if let idle = rows.firstIndex(where: { $0.allSatisfy { $0 == 0 } }) {
      throw CommandError.failure(
        "\(path): row \(idle + 1) is all 0, by which nothing is observed; expected a number other than 0 in each"
      )
    }
    return rows
  }
}

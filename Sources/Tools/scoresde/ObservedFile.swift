import ScoreSDE

/// A file of what is observed of samples: one observation or several, NaN where nothing is known.
struct ObservedFile {
  let path: String

  init(_ path: String) { self.path = path }

  /// The numbers of each observation, in the order of its entries.
  /// - Parameters:
  ///   - shape: of one observation.
  ///   - kind: what is observed, for messages.
  ///   - columns: the names of a sample's entries, by which a table may have them in any order, or some of them.
  /// - Throws: where the file cannot be read, has another shape or other columns, and where a number is infinite or a row
  ///   knows nothing.
  func observations(
    of shape: Shape, as kind: String, columns: [String]?
  ) throws -> [[Double]] {
    let isTable = [".csv", ".tsv", ".txt"].contains { path.lowercased().hasSuffix($0) }
    let rows =
      isTable
      ? try table(of: shape, columns) : try array(of: shape, kind)
    for (row, numbers) in rows.enumerated() {
      let place = rows.count == 1 ? path : "\(path), observation \(row)"
      if let bad = numbers.firstIndex(where: { $0.isInfinite }) {
        throw CommandError.failure(
          "\(place): entry \(bad) is \(numbers[bad]); expected a finite number, or nan where nothing is known"
        )
      }
      guard numbers.contains(where: { !$0.isNaN }) else {
        throw CommandError.failure("\(place) has nan in every entry; expected one that is known")
      }
    }
    return rows
  }

  private func array(of shape: Shape, _ kind: String) throws -> [[Double]] {
    let found = try NPY.read(path, as: Double.self, allowsNonFinite: true)
    // Grey images have one channel, and an observation is one of one.
    func sides(_ extents: some Sequence<Int>) -> [Int] { extents.filter { $0 != 1 } }
    if sides(found.shape.extents) == sides(shape.extents) { return [found.scalars] }
    guard found.shape.rank > 0, found.rows > 0,
      sides(found.shape.extents.dropFirst()) == sides(shape.extents)
    else {
      throw CommandError.failure(
        "\(path) has shape \(found.shape); expected \(shape), as \(kind) of one sample have, or [n] before it for n observations"
      )
    }
    return (0..<found.rows).map { found.row($0) }
  }

  private func table(of shape: Shape, _ columns: [String]?) throws -> [[Double]] {
    guard shape.rank == 1 else {
      throw CommandError.failure(
        "\(path) is a table, but an observation has shape \(shape); expected an .npy file")
    }
    let table: CSV.Contents<Double> = try CSV.read(path, allowsMissing: true)
    guard let names = table.columns, let columns else {
      guard table.values.shape[1] == shape.count else {
        throw CommandError.failure(
          "\(path) has \(NumberText.counted(table.values.shape[1], "column")); expected \(shape.count), as samples have, empty where nothing is known"
        )
      }
      return (0..<table.values.rows).map { table.values.row($0) }
    }
    let places = try names.map { name in
      guard let place = columns.firstIndex(of: name) else {
        throw CommandError.failure(
          "\(path) has a column \(name), which samples have not\(NearMiss.hint(for: name, among: columns)); expected some of \(columns.joined(separator: ", "))"
        )
      }
      return place
    }
    guard Set(places).count == places.count else {
      throw CommandError.failure(
        "\(path) has two columns of one name among \(names.joined(separator: ", ")); expected each once"
      )
    }
    return (0..<table.values.rows).map { row in
      var numbers = [Double](repeating: .nan, count: columns.count)
      for (place, value) in zip(places, table.values.row(row)) { numbers[place] = value }
      return numbers
    }
  }
}

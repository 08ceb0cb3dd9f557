import ScoreSDE

/// A file of what is observed of samples: one observation or several, NaN where nothing is known, or pictures.
struct ObservedFile {
  let path: String

  init(_ path: String) { self.path = path }

  /// The numbers of each observation, in the order of its entries.
  /// - Parameters:
  ///   - shape: of one observation.
  ///   - kind: what is observed, for messages.
  ///   - columns: the names of a sample's entries, by which a table may have them in any order, or some of them.
  ///   - labels: the name of the column that held the labels of the model's run.
  ///   - given: the names of what its samples are conditioned on.
  /// - Throws: where the file cannot be read, has another shape or other columns, and where a number is infinite or a row
  ///   knows nothing.
  func observations(
    of shape: Shape, as kind: String, columns: [String]?, labels: String?, given: [String]
  ) throws -> [[Double]] {
    let rows =
      DataSource.isTable(path)
      ? try table(of: shape, columns, labels, given) : try array(of: shape, kind)
    for (place, numbers) in rows {
      if let bad = numbers.firstIndex(where: { $0.isInfinite }) {
        throw CommandError.failure(
          "\(place): entry \(bad) is \(numbers[bad]); expected a finite number, or nan where nothing is known"
        )
      }
      guard numbers.contains(where: { !$0.isNaN }) else {
        throw CommandError.failure(
          "\(place): every entry is nan or empty; expected one that is known")
      }
    }
    return rows.map(\.numbers)
  }

  /// Why samples have no entry of a name, and what is expected.
  static func reason(
    against name: String, _ columns: [String], _ labels: String?, _ given: [String]
  ) -> String {
    let reason =
      given.contains(name)
      ? "which the run was trained to be given; expected it in --given, and here"
      : name == labels
        ? "of which the run learnt classes; expected one in --class, and here"
        : "which samples have not\(CSV.nearMiss(of: name, among: columns)); expected"
    return "\(reason) some of \(CSV.list(columns))"
  }

  /// The numbers of an observation, and where they stand.
  private typealias Row = (place: String, numbers: [Double])

  private func array(of shape: Shape, _ kind: String) throws -> [Row] {
    let found =
      try DataSource.isOfPictures(path)
      ? DataSource(path).load(as: Double.self).samples
      : NPY.read(path, as: Double.self, allowsNonFinite: true)
    // Grey images have one channel, and an observation is one of one.
    func sides(_ extents: some Sequence<Int>) -> [Int] { extents.filter { $0 != 1 } }
    if sides(found.shape.extents) == sides(shape.extents) { return [(path, found.scalars)] }
    guard found.shape.rank > 0, found.rows > 0,
      sides(found.shape.extents.dropFirst()) == sides(shape.extents)
    else {
      throw CommandError.failure(
        "\(path) has shape \(found.shape); expected \(shape), \(kind == "matrix" ? "a number for each row of the matrix" : "as \(kind) of one sample have"), or [n] before it for n observations"
      )
    }
    return (0..<found.rows).map { ("\(path), observation \($0)", found.row($0)) }
  }

  private func table(
    of shape: Shape, _ columns: [String]?, _ labels: String?, _ given: [String]
  ) throws -> [Row] {
    guard shape.rank == 1 else {
      throw CommandError.failure(
        "\(path) is a table, but an observation has shape \(shape); expected an .npy file")
    }
    let table: CSV.Contents<Double> = try CSV.read(path, allowsMissing: true)
    let lines = table.lines.enumerated().map {
      (place: "\(path), line \($0.element)", numbers: table.values.row($0.offset))
    }
    guard let names = table.columns, let columns else {
      guard table.values.shape[1] == shape.count else {
        throw CommandError.failure(
          "\(path) has \(NumberText.counted(table.values.shape[1], "column")); expected \(shape.count), as an observation has, empty where nothing is known"
        )
      }
      return lines
    }
    let places = try names.map { name in
      guard let place = columns.firstIndex(of: name) else {
        throw CommandError.failure(
          "\(path) has a column \(CSV.spelled(name)), \(Self.reason(against: name, columns, labels, given))"
        )
      }
      return place
    }
    guard Set(places).count == places.count else {
      throw CommandError.failure(
        "\(path) has two columns of one name among \(CSV.list(names)); expected each once"
      )
    }
    return lines.map { line in
      var numbers = [Double](repeating: .nan, count: columns.count)
      for (place, value) in zip(places, line.numbers) { numbers[place] = value }
      return (line.place, numbers)
    }
  }
}

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
  ///   - texts: the columns of texts that some of them stand for.
  ///   - labels: the name of the column that held the labels of the model's run.
  ///   - given: the names of what its samples are conditioned on.
  ///   - taken: those of these that samples are drawn under, which the table may have too.
  ///   - discrete: which of a sample's entries are whole numbers and choices, where it has some.
  ///   - isExact: whether whole numbers are seen without noise.
  /// - Returns: the numbers, and what is said of columns that are left out, if there are some.
  /// - Throws: where the file cannot be read, has another shape, a column that seems to be meant for one of the sample's or none of
  ///   these, and where a number is infinite or not whole that is to be, or a row knows nothing.
  func observations(
    of shape: Shape, as kind: String, columns: [String]?, texts: [TextColumn],
    labels: String?, given: [String], taken: [String], discrete: DiscreteColumns?, isExact: Bool
  ) throws -> (rows: [[Double]], remark: String?) {
    let (rows, unknown) =
      DataSource.isTable(path)
      ? try table(of: shape, columns, texts, labels, given, taken)
      : (try array(of: shape, kind), [])
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
      if let discrete { try Self.check(numbers, discrete, isExact: isExact, columns, place) }
    }
    return (rows.map(\.numbers), RunColumns.remark(unknown, of: path))
  }

  /// Checks that what is known of whole numbers is whole, and of the numbers of a choice 0, or 1 of one of them.
  private static func check(
    _ numbers: [Double], _ discrete: DiscreteColumns, isExact: Bool, _ columns: [String]?,
    _ place: String
  ) throws {
    let ofTexts = Set(discrete.choices.joined())
    for (entry, number) in numbers.enumerated()
    where discrete.ranges[entry] != nil && !number.isNaN {
      let isFit =
        ofTexts.contains(entry)
        ? number == 0 || number == 1 : !isExact || number == number.rounded()
      guard !isFit else { continue }
      let name = columns.map { CSV.spelled($0[entry]) } ?? "entry \(entry)"
      throw CommandError.failure(
        "\(place): \(name) is \(Spec.text(number)); expected \(ofTexts.contains(entry) ? "0 or 1, as it stands for a text" : "a whole number, or --observe-noise of others")"
      )
    }
    if let choice = discrete.choices.first(where: { $0.count { numbers[$0] == 1 } > 1 }) {
      let names = choice.map { entry in columns.map { CSV.spelled($0[entry]) } ?? "entry \(entry)" }
      throw CommandError.failure(
        "\(place): two of \(names.joined(separator: ", ")) are 1; expected one, as they are texts of a column"
      )
    }
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
    of shape: Shape, _ columns: [String]?, _ texts: [TextColumn], _ labels: String?,
    _ given: [String], _ taken: [String]
  ) throws -> (rows: [Row], unknown: [String]) {
    guard shape.rank == 1 else {
      throw CommandError.failure(
        "\(path) is a table, but an observation has shape \(shape); expected an .npy file")
    }
    var reading = TableReading(missing: .kept)
    reading.knownTexts = texts.map(\.name)
    reading.textsWithoutNA = texts.filter { Set($0.texts).isDisjoint(with: ["NA", "nan"]) }
      .map(\.name)
    let own = TextColumn.together(columns ?? [], texts)
    reading.knownColumns = own
    let table = try Dataset<Double>(CSV.read(path, reading), name: path)
    func rows(_ numbers: (Int) -> [Double]) -> [Row] {
      (0..<table.count).map { (table.place(of: $0), numbers($0)) }
    }
    guard let names = table.tableColumns, let columns else {
      guard table.dimensions == shape.count else {
        throw CommandError.failure(
          "\(path) has \(NumberText.counted(table.dimensions, "column")); expected \(shape.count), as an observation has, empty where nothing is known"
        )
      }
      return (rows(table.samples.row), [])
    }
    let unknown = (names + table.leftOut + table.unknown).filter {
      !own.contains($0) && !taken.contains($0)
    }
    let absent = own.filter { !names.contains($0) }
    if let unknown = unknown.first(where: {
      absent.count == own.count || $0 == labels || given.contains($0)
        || !CSV.nearMiss(of: $0, among: absent).isEmpty
    }) {
      throw CommandError.failure(
        "\(path) has a column \(CSV.spelled(unknown)), \(Self.reason(against: unknown, own, labels, given))"
      )
    }
    guard Set(names).count == names.count else {
      throw CommandError.failure(
        "\(path) has two columns of one name among \(CSV.list(names)); expected each once"
      )
    }
    // A column of empty fields alone holds neither numbers nor texts.
    let empty = names.filter { name in
      table.columns?.firstIndex(of: name).map { place in
        (0..<table.count).allSatisfy { table.samples.row($0)[place].isNaN }
      } ?? false
    }
    let known = columns.filter { table.hasColumn($0) && !empty.contains($0) }
    let values = try table.columns(named: known).samples
    let choices = texts.map { column in known.indices.filter { column.text(of: known[$0]) != nil } }
    let places = known.compactMap(columns.firstIndex)
    let observed = rows { row in
      var entries = values.row(row)
      for choice in choices where choice.contains(where: { entries[$0].isNaN }) {
        for entry in choice { entries[entry] = .nan }
      }
      var numbers = [Double](repeating: .nan, count: columns.count)
      for (place, value) in zip(places, entries) { numbers[place] = value }
      return numbers
    }
    return (observed, unknown)
  }
}

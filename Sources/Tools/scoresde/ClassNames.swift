import ScoreSDE

/// What classes are called, where data or a run name them.
struct ClassNames {
  /// One a class, in order of the numbers; nil where classes have numbers alone.
  let names: [String]?
  /// The numbers that each name reads as, where it does: such names and numbers of classes can be mistaken for each other.
  private let readings: [[Int]?]

  init(_ names: [String]?) {
    self.names = names
    readings = names?.map(Self.numbers) ?? []
  }

  /// The names that a run keeps.
  /// - Throws: where they are fewer than its classes.
  init(of run: RunDescription, in folder: RunFolder) throws {
    let names = try DataNote.classNames.value(in: run, of: folder)
    if let count = names?.count, count < run.classes ?? 0 {
      throw CommandError.failure(
        "\(folder.descriptionPath): \(count) classes have names, where the model has \(run.classes ?? 0)"
      )
    }
    self.init(run.classes == nil ? nil : names)
  }

  /// Numbers of classes as 3 or 0-9, and 0,1,7; nil where a text is none.
  static func numbers(_ text: String) -> [Int]? { Arguments.numbers(text, in: 0...65_535) }

  /// The classes beyond so many that have names: they come last, and no sample is of them.
  func beyond(_ count: Int) -> [Int] { Array((names?.indices ?? 0..<0).dropFirst(count)) }

  /// The classes that have a name, of which there is one, but for folders whose names differ in what no one sees.
  func labels(called name: String) -> [Int] {
    names?.indices.filter { names?[$0] == name } ?? []
  }

  /// The class whose name reads as a range of numbers, as 4-12, or else the first of these numbers that reads as the name of
  /// another class, with that class.
  func mistakable(_ numbers: [Int]) -> (number: Int?, label: Int)? {
    if numbers.count > 1, let label = readings.firstIndex(of: numbers) { return (nil, label) }
    for number in numbers {
      if let label = readings.firstIndex(of: [number]), label != number { return (number, label) }
    }
    return nil
  }

  /// A class in a sentence: by its name, or by its number where it has none.
  func said(_ label: Int) -> String {
    guard let names, names.indices.contains(label) else { return "\(label)" }
    return "“\(names[label])”"
  }

  /// A class as a folder is called: by its name, where that may be one's, or by its number.
  func folder(of label: Int) -> String {
    guard let names, names.indices.contains(label), !names[label].isEmpty,
      !names[label].hasPrefix("."), !names[label].contains("/")
    else { return "\(label)" }
    return names[label]
  }

  /// Classes in a sentence, the first of many.
  func said(_ labels: [Int]) -> String {
    labels.prefix(5).map(said).joined(separator: ", ") + (labels.count > 5 ? ", …" : "")
  }

  /// A name as `--class` takes it, in quotes where it would be read as something else.
  static func spelled(_ name: String) -> String {
    name == "data" || numbers(name) != nil ? CSV.quoted(name) : CSV.spelled(name)
  }

  /// The names as `--class` takes them, the first of many.
  var list: String {
    let (names, most) = (names ?? [], 10)
    return names.prefix(most).map(Self.spelled).joined(separator: ", ")
      + (names.count > most ? ", … (\(names.count))" : "")
  }

  /// ` (did you mean NAME?)` where one of the names is clearly nearest to one that is not known, else nothing.
  func nearMiss(of name: String) -> String {
    let near = NearMiss.name(for: name, among: names ?? [])
    return near.map { " (did you mean \(Self.spelled($0))?)" } ?? ""
  }
}

extension DataSource {
  /// Classes, one a sample: those that data come with, or that they have in the column of a run's labels, or else the data
  /// themselves.
  /// - Throws: as `loadLabels()`, and where a sample is of a class whose name the run does not know.
  func loadClasses(column: String?, _ names: ClassNames) throws -> Dataset<Double> {
    // Names of a column's classes are texts, also those that look like numbers.
    let texts = names.names == nil ? [] : [column].compactMap { $0 }
    let columns = column.map { [$0] }
    let data: Dataset<Double> = try load(texts: texts, columns: columns)
    if let column, data.tableColumns?.count ?? 0 > 1, data.hasColumn(column) {
      return try data.labelled(byColumn: column).labelled(as: names)
    }
    return try (data.labels == nil ? loadLabels(texts: texts, columns: columns) : data)
      .labelled(as: names)
  }
}

extension Dataset {
  /// The same samples with the numbers that a run gives classes of their names; other data may number them otherwise, as those
  /// that have not all of them.
  /// - Throws: where a sample is of a class whose name the run does not know.
  func labelled(as known: ClassNames) throws -> Dataset {
    guard let labels, let own = classNames, let names = known.names else { return self }
    let places = own.map { names.firstIndex(of: $0) }
    if let bad = labels.firstIndex(where: { places[$0] == nil }) {
      throw CommandError.failure(
        "\(place(of: bad)): the class is “\(own[labels[bad]])”, of which the run saw no sample; known are \(known.list)"
      )
    }
    return try labelled(labels.compactMap { places[$0] }, classNames: names)
  }
}

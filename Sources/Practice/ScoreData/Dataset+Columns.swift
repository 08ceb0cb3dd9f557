import ScoreTensors

/// Tables by the names of their columns.
extension Dataset {
  /// The rows of a table as text, its columns of texts as choices.
  package init(_ table: CSV.Contents<Scalar>, name: String) throws(DataError) {
    self.init(name: name, samples: table.values, columns: table.columns)
    (lines, texts) = (table.lines, table.texts)
    (leftOut, unknown, dropped) = (table.leftOut, table.unknown, table.dropped)
    if !texts.isEmpty { self = try discretized() }
  }

  /// The columns as the table has them, those of texts one each; nil where they have no names.
  public var tableColumns: [String]? { columns.map { TextColumn.together($0, texts) } }

  /// Whether a table has a column of a name, or a column of texts in whose place there may be one of that name.
  public func hasColumn(_ name: String) -> Bool {
    columns?.contains(name) == true
      || texts.contains { $0.name == name || $0.text(of: name) != nil }
  }

  /// Names of columns, in place of those of texts all that stand for these.
  private func coded(_ names: [String]) -> [String] {
    names.flatMap { name in texts.first { $0.name == name }?.columns ?? [name] }
  }

  /// Where columns are; nil for those of texts that no row has.
  /// - Throws: `missing` where one is not there, or there twice, and `outOfRange` where a row has a text that none of the names
  ///   is for.
  private func places(named names: [String]) throws(DataError) -> [Int?] {
    let columns = columns ?? []
    var places: [Int?] = []
    for name in names {
      let found = columns.indices.filter { columns[$0] == name }
      let isOfText = texts.contains { $0.text(of: name) != nil }
      guard found.count == 1 || found.isEmpty && isOfText else {
        let own = tableColumns ?? []
        if let texts = texts.first(where: { $0.name == name }) {
          throw DataError(
            .wrongFormat, self.name,
            "“\(name)” holds texts, such as “\(texts.texts[0])”; expected numbers")
        }
        throw DataError(
          .missing, self.name,
          "\(found.isEmpty ? reason(against: name) : "there are \(found.count) columns “\(name)”"); expected each of \(CSV.list(names)) once, and there are \(CSV.list(own))"
        )
      }
      places.append(found.first)
    }
    for column in texts {
      let known = names.compactMap(column.text)
      if let other = column.texts.first(where: { !known.contains($0) }), !known.isEmpty {
        let place = columns.firstIndex(of: column.column(of: other))
        let row = place.flatMap { numbers(inColumn: $0).firstIndex(of: 1) }
        throw DataError(
          .outOfRange, row.map { self.place(of: $0) } ?? self.name,
          "“\(column.name)” is “\(other)”; expected \(CSV.list(known))")
      }
    }
    return places
  }

  /// Why no column has a name, and which there are.
  private func reason(against name: String) -> String {
    guard !leftOut.contains(name) else {
      return
        "“\(name)” has more than \(TextColumn.most) different texts, and is left out"
    }
    return "there is no column “\(name)”\(CSV.nearMiss(of: name, among: tableColumns ?? []))"
  }

  private func numbers(inColumn place: Int?) -> [Double] {
    guard let place else { return [Double](repeating: 0, count: count) }
    return samples.withUnsafeBuffer { entries in
      stride(from: place, to: entries.count, by: dimensions).map { Double(entries[$0]) }
    }
  }

  /// The table with columns at these places, standardised by itself as the whole was.
  private func chosen(_ places: [Int?], named names: [String]) throws(DataError) -> Dataset {
    let entries = samples.scalars
    let rows = stride(from: 0, to: entries.count, by: samples.shape.rowCount)
    var result = Dataset(
      name: name,
      samples: Tensor(
        [count, places.count],
        rows.flatMap { row in places.map { $0.map { entries[row + $0] } ?? 0 } }),
      labels: labels, classNames: classNames, columns: names)
    (result.covariates, result.lines) = (covariates, lines)
    (result.leftOut, result.unknown, result.dropped) = (leftOut, unknown, dropped)
    result.texts = texts.compactMap { column in
      let known = names.compactMap(column.text)
      return known.isEmpty ? nil : TextColumn(name: column.name, texts: known)
    }
    let wholes = names.indices.filter { place in
      places[place].map { discrete?.ranges[$0] != nil } ?? true
    }
    result = try result.discretized(wholes)
    if let grouping = standardization?.grouping(of: sampleShape) {
      result = try result.standardized(by: grouping)
    }
    return result
  }

  /// The table in which some columns are of whole numbers, and those of texts of choices.
  /// - Throws: `outOfRange` where a number is not whole, or so large that it has no place between it and the next.
  private func discretized(_ wholes: [Int]) throws(DataError) -> Dataset {
    let columns = columns ?? []
    var ranges = [ClosedRange<Double>?](repeating: nil, count: dimensions)
    for place in wholes {
      let numbers = try wholeNumbers(inColumn: place).filter { !$0.isNaN }
      ranges[place] = (numbers.min() ?? 0)...(numbers.max() ?? 0)
    }
    let choices = texts.map { column in
      columns.indices.filter { column.text(of: columns[$0]) != nil }
    }
    for place in choices.joined() { ranges[place] = 0...1 }
    var result = self
    result.discrete =
      ranges.contains { $0 != nil } ? DiscreteColumns(ranges: ranges, choices: choices) : nil
    return result
  }

  /// The numbers of a column, all whole but for those that are missing.
  private func wholeNumbers(inColumn place: Int) throws(DataError) -> [Double] {
    let (numbers, most) = (numbers(inColumn: place), DiscreteColumns.most(as: Scalar.self))
    if let row = numbers.firstIndex(where: {
      !$0.isNaN && ($0 != $0.rounded() || abs($0) > most)
    }) {
      throw DataError(
        .outOfRange, self.place(of: row),
        "\(columns.map { "“\($0[place])”" } ?? "column \(place + 1)") is \(numbers[row]); expected a whole number of up to \(Int(most))"
      )
    }
    return numbers
  }

  /// The table with the whole numbers and choices of another, of the same columns.
  /// - Throws: `wrongShape` where it has more columns or fewer, and `outOfRange` where a number is not whole that is to be.
  public func discretized(as known: DiscreteColumns) throws(DataError) -> Dataset {
    try checkSampleShape([known.ranges.count])
    for place in known.ranges.indices where known.ranges[place] != nil {
      _ = try wholeNumbers(inColumn: place)
    }
    var result = self
    result.discrete = known
    return result
  }

  /// A table of which some columns are known to be of whole numbers, and no others beside those of texts; standardised as it
  /// was.
  ///
  /// - Parameter names: of columns, or their numbers from 1 on where they have no names.
  /// - Throws: `unknownName` where there is no such column, `outOfRange` where it holds another number, and `badParameter` for
  ///   quantised data.
  public func discretized(_ names: [String] = []) throws(DataError) -> Dataset {
    guard scale == nil, sampleShape.rank == 1 else {
      throw DataError(
        .badParameter, name,
        "the samples have shape \(sampleShape)\(scale == nil ? "" : " and levels"); expected rows of a table"
      )
    }
    var places: [Int] = []
    for name in names {
      let place = columns.map { $0.firstIndex(of: name) } ?? Int(name).map { $0 - 1 }
      guard let place, (0..<dimensions).contains(place) else {
        let numbers = columns?.filter { column in !texts.contains { $0.text(of: column) != nil } }
        let isOfTexts = texts.contains { $0.name == name }
        throw DataError(
          .unknownName, self.name,
          "\(isOfTexts ? "“\(name)” holds texts" : reason(against: name)); expected some of \(numbers.map(CSV.list) ?? "1 to \(dimensions)"), which hold numbers"
        )
      }
      places.append(place)
    }
    let result = try discretized(places)
    guard let grouping = standardization?.grouping(of: sampleShape) else { return result }
    return try result.standardized(by: grouping)
  }

  /// A table with these columns, in this order, and no others; that of a text which no row has is 0.
  /// - Throws: `missing` where one is not there, or there twice, and `outOfRange` where a row has a text of a column of which
  ///   some are named, and not this one.
  public func columns(named names: [String]) throws(DataError) -> Dataset {
    guard let columns, columns != names else { return self }
    return try chosen(places(named: names), named: names)
  }

  /// A table without one of its columns, which may be of texts.
  /// - Throws: `unknownName` where no column, or more than one, has this name; `wrongShape` where there is no other.
  public func without(column: String) throws(DataError) -> Dataset {
    guard let columns else {
      throw DataError(
        .unknownName, name,
        "there is no column “\(column)”; expected a table as text whose first row names its columns"
      )
    }
    let (own, names) = (tableColumns ?? [], coded([column]))
    let found = names.count > 1 ? 1 : columns.count { names.contains($0) }
    guard found == 1 else {
      throw DataError(
        .unknownName, name,
        "\(found == 0 ? reason(against: column) : "there are \(found) columns “\(column)”"); expected one, and there are \(CSV.list(own))"
      )
    }
    let others = columns.indices.filter { !names.contains(columns[$0]) }
    guard !others.isEmpty else {
      throw DataError(
        .wrongShape, name, "“\(column)” is the only column; expected others beside it")
    }
    return try chosen(others, named: others.map { columns[$0] })
  }

  /// A table whose labels are in one of its columns, which is no part of the samples then: whole numbers, or texts, which the
  /// classes are called.
  /// - Throws: as `without(column:)`, and `outOfRange` where a number is not a whole one from 0 on.
  public func labelled(byColumn column: String) throws(DataError) -> Dataset {
    let rest = try without(column: column)
    guard let texts = texts.first(where: { $0.name == column }) else {
      return try rest.labelled(
        DataSource.labels(numbers(inColumn: columns?.firstIndex(of: column))) {
          "\(place(of: $0)), column “\(column)”"
        })
    }
    return try rest.labelled(labels(of: texts), classNames: texts.texts)
  }

  /// A table whose covariates are those of another: the same columns, and of those of texts these, whichever are in this one.
  /// - Throws: as `columns(named:)`, by the covariates' names.
  public func given(asIn names: [String]) throws(DataError) -> Dataset {
    guard let covariates, let own = covariates.names else { return self }
    var table = Dataset<Double>(name: name, samples: covariates.values, columns: own)
    (table.texts, table.lines) = (covariates.texts, lines)
    let found = try table.columns(named: names)
    return try given(Covariates(names: names, values: found.samples, texts: found.texts))
  }

  /// The number of each row's text among those of a column.
  func labels(of texts: TextColumn) -> [Int] {
    let places = texts.columns.map { columns?.firstIndex(of: $0) }
    return (0..<count).map { row in
      let entries = samples.row(row)
      return places.firstIndex { $0.map { entries[$0] == 1 } ?? false } ?? 0
    }
  }

  /// A table whose covariates are the numbers in some of its columns, which are no part of the samples then.
  /// - Throws: as `columns(named:)` and `without(column:)`, and where a column is named twice.
  public func given(byColumns names: [String]) throws(DataError) -> Dataset {
    if let known = tableColumns, let missing = names.first(where: { !hasColumn($0) }) {
      throw DataError(
        .unknownName, name,
        "\(reason(against: missing)); expected some of \(CSV.list(known))"
      )
    }
    var rest = self
    var found: Set<String> = []
    for name in names {
      // The columns of a column of texts go together.
      let own = texts.first { $0.text(of: name) != nil }?.name ?? name
      guard own == name || found.insert(own).inserted else { continue }
      rest = try rest.without(column: own)
    }
    let coded = coded(names)
    let columns = try places(named: coded).map(numbers)
    let values = (0..<count).flatMap { row in columns.map { $0[row] } }
    let given = texts.compactMap { column in
      let known = coded.compactMap(column.text)
      return known.isEmpty ? nil : TextColumn(name: column.name, texts: known)
    }
    return try rest.given(
      Covariates(names: coded, values: Tensor([count, coded.count], values), texts: given))
  }
}

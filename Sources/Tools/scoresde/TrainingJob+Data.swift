import Foundation
import ScoreSDE

/// The data of runs: where they come from, with their labels and covariates, and whether they are still the same.
extension TrainingJob {
  /// Data as the levels that `--levels` counts, or as they come.
  /// - Throws: where an entry is none of them.
  static func levelled(
    _ data: Dataset<Scalar>, _ arguments: Arguments
  ) throws -> Dataset<Scalar> {
    guard let count = try arguments.integer("--levels", atLeast: 2, atMost: 1 << 16) else {
      return data
    }
    do {
      var levels = try data.scaled(by: DataScale(levels: count))
      levels.standardization = nil
      return levels
    } catch {
      throw CommandError.failure("--levels is \(count): \(error)")
    }
  }

  /// Data of which the columns that `--whole` names are of whole numbers.
  static func discretized(
    _ data: Dataset<Scalar>, _ arguments: Arguments
  ) throws -> Dataset<Scalar> {
    guard let text = arguments.text("--whole") else { return data }
    guard data.scale == nil else {
      throw CommandError.usage(
        "--whole is \(text), but \(data.name) has levels, which are whole; leave it out")
    }
    guard let names = CSV.fields(text), names.allSatisfy({ !$0.isEmpty }),
      Set(names).count == names.count
    else {
      throw CommandError.usage(
        "--whole is \(text); expected different columns with commas between, in quotes where they have some"
      )
    }
    return try data.discretized(names)
  }

  /// The columns of a run's data that are of whole numbers, by their names, or numbers from 1 on; those of texts are none.
  static func wholes(of run: RunDescription, in folder: RunFolder) throws -> [String] {
    guard let discrete = try DataNote.discrete.value(in: run, of: folder) else { return [] }
    let columns = try DataNote.columns.value(in: run, of: folder)
    let ofTexts = Set(discrete.choices.joined())
    return discrete.ranges.indices.filter { discrete.ranges[$0] != nil && !ofTexts.contains($0) }
      .map { place in
        columns.flatMap { $0.indices.contains(place) ? $0[place] : nil } ?? "\(place + 1)"
      }
  }

  /// Data as `--standardize` asks for them; where it does not, tables in files come with their columns standardised, and series
  /// of channels, which have units of their own, by these.
  static func standardized(
    _ data: Dataset<Scalar>, _ arguments: Arguments, isSeries: Bool
  ) throws -> Dataset<Scalar> {
    guard let text = arguments.text("--standardize") else {
      let isPlain = data.scale == nil && data.standardization == nil
      return isPlain && isSeries && data.sampleShape.rank == 2
        ? try data.standardized(by: .channels) : data
    }
    guard text != "none" else {
      var plain = data
      plain.standardization = nil
      return plain
    }
    guard let grouping = Standardization.Grouping(rawValue: text) else {
      throw CommandError.usage(
        "--standardize is \(text); expected columns, channels, whole or none")
    }
    return try data.standardized(by: grouping)
  }

  /// The column that `--labels column:NAME` names.
  static func labelColumn(_ text: String?) -> String? {
    guard let text, text.hasPrefix("column:") else { return nil }
    return String(text.dropFirst("column:".count))
  }

  /// The column of the data of a run that held its labels, if they were in one.
  static func labelColumn(of run: RunDescription) -> String? { labelColumn(run.notes[labelsNote]) }

  /// Data, with the labels that one of their columns holds where `--labels` names it, and with the covariates of `--given`.
  ///
  /// - Parameter texts: columns that hold texts whatever their fields are, as those of a run that it goes on with.
  static func load(
    _ source: DataSource, labels text: String?, given: String?, texts: [String] = []
  ) throws -> Dataset<Scalar> {
    let data: Dataset<Scalar> = try source.load(texts: texts)
    return try GivenOption.data(
      labelColumn(text).map { try data.labelled(byColumn: $0) } ?? data, by: given)
  }

  /// The data that are where those of a run were.
  static func data(of run: RunDescription, in folder: RunFolder) throws -> Dataset<Scalar> {
    try arranged(
      load(
        DataSource(run.data), labels: run.notes[labelsNote], given: run.notes[givenSourceNote],
        texts: texts(of: run, in: folder)),
      as: run, in: folder)
  }

  /// The columns of the data of a run that held texts.
  private static func texts(of run: RunDescription, in folder: RunFolder) throws -> [String] {
    try RunColumns(
      label: labelColumn(of: run), called: ClassNames(of: run, in: folder).names,
      given: GivenOption.note(in: run, of: folder), samples: nil,
      texts: DataNote.texts.value(in: run, of: folder) ?? []
    ).texts
  }

  /// Data with their columns in the order of a run's, on its scale and standardised as its own: those of a run that began with
  /// another are as those of the other were.
  private static func arranged(
    _ data: Dataset<Scalar>, as run: RunDescription, in folder: RunFolder
  ) throws -> Dataset<Scalar> {
    var data = data
    if let columns = try DataNote.columns.value(in: run, of: folder), data.columns != nil {
      data = try data.columns(named: columns)
    }
    if let scale = try DataNote.scale.value(in: run, of: folder) {
      data = (try? data.scaled(by: scale)) ?? data
    }
    data.discrete = try DataNote.discrete.value(in: run, of: folder)
    data.standardization = try DataNote.standardization.value(in: run, of: folder)
    return data
  }

  /// Data with the labels that `--labels` names, or without any; those of a column they have as they are loaded.
  static func labelled(
    _ data: Dataset<Scalar>, by text: String?
  ) throws -> Dataset<Scalar> {
    guard let text else { return try data.labelled(nil) }
    let isWithData = text == "data" || labelColumn(text) != nil
    if data.hasColumn(text) {
      throw CommandError.usage(
        "--labels is \(text), a column of \(data.name); expected column:\(text)")
    }
    let file =
      isWithData ? nil : try asUsage(of: "--labels") { try DataSource(text) }.loadLabels()
    guard let labels = file?.labels ?? data.labels else {
      throw CommandError.usage(
        "--labels is data, but \(data.name) comes without labels; expected a file of whole numbers, one a sample"
      )
    }
    let most = ModelConfiguration.mostClasses
    if let bad = labels.firstIndex(where: { $0 >= most }) {
      throw DataError(
        .outOfRange, file?.place(of: bad) ?? data.place(of: bad),
        "the label is \(labels[bad]); expected a whole number from 0 to \(most - 1)"
      )
    }
    // The numbers of a file need not mean what those of the data do, even where they are the same.
    return try isWithData
      ? data : data.labelled(nil).labelled(labels, classNames: file?.classNames)
  }

  /// The labels that a run was trained with, in so far as they are where they were.
  static func labels(of run: RunDescription, _ data: Dataset<Scalar>) -> [Int]? {
    guard let data = try? labelled(data, by: run.notes[labelsNote]),
      data.labelFingerprint == run.notes[labelFingerprintNote]
    else { return nil }
    return data.labels
  }

  /// The data of a run, from where it had them or from where they are now.
  static func data(
    of run: RunDescription, in folder: RunFolder, given arguments: Arguments
  ) throws -> Dataset<Scalar> {
    let text = arguments.text("--data") ?? run.data
    let labels = arguments.text("--labels") ?? run.notes[labelsNote]
    let given = arguments.text("--given") ?? run.notes[givenSourceNote]
    guard given == nil || run.covariates != nil else {
      throw CommandError.usage(
        "--given is \(given ?? ""), but the run in \(folder.path) has no covariates; leave it out or start another run"
      )
    }
    let untold = [
      run.classes != nil && run.notes[labelsNote] == nil ? "labels" : nil,
      run.covariates != nil && run.notes[givenSourceNote] == nil ? "covariates" : nil,
    ].compactMap { $0 }
    guard untold.isEmpty else {
      throw CommandError.failure(
        "\(folder.path) holds a run that was begun in Swift, which does not say where its \(untold.joined(separator: " and ")) are; expected it to go on there"
      )
    }
    func otherNumbers() -> CommandError {
      .usage(
        "--given is \(given ?? "missing"), which gives other numbers than the run in \(folder.path) was trained on, \(run.notes[givenSourceNote] ?? "none"); leave it out, or give their place now"
      )
    }
    if let given, let own = run.notes[givenSourceNote],
      GivenOption.columns(given) != GivenOption.columns(own)
    {
      throw otherNumbers()
    }
    var data = try arranged(
      load(
        asUsage(of: "--data") { try DataSource(text) }, labels: labels, given: given,
        texts: texts(of: run, in: folder)),
      as: run, in: folder)
    // Runs of earlier versions have no fingerprint.
    let isSame = run.notes[fingerprintNote].map { $0 == data.fingerprint } ?? (text == run.data)
    guard isSame || run.notes[fingerprintNote] != nil else {
      throw CommandError.failure(
        "\(folder.path) holds a run that was begun in Swift, which cannot tell whether \(text) has what it was trained on, “\(run.data)”; expected it to go on there"
      )
    }
    guard isSame else {
      throw CommandError.usage(
        "\(text) holds other data than the run in \(folder.path) was trained on, \(run.data); give --data with their place now, or start another run"
      )
    }
    data = try labelled(data, by: run.classes == nil ? arguments.text("--labels") : labels)
      .labelled(as: ClassNames(of: run, in: folder))
    guard data.labelFingerprint == run.notes[labelFingerprintNote] else {
      throw CommandError.usage(
        "--labels is \(labels ?? "missing"), which gives other labels than the run in \(folder.path) was trained with, \(run.notes[labelsNote] ?? "none"); leave it out, or give their place now"
      )
    }
    guard data.covariates?.fingerprint == run.notes[givenFingerprintNote],
      try data.covariates?.names == GivenOption.note(in: run, of: folder)?.names
    else {
      throw otherNumbers()
    }
    if let asked = arguments.text("--whole") {
      let own = try wholes(of: run, in: folder)
      guard Set(CSV.fields(asked) ?? []) == Set(own) else {
        throw CommandError.usage(
          "--whole is \(asked), but the run in \(folder.path) has \(own.isEmpty ? "none" : CSV.list(own)); leave it out or start another run"
        )
      }
    }
    if let given = arguments.text("--standardize"),
      try standardized(data, arguments, isSeries: false).standardization
        != data.standardization
    {
      throw CommandError.usage(
        "--standardize is \(given), but the run in \(folder.path) has \(data.standardization?.grouping(of: data.sampleShape).rawValue ?? "none"); leave it out or start another run"
      )
    }
    return data
  }
}

extension TrainingData {
  /// The classes below the last that no sample is of.
  var emptyClasses: [Int] {
    labels.map { Set(0..<classes).subtracting($0).sorted() } ?? []
  }
}

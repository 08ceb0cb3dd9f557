import Foundation
import ScoreSDE

/// Data for a model, and what is given of them.
extension LoadedModel {
  /// The first of the samples that a command scores, or all: of the model's shape, with all that the model asks for.
  /// - Throws: where samples have another shape, or lack their class or their row of what is given.
  func samples(of source: DataSource, atMost count: Int?) throws -> Dataset<Scalar> {
    let whole: Dataset<Scalar> = try load(source)
    if let labelColumn, !session.arguments.has("--class"),
      whole.hasColumn(labelColumn)
    {
      session.remark(
        "\(whole.name): its \(CSV.spelled(labelColumn)) takes no part, and samples are taken as those of all classes together; --class data takes each under its own"
      )
    }
    var data = try prepared(whole)
    if let labelFile {
      guard labelFile.count == data.count else {
        throw CommandError.failure(
          "\(labelFile.name) has \(NumberText.counted(labelFile.count, "label")), and \(data.name) \(NumberText.counted(data.count, "sample")); expected one each"
        )
      }
      data = try data.labelled(labelFile.labels)
    }
    try checkGiven(of: data)
    if let count { data = data.prefix(count) }
    try data.checkSampleShape(field.sampleShape)
    // What the data lack is found before any work.
    _ = try field(of: data)
    if let note = givenNote, given.isEmpty, data.covariates == nil {
      session.remark(
        "\(data.name): nothing says what is given, \(note.text) by the run, so taken as samples of all data together; --given conditions them"
      )
    }
    return data
  }

  /// Data of which a table is read by the columns that the run knows, and its texts as such.
  func load(_ source: DataSource) throws -> Dataset<Scalar> {
    let columns = runColumns
    let data: Dataset<Scalar> = try source.load(texts: columns.texts, columns: columns.names)
    if let remark = DataRemarks.remark(onDropped: data) { session.remark(remark) }
    return data
  }

  /// The columns that its run knows.
  var runColumns: RunColumns {
    RunColumns(
      label: labelColumn, called: classNames.names, given: givenNote, samples: columns,
      texts: texts)
  }

  /// Data as the model takes them: without the columns of the labels and the covariates of its run, where they have them; these
  /// are their labels, where each sample's own are asked for, and their covariates.
  func prepared(_ whole: Dataset<Scalar>) throws -> Dataset<Scalar> {
    let (data, unknown) = try runColumns.arranged(whole, takesLabels: labelSource == "data")
    if let remark = RunColumns.remark(unknown, of: data.name) { session.remark(remark) }
    return data
  }

  /// Checks that rows that are given are one for all samples of data, or one each.
  private func checkGiven(of data: Dataset<Scalar>) throws {
    guard given.count <= 1 || given.count == data.count else {
      throw CommandError.usage(
        "--given has \(given.count) rows, and \(data.name) \(NumberText.counted(data.count, "sample")); expected one for all, or one each"
      )
    }
  }

  /// The field of data, or of the first of those that rows are given for: of each sample's own class, where `--class` asks for
  /// it, and of its own covariates, where data bring some and `--given` names none; led to these where a scale is given.
  func field(
    of data: Dataset<Scalar>, guidance: Double? = nil
  ) throws -> any DifferentiableScoreField<Scalar> {
    let own = try conditioned(on: data)
    guard let guidance, let model = own as? ScoreModel<Scalar> else { return own }
    return try model.guided(from: model.unconditioned, scale: guidance)
  }

  private func conditioned(
    on data: Dataset<Scalar>
  ) throws -> any DifferentiableScoreField<Scalar> {
    guard var model = field as? ScoreModel<Scalar> else { return field }
    if labelSource != nil { model = try model.conditioned(onRows: checkedLabels(of: data)) }
    guard let note = givenNote else { return model }
    if given.count > 1 {
      let rows = given.prefix(data.count).map(note.standardized)
      return try model.conditioned(onRows: Tensor([rows.count, note.count], rows.flatMap { $0 }))
    }
    guard given.isEmpty, let covariates = data.covariates else { return model }
    return try model.conditioned(
      onRows: note.standardization.standardized(covariates.values))
  }

  /// The classes of data, one a sample, all of which the model has seen.
  func checkedLabels<Entry>(of data: Dataset<Entry>) throws -> [Int] {
    guard
      let labels = try labelSource == "data" ? data.labelled(as: classNames).labels : data.labels
    else {
      let column = labelColumn.map { " in a column \(CSV.spelled($0))" }
      throw CommandError.usage(
        "--class is \(labelSource ?? ""), but \(data.name) comes without labels\(column ?? ""); expected data that have them, or a file of whole numbers, one a sample"
      )
    }
    let classes = run?.classes ?? 0
    if let bad = labels.firstIndex(where: { $0 >= classes || emptyClasses.contains($0) }) {
      throw CommandError.failure(
        "\(labelFile?.place(of: bad) ?? data.place(of: bad)): the class is \(classNames.said(labels[bad])), of which the run saw no sample; expected classes from 0 to \(classes - 1) that it saw"
      )
    }
    return labels
  }

  /// What the field of data is under, in words: nothing for models without classes and covariates.
  func condition(of data: Dataset<Scalar>) -> String {
    var text = ""
    if run?.classes != nil {
      text =
        labels.first.map { ", of class \(classNames.said($0))" }
        ?? (labelSource == nil ? ", of all classes together" : ", each of its own class")
    }
    guard let note = givenNote else { return text }
    if given.count == 1 { return "\(text), under one row of \(note.text)" }
    let isOwn = given.count > 1 || data.covariates != nil
    return isOwn ? "\(text), each under its own \(note.text)" : "\(text), under no \(note.text)"
  }

  /// The same as members of a JSON object: as the options spell it, `data` where samples bring what is given, and null where
  /// all come together.
  func conditionMembers(of data: Dataset<Scalar>) -> [(String, JSON)] {
    func text(_ option: String) -> JSON? { session.arguments.text(option).map(JSON.string) }
    let label = run?.classes.map { _ in ("class", text("--class") ?? .null) }
    let given = givenNote.map { _ in
      ("given", text("--given") ?? (data.covariates == nil ? .null : .string("data")))
    }
    return [label, given].compactMap { $0 }
  }
}

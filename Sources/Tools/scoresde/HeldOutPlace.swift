import ScoreSDE

/// Where held-out data of a run are: what `--validation` says, and files of their labels and of what is given of them, where data
/// do not come with these.
struct HeldOutPlace {
  static let options = [
    Option(
      "--validation", "DATA",
      "held-out data, of the kind of --data and with all that it has, whose loss is taken at each checkpoint and at the end"
    ),
    Option(
      "--validation-labels", "FILE",
      "the classes of held-out data that come without, as --labels FILE has those of --data"),
    Option(
      "--validation-given", "FILE",
      "what is given of held-out data that come without, as --given FILE has that of --data"),
  ]

  /// The notes in a run's description.
  static let note = "validation"
  static let labelsNote = "validation labels"
  static let givenNote = "validation given"

  let data: String
  let labels: String?
  let given: String?

  /// What options say, and where they do not what a run says; nil where there are no held-out data.
  /// - Throws: where labels, or what is given, are of no data.
  init?(_ arguments: Arguments, of run: RunDescription? = nil) throws {
    let others = [("--validation-labels", Self.labelsNote), ("--validation-given", Self.givenNote)]
    guard let data = arguments.text("--validation") ?? run?.notes[Self.note] else {
      if let (option, _) = others.first(where: { arguments.has($0.0) }) {
        throw CommandError.usage(
          "\(option) is given without --validation, whose samples it is of; expected both")
      }
      return nil
    }
    self.data = data
    let texts = others.map { arguments.text($0.0) ?? run?.notes[$0.1] }
    (labels, given) = (texts[0], texts[1])
  }

  /// Keeps it in a run's description.
  func note(in notes: inout [String: String]) {
    notes[Self.note] = data
    notes[Self.labelsNote] = labels
    notes[Self.givenNote] = given
  }

  /// Data with their classes by the numbers that a run knows these by, or without any where it knows none.
  /// - Parameters:
  ///   - column: that of the run's labels, if they were in one.
  ///   - own: the data that are trained on.
  ///   - classes: how many the model knows, and those of them that no sample is of.
  /// - Throws: where classes are missing, or of no sample of the run.
  func labelled<Scalar: TensorScalar>(
    _ data: Dataset<Scalar>, inColumn column: String?, as own: Dataset<Scalar>,
    _ classes: (count: Int, empty: [Int])
  ) throws -> Dataset<Scalar> {
    guard classes.count > 0 else {
      if let labels {
        throw CommandError.usage(
          "--validation-labels is \(labels), but the run learns no classes; leave it out, or give --labels"
        )
      }
      return try data.labelled(nil)
    }
    let known = ClassNames(own.classNames)
    let file = try labels.map { text in
      try asUsage(of: "--validation-labels") { try DataSource(text) }
        .loadClasses(column: column, known)
    }
    let result =
      try
      (file.map { try data.labelled(nil).labelled($0.labels, classNames: $0.classNames) } ?? data)
      .labelled(as: known)
    guard let labels = result.labels else {
      let place = column.map { " in a column \(CSV.spelled($0))" } ?? ""
      throw CommandError.usage(
        "--validation is \(self.data), which comes without labels\(place); expected data that have them, as those of --data are learnt, or --validation-labels FILE"
      )
    }
    if let bad = labels.firstIndex(where: { $0 >= classes.count || classes.empty.contains($0) }) {
      throw CommandError.failure(
        "\(file?.place(of: bad) ?? data.place(of: bad)): the class is \(labels[bad]), of which --data has no sample; expected classes from 0 to \(classes.count - 1) that it has"
      )
    }
    return result
  }

  /// Data with what is given of their samples.
  /// - Throws: where nothing says what is given, or a file has not a row of it for each sample.
  func given<Scalar: TensorScalar>(
    _ data: Dataset<Scalar>, _ note: GivenOption.Note?
  ) throws -> Dataset<Scalar> {
    guard let note else {
      if let given {
        throw CommandError.usage(
          "--validation-given is \(given), but the run is given nothing; leave it out, or give --given"
        )
      }
      return data
    }
    guard let given else {
      guard data.covariates != nil else {
        throw CommandError.usage(
          "--validation is \(self.data), where nothing says what is given of its samples; expected \(note.names.map { "a table with the columns \(CSV.list($0))" } ?? "--validation-given FILE, with a row a sample")"
        )
      }
      return data
    }
    guard GivenOption.isFile(given) else {
      throw CommandError.usage(
        "--validation-given is \(given); expected a file with a row a sample")
    }
    let rows = try GivenOption.file(given, note)
    guard rows.count == data.count else {
      throw CommandError.failure(
        "\(given) has \(NumberText.counted(rows.count, "row")); expected \(data.count), one a sample"
      )
    }
    return try data.given(
      Covariates(
        names: note.names, values: Tensor([rows.count, note.count], rows.flatMap { $0 }),
        shape: note.extents.map { Shape($0) }))
  }
}

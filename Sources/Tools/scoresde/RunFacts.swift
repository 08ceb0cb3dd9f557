import ScoreSDE

/// What a run's folder tells of it.
struct RunFacts {
  private let folder: RunFolder
  private let description: RunDescription
  private let shape: Shape

  init(_ folder: RunFolder) throws {
    self.folder = folder
    description = try folder.description()
    do {
      shape = try description.checkedSampleShape()
      if !description.hasOwnNetwork { _ = try description.modelConfiguration() }
    } catch {
      throw CommandError.failure("\(folder.descriptionPath): \(error)")
    }
  }

  /// Where it was imported from, if it was.
  private var source: String? { description.notes[ImportCommand.note] }
  private var heldOut: String? { description.notes[HeldOutPlace.note] }

  func all() throws -> [Fact] {
    let asked = try source.map { [Fact("imported from", $0)] } ?? training()
    let known = [
      Fact("sde", description.sde), Fact("network", description.network),
      Fact("sample shape", shape), Fact("scalar", description.scalar),
      Fact("parametrization", description.parametrization),
    ]
    return try known + asked + data() + checkpoint()
  }

  /// How it was asked to be trained.
  private func training() throws -> [Fact] {
    let options = description.options
    let grouping = try DataNote.standardization.value(in: description, of: folder)?
      .grouping(of: shape)
    let weighting =
      options.noiseLevel.map { "noise level \($0)" }
      ?? "\(options.weighting.rawValue) weighting, \(options.times.rawValue) times\(options.stratifiesTimes ? "" : ", independent")"
    return [
      Fact("data", description.data), Fact("steps asked for", options.steps),
      Fact("batch size", options.batchSize), Fact("seed", "\(options.seed)"),
      Fact("learning rate", options.learningRate), Fact("schedule", options.schedule.rawValue),
      Fact("standardization", grouping?.rawValue ?? "none"),
      Fact(
        "loss",
        description.teacher != nil
          ? "consistency" : "\(options.objective.rawValue), \(weighting)"),
    ]
  }

  /// What its samples are, and what they are under.
  private func data() throws -> [Fact] {
    var facts: [Fact] = []
    if let scale = try DataNote.scale.value(in: description, of: folder) {
      facts.append(Fact("levels", scale.levels))
    }
    if let start = description.notes[StartingRun<Float>.note] {
      facts.append(Fact("began with", start))
    }
    if let columns = try DataNote.columns.value(in: description, of: folder) {
      let texts = try DataNote.texts.value(in: description, of: folder) ?? []
      let names = TextColumn.together(columns, texts)
      facts.append(Fact("columns", CSV.list(names), .array(names.map(JSON.string))))
      facts += texts.isEmpty ? [] : [Self.texts("texts", texts)]
    }
    let wholes = try TrainingJob<Float>.wholes(of: description, in: folder)
    if !wholes.isEmpty {
      facts.append(Fact("whole numbers", CSV.list(wholes), .array(wholes.map(JSON.string))))
    }
    if let note = try GivenOption.note(in: description, of: folder) {
      facts.append(Fact("given", note.text))
      if let texts = note.texts { facts.append(Self.texts("given texts", texts)) }
    }
    if let teacher = description.teacher {
      facts.append(Fact("distilled from", teacher))
      if let flow = Distillation<Float>.flow(of: description) { facts.append(Fact("flow", flow)) }
    }
    if let classes = description.classes {
      facts.append(Fact("classes", classes))
      facts += try Fact.of(ClassNames(of: description, in: folder))
    }
    if description.classes ?? description.covariates != nil, description.teacher == nil {
      facts.append(
        Fact(
          "label dropout",
          description.options.labelDropout ?? TrainingOptions.usualLabelDropout))
    }
    if let heldOut { facts.append(Fact("validation data", heldOut)) }
    return facts
  }

  /// The texts of columns, as people read them and as programs do.
  private static func texts(_ name: String, _ columns: [TextColumn]) -> Fact {
    Fact(
      name,
      columns.map { "\(CSV.spelled($0.name)): \(CSV.list($0.texts))" }.joined(separator: "; "),
      .array(
        columns.map { column in
          .object([
            ("name", .string(column.name)), ("texts", .array(column.texts.map(JSON.string))),
          ])
        }))
  }

  /// How far it has come.
  private func checkpoint() throws -> [Fact] {
    guard FilePlace.exists(folder.checkpointPath) else { return [Fact("steps done", 0)] }
    var facts: [Fact] = []
    let checkpoint: Safetensors<Double> = try folder.checkpoint()
    let count = checkpoint.parameters.names.indices
      .filter { checkpoint.parameters.names[$0].hasPrefix("average/") }
      .reduce(0) { $0 + checkpoint.parameters.tensors[$1].count }
    if source == nil, let step = checkpoint.metadata["step"].flatMap(Int.init) {
      facts.append(Fact("steps done", step))
    }
    facts.append(Fact("parameters", count))
    if let text = try? String(contentsOfFile: folder.lossPath, encoding: .utf8),
      let last = try LossLog(text: text, name: folder.lossPath, upTo: .max).entries.last
    {
      facts.append(Fact("last loss", last.loss))
    }
    if let heldOut,
      let text = try? String(contentsOfFile: folder.validationPath, encoding: .utf8),
      let report = ValidationReport(
        data: heldOut, log: try ValidationLog(text: text, name: folder.validationPath))
    {
      facts.append(Fact("validation", report.fact, report.json))
    }
    return facts
  }
}

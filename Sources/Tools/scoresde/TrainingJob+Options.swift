import ScoreSDE

/// What the options say of how a run is trained.
extension TrainingJob {
  /// - Parameter standard: what holds where nothing is given.
  static func options(
    _ arguments: Arguments, standard: TrainingOptions
  ) throws -> TrainingOptions {
    var options = standard
    options.seed = try arguments.seed
    if let value = try arguments.integer("--steps", atLeast: 1) { options.steps = value }
    if let value = try arguments.integer(
      "--batch-size", atLeast: 1, atMost: TrainingOptions.mostBatchSize)
    {
      options.batchSize = value
    }
    if let value = try arguments.integer("--warm-up", atLeast: 0) { options.warmUp = value }
    if let value = try arguments.positive("--learning-rate") { options.learningRate = value }
    if let value = try arguments.positive("--clip") { options.clip = value }
    if let text = arguments.text("--average-decay") {
      guard let value = Double(text) else {
        throw CommandError.usage("--average-decay is \(text); expected a number")
      }
      options.averageDecay = value
    }
    options.objective = try choice(arguments, "--loss", options.objective)
    options.stratifiesTimes = !arguments.has("--independent-times")
    options.noiseLevel = try arguments.positive("--noise-level")
    if let text = arguments.text("--label-dropout") {
      guard let value = Double(text) else {
        throw CommandError.usage("--label-dropout is \(text); expected a number")
      }
      guard arguments.has("--labels") || arguments.has("--given") else {
        throw CommandError.usage(
          "--label-dropout is given without --labels or --given, which it hides; expected both")
      }
      guard value < 1 else {
        throw CommandError.usage(
          "--label-dropout is \(text), which hides all labels and numbers; expected below 1")
      }
      options.labelDropout = value
    }
    if options.noiseLevel != nil,
      let idle = ["--weighting", "--times", "--independent-times"].first(where: arguments.has)
    {
      throw CommandError.usage(
        "\(idle) is given with --noise-level, which fixes the time and its weight; leave one out")
    }
    options.weighting = try choice(arguments, "--weighting", options.weighting)
    options.times = try choice(arguments, "--times", options.weighting.usualTimes)
    options.schedule = try choice(arguments, "--schedule", options.schedule)
    do {
      try options.check()
    } catch { throw CommandError.usage("--\(error)") }
    return options
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ arguments: Arguments, _ name: String, _ standard: Choice
  ) throws -> Choice where Choice.RawValue == String {
    guard let text = arguments.text(name) else { return standard }
    guard let choice = Choice.allCases.first(where: { $0.rawValue == text }) else {
      let known = Choice.allCases.map(\.rawValue)
      throw CommandError.usage(
        "\(name) is \(text)\(NearMiss.hint(for: text, among: known)); expected one of \(known.joined(separator: ", "))"
      )
    }
    return choice
  }
}

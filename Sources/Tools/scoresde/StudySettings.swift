import ScoreSDE

/// What is asked of a study, as its file keeps it.
struct StudySettings: Decodable {
  var model: String
  /// What tells the model from others.
  var fingerprint: String
  var label: String?
  var given: String?
  /// The processes, each with where its samples stop.
  var processes: [Process] = []
  var scalar: String
  /// Where `--epsilon` has the samples of all processes stop; nil where each has its own.
  var epsilon: Double?
  /// The NFE to compare at, the least first.
  var budgets: [Int]
  var solvers: [String]
  var grids: [String]
  var count: Int
  var seed: String

  struct Process: Decodable {
    var sde: String
    var epsilon: Double
  }

  private enum CodingKeys: String, CodingKey {
    case model, fingerprint, given, processes, scalar, epsilon, solvers, grids, count, seed
    case label = "class"
    case budgets = "nfe"
  }

  /// The options whose values a study keeps.
  private var options: [(name: String, value: String?)] {
    [("--class", label), ("--given", given), ("--count", "\(count)"), ("--seed", seed)]
  }

  /// The options that a study may be given more of.
  private var lists: [(name: String, value: String?)] {
    [
      ("--nfe", budgets.map(String.init).joined(separator: ",")),
      ("--solvers", solvers.joined(separator: ";")), ("--grids", grids.joined(separator: ",")),
    ]
  }

  /// The same session with the options of the study, where others are not given.
  func completing(_ session: Session) -> Session {
    var values = Dictionary(
      uniqueKeysWithValues: (options + lists).compactMap { name, value in
        value.map { (name, $0) }
      })
    values["--model"] = model
    values["--epsilon"] = epsilon.map { "\($0)" }
    return session.replacing(values.filter { !session.arguments.has($0.key) })
  }

  /// The same with what an earlier study has beside it to compare.
  func adding(_ earlier: StudySettings) -> StudySettings {
    var settings = self
    settings.budgets = Set(budgets + earlier.budgets).sorted()
    settings.solvers = earlier.solvers + solvers.filter { !earlier.solvers.contains($0) }
    settings.grids = earlier.grids + grids.filter { !earlier.grids.contains($0) }
    return settings
  }

  /// Checks that others are those of this study, in a folder, or have more to compare, wherever its model is now.
  func check(_ others: StudySettings, in folder: String) throws {
    func refusal(_ name: String, _ own: String?, _ other: String?) -> CommandError {
      .usage(
        "\(name) is \(other ?? "none"), but the study in \(folder) has \(own ?? "none"); leave it out or start another study"
      )
    }
    for (own, other) in zip(options, others.options) where own.value != other.value {
      throw refusal(own.name, own.value, other.value)
    }
    for own in processes {
      guard let other = others.processes.first(where: { $0.sde == own.sde }) else {
        throw refusal("--sde", own.sde, others.processes.map(\.sde).joined(separator: ";"))
      }
      guard own.epsilon == other.epsilon else {
        throw refusal("--epsilon", "\(own.epsilon)", "\(other.epsilon)")
      }
    }
    guard fingerprint == others.fingerprint else {
      throw CommandError.usage(
        "\(others.model) is another model than that of the study in \(folder), \(model), or has been trained on since; give --model with its place now, or start another study"
      )
    }
  }

  /// The settings as members of a JSON object.
  var json: [(String, JSON)] {
    [
      ("model", .string(model)), ("fingerprint", .string(fingerprint)),
      ("class", label.map { .string($0) } ?? .null), ("given", given.map { .string($0) } ?? .null),
      ("scalar", .string(scalar)), ("epsilon", epsilon.map { .number($0) } ?? .null),
      ("nfe", .array(budgets.map { .integer($0) })),
      ("solvers", .array(solvers.map { .string($0) })),
      ("grids", .array(grids.map { .string($0) })), ("count", .integer(count)),
      ("seed", .string(seed)),
    ]
  }
}

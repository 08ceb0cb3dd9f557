import ScoreSDE

/// What is asked of a study, as its file keeps it.
struct StudySettings: Decodable {
  var model: String
  /// What tells the model from others.
  var fingerprint: String
  var label: String?
  var given: String?
  var process: String
  var scalar: String
  var epsilon: Double
  /// The NFE to compare at, the least first.
  var budgets: [Int]
  var solvers: [String]
  var grids: [String]
  var count: Int
  var seed: String

  private enum CodingKeys: String, CodingKey {
    case model, fingerprint, given, scalar, epsilon, solvers, grids, count, seed
    case label = "class"
    case process = "sde"
    case budgets = "nfe"
  }

  /// The options that say as much, of which those of one value have theirs.
  private var options: [(name: String, value: String?)] {
    [
      ("--sde", process), ("--class", label), ("--given", given), ("--epsilon", "\(epsilon)"),
      ("--nfe", budgets.map(String.init).joined(separator: ",")),
      ("--solvers", solvers.joined(separator: ";")), ("--grids", grids.joined(separator: ",")),
      ("--count", "\(count)"), ("--seed", seed),
    ]
  }

  /// The same session with the options of the study, where others are not given.
  func completing(_ session: Session) -> Session {
    var values = Dictionary(
      uniqueKeysWithValues: options.compactMap { name, value in
        value.map { (name, $0) }
      })
    values["--model"] = model
    // A run has a process of its own.
    if RunFolder(session.arguments.text("--model") ?? model).exists { values["--sde"] = nil }
    return session.replacing(values.filter { !session.arguments.has($0.key) })
  }

  /// Checks that others are those of this study, in a folder, wherever its model is now.
  func check(_ others: StudySettings, in folder: String) throws {
    for (own, other) in zip(options, others.options) where own.value != other.value {
      throw CommandError.usage(
        "\(own.name) is \(other.value ?? "none"), but the study in \(folder) has \(own.value ?? "none"); leave it out or start another study"
      )
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
      ("sde", .string(process)), ("scalar", .string(scalar)), ("epsilon", .number(epsilon)),
      ("nfe", .array(budgets.map { .integer($0) })),
      ("solvers", .array(solvers.map { .string($0) })),
      ("grids", .array(grids.map { .string($0) })), ("count", .integer(count)),
      ("seed", .string(seed)),
    ]
  }
}

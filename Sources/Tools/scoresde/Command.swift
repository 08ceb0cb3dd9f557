import ScoreSDE

/// One command of the tool.
protocol Command {
  /// The word on the command line.
  static var name: String { get }
  /// What it does, in one line.
  static var summary: String { get }
  /// The options that it takes beside the common ones.
  static var options: [Option] { get }
  /// Its own options, and the common ones of which it has none of its own.
  static var allOptions: [Option] { get }
  /// How many names it takes beside options.
  static var positionalLimit: Int { get }
  /// What those names are, in the line of usage.
  static var positionalNames: String { get }
  /// Does it; prints results on standard output.
  static func run(_ session: Session) throws
}

/// A command that computes in the type that `--scalar` names.
protocol ScalarCommand: Command {
  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws
}

extension ScalarCommand {
  static func run(_ session: Session) throws {
    // The model of a run is as it was trained, unless something else is asked for.
    if !session.arguments.has("--scalar"), let model = session.arguments.text("--model"),
      try RunFolder(model).exists && RunFolder(model).description().scalar == Double.typeName
    {
      try run(session.replacing(["--scalar": Double.typeName]), Double.self)
    } else if try session.arguments.isDouble {
      try run(session, Double.self)
    } else {
      try run(session, Float.self)
    }
  }
}

extension Command {
  static var positionalLimit: Int { 0 }
  static var positionalNames: String { "" }

  static var allOptions: [Option] {
    options + Option.common.filter { common in !options.contains { $0.name == common.name } }
  }
}

import Foundation
import ScoreSDE

/// The tool: finds the command, runs it, and turns errors into one sentence and an exit status.
enum Tool {
  static var commands: [any Command.Type] {
    [
      DemoCommand.self, TrainCommand.self, DistillCommand.self, SampleCommand.self,
      LikelihoodCommand.self, CalibrateCommand.self, CompareCommand.self, VerifyCommand.self,
      StudyCommand.self, BenchCommand.self, InspectCommand.self, ImportCommand.self,
    ]
  }

  /// The version of the tool and the library. Run folders have a version of their own, `RunDescription.currentFormat`.
  static let version = "1.0.0"

  /// Runs the command that `words` spell; the result is the exit status.
  static func run(_ words: [String]) -> Int32 {
    guard let name = words.first else {
      Console.say(overview + "\n")
      return 2
    }
    if ["--help", "-h", "help"].contains(name) { return show(overview) }
    if name == "--version" { return show("scoresde \(version)") }
    guard let command = commands.first(where: { $0.name == name }) else {
      let known = commands.map { $0.name }
      return fail(
        "there is no command \(name)\(NearMiss.hint(for: name, among: known)); known are \(known.joined(separator: ", "))",
        2)
    }
    do {
      let rest = Array(words.dropFirst())
      if rest.contains("--help") || rest.contains("-h") { return show(help(command)) }
      let arguments = try Arguments(
        rest, command: name, options: command.allOptions, positional: command.positionalLimit)
      try command.run(try Session(arguments))
      return 0
    } catch {
      return fail("\(error)", status(of: error))
    }
  }

  /// 2 where the user asked for something that does not exist or is out of range, else 1.
  private static func status(of error: any Error) -> Int32 {
    switch error {
    case let error as CommandError: error.status
    case let error as DataError: error.kind.isUsage ? 2 : 1
    case let error as SamplingError: error.isNumerical ? 1 : 2
    case is SpecError: 2
    default: 1
    }
  }

  private static func fail(_ sentence: String, _ status: Int32) -> Int32 {
    Console.say("scoresde: \(sentence)\n")
    return status
  }

  private static func show(_ text: String) -> Int32 {
    do {
      try Console.result(text)
      return 0
    } catch {
      return fail("\(error)", error.status)
    }
  }

  private static var overview: String {
    let width = commands.map { $0.name.count }.max() ?? 0
    let lines = commands.map { command in
      "  \(command.name)\(String(repeating: " ", count: width - command.name.count))   \(command.summary)"
    }
    return """
      scoresde: score-based generative models by stochastic differential equations

      usage: scoresde COMMAND [OPTIONS]

      \(lines.joined(separator: "\n"))

      scoresde COMMAND --help lists a command's options; scoresde --version prints the version.
      """
  }

  private static func help(_ command: any Command.Type) -> String {
    let lines = command.allOptions.map { option in
      let name = option.value.map { "\(option.name) \($0)" } ?? option.name
      return "  \(name)\(String(repeating: " ", count: max(1, 26 - name.count)))\(option.help)"
    }
    let words = ["scoresde", command.name, command.positionalNames, "[OPTIONS]"]
    return "scoresde \(command.name): \(command.summary)\n\nusage: "
      + words.filter { !$0.isEmpty }.joined(separator: " ") + "\n\n"
      + lines.joined(separator: "\n")
  }
}

import Foundation
import ScoreSDE

/// `scoresde verify`: every process and every solver against closed forms.
enum VerifyCommand: Command {
  static let name = "verify"
  static let summary = "checks every process and solver against closed forms and prints the errors"
  static let options: [Option] = []
  /// It computes in float64, and in float32 where it simulates.
  static let allOptions = Option.common.filter { $0.name != "--scalar" }

  static func run(_ session: Session) throws {
    let checks = try Verification(pool: session.pool).checks { session.say("verify: \($0)") }
    let failed = checks.filter { !$0.passes }
    var table = Table(columns: [
      "process", "subject", "quantity", "found", "expected", "error", "tolerance", "",
    ])
    for check in checks {
      table.append([
        check.process, check.subject, check.quantity,
        NumberText.significant(check.found, digits: 9),
        NumberText.significant(check.expected, digits: 9),
        NumberText.significant(check.error, digits: 2),
        NumberText.significant(check.tolerance, digits: 2), check.passes ? "ok" : "FAILS",
      ])
    }
    try session.finish(
      .object([
        ("checks", .integer(checks.count)), ("failed", .integer(failed.count)),
        (
          "failures",
          .array(
            failed.map {
              .object([
                ("process", .string($0.process)), ("subject", .string($0.subject)),
                ("quantity", .string($0.quantity)), ("found", .number($0.found)),
                ("expected", .number($0.expected)), ("tolerance", .number($0.tolerance)),
              ])
            })
        ),
      ]), table.text + "\n\(checks.count) checks, \(failed.count) failed")
    if let first = failed.first {
      throw CommandError.failure(
        "\(failed.count) of \(checks.count) checks failed, the first: \(first.quantity) of \(first.subject) under \(first.process) is \(first.found), expected \(first.expected) within \(first.tolerance)"
      )
    }
  }
}

/// One comparison with a closed form.
struct Check {
  let process: String
  let subject: String
  let quantity: String
  let found: Double
  let expected: Double
  /// The largest absolute error that passes.
  let tolerance: Double

  var error: Double { abs(found - expected) }
  var passes: Bool { error <= tolerance }
}

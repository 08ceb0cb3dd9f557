import ScoreSDE

/// What ends a command early: one sentence and an exit status.
struct CommandError: Error, CustomStringConvertible {
  /// 2 for wrong usage, 128 and its number for a signal, 1 for everything else.
  let status: Int32
  let description: String

  /// Wrong usage: an option or its value.
  static func usage(_ sentence: String) -> CommandError {
    CommandError(status: 2, description: sentence)
  }

  /// A failure that the options are not to blame for: data, files, numbers.
  static func failure(_ sentence: String) -> CommandError {
    CommandError(status: 1, description: sentence)
  }

  /// Work that ended early on a signal, in good order.
  static func stopped(by signal: Interruption, _ sentence: String) -> CommandError {
    CommandError(status: signal.status, description: sentence)
  }
}

/// Runs `body`; an error thrown in it is wrong usage of `option`.
func asUsage<R>(of option: String, _ body: () throws -> R) throws -> R {
  do {
    return try body()
  } catch let error as CommandError {
    throw error
  } catch {
    throw CommandError.usage("\(option): \(error)")
  }
}

extension SamplingResult {
  /// - Throws: where a sample did not finish, with why.
  func checkFinished() throws {
    if let bad = status.firstIndex(where: { !$0.isFinished }) {
      throw CommandError.failure("sample \(bad) did not finish: \(status[bad])")
    }
  }
}

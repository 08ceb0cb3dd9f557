/// Why and where a program stopped, read from what the Swift run time wrote about it.
package struct CrashReport: Equatable {
  /// The reason, without a full stop; nil where the run time gave none.
  package var reason: String?

  /// The line of the page that was running; nil where the run time did not say.
  package var line: Int?

  /// Reads the reason and the place of a crash.
  ///
  /// - Parameters:
  ///   - errorLines: What the program wrote to its standard error.
  ///   - backtrace: The backtrace that the run time wrote, empty if it wrote none.
  ///   - path: The page as the program knows it.
  package init(errorLines: [String], backtrace: String, path: String) {
    let lines = backtrace.split(whereSeparator: \.isNewline).map(String.init)
    reason =
      errorLines.lazy.compactMap(Self.fatalReason).first
      ?? (lines + errorLines).lazy.compactMap(Self.runtimeFailure).first
      ?? Self.trap(lines)
    line = lines.lazy.compactMap { Self.line(in: $0, of: path) }.first
  }

  /// Whether the Swift run time, and not the page, wrote this line to the standard error.
  package static func isRuntimeLine(_ line: String) -> Bool {
    // The report of a crash has empty lines in it.
    line.isEmpty || fatalReason(line) != nil || line.hasPrefix("*** ")
      || line.hasPrefix("swift-runtime: ")
  }

  private static func fatalReason(_ line: String) -> String? {
    guard let mark = line.firstRange(of: ": Fatal error: ") else { return nil }
    let reason = String(line[mark.upperBound...])
    let thrown = "Error raised at top level: "
    return reason.hasPrefix(thrown)
      ? "an error was thrown and not caught: \(reason.dropFirst(thrown.count))" : reason
  }

  private static func runtimeFailure(_ line: String) -> String? {
    let mark = "*** Swift runtime failure: "
    guard line.hasPrefix(mark) else { return nil }
    return String(line.dropFirst(mark.count)).replacing(" ***", with: "")
  }

  /// The function on top of the stack, where the run time knows no more than that it trapped.
  private static func trap(_ backtrace: [String]) -> String? {
    guard let frame = backtrace.first(where: { $0.hasPrefix("  0 ") }),
      let address = frame.firstRange(of: "0x"),
      let space = frame[address.lowerBound...].firstIndex(of: " ")
    else { return nil }
    // The name of a closure has an "in" of its own, before the one of the module.
    let place = frame[space...].firstRange(of: " at ")?.lowerBound ?? frame.endIndex
    guard let end = frame[space..<place].ranges(of: " in ").last else { return nil }
    let function = frame[space..<end.lowerBound].trimmed
    let failure = "Swift runtime failure: "
    if function.hasPrefix(failure) { return String(function.dropFirst(failure.count)) }
    let specialized = "specialized "
    let name =
      function.hasPrefix(specialized) ? function.dropFirst(specialized.count) : function[...]
    return "a check failed in \(name)"
  }

  private static func line(in frame: String, of path: String) -> Int? {
    guard let mark = frame.firstRange(of: " at \(path):") else { return nil }
    return Int(frame[mark.upperBound...].prefix { $0.isNumber })
  }
}

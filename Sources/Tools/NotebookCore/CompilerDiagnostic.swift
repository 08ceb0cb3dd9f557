/// An error or a warning that the compiler printed.
package struct CompilerDiagnostic: Equatable {
  /// How bad it is.
  package enum Severity: String {
    case error, warning
  }

  /// The file as the compiler names it; nil for an error of the build as a whole.
  package var file: String?

  /// The line in `file`, counted from 1.
  package var line: Int?

  /// How bad it is.
  package var severity: Severity

  /// What the compiler says.
  package var message: String

  /// Reads the diagnostics in the output of a build, each once, in order.
  package static func all(in output: String) -> [CompilerDiagnostic] {
    var found: [CompilerDiagnostic] = []
    for line in output.split(whereSeparator: \.isNewline) {
      guard let diagnostic = CompilerDiagnostic(String(line)), !found.contains(diagnostic) else {
        continue
      }
      found.append(diagnostic)
    }
    return found
  }

  /// Reads `file:line:column: error: message` or `error: message`; nil for any other text.
  init?(_ text: String) {
    for severity in [Severity.error, .warning] {
      if text.hasPrefix("\(severity.rawValue): ") {
        self.severity = severity
        message = String(text.dropFirst(severity.rawValue.count + 2))
        return
      }
      guard let mark = text.firstRange(of: ": \(severity.rawValue): ") else { continue }
      let place = text[..<mark.lowerBound].split(separator: ":", omittingEmptySubsequences: false)
      guard place.count >= 3, let line = Int(place[place.count - 2]),
        Int(place[place.count - 1]) != nil
      else { continue }
      file = place.dropLast(2).joined(separator: ":")
      self.line = line
      self.severity = severity
      message = String(text[mark.upperBound...])
      return
    }
    return nil
  }
}

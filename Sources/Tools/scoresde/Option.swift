/// One option of a command: its name, what its value is called, and a line of help.
struct Option: Sendable {
  let name: String
  /// The value's name in the help; nil for a flag.
  let value: String?
  let help: String

  init(_ name: String, _ value: String? = nil, _ help: String) {
    self.name = name
    self.value = value
    self.help = help
  }

  /// The options that every command takes.
  static let common = [
    Option("--json", nil, "print one JSON object on standard output, last"),
    Option("--threads", "N", "threads to use (default: the machine's processors)"),
    Option("--scalar", "TYPE", "float32 (default) or float64"),
    Option("--quiet", nil, "no progress"),
    Option("--help", nil, "print this help"),
  ]
}

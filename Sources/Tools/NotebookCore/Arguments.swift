/// The command line of the tool.
package struct Arguments: Equatable {
  /// What is to be done with the pages.
  package enum Verb: String, CaseIterable, Sendable {
    case weave, check, run
  }

  /// What is to be done with the pages.
  package var verb: Verb

  /// Pages and folders of pages; none for all of notebooks-md.
  package var paths: [String] = []

  /// The folder of the package that the pages are about; nil for the one around the current folder.
  package var packagePath: String?

  /// Whether to keep quiet about progress.
  package var isQuiet = false

  /// A command line of one word.
  package init(verb: Verb) {
    self.verb = verb
  }

  /// How the tool is used.
  package static let usage = """
    usage: notebook weave|check|run [--package-path DIR] [--quiet] [PAGE.md or FOLDER …]

      weave   run the pages and write what their blocks print and draw below the blocks
      check   run the pages and fail, showing the difference, where a page is not as weave leaves it
      run     run the pages and print what they print

    Without a page, all pages in notebooks-md are taken. notebooks-md/README.md tells how a page is
    written. The exit status is 0, 1 for a failure or a stale page, and 2 for wrong usage.

    """

  /// Reads the arguments that follow the tool's name; throws a failure for wrong usage, and gives
  /// nil where help is asked for.
  package static func parse(_ words: [String]) throws(Failure) -> Arguments? {
    if words.contains("--help") || words.contains("-h") { return nil }
    let verbs = "weave, check or run"
    guard let first = words.first else {
      throw Failure("nothing to do was named; expected \(verbs)")
    }
    guard let verb = Verb(rawValue: first) else {
      throw Failure("unknown command \"\(first)\"; expected \(verbs)")
    }
    var arguments = Arguments(verb: verb)
    var rest = words.dropFirst()
    while let word = rest.popFirst() {
      switch word {
      case "--quiet", "-q":
        arguments.isQuiet = true
      case "--package-path":
        guard let path = rest.popFirst() else {
          throw Failure("--package-path must be followed by a folder")
        }
        arguments.packagePath = path
      case _ where word.hasPrefix("-"):
        throw Failure("unknown option \"\(word)\"; expected --package-path or --quiet")
      default:
        arguments.paths.append(word)
      }
    }
    return arguments
  }
}

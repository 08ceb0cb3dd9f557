import NotebookCore
import Testing

@Suite("The command line")
struct ArgumentsTests {
  @Test("Verbs, options and paths, in any order")
  func valid() throws {
    var expected = Arguments(verb: .check)
    #expect(try Arguments.parse(["check"]) == expected)
    expected.paths = ["a.md", "b"]
    expected.packagePath = "c"
    expected.isQuiet = true
    #expect(
      try Arguments.parse(["check", "a.md", "--quiet", "--package-path", "c", "b"]) == expected)
    #expect(try Arguments.parse(["weave", "--help"]) == nil)
  }

  @Test(
    "Wrong usage is named",
    arguments: [
      ([], "nothing to do was named; expected weave, check or run"),
      (["wave"], "unknown command \"wave\"; expected weave, check or run"),
      (["weave", "--foo"], "unknown option \"--foo\"; expected --package-path or --quiet"),
      (["run", "--package-path"], "--package-path must be followed by a folder"),
    ])
  func wrong(words: [String], sentence: String) {
    #expect(throws: Failure(sentence)) { try Arguments.parse(words) }
  }
}

import NotebookCore
import Testing

@Suite("Reading what the compiler and the run time say")
struct MessagesTests {
  @Test("Diagnostics are found among other lines, each once")
  func diagnostics() {
    let output = """
      [3/4] Compiling Page_a main.swift
      notebooks-md/a.md:31:46: error: cannot find 'x' in scope
      30 | let y = x
         |         `- error: cannot find 'x' in scope
      notebooks-md/a.md:31:46: error: cannot find 'x' in scope
      /tmp/b:c.md:7:1: warning: found: error: in a text
      error: link command failed
      """
    let found = CompilerDiagnostic.all(in: output)
    #expect(found.map(\.file) == ["notebooks-md/a.md", "/tmp/b:c.md", nil])
    #expect(found.map(\.line) == [31, 7, nil])
    #expect(found.map(\.severity) == [.error, .warning, .error])
    #expect(
      found.map(\.message) == [
        "cannot find 'x' in scope", "found: error: in a text", "link command failed",
      ])
  }

  @Test("A message of its own and the line of the page")
  func fatalError() {
    let backtrace = """
      *** Program crashed: Illegal instruction at 0x00007f1dd5af9361 ***

      Thread 4 "-qos.overcommit" crashed:

        0                  0x00007f1dd5af9361 _assertionFailure(_:_:file:line:flags:) + 225 in lib.so
        1 [ra]             0x00005622eb72bf44 main + 659 in Page_a at notebooks-md/a.md:57:17
      """
    let crash = CrashReport(
      errorLines: ["a line", "Page_a/a.md:57: Fatal error: bad thing"], backtrace: backtrace,
      path: "notebooks-md/a.md")
    #expect(crash.reason == "bad thing")
    #expect(crash.line == 57)
  }

  @Test("A failure that the optimiser left a note of")
  func runtimeFailure() {
    let backtrace = """
      *** Swift runtime failure: arithmetic overflow ***

        0 [inlined] [system] 0x000055c46ffe815c Swift runtime failure: arithmetic overflow in P at //x
        1                    0x000055c46ffe815c main + 1196 in Page_a at /tmp/a b.md:59:34
        2                    0x000055c46ffe815c main + 1196 in Page_a at /tmp/a b.md:70:1
      """
    let crash = CrashReport(errorLines: [], backtrace: backtrace, path: "/tmp/a b.md")
    #expect(crash.reason == "arithmetic overflow")
    #expect(crash.line == 59)
  }

  @Test("A bare trap is named after the function on top")
  func trap() {
    let frame =
      "  0 [inlined] [system] 0x000055a05a90e0cf closure #1 in Gaussian.sample(_:) in Page_a at //<c>"
    let crash = CrashReport(errorLines: [], backtrace: frame, path: "a.md")
    #expect(crash.reason == "a check failed in closure #1 in Gaussian.sample(_:)")
    #expect(crash.line == nil)
    let array =
      "  0 [system] 0x000055a05a90e0cf specialized Array.subscript.getter in Page_a at //<c>"
    #expect(
      CrashReport(errorLines: [], backtrace: array, path: "a.md").reason
        == "a check failed in Array.subscript.getter")
  }

  @Test("An error that nobody caught")
  func thrown() {
    let line = "Swift/ErrorType.swift:254: Fatal error: Error raised at top level: My.Oops()"
    let crash = CrashReport(errorLines: [line], backtrace: "", path: "a.md")
    #expect(crash.reason == "an error was thrown and not caught: My.Oops()")
    #expect(CrashReport.isRuntimeLine(line))
    #expect(!CrashReport.isRuntimeLine("step 12: loss 0.25"))
    #expect(CrashReport(errorLines: [], backtrace: "", path: "a.md").reason == nil)
  }
}

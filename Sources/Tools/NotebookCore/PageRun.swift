import Foundation
import Synchronization

/// One run of a page's program.
struct PageRun {
  private let program: PageProgram
  private let folders: (work: URL, figures: URL, backtrace: URL)
  private let executable: URL
  private let progress: ProgressLine

  private var outputs: [BlockOutput]
  private var figures: [(name: String, format: Figure.Format, caption: String, block: Int)] = []
  private var block = -1
  private var complaint: Failure?
  private var hasEnded = false

  /// Prepares to run `program` as built in `package`.
  init(_ program: PageProgram, in package: PagesPackage, progress: ProgressLine) {
    self.program = program
    self.progress = progress
    folders = package.runFolders(of: program)
    executable = package.executable(of: program)
    outputs = Array(repeating: BlockOutput(), count: program.page.blocks.count)
  }

  private var page: Page { program.page }

  /// Runs the program and gives what each block printed and drew; `onText` gets the text at once.
  ///
  /// The program runs in a folder that is empty at the start. It throws where a block fails, with
  /// its line on the page.
  mutating func outputs(onText: (String) -> Void) throws(Failure) -> [BlockOutput] {
    try Files.makeEmptyFolder(folders.work)
    try Files.makeEmptyFolder(folders.figures)
    try? FileManager.default.removeItem(at: folders.backtrace)

    let token = String(UInt64.random(in: .min ... .max), radix: 36)
    let process = Subprocess(
      executable: executable.path, directory: folders.work,
      environment: [
        Prelude.tokenVariable: token,
        Prelude.figuresVariable: folders.figures.path,
        "SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no,threads=crashed,registers=none,"
          + "images=none,output-to=\(folders.backtrace.path)",
      ])
    let errorLines = ErrorLines()
    var transcript = Transcript(token: token)
    let ending = try process.run(
      onOutput: { bytes in
        for event in transcript.read(bytes) { handle(event, onText) }
      },
      onErrorLine: { [progress] line in
        errorLines.append(line)
        if !CrashReport.isRuntimeLine(line) { progress.note(line) }
      })
    for event in transcript.finish() { handle(event, onText) }
    progress.clear()

    if let complaint { throw complaint }
    if ending != .exit(0) || !hasEnded { throw failure(ending, errorLines.all) }
    return outputs
  }

  private mutating func handle(_ event: Transcript.Event, _ onText: (String) -> Void) {
    switch event {
    case .begin(let index):
      block = index
      let line = page.blocks.indices.contains(index) ? page.blocks[index].line : 0
      progress.status("\(page.path):\(line): block \(index + 1) of \(page.blocks.count)")
    case .text(let text, let block):
      // What a global's initialiser prints before the first block belongs to that block.
      outputs[max(0, block)].append(text: text)
      progress.clear()
      onText(text)
    case .figure(let name, let format, let caption, let line):
      add(name, format, caption, line)
    case .fail(let sentence, let line):
      complaint = complaint ?? Failure(sentence, file: page.path, line: line)
    case .end:
      hasEnded = true
    }
  }

  private mutating func add(
    _ name: String, _ format: Figure.Format, _ caption: String, _ line: Int
  ) {
    if outputs.contains(where: { $0.figures.contains { $0.name == name } }) {
      complaint =
        complaint
        ?? Failure(
          "the figure \"\(name)\" is shown twice; each name may be used once", file: page.path,
          line: line)
      return
    }
    let file = folders.figures.appendingPathComponent("\(name).\(format.rawValue)")
    guard let data = try? Data(contentsOf: file) else {
      complaint =
        complaint ?? Failure("the figure \"\(name)\" was not written", file: page.path, line: line)
      return
    }
    outputs[max(0, block)].append(
      Figure(name: name, format: format, caption: caption, bytes: [UInt8](data)))
  }

  /// What to say of a program that stopped before its end.
  private func failure(_ ending: Subprocess.Ending, _ errorLines: [String]) -> Failure {
    let backtrace = (try? String(contentsOf: folders.backtrace, encoding: .utf8)) ?? ""
    let crash = CrashReport(errorLines: errorLines, backtrace: backtrace, path: page.path)
    let start = page.blocks.indices.contains(block) ? page.blocks[block].line : nil
    let reason =
      switch ending {
      case .exit(let status): "it left with exit status \(status) before the page's end"
      case .signal(let signal): crash.reason ?? "signal \(signal) ended it"
      }
    if case .signal = ending, let line = crash.line {
      return Failure("the page stopped here: \(reason)", file: page.path, line: line)
    }
    return Failure(
      "the page stopped in the block that starts here: \(reason)", file: page.path, line: start)
  }
}

/// The lines that a program wrote to its standard error, gathered on another thread.
private final class ErrorLines: Sendable {
  private let lines = Mutex<[String]>([])

  func append(_ line: String) {
    lines.withLock { $0.append(line) }
  }

  var all: [String] {
    lines.withLock { $0 }
  }
}

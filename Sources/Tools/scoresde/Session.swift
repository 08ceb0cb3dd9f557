import Foundation
import ScoreSDE

/// What every command has: its options, the threads, and where progress and results go.
struct Session {
  private(set) var arguments: Arguments
  let pool: ThreadPool
  let quiet: Bool
  /// Whether one JSON object ends the output.
  let wantsJSON: Bool

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    pool = ThreadPool(threads: try arguments.threads)
    quiet = arguments.has("--quiet")
    wantsJSON = arguments.has("--json")
    _ = try arguments.isDouble
  }

  /// The same with other values of options.
  func replacing(_ values: [String: String]) -> Session {
    var session = self
    session.arguments.replace(values)
    return session
  }

  /// A line on standard error that tells what the command is at; `--quiet` leaves it out, as it does bars.
  func say(_ line: String) {
    if !quiet { Console.say(line + "\n") }
  }

  /// A line on standard error that people should know of, as results may not be what they take them for.
  func remark(_ line: String) { Console.say(line + "\n") }

  /// A bar on standard error.
  func progress(_ title: String) -> ProgressBar { ProgressBar(title, quiet: quiet) }

  /// Prints the results: one JSON object where it is asked for, else `text`.
  /// - Throws: where standard output does not take them.
  func finish(_ json: @autoclosure () -> JSON, _ text: @autoclosure () -> String) throws {
    try Console.result(wantsJSON ? json().text : text())
  }

  /// The process that `--sde` names, `vp` by default.
  func process() throws -> any LinearProcess {
    try asUsage(of: "--sde") { try ProcessSpec.process(arguments.text("--sde") ?? "vp") }
  }

  /// Checks before any work that a file can be written where `option` says.
  func checkWritable(
    _ option: String, extensions: [String], takesFolder: Bool = false
  ) throws -> String? {
    guard let path = arguments.text(option) else { return nil }
    let files = [
      "--data", "--with", "--against", "--from", "--class", "--given", "--observe", "--out",
      "--against-out", "--trajectory", "--latents",
    ]
    for other in files where other != option {
      guard let text = arguments.text(other), FilePlace.isSame(DataSource.file(of: text), path)
      else { continue }
      throw CommandError.usage("\(option) and \(other) are one file, \(path); expected two")
    }
    if takesFolder, PictureFolder<Float>.isNamed(by: path) {
      if let reason = PictureFolder<Float>.reason(against: path) {
        throw CommandError.failure("\(option) is \(path), but \(reason)")
      }
      return path
    }
    guard extensions.contains(where: { path.hasSuffix("." + $0) }) else {
      throw CommandError.usage(
        "\(option) is \(path); expected a name that ends in \(extensions.map { "." + $0 }.joined(separator: ", "))\(takesFolder ? ", or in / for a folder of pictures" : "")"
      )
    }
    guard !FilePlace.isFolder(path) else {
      throw CommandError.failure("\(option) is \(path), which is a folder; expected a file")
    }
    let folder = FilePlace.folder(of: path)
    let run = RunFolder(folder)
    guard !run.exists || !FilePlace.isSame(path, run.checkpointPath) else {
      throw CommandError.usage(
        "\(option) is \(path), the checkpoint of a training run; expected another file")
    }
    if let reason = FilePlace.reasonAgainstFiles(in: folder) {
      throw CommandError.failure("\(option) is \(path), but \(folder) \(reason)")
    }
    return path
  }

  /// Makes the folder of a command's results, which may not be a training run's.
  func makeFolder(_ path: String, for option: String) throws {
    guard !RunFolder(path).exists else {
      throw CommandError.usage(
        "\(option) is \(path), which holds a training run; expected another folder")
    }
    try AtomicFile.makeFolder(path)
    if let reason = FilePlace.reasonAgainstFiles(in: path) {
      throw CommandError.failure("\(option): \(path) \(reason)")
    }
  }

  /// Checks before any work that samples, and `states` of each on the way, would fit into the machine's memory.
  ///
  /// A number is held about four times: as it is drawn, joined to others, in the data's units and as bytes of a file. How each
  /// sample's solve went takes some 40 bytes more.
  func checkMemory(
    samples: Int, numbers: Int, states: Int = 0, scalarSize: Int, of what: String
  ) throws {
    let row = 4 * Double(numbers) * Double(scalarSize) * Double(1 + states) + 40
    let (needed, there) = (
      Double(samples) * row, Double(ProcessInfo.processInfo.physicalMemory)
    )
    guard needed <= there else {
      func gigabytes(_ bytes: Double) -> String { NumberText.significant(bytes / 1e9, digits: 2) }
      throw CommandError.usage(
        "\(what) would take \(gigabytes(needed)) GB, but this machine has \(gigabytes(there)) GB of memory; ask for fewer"
      )
    }
  }
}

import Foundation
import ScoreSDE
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A temporary folder that the built `scoresde` is run in.
final class Workbench {
  /// What a run of the tool came to.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// What the one JSON object says that ends the output.
    /// - Throws: where there is none or a second one, or where a key that `Report` names is missing.
    func report<Report: Decodable>(as type: Report.Type = Report.self) throws -> Report {
      try #require(status == 0, "\(errors)")
      let lines = output.split(separator: "\n")
      try #require(lines.filter { $0.hasPrefix("{") }.count == 1, "\(output)")
      return try JSONDecoder().decode(Report.self, from: Data(try #require(lines.last).utf8))
    }
  }

  /// The tool, which is built into the folder of the test bundle: a program on Linux, a folder that one loads on macOS.
  private static let executable: URL = {
    #if canImport(Darwin)
      let bundle = Bundle(for: Workbench.self).bundleURL
    #else
      let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    #endif
    return bundle.deletingLastPathComponent().appendingPathComponent("scoresde")
  }()

  private let place = FileManager.default.temporaryDirectory
    .appendingPathComponent("scoresde-tests-\(UUID().uuidString)", isDirectory: true)

  /// Makes the folder, with these files in it.
  init(_ files: [String: Data] = [:]) throws {
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    for (name, content) in files { try write(content, to: name) }
  }

  deinit { try? FileManager.default.removeItem(at: place) }

  /// Runs the tool in the folder, with words parted by spaces.
  func scoresde(_ words: String) throws -> Outcome {
    try scoresde(words.split(separator: " ").map(String.init))
  }

  func scoresde(_ words: [String]) throws -> Outcome {
    let (process, outcome) = try run(words) { _, _ in }
    try #require(process.terminationReason == .exit, "\(words) ended by a signal")
    return outcome
  }

  /// Runs the tool until there is such a file, and kills it there.
  func scoresde(_ words: String, killedOnceThereIs name: String) throws {
    _ = try scoresde(words, sent: [SIGKILL], onceThereIs: name)
  }

  /// Runs the tool until there is such a file, and sends it signals, the second a little after the first.
  /// - Returns: the outcome, whose status is that of a shell where a signal ended the tool: 128 and its number.
  func scoresde(
    _ words: String, sent signals: [Int32], onceThereIs name: String
  ) throws -> (outcome: Outcome, endedBySignal: Bool) {
    try scoresde(words, sent: signals) { _ in
      FileManager.default.fileExists(atPath: path(name))
    }
  }

  /// Runs the tool until it says something on standard error, and sends it a signal.
  func scoresde(
    _ words: String, sent signal: Int32, onceItSays text: String
  ) throws -> (outcome: Outcome, endedBySignal: Bool) {
    try scoresde(words, sent: [signal]) { errors in
      (try? String(contentsOf: errors, encoding: .utf8))?.contains(text) == true
    }
  }

  private func scoresde(
    _ words: String, sent signals: [Int32], once isReady: (_ errors: URL) -> Bool
  ) throws -> (outcome: Outcome, endedBySignal: Bool) {
    let (process, outcome) = try run(words.split(separator: " ").map(String.init)) {
      process, errors in
      while process.isRunning, !isReady(errors) { usleep(1000) }
      for (place, signal) in signals.enumerated() {
        if place > 0 { usleep(50_000) }
        kill(process.processIdentifier, signal)
      }
    }
    return (outcome, process.terminationReason == .uncaughtSignal)
  }

  private func run(
    _ words: [String], meanwhile body: (_ process: Process, _ errors: URL) throws -> Void
  ) throws -> (Process, Outcome) {
    // Outside of the folder, so that what the tool leaves behind is seen apart.
    let streams = try ["output", "errors"].map { name in
      let url = place.deletingLastPathComponent()
        .appendingPathComponent("\(place.lastPathComponent)-\(name)-\(UUID().uuidString)")
      try Data().write(to: url)
      return url
    }
    defer { for url in streams { try? FileManager.default.removeItem(at: url) } }
    let process = try start(
      words, output: FileHandle(forWritingTo: streams[0]),
      errors: FileHandle(forWritingTo: streams[1]))
    try body(process, streams[1])
    process.waitUntilExit()
    let texts = try streams.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    let status = process.terminationStatus
    return (
      process,
      Outcome(
        status: process.terminationReason == .exit ? status : 128 + status, output: texts[0],
        errors: texts[1])
    )
  }

  private func start(
    _ words: [String], output: FileHandle, errors: FileHandle
  ) throws -> Process {
    // A shell has what it starts in the background ignore interrupts, and threads of a pool block signals: a child would as well.
    signal(SIGINT, SIG_DFL)
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    let process = Process()
    process.executableURL = Self.executable
    process.arguments = words
    process.currentDirectoryURL = place
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return process
  }

  /// Runs the tool and gives what it reports.
  func report<Report: Decodable>(
    _ words: String, as type: Report.Type = Report.self
  ) throws -> Report {
    try scoresde(words + " --json --quiet").report()
  }

  /// The path of a file in the folder.
  func path(_ name: String) -> String { place.appendingPathComponent(name).path }

  func write(_ content: Data, to name: String) throws {
    let url = place.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: url)
  }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: place.appendingPathComponent(name))
  }

  /// The entries of a file of numbers.
  func numbers(_ name: String) throws -> [Double] {
    try NPY.read(path(name), as: Double.self).scalars
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(at: place.appendingPathComponent(name))
  }

  /// Everything in the folder, hidden files too: the content of each file, nothing for a folder.
  func contents() throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: place.path) {
      found[name] = (try? data(name)) ?? Data()
    }
    return found
  }
}

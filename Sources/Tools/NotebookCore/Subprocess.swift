import Foundation

/// A program that runs beside this one and whose output is read while it does.
struct Subprocess {
  /// The program's path.
  var executable: String

  /// Its arguments.
  var arguments: [String] = []

  /// The folder in which it runs.
  var directory: URL

  /// What is added to this program's own environment.
  var environment: [String: String] = [:]

  /// How a program ended.
  enum Ending: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  /// Runs the program to its end.
  ///
  /// `onOutput` gets its output in pieces as they come, on the calling thread; `onErrorLine` gets
  /// the lines of its standard error on another.
  func run(
    onOutput: (ArraySlice<UInt8>) -> Void, onErrorLine: @escaping @Sendable (String) -> Void
  ) throws(Failure) -> Ending {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = directory
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    do {
      try process.run()
    } catch {
      throw Failure("\(executable) cannot be started: \(error.localizedDescription)")
    }
    let errorsAreRead = DispatchGroup()
    let errorFile = Descriptor(errors.fileHandleForReading.fileDescriptor)
    DispatchQueue.global().async(group: errorsAreRead) {
      Self.readLines(of: errorFile, onErrorLine)
    }
    let outputFile = Descriptor(output.fileHandleForReading.fileDescriptor)
    while case let bytes = outputFile.read(), !bytes.isEmpty { onOutput(bytes) }
    errorsAreRead.wait()
    process.waitUntilExit()
    // The numbers above are good for as long as the pipes that own them.
    withExtendedLifetime((output, errors)) {}
    let status = process.terminationStatus
    return process.terminationReason == .exit ? .exit(status) : .signal(status)
  }

  private static func readLines(of file: Descriptor, _ onLine: (String) -> Void) {
    var pending: [UInt8] = []
    while case let bytes = file.read(), !bytes.isEmpty {
      pending += bytes
      while let end = pending.firstIndex(of: 0x0A) {
        onLine(String(decoding: pending[..<end], as: UTF8.self))
        pending.removeFirst(end + 1)
      }
    }
    if !pending.isEmpty { onLine(String(decoding: pending, as: UTF8.self)) }
  }
}

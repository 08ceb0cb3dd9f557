import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The standard output and the standard error of the tool.
///
/// Either may be closed or full. What people watch is then lost, and the work goes on; lost results are a failure.
enum Console {
  /// Makes a reader that has gone away an error like any other, rather than the end of the program.
  static func outliveReaders() { signal(SIGPIPE, SIG_IGN) }

  /// Has files that grow beyond the shell's limit fail to be written, as on a full disk, and not end the program.
  static func outliveLimits() { signal(SIGXFSZ, SIG_IGN) }

  /// A line of results.
  /// - Throws: `CommandError` where standard output does not take all of it.
  static func result(_ text: String) throws(CommandError) {
    guard write(text + "\n", to: 1) else {
      throw .failure(
        "standard output does not take the results: \(String(cString: strerror(errno)))")
    }
  }

  /// Text for people, as far as standard error takes it.
  static func say(_ text: String) { _ = write(text, to: 2) }

  private static func write(_ text: String, to number: Int32) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(number, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        var place = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        poll(&place, 1, -1)
        continue
      }
      if count <= 0 { return false }
      bytes = bytes.dropFirst(count)
    }
    return true
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system says of files.
package enum FileReason {
  /// Why a file or folder that is there cannot be read, in the system's words.
  package static func againstReading(_ path: String) -> String {
    // What waits for another program to write is not waited for.
    let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return String(cString: strerror(errno)) }
    defer { close(file) }
    var byte: UInt8 = 0
    return read(file, &byte, 1) < 0 ? String(cString: strerror(errno)) : "its end is out of reach"
  }
}

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes whole files so that a reader, or a crash, never meets half of one.
public enum AtomicFile {
  /// Writes bytes to a temporary name beside `path`, then renames it; on failure nothing is left or changed.
  /// - Throws: `FileError` that names the path and the reason.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let temporary = path + ".part-\(getpid())"
    guard let file = fopen(temporary, "wb") else {
      throw FileError("cannot write \(path): \(String(cString: strerror(errno)))")
    }
    let written = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
    var reason = written == bytes.count && fflush(file) == 0 && fsync(fileno(file)) == 0 ? 0 : errno
    if fclose(file) != 0 && reason == 0 { reason = errno }
    if reason == 0 && rename(temporary, path) != 0 { reason = errno }
    if reason != 0 || written != bytes.count {
      unlink(temporary)
      throw FileError("cannot write \(path): \(String(cString: strerror(reason)))")
    }
  }

  /// Writes text as UTF-8 to a temporary name beside `path`, then renames it.
  /// - Throws: `FileError` that names the path and the reason.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }
}

/// An error of reading or writing a file: one sentence with the path, what was found and what was expected.
public struct FileError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}

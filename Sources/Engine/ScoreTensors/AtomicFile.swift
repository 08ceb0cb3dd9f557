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
  /// Writes bytes to a temporary name beside `path`, or beside what it links to, then renames it; on failure nothing is left
  /// or changed. What is there and no regular file is refused.
  /// - Throws: `FileError` that names the path and the reason.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    if let reason = failure(writing: bytes, to: path) {
      throw FileError("cannot write \(path): \(reason)")
    }
  }

  /// Writes bytes like `write`; the reason where that fails, for those who have errors of their own.
  package static func failure(writing bytes: [UInt8], to path: String) -> String? {
    // What a link leads to is written, so that the link stays; where it leads nowhere yet, the name is replaced.
    let resolved = realpath(path, nil)
    defer { free(resolved) }
    let path = resolved.map { String(cString: $0) } ?? path
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      return status.st_mode & S_IFMT == S_IFDIR ? "it is a folder" : "it is not a regular file"
    }
    // The name differs between processes and between threads of one, and is no longer than a name may be.
    let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let temporary = folder(of: path) + "/.\(random).tmp"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { return String(cString: strerror(errno)) }
    var reason: Int32 = 0
    var written = 0
    while reason == 0, written < bytes.count {
      let step = bytes.withUnsafeBytes {
        pwrite(file, $0.baseAddress.map { $0 + written }, $0.count - written, off_t(written))
      }
      if step > 0 {
        written += step
      } else if step == 0 || errno != EINTR {
        reason = step == 0 ? EIO : errno
      }
    }
    // A rename before the data are on the disk could leave an empty file after a power cut.
    if reason == 0, fsync(file) != 0 { reason = errno }
    if close(file) != 0, reason == 0 { reason = errno }
    if reason == 0, rename(temporary, path) != 0 { reason = errno }
    guard reason != 0 else { return nil }
    unlink(temporary)
    return String(cString: strerror(reason))
  }

  /// The folder that a file or folder lies in.
  package static func folder(of path: String) -> String {
    // Not by Foundation, which traps on names of one character on Linux.
    guard let end = path.lastIndex(of: "/") else { return "." }
    return end == path.startIndex ? "/" : String(path[..<end])
  }

  /// Makes a folder and those that it lies in, where they are not there.
  /// - Throws: `FileError` that says what is in the way.
  public static func makeFolder(_ path: String) throws(FileError) {
    guard !path.isEmpty else { throw FileError("the folder's name is empty; expected a path") }
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made.hasSuffix("/") ? part : "/" + part
      let status = mkdir(made, 0o777)
      let reason = errno
      if status == 0 { continue }
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: made, isDirectory: &isFolder)
      if exists, isFolder.boolValue { continue }
      throw FileError(
        "cannot make the folder \(path): "
          + (exists ? "\(made) is a file" : String(cString: strerror(reason))))
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

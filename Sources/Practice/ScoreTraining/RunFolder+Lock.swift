import Foundation
import ScoreTensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension RunFolder {
  /// Does something with the folder, which must be there, while no other process does so.
  ///
  /// The lock is the kernel's, on the folder itself: it leaves nothing there, and ends with the process that has it, however that
  /// ends. Nothing waits for it. On a file system without locks there is none.
  /// - Throws: `FileError` where another process has the folder, and where it cannot be opened; and what `body` throws.
  package func alone<Result>(_ body: () throws -> Result) throws -> Result {
    let descriptor = opened
    guard descriptor >= 0 else {
      throw FileError("cannot open the folder \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      throw FileError(
        "another process trains in \(path); expected it to end first, or another folder")
    }
    return try body()
  }

  /// Whether another process has the folder at this moment.
  package var isInUse: Bool {
    let descriptor = opened
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  private var opened: Int32 { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
}

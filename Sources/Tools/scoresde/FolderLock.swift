#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A folder that this process has for itself until it ends, though the folder may come to be on the way.
///
/// The lock is the kernel's, as that of a training on its run: it leaves nothing in the folder. On a file system without locks
/// there is none.
final class FolderLock {
  let path: String
  private var descriptor: Int32 = -1

  init(_ path: String) { self.path = path }

  /// Takes the folder, if it is there.
  /// - Throws: where another process has it.
  func take() throws {
    guard descriptor < 0 else { return }
    let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { return }
    if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(opened)
      throw CommandError.failure(
        "another process works in \(path); expected it to end first, or another folder")
    }
    descriptor = opened
  }
}

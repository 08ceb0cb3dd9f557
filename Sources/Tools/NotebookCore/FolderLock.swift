import Foundation

/// Keeps two runs of the tool from writing the same folder at once.
enum FolderLock {
  /// Does `body` while no other run holds the lock of `folder`; tells with `onWait` if it has to
  /// wait for one.
  static func hold<Result>(
    _ folder: URL, onWait: () -> Void, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try Files.makeFolder(folder)
    let path = folder.appendingPathComponent("lock").path
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw Failure("cannot be written: \(String(cString: strerror(errno)))", file: path)
    }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      onWait()
      while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    }
    return try body()
  }
}

import Foundation

/// Whole files in memory, read and written with errors that say what is wrong.
public enum FileBytes {
  /// The bytes of a file.
  /// - Throws: `missing`, `unreadable` or, where the file has no bytes, `empty`.
  public static func read(_ path: String) throws(DataError) -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(.missing, path, "there is no such file")
    }
    guard !isFolder.boolValue else {
      throw DataError(.wrongFormat, path, "this is a folder, where a file was expected")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataError(.unreadable, path, "the file cannot be read")
    }
    guard !data.isEmpty else { throw DataError(.empty, path, "the file is empty") }
    return [UInt8](data)
  }

  /// Writes a file whole or not at all: under a temporary name beside it first, then renamed.
  /// - Throws: `unwritable`; what was there before then still is, and nothing else is left behind.
  public static func write(_ bytes: [UInt8], to path: String) throws(DataError) {
    // The name differs between processes and between threads of one.
    let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let temporary = "\(path).\(suffix).tmp"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw unwritable(path) }
    var written = 0
    var isComplete = true
    while isComplete, written < bytes.count {
      let step = bytes[written...].withUnsafeBytes {
        Foundation.write(file, $0.baseAddress, $0.count)
      }
      if step > 0 { written += step } else if step == 0 || errno != EINTR { isComplete = false }
    }
    // A rename before the data are on the disk could leave an empty file after a power cut.
    isComplete = isComplete && fsync(file) == 0
    let failure = isComplete ? nil : unwritable(path)
    let isClosed = close(file) == 0
    if failure == nil, isClosed, rename(temporary, path) == 0 { return }
    let error = failure ?? unwritable(path)
    unlink(temporary)
    throw error
  }

  private static func unwritable(_ path: String) -> DataError {
    DataError(.unwritable, path, "the file cannot be written: \(String(cString: strerror(errno)))")
  }
}

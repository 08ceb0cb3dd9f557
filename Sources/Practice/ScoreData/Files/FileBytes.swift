import Foundation
import ScoreTensors

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
      throw DataError(
        .unreadable, path, "the file cannot be read: \(FileReason.againstReading(path))")
    }
    guard !data.isEmpty else { throw DataError(.empty, path, "the file is empty") }
    return [UInt8](data)
  }

  /// Writes a file whole or not at all: under a temporary name beside it first, then renamed.
  /// - Throws: `unwritable`; what was there before then still is, and nothing else is left behind.
  public static func write(_ bytes: [UInt8], to path: String) throws(DataError) {
    if let reason = AtomicFile.failure(writing: bytes, to: path) {
      throw DataError(.unwritable, path, "the file cannot be written: \(reason)")
    }
  }
}

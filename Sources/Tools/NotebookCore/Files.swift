import Foundation

/// Reading and writing files, with failures in one sentence.
enum Files {
  /// The text of a file.
  static func text(of url: URL, called name: String) throws(Failure) -> String {
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      throw Failure("cannot be read: \(error.localizedDescription)", file: name)
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw Failure("is not UTF-8 text", file: name)
    }
    return text
  }

  /// Writes a file as a whole or not at all, unless it holds `bytes` already; says whether it wrote.
  @discardableResult
  static func write(_ bytes: some Sequence<UInt8>, to url: URL) throws(Failure) -> Bool {
    let data = Data(bytes)
    if (try? Data(contentsOf: url)) == data { return false }
    do {
      try data.write(to: url, options: .atomic)
    } catch {
      throw Failure("cannot be written: \(error.localizedDescription)", file: url.path)
    }
    return true
  }

  /// Makes a folder and those above it, unless they are there.
  static func makeFolder(_ url: URL) throws(Failure) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw Failure("the folder cannot be made: \(error.localizedDescription)", file: url.path)
    }
  }

  /// Makes a folder that is empty.
  static func makeEmptyFolder(_ url: URL) throws(Failure) {
    try? FileManager.default.removeItem(at: url)
    try makeFolder(url)
  }

  /// Whether there is a folder at `url`.
  static func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && isFolder.boolValue
  }
}

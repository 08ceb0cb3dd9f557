import Foundation
import ScoreSDE

/// Questions about paths.
enum FilePlace {
  /// The folder that a file or folder lies in.
  static func folder(of path: String) -> String { AtomicFile.folder(of: path) }

  /// Whether a folder is at `path`.
  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Why no files can be made in the folder at `path`, after its name; nil where they can.
  static func reasonAgainstFiles(in path: String) -> String? {
    guard exists(path) else { return "is not there" }
    guard isFolder(path) else { return "is not a folder" }
    return access(path, W_OK) == 0
      ? nil : "is a folder in which nothing can be written: \(String(cString: strerror(errno)))"
  }

  /// Whether two paths lead to one place.
  static func isSame(_ a: String, _ b: String) -> Bool {
    func place(_ path: String) -> URL {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath()
    }
    return place(a) == place(b)
  }

  /// The folders that are made with a folder at `path`, the innermost first.
  static func missingFolders(_ path: String) -> [String] {
    guard !path.isEmpty, path != ".", !exists(path) else { return [] }
    return [path] + missingFolders(folder(of: path))
  }

  /// Removes folders, the first one first, as long as there is nothing in them.
  static func removeIfEmpty(_ folders: [String]) {
    for folder in folders { rmdir(folder) }
  }

  /// Whether something is at `path`.
  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

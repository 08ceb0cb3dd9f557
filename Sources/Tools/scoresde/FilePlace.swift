import Foundation

/// Questions about paths.
enum FilePlace {
  /// The folder that a file lies in.
  static func folder(of path: String) -> String {
    let folder = (path as NSString).deletingLastPathComponent
    return folder.isEmpty ? "." : folder
  }

  /// Whether a folder is at `path`.
  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Whether `path` is a folder in which files can be made.
  static func isWritableFolder(_ path: String) -> Bool {
    isFolder(path) && FileManager.default.isWritableFile(atPath: path)
  }

  /// Whether two paths lead to one place.
  static func isSame(_ a: String, _ b: String) -> Bool {
    func place(_ path: String) -> URL {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath()
    }
    return place(a) == place(b)
  }

  /// Whether something is at `path`.
  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

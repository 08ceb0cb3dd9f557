import Foundation

/// Finds the package and the pages that a command line means.
struct PageSelection {
  /// The folder of the package.
  let root: URL

  /// The files of the pages, in the order in which they were named, each once.
  let files: [URL]

  /// The folder whose pages are taken where none is named.
  static let standardFolder = "notebooks-md"

  /// Looks for what `arguments` name, from the folder `current` on.
  init(_ arguments: Arguments, current: URL) throws(Failure) {
    root = try Self.root(arguments.packagePath, current).resolvingSymlinksInPath()
    var files: [URL] = []
    if arguments.paths.isEmpty {
      files = try Self.pages(
        in: root.appendingPathComponent(Self.standardFolder), called: Self.standardFolder)
    }
    for path in arguments.paths {
      let url = URL(fileURLWithPath: path, relativeTo: current).absoluteURL
      if Files.isFolder(url) {
        files += try Self.pages(in: url, called: path)
      } else if FileManager.default.fileExists(atPath: url.path) {
        files.append(url)
      } else {
        throw Failure("there is no such page or folder", file: path)
      }
    }
    var seen: Set<String> = []
    self.files = files.filter { seen.insert($0.resolvingSymlinksInPath().path).inserted }
  }

  private static func root(_ path: String?, _ current: URL) throws(Failure) -> URL {
    if let path {
      let url = URL(fileURLWithPath: path, relativeTo: current).absoluteURL.standardizedFileURL
      if hasManifest(url) { return url }
      throw Failure("there is no Package.swift in the folder given with --package-path", file: path)
    }
    var url = current.standardizedFileURL
    while !hasManifest(url) {
      let parent = url.deletingLastPathComponent().standardizedFileURL
      guard parent.path != url.path, url.path != "/" else {
        throw Failure("neither this folder nor one above it has a Package.swift")
      }
      url = parent
    }
    return url
  }

  private static func hasManifest(_ folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path)
  }

  private static func pages(in folder: URL, called name: String) throws(Failure) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let pages = names.filter { $0.hasSuffix(".md") }.sorted()
    if pages.isEmpty { throw Failure("this folder has no pages (files named *.md)", file: name) }
    return pages.map { folder.appendingPathComponent($0) }
  }
}

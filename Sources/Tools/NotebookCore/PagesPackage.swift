import Foundation

/// A Swift package, written for the occasion, with one executable for each page.
///
/// It stands in the build folder of the package that the pages are about, depends on that package by
/// path and is built in the same folder. So the library is compiled once for all pages, and not at all
/// after a release build. After `swift test` its Swift modules are compiled again, since tests need
/// them in a form of their own.
package struct PagesPackage {
  /// The folder of the package that the pages are about.
  let root: URL

  /// The folder that takes what compilers write, the one that the package itself is built in.
  private let scratch: URL

  /// The folder that takes all else that is written on the way.
  let folder: URL

  /// The library product that the pages import.
  static let library = "ScoreSDE"

  /// The package for pages about the package at `root`.
  package init(root: URL) {
    self.root = root
    scratch = root.appendingPathComponent(".build", isDirectory: true)
    folder = scratch.appendingPathComponent("notebooks", isDirectory: true)
  }

  private var package: URL { folder.appendingPathComponent("woven-pages", isDirectory: true) }

  /// The text of Package.swift for these targets.
  func manifest(targets: [String]) -> String {
    let pages = targets.map { target in
      """
          .executableTarget(
            name: \(PageProgram.literal(target)),
            dependencies: [
              "\(Prelude.module)", .product(name: "\(Self.library)", package: "\(Self.library)"),
            ],
            swiftSettings: [.swiftLanguageMode(.v5)]),

      """
    }
    return """
      // swift-tools-version: 6.1
      import PackageDescription

      let package = Package(
        name: "WovenPages",
        platforms: [.macOS(.v15)],
        dependencies: [
          .package(name: "\(Self.library)", path: \(PageProgram.literal(root.path)))
        ],
        targets: [
          .target(name: "\(Prelude.module)", swiftSettings: [.swiftLanguageMode(.v5)]),
      \(pages.joined())  ]
      )

      """
  }

  /// Writes the package; a file that would not change is not touched, so that it is not compiled
  /// again.
  func write(_ programs: [PageProgram]) throws(Failure) {
    let sources = package.appendingPathComponent("Sources", isDirectory: true)
    try write(
      Prelude.source + "\n", to: "Prelude.swift",
      in: sources.appendingPathComponent(Prelude.module, isDirectory: true))
    for program in programs {
      try write(
        program.source, to: "main.swift",
        in: sources.appendingPathComponent(program.target, isDirectory: true))
    }
    try write(manifest(targets: programs.map(\.target)), to: "Package.swift", in: package)
  }

  private func write(_ text: String, to name: String, in folder: URL) throws(Failure) {
    try Files.makeFolder(folder)
    try Files.write(Array(text.utf8), to: folder.appendingPathComponent(name))
  }

  /// Builds `programs` and gives, for each target that cannot be built, what is wrong with it.
  ///
  /// One build serves all. Where it fails, the pages that it did not blame are built one by one, so
  /// that a mistake on one page never hides another page. Throws where the fault lies with no page.
  func build(
    _ programs: [PageProgram], progress: ProgressLine
  ) throws(Failure) -> [String: [Failure]] {
    let found = try attempt(product: nil, programs, progress)
    if found.isEmpty { return [:] }
    var failures = Dictionary(grouping: found) { failure in
      programs.first { $0.page.path == failure.file }?.target ?? ""
    }
    for program in programs where failures[program.target] == nil {
      let found = try attempt(product: program.target, [program], progress)
      if !found.isEmpty { failures[program.target] = found }
    }
    return failures
  }

  /// The errors on pages that a build meets, and none if it succeeds.
  private func attempt(
    product: String?, _ programs: [PageProgram], _ progress: ProgressLine
  ) throws(Failure) -> [Failure] {
    var arguments = [
      "swift", "build", "-c", "release", "--package-path", package.path,
      "--scratch-path", scratch.path,
      // The folder may hold the plan of the package that is around this one, which would be taken for this one's.
      "--disable-build-manifest-caching",
    ]
    if let product { arguments += ["--product", product] }
    let build = Subprocess(executable: "/usr/bin/env", arguments: arguments, directory: root)
    var output: [UInt8] = []
    let ending = try build.run(
      onOutput: { bytes in
        output += bytes
        let steps = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        if let step = steps.last(where: { $0.hasPrefix("[") }) { progress.status("\(step)") }
      },
      onErrorLine: { line in progress.note(line) })
    let diagnostics = CompilerDiagnostic.all(in: String(decoding: output, as: UTF8.self))
    let onPages = diagnostics.compactMap { diagnostic in
      programs.lazy.compactMap { failure(for: diagnostic, in: $0) }.first
        .map { (diagnostic.severity, $0) }
    }
    for (severity, failure) in onPages where severity == .warning {
      var warning = failure
      warning.sentence = "warning: " + failure.sentence
      progress.note(warning.description)
    }
    if ending == .exit(0) { return [] }
    let errors = onPages.filter { $0.0 == .error }.map(\.1)
    if errors.isEmpty {
      for error in elsewhere(diagnostics) { progress.note(error.description) }
      throw reason(ending, diagnostics, output)
    }
    return errors
  }

  /// A diagnostic as a failure of a page, if that is where it belongs.
  private func failure(for diagnostic: CompilerDiagnostic, in program: PageProgram) -> Failure? {
    guard let file = diagnostic.file, let line = diagnostic.line else { return nil }
    let path = program.page.path
    if file == path { return Failure(diagnostic.message, file: path, line: line) }
    guard file.hasSuffix("/Sources/\(program.target)/main.swift") else { return nil }
    return Failure(diagnostic.message, file: path, line: program.pageLine(at: line))
  }

  /// The errors of a build that lie with no page.
  private func elsewhere(_ diagnostics: [CompilerDiagnostic]) -> [Failure] {
    let prefix = root.path + "/"
    return diagnostics.filter { $0.severity == .error && $0.file != nil }.map { error in
      let file = error.file.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
      return Failure(error.message, file: file, line: error.line)
    }
  }

  /// Why a build failed through no page's fault, in one sentence.
  private func reason(
    _ ending: Subprocess.Ending, _ diagnostics: [CompilerDiagnostic], _ output: [UInt8]
  ) -> Failure {
    if ending == .exit(127) { return Failure("the command \"swift\" was not found on the PATH") }
    let last = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).last
    let found = diagnostics.first { $0.severity == .error }?.message ?? last.map(String.init)
    return Failure(
      "no page was run, since the package at \(root.path) cannot be built: \(found ?? "no output")")
  }

  /// The executable of a page.
  func executable(of program: PageProgram) -> URL {
    scratch.appendingPathComponent("release/\(program.target)")
  }

  /// The folder in which a page's program runs, and the one that takes its figures.
  func runFolders(of program: PageProgram) -> (work: URL, figures: URL, backtrace: URL) {
    let run = folder.appendingPathComponent("runs/\(program.target)", isDirectory: true)
    return (
      run.appendingPathComponent("work", isDirectory: true),
      run.appendingPathComponent("figures", isDirectory: true),
      run.appendingPathComponent("backtrace.txt")
    )
  }
}

import Foundation

/// Weaves, checks and runs pages.
package struct Notebook {
  private let arguments: Arguments
  private let progress: ProgressLine
  private let print: (String) -> Void

  /// A tool that does what `arguments` ask for and hands its results to `print`.
  package init(
    _ arguments: Arguments, progress: ProgressLine, print: @escaping (String) -> Void
  ) {
    self.arguments = arguments
    self.progress = progress
    self.print = print
  }

  /// Does it for all pages, and says whether all went well.
  ///
  /// A page that fails is reported and left as it was; the others are dealt with all the same.
  /// Throws where nothing can be done for any page.
  package func perform(in current: URL) throws(Failure) -> Bool {
    let selection = try PageSelection(arguments, current: current)
    let package = PagesPackage(root: selection.root)
    let onWait = { progress.note("waiting for another run of the tool to end") }
    return try FolderLock.hold(package.folder, onWait: onWait) { () throws(Failure) in
      try perform(selection, package)
    }
  }

  private func perform(
    _ selection: PageSelection, _ package: PagesPackage
  ) throws(Failure) -> Bool {
    let pages = selection.files.compactMap { file in
      attempt { () throws(Failure) in try PageFile(file, root: selection.root) }
    }
    let targets = PageProgram.targets(for: pages.map(\.page.stem))
    let programs = zip(pages, targets).map { PageProgram(page: $0.page, target: $1) }
    let broken = try build(programs.filter { !$0.page.blocks.isEmpty }, package)

    var done = 0
    var stale = 0
    var figures: [String: String] = [:]
    for (page, program) in zip(pages, programs) {
      if let failures = broken[program.target] {
        for failure in failures { progress.note(failure.description) }
        continue
      }
      let isFresh = attempt { () throws(Failure) in
        let outputs = try run(program, package)
        try claim(outputs.flatMap(\.figures), of: page, in: &figures)
        return try finish(page, outputs)
      }
      if isFresh != nil { done += 1 }
      if isFresh == false { stale += 1 }
    }
    if stale > 0 {
      let pages = stale == 1 ? "1 page is stale" : "\(stale) pages are stale"
      progress.note("\(pages); \"notebook weave\" takes over what the blocks give now")
    }
    return done == selection.files.count && stale == 0
  }

  /// Does `body`; where it fails, reports that and gives nil.
  private func attempt<Result>(_ body: () throws(Failure) -> Result) -> Result? {
    do throws(Failure) {
      return try body()
    } catch {
      progress.note(error.description)
      return nil
    }
  }

  private func build(
    _ programs: [PageProgram], _ package: PagesPackage
  ) throws(Failure) -> [String: [Failure]] {
    if programs.isEmpty { return [:] }
    let count = programs.count == 1 ? "1 page" : "\(programs.count) pages"
    progress.status("building \(count) and, if it has changed, the library")
    try package.write(programs)
    let failures = try package.build(programs, progress: progress)
    progress.clear()
    return failures
  }

  private func run(
    _ program: PageProgram, _ package: PagesPackage
  ) throws(Failure) -> [BlockOutput] {
    if program.page.blocks.isEmpty { return [] }
    var run = PageRun(program, in: package, progress: progress)
    return try run.outputs { if arguments.verb == .run { print($0) } }
  }

  /// Keeps two pages from writing the same file: "a-b" of page "c" is "b" of page "c-a".
  private func claim(
    _ made: [Figure], of page: PageFile, in figures: inout [String: String]
  ) throws(Failure) {
    for figure in made {
      let path = page.figureFile(figure.path(for: page.page.stem)).path
      if let owner = figures.updateValue(page.page.path, forKey: path) {
        throw Failure(
          "its figure \"\(figure.name)\" has the same file as one of \(owner); rename it",
          file: page.page.path)
      }
    }
  }

  /// Does with the outputs of a page what was asked for; false if the page is stale.
  private func finish(_ page: PageFile, _ outputs: [BlockOutput]) throws(Failure) -> Bool {
    switch arguments.verb {
    case .run:
      return true
    case .weave:
      let hasChanged = try page.write(outputs)
      print("\(page.page.path): \(hasChanged ? "rewritten" : "unchanged")\n")
      return true
    case .check:
      let differences = page.differences(from: outputs)
      print(differences.isEmpty ? "\(page.page.path): fresh\n" : differences)
      return differences.isEmpty
    }
  }
}

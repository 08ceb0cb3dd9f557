import Foundation
import NotebookCore

/// The command that weaves and checks pages.
@main
enum NotebookTool {
  static func main() {
    exit(status(Array(CommandLine.arguments.dropFirst())))
  }

  /// Does what the command line asks for and gives the exit status.
  private static func status(_ words: [String]) -> Int32 {
    let arguments: Arguments
    do throws(Failure) {
      guard let parsed = try Arguments.parse(words) else {
        Descriptor.output.write(Arguments.usage)
        return 0
      }
      arguments = parsed
    } catch {
      ProgressLine(isQuiet: false).note("notebook: \(error)")
      return 2
    }
    let progress = ProgressLine(isQuiet: arguments.isQuiet)
    do throws(Failure) {
      let notebook = Notebook(arguments, progress: progress, print: Descriptor.output.write)
      let current = URL(
        fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
      return try notebook.perform(in: current) ? 0 : 1
    } catch {
      progress.note("notebook: \(error)")
      return 1
    }
  }
}

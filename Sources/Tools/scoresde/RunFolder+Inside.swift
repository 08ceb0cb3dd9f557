import Foundation
import ScoreSDE

extension RunFolder {
  /// Refuses a folder that holds no run, where it is known what it holds: a published model, or folders of which one is a run's.
  func refuse(as option: String) throws {
    try PublishedModel.refuse(path, as: option)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
    let inside = names.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    if let run = inside.first(where: { RunFolder($0).exists }) {
      throw CommandError.usage(
        "\(option) is \(path), which is not a run folder; there is a run in \(run)")
    }
  }
}

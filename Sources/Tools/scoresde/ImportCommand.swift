import Foundation
import ScoreSDE

/// `scoresde import`: makes a run of a model that was trained elsewhere.
enum ImportCommand: ScalarCommand {
  static let name = "import"
  static let summary =
    "makes a run of a published DDPM or NCSN++, a folder that PyTorch's diffusers wrote"
  static let positionalLimit = 1
  static let positionalNames = "FOLDER"
  static let options = [
    Option("--out", "RUN", "the run's folder (required)"),
    Option(
      "--levels", "N",
      "how many levels the data had that it was trained on, evenly over the range that it was trained on (default 256, bytes)"
    ),
    Option(
      "--size", "HEIGHTxWIDTH",
      "the sides of the images that the run is of, such as 32x32 (default: those that are published)"
    ),
  ]
  /// The note in a run's description that says where it was imported from.
  static let note = "imported"

  static func run<Scalar: TensorScalar>(_ session: Session, _: Scalar.Type) throws {
    guard let source = session.arguments.positional.first else {
      throw CommandError.usage("import needs a folder with a published model")
    }
    let folder = RunFolder(try session.arguments.required("--out"))
    try TrainCommand.checkNoStudy(in: folder.path)
    if let file = folder.file {
      throw CommandError.usage(
        "--out is \(folder.path), where \(file) would be overwritten; expected another folder")
    }
    let levels = try session.arguments.integer("--levels", atLeast: 2, atMost: 1 << 16) ?? 256
    let published = try PublishedModel(source, sides: sides(session.arguments))
    let parameters: Parameters<Scalar> = try published.parameters()
    // Level b, of 256 from −1 to 1, is at 2b/255 − 1, in the middle of its bin.
    let range = published.scheduler.dataRange
    let width = (range.upperBound - range.lowerBound) / Double(levels - 1)
    let scale = DataScale(
      levels: levels, factor: width, offset: range.lowerBound - 0.5 * width)
    let model = published.configuration
    var options = TrainingOptions()
    // Nothing in the files says that classes were hidden from it.
    if model.classes > 0 { options.labelDropout = 0 }
    let description = RunDescription(
      model: model, process: published.process, scalar: Scalar.typeName, data: source,
      options: options,
      notes: [note: source, DataNote.scale.name: try DataNote.scale.text(of: scale)])
    let new = FilePlace.missingFolders(folder.path)
    do {
      try folder.create(description)
      try folder.save(parameters)
    } catch {
      folder.removeIfWithoutCheckpoint()
      FilePlace.removeIfEmpty(new)
      throw error
    }
    try session.finish(
      .object([
        ("parameters", .integer(parameters.count)),
        ("shape", .array(model.sampleShape.extents.map { .integer($0) })),
        ("sde", .string(description.sde)), ("network", .string(description.network)),
        ("classes", model.classes > 0 ? .integer(model.classes) : .null),
        ("levels", .integer(levels)), ("scheduler", .string(published.scheduler.name)),
        ("sampling", published.scheduler.sampling(scale).map { .string($0.options) } ?? .null),
        ("out", .string(folder.path)),
      ]),
      ([
        "\(NumberText.counted(parameters.count, "parameter")) of a network for images of \(model.sampleShape) and \(levels) levels, trained on \(description.sde); the run is in \(folder.path)"
      ] + remarks(of: published) + [published.scheduler.remark(scale, run: folder.path)])
      .joined(separator: "\n")
    )
  }

  /// What is told of a model that knows classes, or gives more than is used of it.
  private static func remarks(of published: PublishedModel) -> [String] {
    let classes = published.configuration.classes
    var remarks: [String] = []
    if classes > 0 {
      remarks.append(
        "it knows the classes 0 to \(classes - 1), each by itself: --class asks for them, and there is nothing for --guidance to lead away from"
      )
    }
    if published.hasLearnedVariances {
      remarks.append("the variances that it gives beside its prediction are left unused")
    }
    if published.hasRoundedWeights {
      remarks.append("the weights are those of \(published.weightsPath), in half precision")
    }
    return remarks
  }

  /// The sides that `--size` gives, if it is given.
  private static func sides(_ arguments: Arguments) throws -> [Int]? {
    guard let text = arguments.text("--size") else { return nil }
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let sides = parts.compactMap { Int($0) }
    guard parts.count == 2, sides.count == 2, sides.allSatisfy({ $0 > 0 }) else {
      throw CommandError.usage(
        "--size is \(text); expected the height and width of images, such as 32x32")
    }
    return sides
  }
}

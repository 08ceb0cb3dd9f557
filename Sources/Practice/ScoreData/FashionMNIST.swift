import Foundation
import ScoreTensors

/// Fashion-MNIST (Xiao, Rasul & Vollgraf 2017) as the system has it installed: 28 × 28 grey images of ten classes.
public enum FashionMNIST {
  /// The published names of the classes, in order of the labels.
  public static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]

  /// The folders where the files are looked for, in this order.
  public static var folders: [String] {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["XDG_DATA_HOME"] ?? (environment["HOME"] ?? "") + "/.local/share"
    let system = environment["XDG_DATA_DIRS"] ?? ""
    let roots =
      [home]
      + (system.isEmpty ? "/usr/local/share:/usr/share" : system).split(separator: ":").map(
        String.init)
    return roots.map { "\($0)/datasets/fashion-mnist" }
  }

  /// Reads one half: samples of shape `[n, 28, 28, 1]` with levels 0 … 255, and labels 0 … 9.
  /// - Throws: `missing` with how to install the files where they are not found, `wrongShape` where a label is above 9, else as
  ///   `IDX.read`.
  public static func load<Scalar: TensorScalar>(
    isTest: Bool = false, folders: [String] = folders, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> Dataset<Scalar> {
    let name = isTest ? "fashion-mnist:test" : "fashion-mnist"
    let stem = isTest ? "t10k" : "train"
    for folder in folders {
      for ending in ["", ".gz"] {
        let path = "\(folder)/\(stem)-images-idx3-ubyte\(ending)"
        guard FileManager.default.fileExists(atPath: path) else { continue }
        var data: Dataset<Scalar> = try DataSource.images(idx: path)
        data.name = name
        return try data.labelled(data.labels, classNames: classNames)
      }
    }
    throw DataError(
      .missing, name,
      "no \(stem)-images-idx3-ubyte[.gz] is in \(folders.joined(separator: " or ")); on Debian and Ubuntu, “apt-get install dataset-fashion-mnist” puts it there"
    )
  }
}

import Foundation
import ScoreTensors

/// Folders of PNG images of one size; subfolders, where there are any, are classes.
public enum ImageFolder {
  /// Reads all images, sorted by name: samples of shape `[n, height, width, channels]` with levels 0 … 255.
  ///
  /// Opacity is left out. With subfolders, class `k` is the `k`-th of them by name, and called as it is.
  /// - Throws: a `DataError` where there is no image, one is damaged, two differ in size or colours, or images lie both
  ///   in the folder and in its subfolders.
  public static func read<Scalar: TensorScalar>(
    _ path: String, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> Dataset<Scalar> {
    let entries = try names(in: path)
    let strays = entries.filter(isImage)
    var files = strays.map { (path: "\(path)/\($0)", label: 0) }
    let folders = entries.filter { isFolder("\(path)/\($0)") }
    for (label, folder) in folders.enumerated() {
      let images = try names(in: "\(path)/\(folder)").filter(isImage)
      if let stray = strays.first, let image = images.first {
        throw DataError(
          .malformed, path,
          "images lie both here, as \(stray), and in subfolders, as \(folder)/\(image), where one or the other is expected"
        )
      }
      files += images.map { ("\(path)/\(folder)/\($0)", label) }
    }
    guard let first = files.first else {
      throw DataError(.empty, path, "no PNG image is in this folder or in its subfolders")
    }

    var pixels: [UInt8] = []
    var shape: Shape?
    for file in files {
      let image = try PNG.read(file.path).withoutOpacity
      let own: Shape = [image.height, image.width, image.channels]
      if let shape, shape != own {
        throw DataError(
          .wrongShape, file.path,
          "the image has height, width and channels \(own), where \(first.path) has \(shape)")
      }
      shape = own
      pixels += image.pixels
    }
    let element = ElementType(kind: .unsigned, size: 1, isBigEndian: false)
    let whole = Shape([files.count] + (shape?.extents ?? []))
    return Dataset(
      name: path, samples: element.tensor(pixels[...], whole),
      labels: strays.isEmpty ? files.map(\.label) : nil,
      classNames: strays.isEmpty ? folders : nil, scale: .bytes)
  }

  private static func names(in path: String) throws(DataError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw DataError(
        FileManager.default.fileExists(atPath: path) ? .unreadable : .missing, path,
        "the folder cannot be read")
    }
  }

  private static func isImage(_ name: String) -> Bool { name.lowercased().hasSuffix(".png") }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }
}

import Foundation
import ScoreTensors

/// Folders of PNG and JPEG images; subfolders, where there are any, are classes.
public enum ImageFolder {
  /// Reads all images, sorted by name: samples of shape `[n, height, width, channels]` with levels 0 … 255.
  ///
  /// Opacity is left out. With subfolders, class `k` is the `k`-th of them by name, and called as it is.
  /// - Parameters:
  ///   - size: the height and width that all images get by `Picture.resized`; without it they are of one size.
  ///   - channels: 1 for `Picture.gray` or 3 for `Picture.rgb` of all images; without it they are alike.
  /// - Throws: a `DataError` where there is no image, one is damaged, two differ in size or colours, or images lie both
  ///   in the folder and in its subfolders.
  public static func read<Scalar: TensorScalar>(
    _ path: String, size: Shape? = nil, channels: Int? = nil, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> Dataset<Scalar> {
    let entries = try names(in: path)
    let strays = entries.filter(Picture.isPicture)
    var files = strays.map { (path: "\(path)/\($0)", label: 0) }
    let folders = entries.filter { isFolder("\(path)/\($0)") }
    for (label, folder) in folders.enumerated() {
      let images = try names(in: "\(path)/\(folder)").filter(Picture.isPicture)
      if let stray = strays.first, let image = images.first {
        throw DataError(
          .malformed, path,
          "images lie both here, as \(stray), and in subfolders, as \(folder)/\(image), where one or the other is expected"
        )
      }
      files += images.map { ("\(path)/\(folder)/\($0)", label) }
    }
    guard !files.isEmpty else {
      throw DataError(.empty, path, "no PNG or JPEG image is in this folder or in its subfolders")
    }
    let samples: Tensor<Scalar> = try read(
      files.map(\.path), of: path, size: size, channels: channels)
    return Dataset(
      name: path, samples: samples, labels: strays.isEmpty ? files.map(\.label) : nil,
      classNames: strays.isEmpty ? folders : nil, scale: .bytes)
  }

  /// The images of files, which a text named as data; `[n, height, width, channels]`.
  static func read<Scalar: TensorScalar>(
    _ files: [String], of text: String, size: Shape?, channels: Int?
  ) throws(DataError) -> Tensor<Scalar> {
    precondition(
      size.map { $0.rank == 2 } ?? true && [nil, 1, 3].contains(channels),
      "images of size \(size.map(String.init(describing:)) ?? "") and \(channels ?? 0) channels")
    var pixels: [UInt8] = []
    var shape: Shape?
    for file in files {
      var picture = try Picture.read(file).withoutOpacity
      if let channels { picture = channels == 1 ? picture.gray : picture.rgb }
      if let size { picture = picture.resized(height: size[0], width: size[1]) }
      let own: Shape = [picture.height, picture.width, picture.channels]
      if let shape, shape != own {
        throw DataError(
          .wrongShape, file,
          "the image has height, width and channels \(own), where \(files[0]) has \(shape); \(hint(text, shape, own, size, channels))"
        )
      }
      shape = own
      pixels += picture.pixels
    }
    let element = ElementType(kind: .unsigned, size: 1, isBigEndian: false)
    return element.tensor(pixels[...], Shape([files.count] + (shape?.extents ?? [])))
  }

  /// The parameters that make differing images alike, beside those that are given.
  private static func hint(
    _ text: String, _ first: Shape, _ other: Shape, _ size: Shape?, _ channels: Int?
  ) -> String {
    let differsInSize = first.extents.prefix(2) != other.extents.prefix(2)
    let side = size.map { "\($0[0])x\($0[1])" } ?? (differsInSize ? "32" : nil)
    let colors = channels ?? (first[2] != other[2] ? 3 : nil)
    let parameters = [side.map { "size=\($0)" }, colors.map { "channels=\($0)" }]
    return
      "\(text):\(parameters.compactMap { $0 }.joined(separator: ",")) makes them alike"
  }

  private static func names(in path: String) throws(DataError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw DataError(
        FileManager.default.fileExists(atPath: path) ? .unreadable : .missing, path,
        "the folder cannot be read: \(FileReason.againstReading(path))")
    }
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }
}

import Foundation
import ScoreTensors

/// Pictures as data: files, folders, and the parameters that make differing ones alike.
extension DataSource {
  /// The names of the parameters.
  private static let pictureParameters = ["size", "channels"]

  /// The file or folder of pictures and the parameters that a text names; nil where it has no such parameters.
  static func pictures(_ text: String) -> (path: String, parameters: Substring)? {
    guard NPZ.parts(of: text) == nil, !FileManager.default.fileExists(atPath: text),
      let colon = text.lastIndex(of: ":"), colon > text.startIndex
    else { return nil }
    let (path, parameters) = (String(text[..<colon]), text[text.index(after: colon)...])
    let isNamed = pictureParameters.contains { parameters.hasPrefix("\($0)=") }
    return isNamed || Picture.isPicture(path) || ImageFolder.isFolder(path)
      ? (path, parameters) : nil
  }

  /// Whether a text names a file or folder of pictures, with parameters or without.
  public static func isOfPictures(_ text: String) -> Bool {
    let path = pictures(text)?.path ?? text
    return Picture.isPicture(path)
      || ImageFolder.isFolder(path) && CIFAR.trainingNames(in: path).isEmpty
  }

  /// What to say where pictures have another shape than is expected; nothing of other data.
  static func hint(_ text: String, toShape shape: Shape) -> String {
    guard isOfPictures(text), [1, 3].contains(shape[2]) else { return "" }
    let path = pictures(text)?.path ?? text
    return ", as \(path):size=\(shape[0])x\(shape[1]),channels=\(shape[2]) makes it"
  }

  /// Reads a file of one picture, or a folder.
  static func pictures<Scalar: TensorScalar>(
    _ path: String, size: Shape?, channels: Int?
  ) throws(DataError) -> Dataset<Scalar> {
    guard isOfPictures(path) || !FileManager.default.fileExists(atPath: path) else {
      throw DataError(
        .badParameter, path,
        "these are no pictures, which alone have the parameters size and channels; expected a .png or .jpg file, or a folder of these"
      )
    }
    if ImageFolder.isFolder(path) {
      return try ImageFolder.read(path, size: size, channels: channels)
    }
    return Dataset(
      name: path,
      samples: try ImageFolder.read([path], of: path, size: size, channels: channels),
      scale: .bytes)
  }
}

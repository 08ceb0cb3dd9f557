import Foundation
import ScoreSDE

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Samples as a folder of pictures, a PNG file each and a pixel a number, those of several classes in folders with their names: so
/// `--data`, and other programs, read them again.
struct PictureFolder<Scalar: TensorScalar> {
  /// Samples whose shape is that of images.
  let samples: Tensor<Scalar>
  /// What they are drawn from, black to white.
  let range: ClosedRange<Double>
  /// The name of each sample's class; nil where they are of one, or of none.
  let classes: [String]?

  /// Whether a path names a folder: it ends in a slash.
  static func isNamed(by path: String) -> Bool { path.hasSuffix("/") }

  /// Why no folder can be made at a path; nil where one can.
  static func reason(against path: String) -> String? {
    let place = trimmed(path)
    if FilePlace.exists(place) {
      guard FilePlace.isFolder(place) else { return "\(place) is a file; expected a new folder" }
      guard (try? FileManager.default.contentsOfDirectory(atPath: place).isEmpty) == true else {
        return "the folder \(place) is not empty; expected a new one"
      }
    }
    let around = FilePlace.folder(of: place)
    return FilePlace.reasonAgainstFiles(in: around).map { "\(around) \($0)" }
  }

  /// Makes the folder under another name, which it changes once all pictures are there; where that fails, nothing is left.
  func write(to path: String) throws {
    let place = Self.trimmed(path)
    let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let temporary = "\(FilePlace.folder(of: place))/.\(random).tmp"
    do {
      try AtomicFile.makeFolder(temporary)
      try fill(temporary)
      guard rename(temporary, place) == 0 else {
        throw CommandError.failure(
          "cannot make the folder \(place): \(String(cString: strerror(errno)))")
      }
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw error
    }
  }

  private func fill(_ folder: String) throws {
    guard let image = samples.shape.row.image else {
      preconditionFailure("samples of shape \(samples.shape.row) are no images")
    }
    let digits = String(samples.rows).count
    for name in Set(classes ?? []) { try AtomicFile.makeFolder("\(folder)/\(name)") }
    for row in 0..<samples.rows {
      let picture = SampleGrid(
        samples.row(row), height: image[0], width: image[1], channels: image[2], range: range,
        padding: 0)
      let number = String(row + 1)
      let name = String(repeating: "0", count: digits - number.count) + number
      let inside = classes.map { "\($0[row])/" } ?? ""
      try AtomicFile.write(picture.png, to: "\(folder)/\(inside)\(name).png")
    }
  }

  private static func trimmed(_ path: String) -> String {
    let end = path.lastIndex { $0 != "/" }
    return end.map { String(path[...$0]) } ?? "/"
  }
}

import Foundation
import ScoreTensors

/// The binary version of CIFAR-10: 32 × 32 RGB images in files of 3,073 bytes an image, the label first.
public enum CIFAR {
  private static let size = 3 * 32 * 32

  /// The published names of the classes (Krizhevsky 2009), in order of the labels.
  public static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// Reads one file: samples of shape `[n, 32, 32, 3]` with levels 0 … 255, and labels 0 … 9.
  /// - Throws: a `DataError` where the file is missing, empty, or does not hold whole images with labels 0 … 9.
  public static func read<Scalar: TensorScalar>(
    _ path: String, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> Dataset<Scalar> {
    try decode(FileBytes.read(path), path: path)
  }

  /// Reads the files `data_batch_*.bin` of a folder, in the order of their names.
  /// - Throws: a `DataError` where there is none, or one of them is damaged.
  public static func readTraining<Scalar: TensorScalar>(
    folder: String, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> Dataset<Scalar> {
    var bytes: [UInt8] = []
    let names = trainingNames(in: folder)
    guard !names.isEmpty else {
      throw DataError(.missing, folder, "no file data_batch_*.bin is there")
    }
    for name in names {
      let path = "\(folder)/\(name)"
      let file = try FileBytes.read(path)
      try check(file, path)
      bytes += file
    }
    return try decode(bytes, path: folder)
  }

  static func trainingNames(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }.sorted()
  }

  private static func check(_ bytes: [UInt8], _ path: String) throws(DataError) {
    guard bytes.count.isMultiple(of: size + 1) else {
      throw DataError(
        .truncated, path, "\(bytes.count) bytes are not whole images of \(size + 1) bytes")
    }
    for image in 0..<bytes.count / (size + 1) where bytes[image * (size + 1)] > 9 {
      throw DataError(
        .malformed, path,
        "image \(image) has label \(bytes[image * (size + 1)]), where 0 to 9 are due")
    }
  }

  /// Decodes the bytes of a file; `path` is for messages.
  package static func decode<Scalar: TensorScalar>(
    _ bytes: [UInt8], path: String, as type: Scalar.Type = Scalar.self
  ) throws(DataError) -> Dataset<Scalar> {
    try check(bytes, path)
    let count = bytes.count / (size + 1)
    var pixels = [UInt8](repeating: 0, count: count * size)
    var place = 0
    for image in 0..<count {
      let start = image * (size + 1) + 1
      for pixel in 0..<1024 {
        // The file holds a plane for each colour; images here hold the colours of a pixel side by side.
        for channel in 0..<3 { pixels[place + channel] = bytes[start + channel * 1024 + pixel] }
        place += 3
      }
    }
    let element = ElementType(kind: .unsigned, size: 1, isBigEndian: false)
    return Dataset(
      name: path, samples: element.tensor(pixels[...], [count, 32, 32, 3]),
      labels: (0..<count).map { Int(bytes[$0 * (size + 1)]) }, classNames: classNames,
      scale: .bytes)
  }
}

import Foundation
import ScoreSDE

/// Samples as a file, by the ending of its name.
enum SampleFile {
  /// Checks before any work that samples of a shape can go into such a file.
  static func check(_ path: String, _ shape: Shape) throws {
    if path.hasSuffix(".png"), shape.rank != 3 || ![1, 3].contains(shape[2]) {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no images [height, width, 1 or 3]; use .npy"
      )
    }
    if path.hasSuffix(".svg"), shape != [2] {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no points in the plane; use .npy")
    }
    if path.hasSuffix(".csv"), shape.rank != 1 {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no rows of a table; use .npy")
    }
  }

  /// Writes samples in data units; `levels` is the top of the range of quantised images, else −1…1 is shown, and `names` are
  /// those of a table's columns.
  static func write<Scalar: TensorScalar>(
    _ samples: Tensor<Scalar>, to path: String, levels: Double?, columns: Int? = nil,
    names: [String]? = nil
  ) throws {
    if path.hasSuffix(".png") {
      try AtomicFile.write(grid(samples, levels: levels, columns: columns).png, to: path)
    } else if path.hasSuffix(".svg") {
      try AtomicFile.write(scatter(samples).svg, to: path)
    } else if path.hasSuffix(".csv") {
      try CSV.write(samples, columns: names, to: path)
    } else if path.hasSuffix(".safetensors") {
      try Safetensors(Parameters(names: ["samples"], tensors: [samples])).write(to: path)
    } else {
      try NPY.write(samples, to: path)
    }
  }

  /// Images as one picture.
  static func grid<Scalar: TensorScalar>(
    _ samples: Tensor<Scalar>, levels: Double?, columns: Int? = nil
  ) -> SampleGrid {
    let shape = samples.shape
    return samples.withUnsafeBuffer {
      SampleGrid(
        $0, height: shape[1], width: shape[2], channels: shape[3],
        range: levels.map { 0...$0 } ?? -1...1, columns: columns,
        scale: max(1, (40 + max(shape[1], shape[2]) / 2) / max(shape[1], shape[2])))
    }
  }

  /// How large the dots of a number of samples are.
  static func dotSize(of count: Int) -> Double {
    min(2.5, max(0.8, 2.5 * (2000 / Double(max(1, count))).squareRoot()))
  }

  /// Points in the plane as a scatter plot.
  static func scatter<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) -> Plot {
    samples.withUnsafeBuffer {
      Plot(
        NumberText.counted(samples.rows, "sample"), x: "x₁", y: "x₂", width: 480, height: 480,
        isEqualAspect: true,
        // Many are small, so that where they are dense is seen.
        [
          .scatter(
            pairs: $0,
            size: dotSize(of: samples.rows))
        ])
    }
  }
}

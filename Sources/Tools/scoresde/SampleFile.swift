import Foundation
import ScoreSDE

/// Samples as a file, by the ending of its name.
enum SampleFile {
  /// Checks before any work that samples of a shape can go into such a file.
  /// - Parameter names: of a table's columns.
  static func check(_ path: String, _ shape: Shape, names: [String]? = nil) throws {
    if path.hasSuffix(".png"), shape.rank != 3 || ![1, 3].contains(shape[2]) {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no images [height, width, 1 or 3]; use .npy"
      )
    }
    let isSeries = shape.rank < 3 && shape[0] > 2 && names == nil
    if path.hasSuffix(".svg"), shape != [2] && !isSeries {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no points in the plane and no series; use .npy"
      )
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
      let figure: any Figure =
        samples.shape.row == [2] ? scatter(samples) : series(samples)
      try AtomicFile.write(figure.svg, to: path)
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

  /// The first twelve series, `[n, length]` or `[n, length, channels]`, a panel each on one range.
  private static func series<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) -> Panels {
    let count = min(12, samples.rows)
    let length = samples.shape[1]
    let channels = samples.shape.rowCount / length
    let shown = samples.rows(0..<count)
    let numbers = shown.scalars.map { Double($0) }
    let (least, most) = (numbers.min() ?? 0, numbers.max() ?? 0)
    let margin = 0.05 * max(most - least, 1e-9)
    let places = (0..<length).map(Double.init)
    let plots = (0..<count).map { row in
      let own = shown.row(row)
      return Plot(
        "", x: Axis(range: 0...Double(max(1, length - 1))),
        y: Axis(range: least - margin...most + margin), width: 220, height: 150,
        (0..<channels).map { channel in
          .line(
            x: places, y: places.indices.map { Double(own[$0 * channels + channel]) },
            color: .series[channel % Color.series.count])
        })
    }
    return Panels(
      plots, columns: min(4, count),
      summary: "The first \(count) of \(NumberText.counted(samples.rows, "sample"))")
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

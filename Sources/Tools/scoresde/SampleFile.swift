import Foundation
import ScoreSDE

/// Samples as a file, by the ending of its name.
enum SampleFile {
  /// Checks before any work that samples of a shape can go into such a file.
  /// - Parameter names: of a table's columns.
  static func check(_ path: String, _ shape: Shape, names: [String]? = nil) throws {
    if path.hasSuffix(".png") || PictureFolder<Float>.isNamed(by: path), shape.image == nil {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no images \(Shape.imageForms); use .npy"
      )
    }
    let isSeries = shape.rank < 3 && shape[0] > 2 && names == nil
    if path.hasSuffix(".svg"), shape != [2] && !isSeries {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no points in the plane and no series; use \(shape.rank == 1 ? ".csv or .npy" : ".npy")"
      )
    }
    if path.hasSuffix(".csv"), shape.rank != 1 {
      throw CommandError.usage(
        "--out is \(path), but samples of shape \(shape) are no rows of a table; use .npy")
    }
  }

  /// Writes samples in data units, but for tables; `range` is what images are drawn from, black to white.
  static func write<Scalar: TensorScalar>(
    _ samples: Tensor<Scalar>, to path: String, range: ClosedRange<Double>, columns: Int? = nil
  ) throws {
    if path.hasSuffix(".png") {
      try AtomicFile.write(grid(samples, range: range, columns: columns).png, to: path)
    } else if path.hasSuffix(".svg") {
      let figure: any Figure =
        samples.shape.row == [2] ? scatter(samples) : series(samples)
      try AtomicFile.write(figure.svg, to: path)
    } else if path.hasSuffix(".safetensors") {
      try Safetensors(Parameters(names: ["samples"], tensors: [samples])).write(to: path)
    } else {
      try NPY.write(samples, to: path)
    }
  }

  /// What images are drawn from, black to white, where nothing is known of their numbers.
  static let usualRange = -1.0...1

  /// Images as one picture.
  /// - Precondition: samples whose shape is that of images.
  static func grid<Scalar: TensorScalar>(
    _ samples: Tensor<Scalar>, range: ClosedRange<Double>, columns: Int? = nil
  ) -> SampleGrid {
    guard let image = samples.shape.row.image else {
      preconditionFailure("samples of shape \(samples.shape.row) are no images")
    }
    let side = max(image[0], image[1])
    return samples.withUnsafeBuffer {
      SampleGrid(
        $0, height: image[0], width: image[1], channels: image[2], range: range,
        columns: columns, scale: max(1, (40 + side / 2) / side))
    }
  }

  /// How large the dots of a number of samples are.
  static func dotSize(of count: Int) -> Double {
    min(2.5, max(0.8, 2.5 * (2000 / Double(max(1, count))).squareRoot()))
  }

  /// Twelve series of all, `[n, length]` or `[n, length, channels]`, a panel each on one range.
  private static func series<Scalar: TensorScalar>(_ samples: Tensor<Scalar>) -> Panels {
    let count = min(12, samples.rows)
    let length = samples.shape[1]
    let channels = samples.shape.rowCount / length
    // Those of some classes may stand before others.
    let rows = (0..<count).map { $0 * samples.rows / count }
    let shown = samples.rows(rows)
    let numbers = shown.scalars.map { Double($0) }
    let (least, most) = (numbers.min() ?? 0, numbers.max() ?? 0)
    let margin = 0.05 * max(most - least, 1e-9)
    let places = (0..<length).map(Double.init)
    let plots = (0..<count).map { row in
      let own = shown.row(row)
      return Plot(
        samples.rows > count ? "sample \(rows[row] + 1)" : "",
        x: Axis(range: 0...Double(max(1, length - 1))),
        y: Axis(range: least - margin...most + margin), width: 220, height: 150,
        (0..<channels).map { channel in
          .line(
            x: places, y: places.indices.map { Double(own[$0 * channels + channel]) },
            label: row == 0 && 2...6 ~= channels ? "channel \(channel + 1)" : nil,
            color: .series[channel % Color.series.count])
        })
    }
    return Panels(
      plots, columns: min(4, count),
      summary: "\(count) of \(NumberText.counted(samples.rows, "sample"))")
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

extension Shape {
  /// The shape of an image, [height, width, channels], as samples of this shape are drawn: two axes are those of a grey one. Nil
  /// where they are no images.
  var image: Shape? {
    switch rank {
    case 2: Shape(extents + [1])
    case 3 where [1, 3].contains(self[2]): self
    default: nil
    }
  }

  /// The shapes of images, for messages.
  static var imageForms: String { "[height, width] or [height, width, 1 or 3]" }
}

extension Tensor {
  /// From the least number to the greatest; nil where they are one.
  var range: ClosedRange<Double>? {
    let numbers = withUnsafeBuffer { ($0.min() ?? 0, $0.max() ?? 0) }
    return numbers.0 < numbers.1 ? Double(numbers.0)...Double(numbers.1) : nil
  }
}

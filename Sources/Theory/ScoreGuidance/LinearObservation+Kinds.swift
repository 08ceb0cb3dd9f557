import ScoreSampling
import ScoreTensors

extension LinearObservation {
  /// Chosen entries of a sample, as one list: what inpainting knows.
  /// - Parameter mask: true for each entry that is observed, in the order of the entries.
  /// - Throws: `SamplingError` unless there is one flag for each entry of a sample, and one is true.
  public static func entries(
    _ mask: [Bool], of sampleShape: Shape
  ) throws(SamplingError) -> LinearObservation {
    guard mask.count == sampleShape.count else {
      throw SamplingError(
        "the mask has \(mask.count) entries; expected \(sampleShape.count), as samples of shape \(sampleShape) have"
      )
    }
    let places = mask.indices.filter { mask[$0] }
    guard !places.isEmpty else {
      throw SamplingError("the mask observes no entry; expected at least one")
    }
    let (width, count) = (mask.count, places.count)
    return try LinearObservation(
      of: sampleShape, shape: [count],
      apply: { x in
        Tensor([x.rows, count]) { out in
          x.withUnsafeBuffer { x in
            for place in out.indices {
              out[place] = x[place / count * width + places[place % count]]
            }
          }
        }
      },
      adjoint: { y in
        var result = Tensor<Double>(Shape([y.rows] + sampleShape.extents))
        result.withUnsafeMutableBuffer { out in
          y.withUnsafeBuffer { y in
            for place in y.indices {
              out[place / count * width + places[place % count]] = y[place]
            }
          }
        }
        return result
      })
  }

  /// The means over blocks of `size` × `size` pixels of images `[h, w]` or `[h, w, c]`, what super-resolution knows, or over `size`
  /// times of series `[length]` or `[length, c]`.
  ///
  /// Observations have shape `[h/size, w/size]` or `[h/size, w/size, c]`, and `[length/size]` or `[length/size, c]`.
  /// - Parameter isSeries: whether samples are series, as those of two axes may be.
  /// - Throws: `SamplingError` unless samples are images, or series, and the size divides their sides.
  public static func blockMeans(
    of sampleShape: Shape, size: Int, isSeries: Bool = false
  ) throws(SamplingError) -> LinearObservation {
    let axes = isSeries ? 1 : 2
    guard [axes, axes + 1].contains(sampleShape.rank) else {
      throw SamplingError(
        "means over blocks are of images [height, width] or [height, width, channels], or of series [length] or [length, channels]; found \(isSeries ? "series" : "samples") of shape \(sampleShape)"
      )
    }
    let sides = sampleShape.extents.prefix(axes)
    guard size >= 1, size <= sides.max() ?? 0, sides.allSatisfy({ $0 % size == 0 }) else {
      throw SamplingError(
        "the blocks' side is \(size); expected one that divides \(sides.map(String.init).joined(separator: " and ")), the \(isSeries ? "length" : "sides") of samples of shape \(sampleShape)"
      )
    }
    let channels = sampleShape.rank > axes ? sampleShape[axes] : 1
    let shape = Shape(sides.map { $0 / size } + sampleShape.extents.dropFirst(axes))
    // A series is an image of one column, whose blocks are as wide as this.
    let (width, across) = isSeries ? (1, 1) : (sampleShape[1], sampleShape[1] / size)
    let (pixels, area) = (sampleShape.count, Double(isSeries ? size : size * size))
    // The entry of an observation that an entry of a sample counts in.
    let blocks = (0..<pixels).map { entry in
      let (row, column) = (entry / channels / width, entry / channels % width)
      return (row / size * across + column / size) * channels + entry % channels
    }
    let count = shape.count
    return try LinearObservation(
      of: sampleShape, shape: shape,
      apply: { x in
        var result = Tensor<Double>(Shape([x.rows] + shape.extents))
        result.withUnsafeMutableBuffer { out in
          x.withUnsafeBuffer { x in
            for place in x.indices {
              out[place / pixels * count + blocks[place % pixels]] += x[place] / area
            }
          }
        }
        return result
      },
      adjoint: { y in
        Tensor(Shape([y.rows] + sampleShape.extents)) { out in
          y.withUnsafeBuffer { y in
            for place in out.indices {
              out[place] = y[place / pixels * count + blocks[place % pixels]] / area
            }
          }
        }
      })
  }

  /// The products with a matrix of m rows, one number an observed entry, and a column an entry of a sample.
  /// - Throws: `SamplingError` unless all rows have as many finite entries as a sample, and there is one.
  public static func matrix(
    _ rows: [[Double]], of sampleShape: Shape
  ) throws(SamplingError) -> LinearObservation {
    let width = sampleShape.count
    if let other = rows.firstIndex(where: { $0.count != width || !$0.allSatisfy(\.isFinite) }) {
      throw SamplingError(
        "row \(other) of the observation's matrix has \(rows[other].count) entries\(rows[other].count == width ? ", not all of them finite" : ""); expected \(width) finite ones, as samples of shape \(sampleShape) have"
      )
    }
    let matrix = Tensor(rows: rows)
    return try LinearObservation(
      of: sampleShape, shape: [rows.count],
      apply: { $0.reshaped([$0.rows, width]).matmul(matrix, transposeOther: true) },
      adjoint: { $0.matmul(matrix).reshaped(Shape([$0.rows] + sampleShape.extents)) })
  }
}

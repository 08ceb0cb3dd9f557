import ScoreSampling
import ScoreTensors

/// What is observed of a sample: a linear map A, of which `PosteriorField` knows y = A x + n.
///
/// ```
/// apply    A  x    [n] + sampleShape → [n] + shape
/// adjoint  Aᵀ y    [n] + shape → [n] + sampleShape,   ⟨A x, y⟩ = ⟨x, Aᵀ y⟩
/// ```
///
/// Arithmetic is in Double whatever the field's scalar.
public struct LinearObservation: Sendable {
  /// A map of a batch, row by row.
  public typealias Map = @Sendable (Tensor<Double>) -> Tensor<Double>

  /// The shape of one sample x.
  public let sampleShape: Shape
  /// The shape of one observation y.
  public let shape: Shape
  let map: Map
  let transpose: Map

  /// Creates an observation from its map and the adjoint of that.
  /// - Parameters:
  ///   - apply: A of each row of `[n] + sampleShape`; row i by row i alone.
  ///   - adjoint: Aᵀ of each row of `[n] + shape`, likewise.
  /// - Throws: `SamplingError` where there is nothing to observe, a result has another shape or is not finite, and where
  ///   random vectors show that the maps are no adjoints of each other, or that rows depend on one another.
  public init(
    of sampleShape: Shape, shape: Shape, apply: @escaping Map, adjoint: @escaping Map
  ) throws(SamplingError) {
    self.sampleShape = sampleShape
    self.shape = shape
    map = apply
    transpose = adjoint
    guard sampleShape.count > 0, shape.count > 0 else {
      throw SamplingError(
        "the observation takes samples of shape \(sampleShape) to shape \(shape); expected at least one entry of each"
      )
    }
    try checkAdjoint()
  }

  /// A x of each row of a batch `[n] + sampleShape`.
  /// - Throws: `SamplingError` where a shape is another.
  public func apply(_ x: Tensor<Double>) throws(SamplingError) -> Tensor<Double> {
    try Self.checked(map, "the observation", x, sampleShape, shape)
  }

  /// Aᵀ y of each row of a batch `[n] + shape`.
  /// - Throws: `SamplingError` where a shape is another.
  public func adjoint(_ y: Tensor<Double>) throws(SamplingError) -> Tensor<Double> {
    try Self.checked(transpose, "the adjoint", y, shape, sampleShape)
  }

  private static func checked(
    _ map: Map, _ name: String, _ x: Tensor<Double>, _ from: Shape, _ to: Shape
  ) throws(SamplingError) -> Tensor<Double> {
    guard x.shape.rank > 0, x.shape.row == from else {
      throw SamplingError("\(name) is applied to shape \(x.shape); expected [n] + \(from)")
    }
    let result = map(x)
    guard result.shape == Shape([x.rows] + to.extents) else {
      throw SamplingError(
        "\(name) takes \(x.shape) to \(result.shape); expected \(Shape([x.rows] + to.extents))")
    }
    return result
  }

  /// Holds the two maps to each other on three pairs of random vectors.
  private func checkAdjoint() throws(SamplingError) {
    let key = RandomKey(0).folded("linear observation")
    let x: Tensor<Double> = key.folded("x").normal(Shape([3] + sampleShape.extents))
    let y: Tensor<Double> = key.folded("y").normal(Shape([3] + shape.extents))
    let (forward, backward) = (try apply(x), try adjoint(y))
    let (there, back) = (forward.rowDots(y), x.rowDots(backward))
    let sizes = zip(forward.rowDots(forward), y.rowDots(y)).map { ($0 * $1).squareRoot() }
    let others = zip(x.rowDots(x), backward.rowDots(backward)).map { ($0 * $1).squareRoot() }
    for row in 0..<3 {
      guard there[row].isFinite, back[row].isFinite else {
        throw SamplingError(
          "the observation or its adjoint of a random vector is not finite; expected finite numbers"
        )
      }
      guard abs(there[row] - back[row]) <= 1e-6 * max(sizes[row], others[row]) else {
        throw SamplingError(
          "the adjoint is not that of the observation: ⟨A x, y⟩ is \(there[row]) and ⟨x, Aᵀ y⟩ is \(back[row]) for random x and y; expected one number"
        )
      }
    }
    for (map, rows, together) in [(map, x, forward), (transpose, y, backward)] {
      let alone = map(rows.rows(1..<2))
      let difference = alone - together.rows(1..<2)
      guard difference.rowDots(difference)[0] <= 1e-12 * alone.rowDots(alone)[0] else {
        throw SamplingError(
          "the observation or its adjoint of one row depends on the other rows of a batch; expected maps of each row by itself"
        )
      }
    }
  }
}

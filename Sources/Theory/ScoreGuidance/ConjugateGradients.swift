import ScoreTensors

/// Conjugate gradients on many systems at once, one a row (Hestenes & Stiefel 1952).
///
/// ```
/// (diag(d) + Bᵢ) zᵢ = rᵢ,   Bᵢ = Aᵢ Gᵢ symmetric, without negative eigenvalues
/// ```
///
/// Of the iterates the one with the least residual is taken. What is wanted is Gᵢ zᵢ, which is summed along the way, since each
/// iteration forms Gᵢ p. A row that has converged takes no part in later iterations, and its numbers come from itself alone.
struct ConjugateGradients {
  /// The most iterations.
  let iterations: Int
  /// The part of ‖rᵢ‖ at which a row has converged.
  let tolerance: Double

  struct Solution {
    /// Gᵢ zᵢ; not a number where a row's products were not finite.
    var images: Tensor<Double>
    /// The part of ‖rᵢ‖ that is left; 0 where rᵢ is 0.
    var residuals: [Double]
  }

  /// Solves all rows.
  /// - Parameters:
  ///   - right: the right-hand sides rᵢ, `[n, …]`.
  ///   - shift: d, one number an entry of a row.
  ///   - imageShape: the shape of one Gᵢ zᵢ.
  ///   - products: Gᵢ p and Bᵢ p of directions p, one for each of the rows that it is told.
  func solve(
    _ right: Tensor<Double>, shift: [Double], imageShape: Shape,
    products: (_ rows: [Int], _ p: Tensor<Double>) throws -> (
      images: Tensor<Double>, products: Tensor<Double>
    )
  ) rethrows -> Solution {
    var systems = (0..<right.rows).map {
      System(right.row($0), images: imageShape.count, tolerance: tolerance)
    }
    for _ in 0..<iterations {
      let rows = systems.indices.filter { systems[$0].isActive }
      guard !rows.isEmpty else { break }
      let directions = Tensor(
        right.shape.withRows(rows.count), rows.flatMap { systems[$0].direction })
      let (images, products) = try products(rows, directions)
      for (place, row) in rows.enumerated() {
        systems[row].advance(images.row(place), products.row(place), shift: shift)
      }
    }
    return Solution(
      images: Tensor(
        Shape([right.rows] + imageShape.extents), systems.flatMap(\.image)),
      residuals: systems.map(\.relativeResidual))
  }
}

extension ConjugateGradients {
  /// One row.
  private struct System {
    private(set) var direction: [Double]
    /// That of the iterate with the least residual.
    private(set) var image: [Double]
    private(set) var isActive: Bool
    private var residual: [Double]
    private var square: Double
    private var current: [Double]
    private var least: Double
    private let start: Double
    private let goal: Double

    init(_ right: [Double], images: Int, tolerance: Double) {
      residual = right
      direction = right
      image = [Double](repeating: 0, count: images)
      current = image
      start = Self.dot(right, right)
      square = start
      least = start
      goal = tolerance * tolerance * start
      isActive = start > 0
      if !start.isFinite { fail() }
    }

    var relativeResidual: Double { least == 0 ? 0 : (least / start).squareRoot() }

    /// Takes G p and B p of the direction p.
    mutating func advance(_ forward: [Double], _ product: [Double], shift: [Double]) {
      let curvature = Self.dot(direction, product)
      guard curvature.isFinite, forward.allSatisfy(\.isFinite) else { return fail() }
      // B of an imperfect field may have such directions: of what is observed along them it knows nothing.
      guard curvature > 0 else {
        isActive = false
        return
      }
      let whole = direction.indices.reduce(curvature) {
        $0 + shift[$1] * direction[$1] * direction[$1]
      }
      let step = square / whole
      guard step.isFinite else { return fail() }
      for j in current.indices { current[j] += step * forward[j] }
      for j in residual.indices { residual[j] -= step * (product[j] + shift[j] * direction[j]) }
      let next = Self.dot(residual, residual)
      let ratio = next / square
      for j in direction.indices { direction[j] = residual[j] + ratio * direction[j] }
      square = next
      if !next.isFinite { return fail() }
      isActive = next > goal
      // Residuals of an imperfect field's system, which is not quite symmetric, may grow without bound.
      if next < least { (least, image) = (next, current) }
    }

    // What is not a number shows in the result, where a solver's status tells it.
    private mutating func fail() {
      image = image.map { _ in .nan }
      least = .nan
      isActive = false
    }

    private static func dot(_ x: [Double], _ y: [Double]) -> Double {
      x.indices.reduce(0) { $0 + x[$1] * y[$1] }
    }
  }
}

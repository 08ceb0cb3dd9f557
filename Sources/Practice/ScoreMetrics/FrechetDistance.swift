import ScoreTensors

extension Metrics {
  /// The squared Fréchet distance between normal distributions with these moments.
  ///
  /// ```
  /// |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½)
  /// ```
  ///
  /// This is the square of their Wasserstein-2 distance (Dowson & Landau 1982). Singular covariances are allowed; moments that
  /// are no finite numbers give NaN. Costs two eigenvalue problems of d × d.
  public static func frechetDistance(_ first: SampleMoments, _ second: SampleMoments) -> Double {
    guard first.isFinite, second.isFinite else { return .nan }
    return FrechetTerms(first, second).distance
  }

  /// The squared Fréchet distance between two sets of samples `[n, …]`, on the values themselves.
  ///
  /// The error is that of the first-order expansion in the moments. Beware of the bias: the expected value for two sets of
  /// one distribution is not 0 but of the order d²/n times the variance, which the error does not tell; compare sets of
  /// equal size, or use `energyDistance`. Costs four eigenvalue problems of d × d.
  public static func frechetDistance<Scalar: TensorScalar>(
    _ first: Tensor<Scalar>, _ second: Tensor<Scalar>
  ) -> Estimate {
    let (a, b) = (first.sampleRows, second.sampleRows)
    let (momentsA, momentsB) = (SampleMoments(a), SampleMoments(b))
    guard momentsA.isFinite, momentsB.isFinite else {
      return Estimate(.nan, standardError: .nan)
    }
    let forward = FrechetTerms(momentsA, momentsB)
    let backward = FrechetTerms(momentsB, momentsA)
    let square =
      forward.influenceVariance(a) / Double(a.rows) + backward.influenceVariance(b) / Double(b.rows)
    return Estimate(forward.distance, standardError: square.squareRoot())
  }
}

/// The parts of the Fréchet distance, and its derivative by the first set's moments.
private struct FrechetTerms {
  let first: SampleMoments
  let difference: [Double]
  let distance: Double
  /// I − T, where T is the matrix of the optimal map from the first to the second distribution.
  private let gradient: Tensor<Double>

  init(_ first: SampleMoments, _ second: SampleMoments) {
    let n = first.dimensions
    precondition(
      n == second.dimensions, "samples of \(n) and of \(second.dimensions) values")
    self.first = first
    difference = zip(first.mean, second.mean).map { $0 - $1 }
    let eigen = SymmetricEigen(first.covariance, order: n)
    let root = Tensor<Double>([n, n], eigen.mapped { max(0, $0).squareRoot() })
    let product = root.matmul(Tensor<Double>([n, n], second.covariance)).matmul(root)
    let cross = SymmetricEigen(product.scalars, order: n)
    let traces = (0..<n).reduce(0) {
      $0 + first.covariance[$1 * n + $1] + second.covariance[$1 * n + $1]
    }
    let overlap = cross.values.reduce(0) { $0 + max(0, $1).squareRoot() }
    distance = max(0, difference.reduce(0) { $0 + $1 * $1 } + traces - 2 * overlap)

    // T = Σ₁^-½ (Σ₁^½ Σ₂ Σ₁^½)^½ Σ₁^-½ on the span of the first set; directions without variance stay out.
    let least = 1e-12 * (eigen.values.last ?? 0)
    let inverse = Tensor<Double>([n, n], eigen.mapped { $0 > least ? 1 / $0.squareRoot() : 0 })
    let middle = Tensor<Double>([n, n], cross.mapped { max(0, $0).squareRoot() })
    var map = inverse.matmul(middle).matmul(inverse)
    map.withUnsafeMutableBuffer { entries in
      for i in 0..<n * n { entries[i] = (i % (n + 1) == 0 ? 1 : 0) - entries[i] }
    }
    gradient = map
  }

  /// The variance over samples x of 2 (μ₁ − μ₂)·(x − μ₁) + (x − μ₁)ᵀ (I − T) (x − μ₁).
  func influenceVariance(_ samples: Tensor<Double>) -> Double {
    let centred = samples.centred(by: first.mean)
    let quadratic = centred.matmul(gradient).rowDots(centred)
    let linear = centred.matmul(Tensor<Double>([difference.count, 1], difference)).scalars
    let values = zip(quadratic, linear).map { $0 + 2 * $1 }
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1))
  }
}

extension SampleMoments {
  fileprivate var isFinite: Bool { (mean + covariance).allSatisfy { $0.isFinite } }
}

import Foundation
import ScoreTensors

/// The exact score field of a finite data set, each point smoothed by a bandwidth h or none.
///
/// ```
/// p_t = 1/N Σᵢ N(α xᵢ, s² I),   s² = α² h² + σ²
/// ε̂(x, t) = σ (x − α x̄)/s²,   x̄ = Σᵢ rᵢ xᵢ,   rᵢ ∝ exp(−|x − α xᵢ|²/(2 s²))
/// ```
///
/// It is what a network that fits its training data perfectly would learn. Without a bandwidth there is no density at
/// t = 0 where σ(0) = 0; with one ε̂ goes to 0 there. A row costs about 4 N D operations, and memory holds the data once
/// and 512 of them at a time.
public struct EmpiricalOracle<Scalar: TensorScalar>: ScoreOracle {
  public let process: any LinearProcess
  public let sampleShape: Shape
  /// The bandwidth h.
  public let bandwidth: Double
  private let data: Tensor<Double>
  private let squares: [Double]
  private let largestSquare: Double

  /// Creates the field of the rows of `data`, `[N] + sampleShape`.
  /// - Throws: `ProcessError` where there are no data, an entry is not finite or the bandwidth is negative.
  public init(
    process: any LinearProcess, data: Tensor<Scalar>, bandwidth: Double = 0
  ) throws(ProcessError) {
    guard data.shape.rank > 1, data.count > 0 else {
      throw ProcessError(
        "the data have shape \(data.shape); expected [N] + sample shape with at least one sample")
    }
    guard data.isFinite else {
      throw ProcessError("the data hold an entry that is not finite; expected finite numbers")
    }
    guard bandwidth >= 0, bandwidth.isFinite else {
      throw ProcessError(
        "the bandwidth is \(bandwidth); expected a finite number of at least 0")
    }
    self.process = process
    self.bandwidth = bandwidth
    sampleShape = data.shape.row
    self.data = Tensor<Double>(data).reshaped([data.rows, data.shape.rowCount])
    squares = self.data.rowDots(self.data)
    largestSquare = squares.max() ?? 0
  }

  /// The number of data N.
  public var count: Int { data.rows }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try check(x, t)
    let kernels = RowKernels(process, t)
    var noise = Tensor<Double>(x.shape)
    try forEachRow(x, nil, kernels) { i, row, sums, kernel in
      write(row, sums, kernel, sigma: kernels[i].sigma, i, &noise)
    }
    return Tensor(noise)
  }

  public func noiseAndTrace(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, trace: [Scalar]) {
    try check(x, t)
    let kernels = RowKernels(process, t)
    let width = data.shape.rowCount
    var noise = Tensor<Double>(x.shape)
    var trace = [Scalar](repeating: 0, count: x.rows)
    try forEachRow(x, nil, kernels) { i, row, sums, kernel in
      let sigma = kernels[i].sigma
      let square = write(row, sums, kernel, sigma: sigma, i, &noise)
      // The variance of α xᵢ under r: Σ r d − |x − α x̄|².
      let spread = max(0, sums.distance / sums.weight - square)
      trace[i] = Scalar(sigma / kernel.variance * (Double(width) - spread / kernel.variance))
    }
    return (Tensor(noise), trace)
  }

  public func noiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    try check(x, t)
    try check(cotangent: v, x)
    let kernels = RowKernels(process, t)
    let width = data.shape.rowCount
    var noise = Tensor<Double>(x.shape)
    var pullback = Tensor<Double>(v)
    try forEachRow(x, Tensor<Double>(v), kernels) { i, row, sums, kernel in
      let sigma = kernels[i].sigma
      write(row, sums, kernel, sigma: sigma, i, &noise)
      // σ/s² [v − cov(e) v/s²] with e = x − α xᵢ: cov(e) v = α (c̄ x̄ − mean of c x).
      let along = sums.along / sums.weight
      pullback.withUnsafeMutableBuffer { out in
        for j in 0..<width {
          let covariance =
            kernel.alpha
            * (along * (sums.mean[j] / sums.weight) - sums.alongMean[j] / sums.weight)
          let value = out[i * width + j]
          out[i * width + j] = sigma / kernel.variance * (value - covariance / kernel.variance)
        }
      }
    }
    return (Tensor(noise), Tensor(pullback))
  }

  public func logDensity(_ x: Tensor<Scalar>, at t: Times) throws -> [Double] {
    try check(x, t)
    return try logDensity(x, RowKernels(process, t))
  }

  /// The log density of the data smoothed by the bandwidth.
  /// - Throws: `ProcessError` where x does not fit, or the bandwidth is 0: points have no density.
  public func logDataDensity(_ x: Tensor<Scalar>) throws -> [Double] {
    try check(x, .shared(0))
    return try logDensity(x, .identity)
  }

  public func sample(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Scalar> {
    let uniform = key.folded("component").uniform([count, 1], of: Double.self, samples: samples)
    var rows = data.rows(
      uniform.scalars.map { min(data.rows - 1, Int($0 * Double(data.rows))) })
    if bandwidth > 0 {
      let normal = key.folded("position").normal(rows.shape, of: Double.self, samples: samples)
      rows = .combined(1, rows, bandwidth, normal)
    }
    return Tensor(rows).reshaped(sampleShape.batch(count))
  }

  private func logDensity(_ x: Tensor<Scalar>, _ kernels: RowKernels) throws -> [Double] {
    var result = [Double](repeating: 0, count: x.rows)
    let width = Double(data.shape.rowCount)
    try forEachRow(x, nil, kernels) { i, _, sums, kernel in
      result[i] =
        sums.largest + log(sums.weight) - log(Double(data.rows))
        - 0.5 * width * log(2 * .pi * kernel.variance)
    }
    return result
  }

  // Writes ε̂ of row i and gives |x − α x̄|².
  @discardableResult
  private func write(
    _ row: UnsafeBufferPointer<Double>, _ sums: EmpiricalSums, _ kernel: EmpiricalSums.Kernel,
    sigma: Double, _ i: Int, _ noise: inout Tensor<Double>
  ) -> Double {
    var square = 0.0
    let width = row.count
    noise.withUnsafeMutableBuffer { out in
      for j in 0..<width {
        let residual = row[j] - kernel.alpha * (sums.mean[j] / sums.weight)
        square += residual * residual
        out[i * width + j] = sigma * residual / kernel.variance
      }
    }
    return square
  }

  // Calls `body` with each row, its sums and factors.
  private func forEachRow(
    _ x: Tensor<Scalar>, _ v: Tensor<Double>?, _ kernels: RowKernels,
    _ body: (Int, UnsafeBufferPointer<Double>, EmpiricalSums, EmpiricalSums.Kernel) -> Void
  ) throws(ProcessError) {
    let width = data.shape.rowCount
    let factors = kernels.kernels.map {
      EmpiricalSums.Kernel(
        alpha: $0.alpha,
        variance: $0.alpha * $0.alpha * bandwidth * bandwidth + $0.sigma * $0.sigma)
    }
    guard factors.allSatisfy({ $0.variance > 0 }) else {
      throw ProcessError(
        "the data are points without a density where σ = 0; expected a time with σ > 0 or a bandwidth above 0"
      )
    }
    let rows = Tensor<Double>(x).reshaped([x.rows, width])
    let cotangents = v?.reshaped([x.rows, width])
    for begin in stride(from: 0, to: x.rows, by: EmpiricalSums.rowsAtOnce) {
      let range = begin..<min(x.rows, begin + EmpiricalSums.rowsAtOnce)
      let own = range.map { factors[kernels.isShared ? 0 : $0] }
      let part = rows.rows(range)
      let sums = EmpiricalSums.rows(
        part, cotangents?.rows(range), own, data: data, squares: squares,
        largestSquare: largestSquare)
      part.withUnsafeBuffer { part in
        for b in 0..<range.count {
          body(
            begin + b, UnsafeBufferPointer(rebasing: part[b * width..<(b + 1) * width]), sums[b],
            own[b])
        }
      }
    }
  }
}

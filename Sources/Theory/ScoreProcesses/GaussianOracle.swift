import Foundation
import ScoreTensors

/// The exact score field of Gaussian data N(μ, Σ) under a linear process.
///
/// ```
/// p_t = N(α μ, C),   C = α² Σ + σ² I
/// ε̂(x, t) = σ C⁻¹ (x − α μ)
/// ```
///
/// All is done in the axes of Σ, found once, so a new time costs D divisions and a row two products with a D × D
/// matrix, or none where Σ is diagonal. ε̂ stays finite as t → 0, where it goes to 0 with σ.
public struct GaussianOracle<Scalar: TensorScalar>: ScoreOracle {
  public let process: any LinearProcess
  public let sampleShape: Shape
  let gaussian: GaussianComponent

  /// Creates the field from a mean and a full covariance.
  ///
  /// `sampleShape` is `[D]` unless samples have more axes, as images do; its count is D.
  /// - Parameter progress: called on the way with about the part of the axes that is found, which take seconds from some 500
  ///   dimensions on; false stops, as does the task's cancellation.
  /// - Throws: `ProcessError` where dimensions differ, an entry is not finite, or the covariance is not symmetric and
  ///   positive definite, and where it is stopped.
  public init(
    process: any LinearProcess, mean: [Double], covariance: [[Double]], sampleShape: Shape? = nil,
    progress: ((Double) -> Bool)? = nil
  ) throws(ProcessError) {
    self.process = process
    gaussian = try GaussianComponent(
      mean: mean, covariance: covariance, named: ("mean", "covariance"), progress: progress)
    self.sampleShape = sampleShape ?? [mean.count]
    guard self.sampleShape.count == mean.count else {
      throw ProcessError(
        "the sample shape \(self.sampleShape) has \(self.sampleShape.count) entries; expected \(mean.count), the length of mean"
      )
    }
  }

  /// Creates the field of independent entries of one mean and one standard deviation.
  /// - Throws: `ProcessError` unless the mean is finite, the deviation is positive, its square a normal number, and D > 0.
  public init(
    process: any LinearProcess, mean: Double, deviation: Double, sampleShape: Shape
  ) throws(ProcessError) {
    let variance = deviation * deviation
    guard mean.isFinite, deviation > 0, variance.isNormal, sampleShape.count > 0 else {
      throw ProcessError(
        "the Gaussian has mean \(mean), deviation \(deviation) and sample shape \(sampleShape); expected a finite mean, a deviation above 0 whose square is a normal number, and at least one entry"
      )
    }
    self.process = process
    self.sampleShape = sampleShape
    gaussian = GaussianComponent(
      mean: mean, variance: variance, dimensions: sampleShape.count)
  }

  /// Creates the field of the Gaussian with the mean and the covariance of data, `[n] + sampleShape`.
  ///
  /// ```
  /// μ = 1/n Σᵢ xᵢ,   Σ = 1/n Σᵢ (xᵢ − μ)(xᵢ − μ)ᵀ + v I
  /// ```
  ///
  /// Costs n D² operations, and some 10 D³ for the axes.
  /// - Parameters:
  ///   - variance: v, which entries that do not vary, or fewer samples than dimensions, need.
  ///   - progress: of the axes, as for a given covariance.
  /// - Throws: `ProcessError` where there are no data, an entry is not finite, or Σ is not positive definite, and where it is
  ///   stopped.
  public init<Entry: TensorScalar>(
    process: any LinearProcess, momentsOf data: Tensor<Entry>, addedVariance variance: Double = 0,
    progress: ((Double) -> Bool)? = nil
  ) throws(ProcessError) {
    guard data.shape.rank > 1, data.count > 0 else {
      throw ProcessError(
        "the data have shape \(data.shape); expected [n] + sample shape with at least one sample")
    }
    let (count, width) = (Double(data.rows), data.shape.rowCount)
    let rows = Tensor<Double>(data).reshaped([data.rows, width])
    let entries = rows.scalars
    let ones = Tensor<Double>([1, data.rows]) { $0.update(repeating: 1 / count) }
    let mean = ones.matmul(rows).scalars
    let centred = Tensor<Double>(rows.shape) { out in
      for place in out.indices { out[place] = entries[place] - mean[place % width] }
    }
    let products = centred.matmul(centred, transposeSelf: true)
    try self.init(
      process: process, mean: mean,
      covariance: (0..<width).map { i in
        (0..<width).map { products[i, $0] / count + (i == $0 ? variance : 0) }
      }, sampleShape: data.shape.row, progress: progress)
  }

  /// The mean μ of the data.
  public var mean: [Double] { gaussian.mean }

  /// The variances of the data along the axes of Σ: its eigenvalues.
  public var principalVariances: [Double] { gaussian.variances }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try scaledResidual(x, at: t, by: gains)
  }

  /// (x − α μ), scaled along the axes of Σ by gains, one an axis.
  func scaledResidual(
    _ x: Tensor<Scalar>, at t: Times, by gains: (RowKernels.Kernel) -> [Double]
  ) throws -> Tensor<Scalar> {
    try check(x, t)
    let kernels = RowKernels(process, t)
    return result(rotatedResidual(x, kernels), kernels, gains, x.shape)
  }

  public func noiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    try check(x, t)
    try check(cotangent: v, x)
    let kernels = RowKernels(process, t)
    let rotated = gaussian.rotated(flattened(v))
    return (
      result(rotatedResidual(x, kernels), kernels, gains, x.shape),
      result(rotated, kernels, gains, x.shape)
    )
  }

  public func noiseAndTrace(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, trace: [Scalar]) {
    try check(x, t)
    let kernels = RowKernels(process, t)
    let traces = kernels.kernels.map { kernel in
      Scalar(gains(kernel).reduce(0, +))
    }
    let trace = kernels.isShared ? [Scalar](repeating: traces[0], count: x.rows) : traces
    return (result(rotatedResidual(x, kernels), kernels, gains, x.shape), trace)
  }

  public func logDensity(_ x: Tensor<Scalar>, at t: Times) throws -> [Double] {
    try check(x, t)
    return logDensity(x, RowKernels(process, t))
  }

  public func logDataDensity(_ x: Tensor<Scalar>) throws -> [Double] {
    try check(x, .shared(0))
    return logDensity(x, .identity)
  }

  public func sample(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Scalar> {
    let noise = key.normal([count, gaussian.dimensions], of: Double.self, samples: samples)
    return Tensor(gaussian.shifted(noise)).reshaped(sampleShape.batch(count))
  }

  // σ/(α² λₖ + σ²): the eigenvalues of ∂ε̂/∂x.
  private func gains(_ kernel: RowKernels.Kernel) -> [Double] {
    gaussian.variances.map {
      kernel.sigma / (kernel.alpha * kernel.alpha * $0 + kernel.sigma * kernel.sigma)
    }
  }

  private func flattened(_ x: Tensor<Scalar>) -> Tensor<Double> {
    Tensor<Double>(x).reshaped([x.rows, gaussian.dimensions])
  }

  // (x − α μ) along the axes.
  private func rotatedResidual(_ x: Tensor<Scalar>, _ kernels: RowKernels) -> Tensor<Double> {
    var rows = flattened(x)
    let width = gaussian.dimensions
    let count = rows.rows
    rows.withUnsafeMutableBuffer { rows in
      gaussian.mean.withUnsafeBufferPointer { mean in
        for i in 0..<count {
          let alpha = kernels[i].alpha
          for j in 0..<width { rows[i * width + j] -= alpha * mean[j] }
        }
      }
    }
    return gaussian.rotated(rows)
  }

  // Gains applied to rows given along the axes.
  private func result(
    _ rotated: Tensor<Double>, _ kernels: RowKernels,
    _ gainsOf: (RowKernels.Kernel) -> [Double], _ shape: Shape
  ) -> Tensor<Scalar> {
    var rows = rotated
    let width = gaussian.dimensions
    let count = rows.rows
    var gains = kernels.isShared ? gainsOf(kernels[0]) : []
    rows.withUnsafeMutableBuffer { rows in
      for i in 0..<count {
        if !kernels.isShared { gains = gainsOf(kernels[i]) }
        gains.withUnsafeBufferPointer { gains in
          for j in 0..<width { rows[i * width + j] *= gains[j] }
        }
      }
    }
    return Tensor(gaussian.rotatedBack(rows)).reshaped(shape)
  }

  private func logDensity(_ x: Tensor<Scalar>, _ kernels: RowKernels) -> [Double] {
    let rotated = rotatedResidual(x, kernels)
    let width = gaussian.dimensions
    func variances(_ kernel: RowKernels.Kernel) -> (values: [Double], logs: Double) {
      let values = gaussian.variances.map {
        kernel.alpha * kernel.alpha * $0 + kernel.sigma * kernel.sigma
      }
      return (values, values.reduce(0) { $0 + log(2 * .pi * $1) })
    }
    var (values, logs) = kernels.isShared ? variances(kernels[0]) : ([], 0)
    return rotated.withUnsafeBuffer { rows in
      (0..<rotated.rows).map { i in
        if !kernels.isShared { (values, logs) = variances(kernels[i]) }
        var sum = logs
        for j in 0..<width { sum += rows[i * width + j] * rows[i * width + j] / values[j] }
        return -0.5 * sum
      }
    }
  }
}

extension Shape {
  /// The shape of a batch of samples of this shape.
  func batch(_ rows: Int) -> Shape { Shape([rows] + extents) }
}

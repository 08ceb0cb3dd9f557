import ScoreTensors

/// The exact score field of a Gaussian mixture under a linear process.
///
/// ```
/// p_t = Σₖ wₖ N(α μₖ, Cₖ),   Cₖ = α² Σₖ + σ² I
/// ε̂(x, t) = σ Σₖ rₖ Cₖ⁻¹ (x − α μₖ),   rₖ ∝ wₖ N(x; α μₖ, Cₖ)
/// ```
///
/// Responsibilities are formed from log densities with the largest taken out, so that rows far from every component
/// keep their component and their slope. ε̂ stays finite as t → 0, where it goes to 0 with σ. Covariances are
/// decomposed once; a new time costs K D divisions, and a row O(K D²) operations, O(K D) where all are diagonal.
public struct MixtureOracle<Scalar: TensorScalar>: ScoreOracle {
  public let process: any LinearProcess
  public let sampleShape: Shape
  /// The threads that share the rows of a batch, or nil for the caller's alone; the bits are the same.
  public var pool: ThreadPool?
  let components: MixtureComponents

  /// Creates the field from K weights, means `[D]` and covariances `[D, D]`.
  ///
  /// `sampleShape` is `[D]` unless samples have more axes, as images do; its count is D.
  /// - Throws: `ProcessError` that names the entry at fault: counts or dimensions that differ, negative weights or a
  ///   sum off 1 by more than 1e-6, entries that are not finite, a covariance that is not symmetric and positive
  ///   definite.
  public init(
    process: any LinearProcess, weights: [Double], means: [[Double]], covariances: [[[Double]]],
    sampleShape: Shape? = nil, pool: ThreadPool? = nil
  ) throws(ProcessError) {
    try self.init(
      process: process,
      parameters: MixtureParameters(weights: weights, means: means, covariances: covariances),
      sampleShape: sampleShape, pool: pool)
  }

  /// Creates the field from parameters, which a file may hold.
  /// - Throws: `ProcessError`, as the initialiser above.
  public init(
    process: any LinearProcess, parameters: MixtureParameters, sampleShape: Shape? = nil,
    pool: ThreadPool? = nil
  ) throws(ProcessError) {
    self.process = process
    self.pool = pool
    components = try MixtureComponents(parameters)
    self.sampleShape = sampleShape ?? [components.dimensions]
    guard self.sampleShape.count == components.dimensions else {
      throw ProcessError(
        "the sample shape \(self.sampleShape) has \(self.sampleShape.count) entries; expected \(components.dimensions), as the mixture's means have"
      )
    }
  }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try check(x, t)
    return Tensor(
      Tensor<Double>(x.shape) { out in
        blocks(x, RowKernels(process, t)) { block, x, rows in block.noise(x, rows, out) }
      })
  }

  public func noiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    try check(x, t)
    try check(cotangent: v, x)
    let cotangent = Tensor<Double>(v)
    var pullback = Tensor<Double>(x.shape)
    let noise = pullback.withUnsafeMutableBuffer { pullback in
      cotangent.withUnsafeBuffer { v in
        Tensor<Double>(x.shape) { out in
          blocks(x, RowKernels(process, t)) { block, x, rows in
            block.noiseAndPullback(x, v, rows, out, pullback)
          }
        }
      }
    }
    return (Tensor(noise), Tensor(pullback))
  }

  public func noiseAndTrace(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, trace: [Scalar]) {
    try check(x, t)
    var trace = Tensor<Double>([x.rows])
    let noise = trace.withUnsafeMutableBuffer { trace in
      Tensor<Double>(x.shape) { out in
        blocks(x, RowKernels(process, t)) { block, x, rows in
          block.noiseAndTrace(x, rows, out, trace)
        }
      }
    }
    return (Tensor(noise), Tensor<Scalar>(trace).scalars)
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
    let uniform = key.folded("component").uniform([count, 1], of: Double.self, samples: samples)
    let normal = key.folded("position").normal(
      [count, components.dimensions], of: Double.self, samples: samples)
    return Tensor(components.draw(uniform: uniform.scalars, normal: normal))
      .reshaped(sampleShape.batch(count))
  }

  private func logDensity(_ x: Tensor<Scalar>, _ kernels: RowKernels) -> [Double] {
    Tensor<Double>([x.rows]) { out in
      blocks(x, kernels) { block, x, rows in block.logDensity(x, rows, out) }
    }.scalars
  }

  // Runs `body` on blocks that make up all rows. Each writes its own rows of the results, which is why they may share
  // the buffers.
  private func blocks(
    _ x: Tensor<Scalar>, _ kernels: RowKernels,
    _ body: (MixtureBlock, UnsafeBufferPointer<Double>, Range<Int>) -> Void
  ) {
    let rows = x.rows
    Tensor<Double>(x).withUnsafeBuffer { x in
      withoutActuallyEscaping(body) { body in
        nonisolated(unsafe) let (x, body) = (x, body)
        let run: @Sendable (Range<Int>) -> Void = { range in
          let block = MixtureBlock(components, kernels)
          for begin in stride(from: range.lowerBound, to: range.upperBound, by: block.capacity) {
            body(block, x, begin..<min(range.upperBound, begin + block.capacity))
          }
        }
        if let pool, rows * components.count >= 1024 {
          pool.forEachRange(of: rows, granule: 8, run)
        } else {
          run(0..<rows)
        }
      }
    }
  }
}

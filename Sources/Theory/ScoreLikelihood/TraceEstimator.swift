import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// Estimates of the trace of ∂ε̂/∂x, one column a probe, with probes that stay the same from call to call.
struct TraceEstimator<Scalar: TensorScalar> {
  private let whole: any DifferentiableScoreField<Scalar>
  // That of the rows present.
  private var field: any DifferentiableScoreField<Scalar>
  private let divergence: Divergence
  // One tensor a probe, with a row for each of the original rows, and for those present. The sketch comes first.
  private let allProbes: [Tensor<Scalar>]
  private var probes: [Tensor<Scalar>]
  private let sketch: Int

  /// The number of columns; the exact trace has one.
  let columns: Int

  init(
    _ field: any DifferentiableScoreField<Scalar>, _ divergence: Divergence, rows: Int,
    key: RandomKey, samples: SampleIndices
  ) {
    (whole, self.field) = (field, field)
    self.divergence = divergence
    let shape = Shape([rows] + field.sampleShape.extents)
    let key = key.folded("probes")
    func draw(_ probe: Divergence.Probe, _ count: Int) -> [Tensor<Scalar>] {
      (0..<count).map { probe.draw(shape, key: key.folded(UInt64($0)), samples: samples) }
    }
    switch divergence {
    case .exact: (allProbes, sketch, columns) = ([], 0, 1)
    case .hutchinson(let probe, let count):
      (allProbes, sketch, columns) = (draw(probe, count), 0, count)
    case .hutchPlusPlus(let sketch, let count):
      // More than D directions would all lie in the span of the others.
      let sketch = min(sketch, field.sampleShape.count)
      // Signs would often be dependent in few dimensions; normal directions never are.
      let directions: [Tensor<Scalar>] = (0..<sketch).map {
        key.folded("sketch").folded(UInt64($0)).normal(shape, samples: samples)
      }
      (allProbes, self.sketch, columns) = (directions + draw(.rademacher, count), sketch, count)
    }
    probes = allProbes
  }

  /// Takes note of which of the original rows are present from now on, in order.
  mutating func select(rows: [Int]) {
    field = whole.rows(rows)
    probes = allProbes.map { rows.count == $0.rows ? $0 : $0.rows(rows) }
  }

  /// ε̂ and the columns of estimates, each with one entry a row.
  func callAsFunction(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, columns: [[Double]]) {
    switch divergence {
    case .exact:
      let (noise, trace) = try field.checkedNoiseAndTrace(x, at: t)
      return (noise, [trace.doubles])
    case .hutchinson:
      let (noise, pullbacks) = try field.checkedNoiseAndPullbacks(x, at: t, cotangents: probes)
      return (noise, zip(pullbacks, probes).map { $0.doubleRowDots($1) })
    case .hutchPlusPlus: return try sketched(x, at: t)
    }
  }

  private func sketched(
    _ x: Tensor<Scalar>, at t: Times
  ) throws -> (noise: Tensor<Scalar>, columns: [[Double]]) {
    let (rows, width) = (x.rows, x.shape.rowCount)
    let precisions = (0..<rows).map { 1 / field.process.marginal(at: t[$0]).sigma }
    func applied(_ v: Tensor<Scalar>, _ pullback: Tensor<Scalar>) -> [Double] {
      var result = v.doubles
      let pullback = pullback.doubles
      for i in 0..<rows {
        for j in i * width..<(i + 1) * width { result[j] = precisions[i] * result[j] - pullback[j] }
      }
      return result
    }
    let directions = Array(probes.prefix(sketch))
    let (noise, first) = try field.checkedNoiseAndPullbacks(x, at: t, cotangents: directions)
    var basis = zip(directions, first).map { applied($0, $1) }
    for k in basis.indices {
      Self.orthonormalise(&basis, k, rows: rows, width: width)
    }
    let directionCounts = (0..<rows).map { row in
      basis.count { $0[row * width..<(row + 1) * width].contains { $0 != 0 } }
    }
    let rest = probes.dropFirst(sketch).map { probe in
      var rest = probe.doubles
      Self.project(&rest, off: basis[...], rows: rows, width: width)
      return rest
    }
    let vectors = (basis + rest).map { entries in
      entries.withUnsafeBufferPointer {
        $0.baseAddress.map { Tensor<Scalar>(rows: $0, stride: width, shape: x.shape) } ?? x
      }
    }
    let pullbacks = try field.checkedNoiseAndPullbacks(x, at: t, cotangents: vectors).pullbacks
    let forms = zip(vectors, pullbacks).map { vector, pullback in
      let (squares, products) = (vector.doubleRowDots(vector), vector.doubleRowDots(pullback))
      return (0..<rows).map { precisions[$0] * squares[$0] - products[$0] }
    }
    // What a multiple c of 1 would give on the rest is known: c (D − sketch). The last direction, which the others leave
    // least of, tells c, and no probe g does, so the mean stays right.
    let lengths = vectors.dropFirst(sketch).map { $0.doubleRowDots($0) }
    let known = (0..<rows).map { row in
      Double(width) * precisions[row] - forms.prefix(sketch).reduce(0) { $0 + $1[row] }
        - forms[sketch - 1][row] * Double(width - directionCounts[row])
    }
    return (
      noise,
      zip(forms.dropFirst(sketch), lengths).map { form, length in
        (0..<rows).map { known[$0] - form[$0] + forms[sketch - 1][$0] * length[$0] }
      }
    )
  }

  // Vector k of each row made orthogonal to those before it and of length 1; one that they span becomes 0.
  private static func orthonormalise(
    _ basis: inout [[Double]], _ k: Int, rows: Int, width: Int
  ) {
    var vector = basis[k]
    let lengths = norms(vector, rows, width)
    project(&vector, off: basis[..<k], rows: rows, width: width)
    let left = norms(vector, rows, width)
    for i in 0..<rows {
      let factor = left[i] > 1e-6 * lengths[i] ? 1 / left[i] : 0
      for j in i * width..<(i + 1) * width { vector[j] *= factor }
    }
    basis[k] = vector
  }

  // Twice is enough for orthogonality to rounding (Parlett 1980, section 6.9).
  private static func project(
    _ vector: inout [Double], off basis: ArraySlice<[Double]>, rows: Int, width: Int
  ) {
    for _ in 0..<2 {
      for direction in basis {
        for i in 0..<rows {
          let entries = i * width..<(i + 1) * width
          let along = entries.reduce(0) { $0 + vector[$1] * direction[$1] }
          for j in entries { vector[j] -= along * direction[j] }
        }
      }
    }
  }

  private static func norms(_ vector: [Double], _ rows: Int, _ width: Int) -> [Double] {
    (0..<rows).map { i in
      (i * width..<(i + 1) * width).reduce(0) { $0 + vector[$1] * vector[$1] }.squareRoot()
    }
  }
}

/// The trace of ∂ε̂/∂x with what probes leave open; one entry a row.
public struct TraceEstimate: Sendable, Equatable {
  /// The traces.
  public var trace: [Double]
  /// Their standard errors: 0 where exact, nil for a single probe, whose spread cannot be seen.
  public var standardError: [Double]?
}

extension DifferentiableScoreField {
  /// The trace of ∂ε̂/∂x at (x, t), one number a row; the score's divergence is −1/σ of it.
  ///
  /// Row i is sample `first + i`; its probes depend on the key and that number alone.
  /// - Throws: `SamplingError` for numbers of probes below 1 or above `Divergence.mostProbes` and a `first` below 0, and what the field throws.
  public func trace(
    at x: Tensor<Scalar>, _ t: Times, by divergence: Divergence, key: RandomKey = RandomKey(0),
    first: Int = 0
  ) throws -> TraceEstimate {
    try divergence.check()
    try SamplingError.checkSamples(max(1, x.rows), of: sampleShape, Scalar.self, first: first)
    try divergence.checkMemory(of: x.rows, sampleShape, Scalar.self)
    let estimator = TraceEstimator(
      self, divergence, rows: x.rows, key: key, samples: .consecutive(first: first))
    let columns = try estimator(x, at: t).columns
    let spreads = (0..<x.rows).map { row in SampleMean(columns.map { $0[row] }) }
    let isKnown = divergence == .exact || columns.count > 1
    return TraceEstimate(
      trace: spreads.map(\.mean), standardError: isKnown ? spreads.map(\.standardError) : nil)
  }
}

/// The mean of some values, of probes or of samples, and its standard error.
struct SampleMean {
  let mean: Double
  /// 0 for a single value.
  let standardError: Double

  init(_ values: some Collection<Double>) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    standardError = (squares / max(1, count * (count - 1))).squareRoot()
  }
}

import ScoreProcesses
import ScoreTensors

extension ScoreMatchingLoss {
  /// The loss of each row under a field: the formula of `value`, whose mean over the rows it has, in Double.
  ///
  /// The denoising form takes one evaluation of the field, the sliced ones a pullback beside it, and Hyvärinen's the trace.
  ///
  /// - Parameters:
  ///   - clean: the samples, `[n, …]`.
  ///   - noise: z, of their shape.
  ///   - probes: the signs v of the sliced forms, of their shape; the others do not look at them.
  ///   - times: the time of each row.
  /// - Throws: what the field throws.
  func rows<Scalar: TensorScalar>(
    of field: any DifferentiableScoreField<Scalar>, _ clean: Tensor<Scalar>, noise: Tensor<Scalar>,
    probes: Tensor<Scalar>, at times: [Double]
  ) throws -> [Double] {
    let t = Times.perSample(times)
    let x = process.perturb(clean, noise: noise, at: t)
    let width = Double(clean.shape.rowCount)
    func means(_ squares: [Double], _ derivatives: [Double]?) -> [Double] {
      times.indices.map { row in
        let slope = derivatives.map { 2 * process.marginal(at: times[row]).sigma * $0[row] } ?? 0
        return weight(at: times[row]) * (squares[row] - slope) / width
      }
    }
    switch objective {
    case .denoising:
      let miss = try field.checkedNoise(x, at: t) - noise
      return means(Self.dots(miss, miss), nil)
    case .slicedVR, .sliced:
      let (prediction, pullback) = try field.checkedNoiseAndPullback(x, at: t, cotangent: probes)
      let squares =
        objective == .slicedVR
        ? Self.dots(prediction, prediction) : Self.dots(prediction, probes).map { $0 * $0 }
      return means(squares, Self.dots(pullback, probes))
    case .hyvarinen:
      let (prediction, trace) = try field.checkedNoiseAndTrace(x, at: t)
      return means(Self.dots(prediction, prediction), trace.map { Double($0) })
    }
  }

  /// The dot product of each row with the same row of another tensor, summed in Double.
  private static func dots<Scalar: TensorScalar>(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>
  ) -> [Double] {
    let (rows, width) = (a.shape.rows, a.shape.rowCount)
    return Tensor<Double>(a).withUnsafeBuffer { a in
      Tensor<Double>(b).withUnsafeBuffer { b in
        (0..<rows).map { row in
          (row * width..<(row + 1) * width).reduce(0) { $0 + a[$1] * b[$1] }
        }
      }
    }
  }
}

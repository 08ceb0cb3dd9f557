import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// The processes that oracles are checked under.
func standardProcesses() throws -> [any LinearProcess] {
  [try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding()]
}

/// Statements that hold for every oracle.
enum OracleChecks {
  /// x with entry j of every row moved by `step`.
  static func moved(_ x: Tensor<Double>, _ j: Int, _ step: Double) -> Tensor<Double> {
    let width = x.shape.rowCount
    var moved = x
    moved.withUnsafeMutableBuffer { buffer in
      for i in 0..<x.rows { buffer[i * width + j] += step }
    }
    return moved
  }

  /// The fourth-order central difference of a function of one number.
  static func derivative(_ step: Double, _ f: (Double) throws -> [Double]) rethrows -> [Double] {
    let (a, b, c, d) = (try f(-2 * step), try f(-step), try f(step), try f(2 * step))
    return a.indices.map { (a[$0] - 8 * b[$0] + 8 * c[$0] - d[$0]) / (12 * step) }
  }

  /// ε̂ = −σ ∇log p_t, and pullback and trace are those of its Jacobian, by finite differences.
  static func derivativesAgree(
    _ oracle: some ScoreOracle<Double>, _ x: Tensor<Double>, at t: Double, tolerance: Double = 1e-8
  ) throws {
    let kernel = oracle.process.marginal(at: t)
    let (width, rows) = (x.shape.rowCount, x.rows)
    let step = 1e-3 * kernel.sigma
    let noise = try oracle.noise(x, at: .shared(t))
    let scale = max(1, noise.scalars.map(abs).max() ?? 1)
    let v = RandomKey(77).normal(x.shape, of: Double.self)
    let (again, pullback) = try oracle.noiseAndPullback(x, at: .shared(t), cotangent: v)
    let (third, trace) = try oracle.noiseAndTrace(x, at: .shared(t))
    #expect(again == noise && third == noise)

    var traceByDifferences = [Double](repeating: 0, count: rows)
    for j in 0..<width {
      let score = try derivative(step) {
        try oracle.logDensity(moved(x, j, $0), at: .shared(t))
      }
      let column = try derivative(step) {
        try oracle.noise(moved(x, j, $0), at: .shared(t)).scalars
      }
      for i in 0..<rows {
        let found = noise.scalars[i * width + j]
        #expect(
          abs(found + kernel.sigma * score[i]) < tolerance * scale, "ε̂ at t = \(t), row \(i)")
        let vJ = (0..<width).reduce(0.0) {
          $0 + v.scalars[i * width + $1] * column[i * width + $1]
        }
        #expect(
          abs(kernel.sigma * (pullback.scalars[i * width + j] - vJ)) < tolerance * scale,
          "pullback at t = \(t), row \(i)")
        traceByDifferences[i] += column[i * width + j]
      }
    }
    for i in 0..<rows {
      #expect(
        abs(kernel.sigma * (trace[i] - traceByDifferences[i])) < tolerance * scale,
        "trace at t = \(t), row \(i)")
    }
  }

  /// The closed-form trace is that of D pullbacks along the unit vectors.
  static func traceIsThatOfPullbacks(
    _ oracle: some ScoreOracle<Double>, _ x: Tensor<Double>, at t: Times
  ) throws {
    let (width, rows) = (x.shape.rowCount, x.rows)
    let (_, trace) = try oracle.noiseAndTrace(x, at: t)
    var sums = [Double](repeating: 0, count: rows)
    var scales = sums
    for j in 0..<width {
      let unit = moved(Tensor(x.shape), j, 1)
      let pullback = try oracle.noiseAndPullback(x, at: t, cotangent: unit).pullback
      for i in 0..<rows {
        sums[i] += pullback.scalars[i * width + j]
        scales[i] += abs(pullback.scalars[i * width + j])
      }
    }
    for i in 0..<rows { #expect(abs(trace[i] - sums[i]) <= 1e-11 * scales[i], "row \(i)") }
  }

  /// Row i's bits depend on row i and its time alone: not on the batch, its order, or how times are given.
  static func rowsAreIndependent<Oracle: ScoreOracle>(
    _ oracle: Oracle, _ x: Tensor<Oracle.Scalar>, times: [Double]
  ) throws {
    let perSample = Times.perSample(times)
    let v = RandomKey(78).rademacher(x.shape, of: Oracle.Scalar.self)
    let noise = try oracle.noise(x, at: perSample)
    let pullback = try oracle.noiseAndPullback(x, at: perSample, cotangent: v).pullback
    let trace = try oracle.noiseAndTrace(x, at: perSample).trace
    let density = try oracle.logDensity(x, at: perSample)
    let order = Array((0..<x.rows).reversed())
    #expect(
      try oracle.noise(x.rows(order), at: perSample.rows(order)) == noise.rows(order))
    for i in 0..<x.rows {
      let (one, t) = (x.rows(i..<i + 1), Times.shared(times[i]))
      #expect(try oracle.noise(one, at: t) == noise.rows(i..<i + 1), "ε̂, row \(i)")
      #expect(try oracle.logDensity(one, at: t) == [density[i]], "log p, row \(i)")
      let vOne = v.rows(i..<i + 1)
      #expect(
        try oracle.noiseAndPullback(one, at: t, cotangent: vOne).pullback
          == pullback.rows(i..<i + 1), "pullback, row \(i)")
      #expect(try oracle.noiseAndTrace(one, at: t).trace == [trace[i]], "trace, row \(i)")
    }
  }

  /// Float agrees with Double to the rounding of input and output.
  static func floatAgrees(
    _ single: some ScoreOracle<Float>, _ double: some ScoreOracle<Double>, _ x: Tensor<Float>,
    at t: Times
  ) throws {
    let exact = Tensor<Double>(x)
    let v = RandomKey(79).normal(x.shape, of: Float.self)
    let a = try single.noiseAndPullback(x, at: t, cotangent: v)
    let b = try double.noiseAndPullback(exact, at: t, cotangent: Tensor<Double>(v))
    #expect(a.noise == Tensor<Float>(b.noise) && a.pullback == Tensor<Float>(b.pullback))
    #expect(
      try single.noiseAndTrace(x, at: t).trace
        == double.noiseAndTrace(exact, at: t).trace.map { Float($0) })
    #expect(try single.logDensity(x, at: t) == double.logDensity(exact, at: t))
  }

  /// Bad batches are errors of one sentence.
  static func refusesBadBatches(_ oracle: some ScoreOracle<Double>) {
    let shape = oracle.sampleShape
    #expect(
      throws: ProcessError(
        "the batch has shape [2, \(shape.count + 1)]; expected [n] + \(shape)")
    ) { try oracle.noise(Tensor([2, shape.count + 1]), at: .shared(0.5)) }
    let x = Tensor<Double>(Shape([2] + shape.extents))
    #expect(throws: ProcessError("the batch has 2 rows and 3 times; expected one each")) {
      try oracle.noise(x, at: .perSample([0.1, 0.2, 0.3]))
    }
    #expect(throws: ProcessError.self) {
      try oracle.noiseAndPullback(
        x, at: .shared(0.5), cotangent: Tensor(Shape([1] + shape.extents)))
    }
    #expect(throws: ProcessError.self) { try oracle.logDataDensity(Tensor([2, 99])) }
  }
}

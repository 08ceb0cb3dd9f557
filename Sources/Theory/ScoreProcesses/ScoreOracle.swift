import ScoreTensors

/// A score field known in closed form: its log density and samples of its data are exact too.
///
/// Oracles stand where a trained network would, so that solvers and likelihoods are tested against truth. Arithmetic is
/// in Double whatever the scalar type; results are rounded once. A row's bits depend on the row and its time alone, and
/// a time given to all rows or to each gives the same bits. Times that are not from 0 to T are refused.
public protocol ScoreOracle<Scalar>: DifferentiableScoreField {
  /// log p_t(x) in nats, one number a row.
  /// - Throws: `ProcessError` where x does not fit, and for a time that is not from 0 to T.
  func logDensity(_ x: Tensor<Scalar>, at t: Times) throws -> [Double]

  /// The log density of the data, log p(x), in nats, one number a row.
  ///
  /// It differs from log p_t at t = 0 where the process starts with noise (VE: σ(0) = σmin).
  /// - Throws: `ProcessError` where x does not fit, or the data have no density.
  func logDataDensity(_ x: Tensor<Scalar>) throws -> [Double]

  /// Independent samples of the data; row i depends on (key, the sample that row i is) alone.
  /// - Precondition: there is memory for 0 samples or more.
  func sample(_ count: Int, key: RandomKey, samples: SampleIndices) -> Tensor<Scalar>
}

extension ScoreOracle {
  /// The first `count` samples of the data under a key.
  public func sample(_ count: Int, key: RandomKey) -> Tensor<Scalar> {
    sample(count, key: key, samples: .consecutive(first: 0))
  }

  /// Samples of p_t: α x₀ + σ z with x₀ from the data and z standard normal.
  public func sample(
    _ count: Int, at t: Times, key: RandomKey, samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    let data = sample(count, key: key.folded("data"), samples: samples)
    let noise = key.folded("noise").normal(data.shape, of: Scalar.self, samples: samples)
    return process.perturb(data, noise: noise, at: t)
  }

  /// Checks that a batch and its times fit the field.
  func check(_ x: Tensor<Scalar>, _ t: Times) throws(ProcessError) {
    guard x.shape.rank > 0, x.shape.row == sampleShape else {
      throw ProcessError("the batch has shape \(x.shape); expected [n] + \(sampleShape)")
    }
    if case .perSample(let times) = t, times.count != x.rows {
      throw ProcessError("the batch has \(x.rows) rows and \(times.count) times; expected one each")
    }
    try t.check(upTo: process.endTime)
  }

  /// Checks that a cotangent fits the batch.
  func check(cotangent v: Tensor<Scalar>, _ x: Tensor<Scalar>) throws(ProcessError) {
    guard v.shape == x.shape else {
      throw ProcessError("the cotangent has shape \(v.shape); expected that of x, \(x.shape)")
    }
  }
}

/// The factors (α, σ) of a batch: one pair for all rows, or one a row.
struct RowKernels {
  struct Kernel {
    var alpha: Double
    var sigma: Double
  }

  let kernels: [Kernel]
  let isShared: Bool

  init(_ process: any LinearProcess, _ t: Times) {
    func kernel(_ t: Double) -> Kernel {
      let marginal = process.marginal(at: t)
      return Kernel(alpha: marginal.alpha, sigma: marginal.sigma)
    }
    switch t {
    case .shared(let t): (kernels, isShared) = ([kernel(t)], true)
    case .perSample(let times): (kernels, isShared) = (times.map(kernel), false)
    }
  }

  private init(shared kernel: Kernel) { (kernels, isShared) = ([kernel], true) }

  /// The kernel that leaves data as they are.
  static let identity = RowKernels(shared: Kernel(alpha: 1, sigma: 0))

  /// The factors of row `row`.
  subscript(row: Int) -> Kernel { kernels[isShared ? 0 : row] }
}

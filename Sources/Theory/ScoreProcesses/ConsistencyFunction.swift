import ScoreTensors

/// A consistency function f(x, t): where the probability flow through a state comes from (Song et al. 2023, section 3).
///
/// ```
/// f(x_t, t) = x_ε/α_ε   for all t, along each solution x_t of dx = [f x − ½ g² ∇log p_t(x)] dt
/// ```
///
/// ε is the process's cutoff for sampling. It gives samples where a score field gives means, in one evaluation: `Sampler` draws from
/// both. There is no score in it, and so no likelihood.
public protocol ConsistencyFunction<Scalar>: Sendable {
  associatedtype Scalar: TensorScalar

  /// The process whose flow it is.
  var process: any LinearProcess { get }

  /// The shape of one sample.
  var sampleShape: Shape { get }

  /// f(x, t), of the shape `[n] + sampleShape` of x.
  ///
  /// Row i depends on row i of x and on its time alone, bit for bit.
  /// - Throws: where x does not fit the function.
  func origins(of x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar>

  /// How many samples the function is of, where each has one of its own; nil, the default, where one is for all.
  var rowCount: Int? { get }

  /// The function of some of the samples, in this order, where each has one of its own; by default the function itself.
  func rows(_ rows: [Int]) -> Self
}

extension ConsistencyFunction {
  public var rowCount: Int? { nil }
  public func rows(_ rows: [Int]) -> Self { self }
}

/// The exact consistency function of Gaussian data N(μ, Σ).
///
/// ```
/// f(x, t) = μ + √(C_ε/C_t) (x − α μ)/α_ε,   C = α² Σ + σ² I
/// ```
///
/// since the flow keeps the place of a state among those of its time, in deviations along each axis of Σ. Costs what the oracle's
/// ε̂ does.
public struct GaussianConsistency<Scalar: TensorScalar>: ConsistencyFunction {
  /// The score field of the same data.
  public let oracle: GaussianOracle<Scalar>

  /// Creates the function of an oracle's data and process.
  public init(_ oracle: GaussianOracle<Scalar>) { self.oracle = oracle }

  public var process: any LinearProcess { oracle.process }
  public var sampleShape: Shape { oracle.sampleShape }

  public func origins(of x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    let end = process.marginal(at: process.cutoffs.sampling)
    var origins = try oracle.scaledResidual(x, at: t) { kernel in
      oracle.principalVariances.map { variance in
        func spread(_ alpha: Double, _ sigma: Double) -> Double {
          (alpha * alpha * variance + sigma * sigma).squareRoot()
        }
        return spread(end.alpha, end.sigma) / spread(kernel.alpha, kernel.sigma) / end.alpha
      }
    }
    let mean = oracle.mean
    origins.withUnsafeMutableBuffer { entries in
      for place in entries.indices { entries[place] += Scalar(mean[place % mean.count]) }
    }
    return origins
  }
}

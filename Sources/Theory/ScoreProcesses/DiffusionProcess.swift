import ScoreTensors

/// A stochastic differential equation that turns data into noise.
///
/// ```
/// dx = f(x, t) dt + g(x, t) dw,   data at t = 0, noise at t = T
/// ```
///
/// States are tensors whose first axis is the batch; g acts on each entry, as a diagonal matrix. The linear family,
/// f(x, t) = f(t) x and g(t), whose kernel is Gaussian, is `LinearProcess`; `GeneralProcess` is any other.
public protocol DiffusionProcess: Sendable {
  /// The name, as on the command line where it has one.
  var name: String { get }

  /// The end T of the time axis.
  var endTime: Double { get }

  /// Where sampling, training and likelihoods stop short of t = 0.
  var cutoffs: Cutoffs { get }

  /// The standard deviation s of the prior N(0, s² I) at T.
  var priorDeviation: Double { get }

  /// The drift f(x, t), of the shape of x.
  /// - Throws: where it is not to be had at x.
  func drift<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) throws(ProcessError) -> Tensor<Scalar>

  /// The squared diffusion g(x, t)², entry by entry, of the shape of x.
  /// - Throws: where it is not to be had at x.
  func squaredDiffusion<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) throws(ProcessError) -> Tensor<Scalar>

  /// The derivative ∂(gᵢ²)/∂xᵢ of each entry, which reverse processes take from the drift; nil where g is g(t).
  /// - Throws: where it is not to be had at x.
  func diffusionSlope<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) throws(ProcessError) -> Tensor<Scalar>?
}

extension DiffusionProcess {
  public func diffusionSlope<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) -> Tensor<Scalar>? { nil }
}

/// The times ε > 0 where solvers and losses stop short of t = 0, at which the score may be unbounded.
public struct Cutoffs: Sendable, Equatable {
  /// The last time of a sampler.
  public var sampling: Double
  /// The first time that training draws.
  public var training: Double
  /// The first time of a likelihood's solve.
  public var likelihood: Double

  /// Creates cutoffs; Song et al. 2021 take 1e-3 (VP, sub-VP) or 1e-5 (VE) for sampling and 1e-5 otherwise.
  public init(sampling: Double, training: Double = 1e-5, likelihood: Double = 1e-5) {
    self.sampling = sampling
    self.training = training
    self.likelihood = likelihood
  }

  /// Those of VP, but earlier ones where the time axis ends soon.
  static func standard(until end: Double) -> Cutoffs {
    Cutoffs(
      sampling: min(1e-3, 0.1 * end), training: min(1e-5, 1e-3 * end),
      likelihood: min(1e-5, 1e-3 * end))
  }
}

/// An error in the definition or the use of a process or a field: one sentence with what was found and expected.
public struct ProcessError: Error, CustomStringConvertible, Equatable {
  public let description: String

  /// Creates an error from its sentence.
  public init(_ description: String) { self.description = description }
}

import ScoreProcesses
import ScoreTensors

/// Which view of a score field an exponential integrator takes for slowly varying.
public enum Prediction: String, Sendable, CaseIterable {
  /// The noise ε̂.
  case noise
  /// The denoised data x̂₀ = (x − σ ε̂)/α.
  case data
}

/// A prediction that a multistep solver keeps.
public struct PastPrediction<Scalar: TensorScalar>: Sendable {
  /// The time at which the field was evaluated.
  public var time: Double
  /// What it gave.
  public var value: Tensor<Scalar>

  public init(time: Double, value: Tensor<Scalar>) {
    self.time = time
    self.value = value
  }
}

extension SolverContext {
  /// A prediction at (x, t), counted as one evaluation.
  public mutating func prediction(
    _ kind: Prediction, _ x: Tensor<Scalar>, at t: Double
  ) throws -> Tensor<Scalar> {
    let noise = try predictedNoise(x, at: t)
    guard kind == .data else { return noise }
    let marginal = process.marginal(at: t)
    // Where α is below the rounding of x there is none of the data in it, and the quotient would leave the numbers.
    let alpha = max(marginal.alpha, Double(Scalar.ulpOfOne) * marginal.sigma)
    return .combined(Scalar(1 / alpha), x, Scalar(-marginal.sigma / alpha), noise)
  }

  /// Puts a prediction before those of earlier steps, of which so many stay that there are `count` at most.
  ///
  /// What was kept at times that are not before this step, in the order of the solve, is dropped first: it is of another
  /// solve.
  mutating func remember(_ value: Tensor<Scalar>, at t: Double, keeping count: Int) {
    past.removeAll { $0.time <= t || $0.value.shape != value.shape }
    past.insert(PastPrediction(time: t, value: value), at: 0)
    if past.count > count { past.removeLast(past.count - count) }
  }

  /// The noise ratios' logarithms λ = log(α/σ) of the predictions that are kept.
  var pastLambdas: [Double] { past.map { process.marginal(at: $0.time).halfLogSNR } }
}

import ScoreProcesses
import ScoreTensors

/// A method that brings samples nearer to p_t at a fixed time t, by Markov chain Monte Carlo on the score.
public protocol Corrector: Sendable {
  /// The corrector's name and parameters, as they stand in the specification of a predictor–corrector solver.
  var parameters: [Spec.Parameter] { get }

  /// The score evaluations that one correction costs.
  var evaluationsPerStep: Int { get }

  /// The corrected state at `step.time`; each row depends on the same row of x alone.
  func correct<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar>
}

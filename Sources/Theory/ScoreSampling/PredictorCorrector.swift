import ScoreProcesses
import ScoreTensors

/// A corrector at each time, then a predictor from there (Song et al. 2021, Algorithm 1); either may be left out.
///
/// The result is the last predictor's. Any `StepSolver` serves as predictor, those of the flow included. A correction does
/// not shrink with the step, so with a corrector the error does not go to 0 and no order is claimed: with `AnnealedLangevin`
/// a variance v tends to v/(1 − r² σ²/v), which is v where σ is small.
public struct PredictorCorrector: StepSolver {
  /// What takes the step; nil stays.
  public var predictor: (any StepSolver)?
  /// What corrects before the step; nil does nothing.
  public var corrector: (any Corrector)?

  public init(predictor: (any StepSolver)?, corrector: (any Corrector)?) {
    self.predictor = predictor
    self.corrector = corrector
  }

  public var spec: Spec {
    let predictor = predictor?.spec ?? Spec(kind: "solver", name: "none")
    // A Runge–Kutta method on the flow is a predictor by its own name, whose variable is the noise where none is named.
    let method = predictor.name == "ode" ? predictor.parameters.first { $0.key == "method" } : nil
    let own =
      method == nil
      ? predictor.parameters
      : predictor.parameters.contains { $0.key == "variable" }
        ? predictor.parameters.filter { $0.key == "variable" }
        : [Spec.Parameter(key: "variable", value: "time")]
    return Spec(
      kind: "solver", name: "pc", argument: nil,
      parameters: [Spec.Parameter(key: "predictor", value: method?.value ?? predictor.name)]
        + (corrector?.parameters ?? [Spec.Parameter(key: "corrector", value: "none")]) + own)
  }
  public var order: Int { corrector == nil ? predictor?.order ?? 0 : 0 }
  public var usesNoise: Bool { corrector != nil || predictor?.usesNoise ?? false }
  public var evaluationsPerStep: Int {
    (predictor?.evaluationsPerStep ?? 0) + (corrector?.evaluationsPerStep ?? 0)
  }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule {
    predictor?.suitedSchedule(for: process) ?? .standard(for: process)
  }

  public func completed<Scalar: TensorScalar>(
    _ denoised: Tensor<Scalar>, samples: SampleIndices
  ) -> Tensor<Scalar> {
    predictor?.completed(denoised, samples: samples) ?? denoised
  }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let corrected = try corrector?.correct(x, at: step, in: &context) ?? x
    try SamplingError.checkStates(corrected, of: x, by: "the corrector")
    return try predictor?.step(corrected, step, in: &context) ?? corrected
  }
}

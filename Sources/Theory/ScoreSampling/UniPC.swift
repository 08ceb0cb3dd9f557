import Foundation
import ScoreProcesses
import ScoreTensors

/// UniPC: a multistep predictor, and a corrector that costs no evaluation (Zhao et al. 2023, Algorithm 1).
///
/// The prediction m at the predicted state serves twice: it mends the step that led there, and begins the next one.
///
/// ```
/// predictor  x_s = A x + W m + Σⱼ wⱼ (mⱼ − m)      through m and p − 1 earlier predictions
/// corrector  the same with the prediction at s among the mⱼ
/// ```
///
/// The weights are exact for polynomials in λ = log(α/σ), whatever B(h), but for the predictor through two predictions and
/// the corrector through two: there Σ wⱼ cⱼ is B(h)/2 by definition, B(h) = h (bh1) or e^h − 1 (bh2). With p predictions
/// the order is p + 1, but no higher than 3, that of the first step with its corrector. Deterministic, one evaluation a
/// step; the last step is the predictor's.
public struct UniPC: StepSolver {
  /// The function B(h).
  public enum Function: String, Sendable, CaseIterable {
    case bh1, bh2
  }

  /// The predictions p that a predictor uses.
  public let predictions: Int
  /// The function B(h).
  public let function: Function
  /// Whether the noise or the data is interpolated.
  public let prediction: Prediction

  /// Creates the solver.
  /// - Throws: `SamplingError` unless 1 ≤ p ≤ 3.
  public init(
    predictions: Int = 2, function: Function = .bh2, prediction: Prediction = .data
  ) throws(SamplingError) {
    guard (1...3).contains(predictions) else {
      throw SamplingError("UniPC has order \(predictions); expected 1, 2 or 3")
    }
    self.predictions = predictions
    self.function = function
    self.prediction = prediction
  }

  public var spec: Spec {
    var parameters = [Spec.Parameter(key: "order", value: "\(predictions)")]
    if function != .bh2 { parameters.append(Spec.Parameter(key: "b", value: function.rawValue)) }
    if prediction != .data {
      parameters.append(Spec.Parameter(key: "prediction", value: prediction.rawValue))
    }
    return Spec(kind: "solver", name: "unipc", argument: nil, parameters: parameters)
  }
  public var order: Int { min(predictions + 1, 3) }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { 1 }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule { .logSNR }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let process = context.process
    var x = x
    let start = process.marginal(at: step.time)
    let value = try context.prediction(prediction, x, at: step.time)
    context.remember(value, at: step.time, keeping: predictions + 1)
    let values = context.past.map(\.value)
    if values.count > 1 {
      // The step that led here, from the prediction after this one; its start cancels in the difference.
      let before = ExponentialStep(
        prediction, from: process.marginal(at: context.past[1].time), to: start)
      let places = context.pastLambdas.dropFirst().prefix(predictions).map { before.place(of: $0) }
      let predicted = predictorWeights(before, places)
      // The corrector of p predictions reaches p − 1 steps back, beside its start and its end.
      let corrected = correctorWeights(before, places)
      let change = zip(corrected.dropFirst(), predicted).map { $0 - $1 }
      x = x.adding(values, [corrected[0]] + change)
    }
    let full = ExponentialStep(prediction, from: start, to: process.marginal(at: step.next))
    let places = context.pastLambdas.prefix(predictions).map { full.place(of: $0) }
    return x.adding(
      values, full.hasLength ? predictorWeights(full, places) : [full.weight], scale: full.scale)
  }

  private func predictorWeights(_ step: ExponentialStep, _ places: [Double]) -> [Double] {
    guard places.count == 2 else { return step.weights(places) }
    let share = simplified(step) / places[1]
    return [step.weight - share, share]
  }

  /// The weights of the prediction at the end, then of the others.
  private func correctorWeights(_ step: ExponentialStep, _ places: [Double]) -> [Double] {
    guard places.count > 1 else {
      let share = simplified(step)
      return [share, step.weight - share]
    }
    return step.weights([1] + places)
  }

  private func simplified(_ step: ExponentialStep) -> Double {
    0.5 * (function == .bh2 ? step.weight : step.base)
  }
}

import ScoreProcesses
import ScoreTensors

/// DPM-Solver 1, 2 and 3, and in terms of the data DPM-Solver++ 1S, 2S and 3S: one step, several evaluations.
///
/// With λ = log(α/σ), h = λ_s − λ_t and D₁, D₂ the changes of the prediction from t to the stages at r₁ h and r₂ h:
///
/// ```
/// 1:  x_s = A x + W m                                              DDIM: exponential Euler
/// 2:  x_s = A x + W (m + D₁/(2 r₁))
/// 3:  x_s = A x + W m + (B φ₂(±h)/r₂) D₂,   the stage at r₂ by (r₂ h)-steps with D₁/r₁ for a slope
/// ```
///
/// A, W and B are those of `ExponentialStep`. Order `stages` (3 only for r₂ = 2/3, where the missing D₁ has weight 0; else
/// 2), deterministic, `stages` evaluations a step, one in a step that ends where σ = 0. (Lu et al. 2022, Algorithms 1 and
/// 2; Lu et al. 2023, Algorithm 1.)
public struct DPMSolver: StepSolver {
  /// The evaluations a step, 1 to 3.
  public let stages: Int
  /// Whether the noise (DPM-Solver) or the data (DPM-Solver++) is interpolated.
  public let prediction: Prediction
  /// The place of the second evaluation in the step, in λ.
  public let r1: Double
  /// The place of the third evaluation.
  public let r2: Double

  /// Creates the solver; r₁ is 1/2 (two stages) or 1/3 (three) unless given.
  /// - Throws: `SamplingError` unless 1 ≤ stages ≤ 3, 0 < r₁ ≤ 1 and, for three stages, r₁ < r₂ ≤ 1.
  public init(
    stages: Int = 2, prediction: Prediction = .noise, r1: Double? = nil, r2: Double = 2.0 / 3
  ) throws(SamplingError) {
    guard (1...3).contains(stages) else {
      throw SamplingError("DPM-Solver has order \(stages); expected 1, 2 or 3")
    }
    let r1 = r1 ?? (stages == 3 ? 1.0 / 3 : 0.5)
    guard r1 > 0, r1 <= 1 else {
      throw SamplingError("DPM-Solver has r1 \(r1); expected a number above 0, up to 1")
    }
    guard stages < 3 || (r2 > r1 && r2 <= 1) else {
      throw SamplingError("DPM-Solver has r1 \(r1) and r2 \(r2); expected r1 < r2, up to 1")
    }
    self.stages = stages
    self.prediction = prediction
    self.r1 = r1
    self.r2 = r2
  }

  private var hasThirdOrder: Bool { abs(r2 - 2.0 / 3) < 1e-9 }

  public var spec: Spec {
    var parameters =
      prediction == .noise
      ? [Spec.Parameter(key: "order", value: "\(stages)")]
      : [Spec.Parameter(key: "method", value: "\(stages)s")]
    if stages > 1, r1 != (stages == 3 ? 1.0 / 3 : 0.5) {
      parameters.append(Spec.Parameter(key: "r1", value: Spec.text(r1)))
    }
    if stages == 3, !hasThirdOrder {
      parameters.append(Spec.Parameter(key: "r2", value: Spec.text(r2)))
    }
    return Spec(
      kind: "solver", name: prediction == .noise ? "dpm-solver" : "dpm-solver++", argument: nil,
      parameters: parameters)
  }
  public var order: Int { stages == 3 && !hasThirdOrder ? 2 : stages }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { stages }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule {
    prediction == .noise && process.suitsEvenTimes ? .uniform : .logSNR
  }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let process = context.process
    let start = process.marginal(at: step.time)
    let full = ExponentialStep(prediction, from: start, to: process.marginal(at: step.next))
    let first = try context.prediction(prediction, x, at: step.time)
    guard stages > 1, full.hasLength else {
      return .combined(Scalar(full.scale), x, Scalar(full.weight), first)
    }
    func time(_ place: Double) -> Double {
      place == 1
        ? step.next
        : process.time(
          logNoiseRatio: -start.halfLogSNR - place * full.length, between: step.next, and: step.time
        )
    }
    let t1 = time(r1)
    let part = ExponentialStep(prediction, from: start, to: process.marginal(at: t1))
    let second = try context.prediction(
      prediction, .combined(Scalar(part.scale), x, Scalar(part.weight), first), at: t1)
    if stages == 2 {
      let share = full.weight / (2 * r1)
      return .combined(
        Scalar(full.scale), x, Scalar(full.weight - share), first, Scalar(share), second)
    }
    let t2 = time(r2)
    let larger = ExponentialStep(prediction, from: start, to: process.marginal(at: t2))
    let inner = larger.weights([0, r1 / r2])
    let third = try context.prediction(
      prediction,
      .combined(Scalar(larger.scale), x, Scalar(inner[0]), first, Scalar(inner[1]), second), at: t2)
    let outer = full.weights([0, r2])
    return .combined(Scalar(full.scale), x, Scalar(outer[0]), first, Scalar(outer[1]), third)
  }
}

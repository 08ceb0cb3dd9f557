import Foundation
import ScoreProcesses
import ScoreTensors

/// A fixed-step Runge–Kutta method on the probability-flow ODE.
///
/// In the time t, or in the noise ratio u = σ/α, where the flow loses its linear part and its stiffness near the data:
///
/// ```
/// dx/dt = f x + (g²/2σ) ε̂(x, t)          d(x/α)/du = ε̂(x, t)
/// ```
///
/// Deterministic; as many evaluations a step as the method has stages, but one in a step that ends where σ = 0: there ε̂
/// has no meaning and Euler's step is taken (Karras et al. 2022, Algorithm 1).
public struct FlowRungeKutta: StepSolver {
  /// What a step is a step of.
  public enum Variable: String, Sendable, CaseIterable {
    /// The time t.
    case time
    /// The noise ratio u = σ/α.
    case noise
  }

  /// The method.
  public var method: RungeKuttaTableau
  /// What a step is a step of.
  public var variable: Variable

  public init(_ method: RungeKuttaTableau, variable: Variable = .time) {
    self.method = method
    self.variable = variable
  }

  public var spec: Spec {
    var parameters = [Spec.Parameter(key: "method", value: method.name)]
    if EmbeddedPair.all.contains(where: { $0.method == method }) {
      parameters.append(Spec.Parameter(key: "adaptive", value: "false"))
    }
    if variable != .time {
      parameters.append(Spec.Parameter(key: "variable", value: variable.rawValue))
    }
    return Spec(kind: "solver", name: "ode", argument: nil, parameters: parameters)
  }
  public var order: Int { method.order }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { method.stages.count }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule {
    let isEven =
      variable == .time ? process.suitsEvenTimes : process.suitsEvenTimesInNoise
    return isEven ? .uniform : .karras(rho: 7)
  }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let endsClean = context.process.marginal(at: step.next).sigma == 0
    let method = endsClean ? .euler : method
    return switch variable {
    case .time: try stepInTime(method, x, step, &context)
    case .noise: try stepInNoise(method, x, step, &context)
    }
  }

  private func stepInTime<Scalar: TensorScalar>(
    _ method: RungeKuttaTableau, _ x: Tensor<Scalar>, _ step: TimeStep,
    _ context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let h = -step.length
    var slopes: [Tensor<Scalar>] = []
    for (node, row) in zip(method.nodes, method.stages) {
      let time = node == 1 ? step.next : step.time + node * h
      let rates = context.process.rates(at: time)
      let state = x.adding(slopes, row.map { h * $0 })
      let noise = try context.predictedNoise(state, at: time)
      if method.stages.count == 1 {
        return .combined(Scalar(1 + h * rates.drift), x, Scalar(h * rates.noiseGain), noise)
      }
      slopes.append(.combined(Scalar(rates.drift), state, Scalar(rates.noiseGain), noise))
    }
    return x.adding(slopes, method.weights.map { h * $0 })
  }

  // y = x/α is kept as x_t/α_t · α, so that no stage divides by a vanishing α: the state at a stage of noise ratio u and
  // factor α is (α/α_t) x_t + α Σ a (u_s − u_t) ε̂.
  private func stepInNoise<Scalar: TensorScalar>(
    _ method: RungeKuttaTableau, _ x: Tensor<Scalar>, _ step: TimeStep,
    _ context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let process = context.process
    let first = process.marginal(at: step.time)
    let last = process.marginal(at: step.next)
    let ratio = first.sigma / first.alpha
    let h = last.sigma / last.alpha - ratio
    var slopes: [Tensor<Scalar>] = []
    for (node, row) in zip(method.nodes, method.stages) {
      let time: Double
      switch node {
      case 0: time = step.time
      case 1: time = step.next
      default:
        time = process.time(
          logNoiseRatio: log(ratio + node * h), between: step.next, and: step.time)
      }
      let marginal = process.marginal(at: time)
      let state = x.adding(
        slopes, row.map { marginal.alpha * h * $0 }, scale: exp(marginal.logAlpha - first.logAlpha))
      slopes.append(try context.predictedNoise(state, at: time))
    }
    return x.adding(
      slopes, method.weights.map { last.alpha * h * $0 }, scale: exp(last.logAlpha - first.logAlpha)
    )
  }
}

extension Tensor {
  /// scale·x + Σ wᵢ·yᵢ, two terms a pass; terms of weight 0 are left out.
  func adding(_ terms: [Tensor], _ weights: [Double], scale: Double = 1) -> Tensor {
    var sum = self
    var factor = Scalar(scale)
    var waiting: (Scalar, Tensor)?
    for (weight, term) in Swift.zip(weights, terms) where weight != 0 {
      guard let (otherWeight, other) = waiting else {
        waiting = (Scalar(weight), term)
        continue
      }
      sum = .combined(factor, sum, otherWeight, other, Scalar(weight), term)
      (factor, waiting) = (1, nil)
    }
    if let (weight, term) = waiting { return .combined(factor, sum, weight, term) }
    return factor == 1 ? sum : factor * sum
  }
}

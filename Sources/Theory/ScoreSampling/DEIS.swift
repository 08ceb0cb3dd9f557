import Foundation
import ScoreProcesses
import ScoreTensors

/// DEIS: exponential Adams–Bashforth steps on the noise (Zhang & Chen 2023, eq. 14 and 15).
///
/// ```
/// x_s = (α_s/α_t) x + Σⱼ Cⱼ ε̂ⱼ,   Cⱼ = α_s ∫ ℓⱼ d(σ/α)  from t to s
/// ```
///
/// ℓⱼ are Lagrange's polynomials through the last predictions: in the time t (tAB-DEIS), in the noise ratio σ/α (ρAB) or in
/// λ = log(α/σ). In t the integral is taken by adaptive quadrature, to about 10⁻¹³. As many predictions as the order, from
/// the first steps fewer; from order 3 on the first step is mended like that of `DPMSolverMultistep`. Order 1 to 3,
/// deterministic, one evaluation a step.
public struct DEIS: StepSolver {
  /// What the noise prediction is a polynomial of.
  public enum Variable: String, Sendable, CaseIterable {
    /// The time t.
    case time
    /// The noise ratio σ/α.
    case noise
    /// λ = log(α/σ).
    case logSNR = "log-snr"
  }

  /// The predictions that a step uses.
  public let order: Int
  /// What the noise prediction is a polynomial of.
  public let variable: Variable

  /// Creates the solver.
  /// - Throws: `SamplingError` unless 1 ≤ order ≤ 3.
  public init(order: Int = 3, variable: Variable = .time) throws(SamplingError) {
    guard (1...3).contains(order) else {
      throw SamplingError("DEIS has order \(order); expected 1, 2 or 3")
    }
    self.order = order
    self.variable = variable
  }

  public var spec: Spec {
    let order = "\(order)"
    return variable == .time
      ? Spec(kind: "solver", name: "deis", parameters: ["order": order])
      : Spec(
        kind: "solver", name: "deis", parameters: ["order": order, "variable": variable.rawValue])
  }
  public var usesNoise: Bool { false }
  public var evaluationsPerStep: Int { 1 }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    let process = context.process
    // The closure runs after the prediction at the step's start has been put first.
    let earlier = context.past.filter { $0.time > step.time }.map(\.time)
    return try context.multistep(x, step, .noise, keeping: order) { full, places in
      if variable == .logSNR || places.count == 1 { return full.weights(places) }
      let times = [step.time] + earlier.prefix(places.count - 1)
      let tail =
        variable == .time
        ? Self.weights(times, to: step.next, process)
        : Self.noiseWeights(times, to: step.next, process)
      // The sum is known exactly, which spares an integral.
      return [full.weight - tail.reduce(0, +)] + tail
    }
  }

  /// The weights but the first, for polynomials in t.
  private static func weights(
    _ times: [Double], to end: Double, _ process: any LinearProcess
  ) -> [Double] {
    let alpha = process.marginal(at: end).alpha
    return times.indices.dropFirst().map { j in
      // d(σ/α)/dt = g²/(2σα); in √t, as σ may start like √t.
      alpha
        * integral(from: times[0].squareRoot(), to: end.squareRoot(), tolerance: 1e-13) { root in
          let t = root * root
          var basis = 1.0
          for (i, time) in times.enumerated() where i != j {
            basis *= (t - time) / (times[j] - time)
          }
          return basis * 2 * root * process.rates(at: t).noiseGain / process.marginal(at: t).alpha
        }.value
    }
  }

  /// The weights but the first, for polynomials in σ/α.
  private static func noiseWeights(
    _ times: [Double], to end: Double, _ process: any LinearProcess
  ) -> [Double] {
    let ratios = times.map { exp(-process.marginal(at: $0).halfLogSNR) }
    let last = process.marginal(at: end)
    let length = last.sigma / last.alpha - ratios[0]
    let weights = quadratureWeights(
      ratios.map { ($0 - ratios[0]) / length },
      moments: ratios.indices.map { last.alpha * length / Double($0 + 1) })
    return Array(weights.dropFirst())
  }
}

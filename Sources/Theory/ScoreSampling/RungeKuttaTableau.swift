/// The coefficients of an explicit Runge–Kutta method (Butcher's tableau).
///
/// ```
/// k_i = F(t + c_i h, y + h Σ_j a_ij k_j),   y ← y + h Σ_i b_i k_i
/// ```
public struct RungeKuttaTableau: Sendable, Equatable {
  /// The name, as in specifications.
  public let name: String
  /// The order of the global error.
  public let order: Int
  /// The places c of the stages in the step.
  public let nodes: [Double]
  /// The rows of a, the first one empty.
  public let stages: [[Double]]
  /// The weights b.
  public let weights: [Double]

  /// Euler's method, of order 1.
  public static let euler = RungeKuttaTableau(
    name: "euler", order: 1, nodes: [0], stages: [[]], weights: [1])
  /// Heun's method, the explicit trapezium, of order 2.
  public static let heun = RungeKuttaTableau(
    name: "heun", order: 2, nodes: [0, 1], stages: [[], [1]], weights: [0.5, 0.5])
  /// The explicit midpoint method, of order 2.
  public static let midpoint = RungeKuttaTableau(
    name: "midpoint", order: 2, nodes: [0, 0.5], stages: [[], [0.5]], weights: [0, 1])
  /// The classical method of order 4.
  public static let rk4 = RungeKuttaTableau(
    name: "rk4", order: 4, nodes: [0, 0.5, 0.5, 1], stages: [[], [0.5], [0, 0.5], [0, 0, 1]],
    weights: [1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6])

  /// The methods above; those of `EmbeddedPair` can take fixed steps too.
  public static let all: [RungeKuttaTableau] = [.euler, .heun, .midpoint, .rk4]
}

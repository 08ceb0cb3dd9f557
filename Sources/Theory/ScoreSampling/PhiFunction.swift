import Foundation
import ScoreTensors

/// The functions that exponential integrators weigh with (Hochbruck & Ostermann 2010, eq. 2.10).
///
/// ```
/// φ₀(z) = eᶻ,   φₖ(z) = ∫₀¹ e^((1 − θ) z) θ^(k−1)/(k − 1)! dθ,   φₖ₊₁(z) = (φₖ(z) − 1/k!)/z
/// ```
///
/// Near 0 the recursion cancels, so there the series Σ zⁿ/(n + k)! is summed: the relative error stays below 10⁻¹⁴.
package func phi(_ order: Int, _ z: Double) -> Double {
  precondition(order >= 0, "phi of order \(order)")
  if order == 0 { return exp(z) }
  if order == 1, z != 0 { return expm1(z) / z }
  guard abs(z) > 2 else {
    var term = 1.0
    for k in stride(from: 2, through: order, by: 1) { term /= Double(k) }
    var sum = term
    for n in 1...30 {
      term *= z / Double(n + order)
      sum += term
    }
    return sum
  }
  var value = expm1(z) / z
  var factor = 1.0
  for k in stride(from: 1, to: order, by: 1) {
    factor /= Double(k)
    value = (value - factor) / z
  }
  return value
}

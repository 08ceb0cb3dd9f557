import Foundation
import ScoreProcesses

/// The exact solution of the flow from t to s for a prediction that is a polynomial in λ = log(α/σ).
///
/// ```
/// noise:  x_s = (α_s/α_t) x − σ_s ∫ e^(λ_s − λ) ε̂ dλ        data:  x_s = (σ_s/σ_t) x + α_s ∫ e^(λ − λ_s) x̂₀ dλ
/// ```
///
/// Places are given in units of the step's length h = λ_s − λ_t, from 0 at t to 1 at s. With z = h (noise) or −h (data) and
/// B = −σ_s h or α_s h, a power θᵏ has the integral B k! φₖ₊₁(z). (Lu et al. 2022, eq. 3.4; Lu et al. 2023, eq. 8.)
package struct ExponentialStep: Sendable {
  /// h = λ_s − λ_t; infinite where σ_s = 0.
  package let length: Double
  /// What x is multiplied by.
  package let scale: Double
  /// What a constant prediction is multiplied by.
  package let weight: Double
  /// B: the weight that a constant would have if the exponential in the integral were 1.
  let base: Double
  private let argument: Double
  private let lambda: Double

  package init(_ prediction: Prediction, from start: Marginal, to end: Marginal) {
    lambda = start.halfLogSNR
    length = end.halfLogSNR - lambda
    let ratio = exp(end.logAlpha - start.logAlpha)
    // Where the step is short, a difference of products would lose what expm1 keeps.
    switch prediction {
    case .noise:
      scale = ratio
      argument = length
      base = -end.sigma * length
      weight =
        length < 1 ? -end.sigma * expm1(length) : end.sigma - ratio * start.sigma
    case .data:
      scale = end.sigma / start.sigma
      argument = -length
      base = end.alpha * length
      weight = -end.alpha * expm1(-length)
    }
  }

  /// Whether predictions at several places can be told apart: not where the end is clean and all of them are behind it.
  package var hasLength: Bool { length.isFinite && length > 0 }

  /// The place of a time with the given λ.
  package func place(of lambda: Double) -> Double { (lambda - self.lambda) / length }

  /// What predictions at the given places are multiplied by: exact for polynomials of a degree below their number.
  package func weights(_ places: [Double]) -> [Double] {
    guard places.count > 1, hasLength else {
      return [weight] + [Double](repeating: 0, count: max(0, places.count - 1))
    }
    var factorial = 1.0
    let moments = places.indices.map { k in
      factorial *= Double(max(1, k))
      return base * factorial * phi(k + 1, argument)
    }
    return quadratureWeights(places, moments: moments)
  }
}

/// The weights wⱼ with Σ wⱼ cⱼᵏ = mₖ for all k below the number of places c.
func quadratureWeights(_ places: [Double], moments: [Double]) -> [Double] {
  places.indices.map { j in
    // The coefficients of Lagrange's polynomial that is 1 at place j, the constant first.
    var polynomial = [1.0]
    for (i, place) in places.enumerated() where i != j {
      let gap = places[j] - place
      var product = [Double](repeating: 0, count: polynomial.count + 1)
      for (k, coefficient) in polynomial.enumerated() {
        product[k] -= coefficient * place / gap
        product[k + 1] += coefficient / gap
      }
      polynomial = product
    }
    return zip(polynomial, moments).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

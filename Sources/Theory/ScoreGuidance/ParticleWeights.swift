import Foundation
import ScoreTensors

/// The normalised weights of a set of particles.
package struct ParticleWeights {
  /// The logarithms of the weights, which sum to 1; −∞ where a particle is lost.
  package private(set) var logarithms: [Double]

  /// Equal weights.
  package init(count: Int) {
    logarithms = [Double](repeating: -log(Double(count)), count: count)
  }

  /// Multiplies the weights by factors and normalises them again; what is not finite takes a particle out.
  /// - Parameter logFactors: the logarithms of the factors.
  /// - Returns: the logarithm of the sum before it is normalised; nil, and no change, where no particle is left.
  package mutating func multiply(by logFactors: [Double]) -> Double? {
    let products = zip(logarithms, logFactors).map { own, factor in
      factor.isFinite ? own + factor : -.infinity
    }
    let largest = products.max() ?? -.infinity
    guard largest.isFinite else { return nil }
    let logSum = largest + log(products.reduce(0) { $0 + exp($1 - largest) })
    logarithms = products.map { $0 - logSum }
    return logSum
  }

  /// The effective sample size 1/Σ w² (Kong, Liu & Wong 1994), from 1 to the number of particles.
  package var effectiveSize: Double { 1 / logarithms.reduce(0) { $0 + exp(2 * $1) } }

  /// How many particles have a weight.
  package var alive: Int { logarithms.count { $0 > -.infinity } }

  /// Systematic resampling (Kitagawa 1996): particles that stand for the weighted ones with equal weights.
  ///
  /// ```
  /// the particle in whose interval of the summed weights (j + u)/k lies,   j = 0 … k − 1
  /// ```
  ///
  /// Particle i comes ⌊k wᵢ⌋ or ⌈k wᵢ⌉ times, k wᵢ times in the mean over u.
  /// - Parameters:
  ///   - count: k.
  ///   - uniform: u, in (0, 1).
  package func resampled(_ count: Int, _ uniform: Double) -> [Int] {
    let weights = logarithms.map { exp($0) }
    let total = weights.reduce(0, +)
    let last = weights.lastIndex { $0 > 0 } ?? 0
    var (particle, sum) = (0, weights[0])
    return (0..<count).map { tooth in
      let place = (Double(tooth) + uniform) / Double(count) * total
      while particle < last, sum <= place {
        particle += 1
        sum += weights[particle]
      }
      return particle
    }
  }
}

import Foundation
import ScoreGuidance
import ScoreTensors
import Testing

/// Weights of particles, and what is drawn by them.
@Suite struct ParticleWeightsTests {
  private func weights(_ values: [Double]) -> ParticleWeights {
    var weights = ParticleWeights(count: values.count)
    let sum = weights.multiply(by: values.map { log($0) })
    #expect(sum != nil)
    return weights
  }

  @Test func factorsAreNormalised() throws {
    var weights = ParticleWeights(count: 4)
    #expect(abs(weights.effectiveSize - 4) < 1e-12)
    // The mean of the factors, at sizes that have no exponential.
    let mean = weights.multiply(by: [-1000, -1000 + log(2), -.infinity, -1000 + log(5)])
    #expect(abs(try #require(mean) - (log(2) - 1000)) < 1e-12)
    #expect(weights.alive == 3 && weights.logarithms[2] == -.infinity)
    #expect(abs(weights.effectiveSize - 64 / 30) < 1e-12)
    // By the weights that are there already.
    let second = weights.multiply(by: [0, log(3), 0, .nan])
    #expect(abs(try #require(second) - log(7.0 / 8)) < 1e-12 && weights.alive == 2)
    let before = weights.logarithms
    let none = weights.multiply(by: [.nan, -.infinity, 0, 0])
    #expect(none == nil && weights.logarithms == before)
  }

  /// Particle i comes ⌊k w⌋ or ⌈k w⌉ times, and k w times in the mean over the comb's places.
  @Test func combsAreFair() {
    let values = [0.0, 0.31, 0, 0.02, 0.5, 0.17, 0]
    let weights = weights(values)
    for count in [1, 3, 7, 20] {
      var sums = [Double](repeating: 0, count: 7)
      let places = 2000
      for place in 0..<places {
        let drawn = weights.resampled(count, (Double(place) + 0.5) / Double(places))
        #expect(drawn.count == count)
        for (i, value) in values.enumerated() {
          let times = Double(drawn.count { $0 == i })
          let mean = Double(count) * value
          #expect(times >= mean.rounded(.down) - 1e-9 && times <= mean.rounded(.up) + 1e-9)
          sums[i] += times / Double(places)
        }
      }
      for (sum, value) in zip(sums, values) { #expect(abs(sum - Double(count) * value) < 2e-3) }
    }
    // Rounding at the comb's end takes no particle without weight.
    #expect(weights.resampled(3, 1).last == 5)
  }
}

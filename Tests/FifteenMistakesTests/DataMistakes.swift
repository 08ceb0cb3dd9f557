import Foundation
import ScoreData
import ScoreTensors
import Testing

/// Mistakes of existing code that lie in the units of data.
@Suite struct DataMistakes {
  /// 8: "+8 bits" is right for 8-bit data in [0, 1] only, and data that are not dequantised give negative bits.
  @Test func mistake8BitsFollowFromTheScale() throws {
    // Data uniform over all 256 levels take 8 bits whatever the scale: their density is 1, or ½ an entry.
    for (range, nats, offset) in [(0.0...1.0, 0.0, 8.0), (-1...1, -log(2), 7)] {
      let scale = DataScale(levels: 256, onto: range)
      #expect(abs(scale.bitsPerDimension(logDensity: 0, dimensions: 1) - offset) < 1e-12)
      for d in [1, 64] {
        let bits = scale.bitsPerDimension(logDensity: Double(d) * nats, dimensions: d)
        #expect(abs(bits - 8) < 1e-12)
      }
      // All mass in one cell, spread evenly over it, takes 0 bits: dequantised data never take fewer.
      let width = (range.upperBound - range.lowerBound) / 256
      #expect(abs(scale.bitsPerDimension(logDensity: -log(width), dimensions: 1)) < 1e-12)
      // Dequantised data fill the cells: never on a level alone, never in another's cell.
      let raw = Tensor<Double>([1000, 1], repeating: 17)
      let spread = scale.dequantised(raw, key: RandomKey(1))
      #expect(Set(spread.scalars).count > 900)
      #expect(scale.quantised(spread) == raw)
    }
    // Data that are not quantised have no bits.
    let plain = Dataset<Double>(name: "plain", samples: Tensor([2, 1], [0.1, 0.7]))
    #expect(throws: DataError.self) {
      try plain.bitsPerDimension(meanLogDensity: 0, standardError: 0)
    }
  }
}

import Foundation
import ScoreData
import ScoreTensors
import Testing

@Suite struct DataScaleTests {
  let key = RandomKey(7)

  @Test func theFullRangeOfLevelsMapsOntoTheModelRange() {
    let scale = DataScale(levels: 17)
    #expect(scale.factor == 2.0 / 17 && scale.offset == -1)
    #expect(scale.modelRange == -1...1)
    let raw = Tensor<Double>([17, 1], (0...16).map(Double.init))
    let middles = scale.centred(raw).scalars
    #expect(abs(middles[0] + 16.0 / 17) < 1e-15 && abs(middles[8]) < 1e-15)
    let wide = DataScale(levels: 4, binWidth: 2, factor: 10, offset: 1)
    #expect(wide.centred(Tensor<Double>([2, 1], [0, 6])).scalars == [11, 71])
  }

  @Test func numbersBeyondTheRangeAreTheFirstAndTheLastLevel() {
    let model = Tensor<Double>([4, 1], [-9, -1.01, 1.01, 9])
    #expect(DataScale(levels: 17).quantised(model).scalars == [0, 0, 16, 16])
  }

  @Test func dequantisedValuesStayInTheirBins() {
    for scale in [
      DataScale(levels: 17), .bytes, DataScale(levels: 5, binWidth: 0.25, factor: -3, offset: 2),
    ] {
      let raw = Tensor<Float>([scale.levels, 1024]) { values in
        for i in 0..<values.count { values[i] = Float(scale.binWidth) * Float(i / 1024) }
      }
      let model = scale.dequantised(raw, key: key)
      #expect(scale.quantised(model) == raw)
    }
  }

  @Test func dequantisationNoiseIsUniform() {
    // u has mean 1/2 and variance 1/12; 5 standard errors, false alarms once in a million runs of a new key.
    let scale = DataScale(levels: 2, factor: 1, offset: 0)
    let noise = scale.dequantised(Tensor<Double>([1000, 100]), key: key).scalars
    let n = Double(noise.count)
    let mean = noise.reduce(0, +) / n
    let variance = noise.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    #expect(abs(mean - 0.5) < 5 * (1 / 12 / n).squareRoot())
    #expect(abs(variance - 1.0 / 12) < 5 * (1 / 180 / n).squareRoot())
  }

  @Test func rowsDependOnTheirIndexAlone() {
    let data = Digits.load(.test, as: Float.self)
    let whole = data.modelSamples(key: key)
    #expect(data.modelSamples([1500, 3, 77], key: key) == whole.rows([1500, 3, 77]))
    #expect(data.modelSamples(key: RandomKey(8)) != whole)
  }

  @Test func uniformModelsCostLogLevelsBits() {
    // A density uniform on the model range gives each of the levels the probability 1 / levels.
    for scale in [
      DataScale(levels: 17), .bytes, DataScale(levels: 10, binWidth: 0.5, onto: 0...1),
    ] {
      let width = scale.modelRange.upperBound - scale.modelRange.lowerBound
      let bits = scale.bitsPerDimension(logDensity: -64 * log(width), dimensions: 64)
      #expect(abs(bits - log2(Double(scale.levels))) < 1e-12)
    }
  }

  @Test func bytesOnUnitAndSymmetricRangesAddEightAndSevenBits() {
    let unit = DataScale(levels: 256, onto: 0...1)
    #expect(abs(unit.bitsPerDimension(logDensity: 0, dimensions: 3) - 8) < 1e-12)
    #expect(abs(DataScale.bytes.bitsPerDimension(logDensity: 0, dimensions: 3) - 7) < 1e-12)
  }

  @Test func bitsDoNotDependOnTheAffineMap() {
    // The same density of raw values seen through two maps: log p changes by the Jacobian, the bits do not.
    let raw = -123.4
    let bits = [DataScale(levels: 17), DataScale(levels: 17, factor: -0.3, offset: 4)].map {
      $0.bitsPerDimension(logDensity: raw - 64 * log(abs($0.factor)), dimensions: 64)
    }
    #expect(abs(bits[0] - bits[1]) < 1e-12)
  }

  @Test func standardErrorsScaleWithTheMean() {
    let scale = DataScale(levels: 17)
    let a = scale.bitsPerDimension(meanLogDensity: -50, standardError: 2, dimensions: 64)
    let b = scale.bitsPerDimension(logDensity: -52, dimensions: 64)
    #expect(abs(a.mean + a.standardError - b) < 1e-12)
  }

  @Test func dataWithoutLevelsHaveNoBits() throws {
    let data = Dataset(name: "x.npy", samples: Tensor<Float>([3, 2]))
    let error = try #require(throws: DataError.self) {
      try data.bitsPerDimension(meanLogDensity: 1, standardError: 1)
    }
    #expect(error.kind == .notQuantised)
    #expect(error.description.contains("x.npy") && error.description.contains("not quantised"))
  }

  @Test func readingAsLevelsChecksEveryValue() throws {
    let samples = Tensor<Float>([2, 2], [0, 16, 3, 4])
    let data = Dataset(name: "x", samples: samples)
    #expect(try data.scaled(by: Digits.scale).scale == Digits.scale)
    for bad in [17, -1, 0.5] as [Float] {
      let other = Dataset(name: "x", samples: Tensor<Float>([2, 2], [0, 16, 3, bad]))
      let error = try #require(throws: DataError.self) { try other.scaled(by: Digits.scale) }
      #expect(error.kind == .outOfRange && error.message.contains("sample 1"))
    }
  }

  /// Levels are met to two units in the last place, in Float and in Double.
  @Test func levelsAreMetButForRounding() throws {
    let scale = DataScale(levels: 11, binWidth: 0.1, factor: 1, offset: 0)
    func isLevel<Scalar: TensorScalar>(_ value: Scalar) -> Bool {
      (try? Dataset(name: "x", samples: Tensor([1, 1], [value])).scaled(by: scale)) != nil
    }
    #expect(isLevel(0.7 as Float) && isLevel(0.7) && isLevel(1 as Float) && isLevel(1.0))
    #expect(isLevel((0.7 as Float).nextUp.nextUp) && isLevel(0.7.nextUp.nextUp))
    #expect(
      !isLevel((0.7 as Float).nextUp.nextUp.nextUp) && !isLevel(0.7.nextUp.nextUp.nextUp.nextUp))
    #expect(!isLevel(Float.nan) && !isLevel(Double.nan) && !isLevel(1.1 as Float) && !isLevel(1.1))
  }

  @Test func scalesSurviveFilesAndRefuseNonsense() throws {
    let scale = DataScale(levels: 5, binWidth: 0.25, factor: -3, offset: 2)
    let text = try JSONEncoder().encode(scale)
    #expect(try JSONDecoder().decode(DataScale.self, from: text) == scale)
    let nonsense = Data(#"{"levels": 0, "binWidth": 1, "factor": 1, "offset": 0}"#.utf8)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(DataScale.self, from: nonsense)
    }
  }
}

import ScoreData
import ScoreTensors
import Testing

@Suite struct DigitsTests {
  /// Figures that the script which restored the split printed, computed there with NumPy.
  struct Figures: Sendable {
    let half: Digits.Half
    let classes: [Int]
    let sum: Int
    let squares: Int
    let byPlace: Int
    let byRowAndPlace: Int
    let byRowAndLabel: Int
    let levels: [Int]
  }

  static let figures = [
    Figures(
      half: .training, classes: [376, 389, 380, 389, 387, 376, 377, 387, 380, 382],
      sum: 1_204_758, squares: 14_847_836, byPlace: 39_175_263, byRowAndPlace: 74_843_371_502,
      byRowAndLabel: 32_834_620,
      levels: [
        119391, 8397, 7055, 6148, 6908, 5858, 5570, 5599, 7574, 5523, 5694, 5889, 8078, 7218, 7846,
        9144, 22780,
      ]),
    Figures(
      half: .test, classes: [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
      sum: 561_718, squares: 6_907_012, byPlace: 18_222_371, byRowAndPlace: 16_337_198_609,
      byRowAndLabel: 7_272_861,
      levels: [
        56272, 4095, 3296, 2944, 3261, 2803, 2559, 2627, 3464, 2585, 2711, 2845, 3668, 3509, 3609,
        4304, 10456,
      ]),
  ]

  @Test(arguments: figures)
  func theEmbeddedHalvesAreThePublishedOnes(expected: Figures) throws {
    let data = Digits.load(expected.half, as: Double.self)
    #expect(data.samples.shape == [expected.classes.reduce(0, +), 8, 8, 1])
    let labels = try #require(data.labels)
    #expect((0..<10).map { digit in labels.count { $0 == digit } } == expected.classes)

    let pixels = data.samples.scalars.map { Int($0) }
    #expect(pixels.reduce(0, +) == expected.sum)
    #expect(pixels.reduce(0) { $0 + $1 * $1 } == expected.squares)
    #expect((0...16).map { level in pixels.count { $0 == level } } == expected.levels)
    let byPlace = pixels.enumerated().map { ($0 / 64 + 1, $1 * ($0 % 64 + 1)) }
    #expect(byPlace.reduce(0) { $0 + $1.1 } == expected.byPlace)
    #expect(byPlace.reduce(0) { $0 + $1.0 * $1.1 } == expected.byRowAndPlace)
    #expect(
      labels.enumerated().reduce(0) { $0 + $1.element * ($1.offset + 1) } == expected.byRowAndLabel)
  }

  @Test func theFirstTestImageIsTheZeroThatEverybodyKnows() {
    let first = Digits.load(.test, as: Float.self).samples.row(0)
    #expect(first[0..<8] == [0, 0, 5, 13, 9, 1, 0, 0])
    #expect(first[56..<64] == [0, 0, 6, 13, 10, 0, 0, 0])
  }

  @Test func noImageIsInBothHalves() {
    let training = Digits.load(.training, as: Float.self).samples
    let test = Digits.load(.test, as: Float.self).samples
    let all = Set(
      (0..<training.rows).map { training.row($0) } + (0..<test.rows).map { test.row($0) })
    #expect(all.count == 5620)
  }
}

import Foundation
import ScoreData
import ScoreTensors
import Testing

@Suite struct DiscreteColumnsTests {
  private let columns = DiscreteColumns(
    ranges: [nil, -2...9, 0...1, 0...1, 0...1], choices: [[2, 3, 4]])

  @Test func whatIsSpreadIsFoundAgain() {
    let count = 2000
    let raw = Tensor<Float>(
      [count, 5],
      (0..<count).flatMap { row -> [Float] in
        let choice = row % 3
        return [
          Float(row) * 0.01, Float(row % 12 - 2), choice == 0 ? 1 : 0, choice == 1 ? 1 : 0,
          choice == 2 ? 1 : 0,
        ]
      })
    let points = columns.dequantised(raw, key: RandomKey(1))
    #expect(columns.holds(raw) && !columns.holds(points))
    #expect(columns.quantised(points) == raw)
    let nats = columns.bins.logDensity(of: points, above: raw)
    let row = zip(points.row(7), raw.row(7)).map { Double($0) - Double($1) }
    let density = row[2...].reduce(1) { $0 * 6 * $1 * (1 - $1) }
    #expect(row[0] == 0 && abs(nats[7] - log(density)) < 1e-12)
  }

  /// Points beyond all bins go to the nearest, and of a choice the largest is taken.
  @Test func pointsBeyondTheBinsGoToTheNearest() {
    let points = Tensor<Double>(
      [3, 5], [1.7, -2.5, 0.2, 0.9, 0.3, 0.5, 12.1, -3, -2, -2.5, 0, 8.999, 4, 1.5, 3.9])
    #expect(
      columns.quantised(points)
        == Tensor([3, 5], [1.7, -2, 0, 1, 0, 0.5, 9, 0, 1, 0, 0, 8, 1, 0, 0]))
  }

  @Test(arguments: [
    [0.5, 1.5, 1, 0, 0], [0.5, 1, 1, 1, 0], [0.5, 1, 0, 0, 0], [0.5, 1, 2, 0, -1],
    [0.5, 1, 0.5, 0.5, 0],
  ])
  func otherRowsAreNone(row: [Double]) {
    #expect(columns.holds(Tensor([1, 5], [0.5, 1, 0, 0, 1])))
    #expect(!columns.holds(Tensor([1, 5], row)))
  }

  @Test func filesOfNonsenseAreRefused() throws {
    let data = try JSONEncoder().encode(columns)
    #expect(try JSONDecoder().decode(DiscreteColumns.self, from: data) == columns)
    for text in [
      #"{"ranges": [null, [0, 1]], "choices": [[0, 1]]}"#,
      #"{"ranges": [[0, 1]], "choices": [[1]]}"#, #"{"ranges": [[0, 1]], "choices": [[]]}"#,
      #"{"ranges": [[1, 0]], "choices": []}"#,
    ] {
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(DiscreteColumns.self, from: Data(text.utf8))
      }
    }
    let text = #"{"name": "a", "texts": ["x", "x"]}"#
    #expect(throws: (any Error).self) {
      try JSONDecoder().decode(TextColumn.self, from: Data(text.utf8))
    }
  }
}

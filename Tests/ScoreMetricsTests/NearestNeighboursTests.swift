import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct NearestNeighboursTests {
  @Test func neighboursOfAFewNumbers() throws {
    let x = Tensor<Float>([2, 1], [2.75, 7])
    let y = Tensor<Float>([4, 1], [0, 7, 3, 1])
    let near = try NearestNeighbours(of: x, among: y, count: 2)
    #expect(near.distances == [0.25, 1.75, 0, 4] && near.indices == [2, 3, 1, 2])
    #expect(near.identical == 1)
    let within = try NearestNeighbours(within: y, ofTheFirst: 3, count: 1)
    #expect(within.distances == [1, 4, 2] && within.indices == [3, 2, 3])
    #expect(within.identical == 0)
  }

  /// The product of rows forgets what is far from 0 and close together; the distances do not.
  @Test(arguments: [0, 1e7]) func theyAreThoseOfAllDistances(offset: Double) throws {
    let mean = [offset, -offset, offset]
    let x = normal(70, mean: mean, deviation: [1, 0.1, 1], key: RandomKey(1))
    let y = normal(90, mean: mean, deviation: [1, 0.1, 1], key: RandomKey(2))
    let near = try NearestNeighbours(of: x, among: y, count: 4)
    for i in 0..<70 {
      let distances = (0..<90).map { j in
        (0..<3).reduce(0) { $0 + (x[i, $1] - y[j, $1]) * (x[i, $1] - y[j, $1]) }.squareRoot()
      }
      let order = distances.indices.sorted { distances[$0] < distances[$1] }.prefix(4)
      #expect(Array(near.indices[4 * i..<4 * i + 4]) == Array(order))
      for (place, j) in order.enumerated() {
        #expect(abs(near.distances[4 * i + place] / distances[j] - 1) < 1e-9)
      }
    }
    let others = try NearestNeighbours(of: x, among: y, count: 4, pool: ThreadPool(threads: 3))
    #expect(others.distances == near.distances && others.indices == near.indices)
  }

  /// Samples that diverged have no neighbours, and lie in no manifold.
  @Test(arguments: [Double.nan, .infinity, 1e200]) func samplesThatDivergedAreNamed(bad: Double) {
    let good = normal(9, mean: [0, 0], deviation: [1, 1], key: RandomKey(1))
    var broken = good
    broken[4, 1] = bad
    func sentence(_ body: () throws -> NearestNeighbours) -> String? {
      (#expect(throws: MetricsError.self) { _ = try body() })?.description
    }
    let words = "has no nearest neighbour, as the sum of its squares is not a finite number"
    for (found, place) in [
      (sentence { try NearestNeighbours(of: broken, among: good, count: 1) }, "samples"),
      (sentence { try NearestNeighbours(of: good, among: broken, count: 1) }, "reference"),
      (sentence { try NearestNeighbours(within: broken, count: 1) }, "samples"),
    ] {
      #expect(found?.contains("row 4 of the \(place) \(words)") == true, "\(found ?? "none")")
    }
    for estimate in [
      Metrics.precision(of: broken, within: good), Metrics.precision(of: good, within: broken),
    ] {
      #expect(estimate.value.isNaN && estimate.standardError.isNaN)
    }
  }
}

import Foundation
import ScoreMetrics
import ScoreTensors
import Testing

@Suite struct MomentsTests {
  @Test func smallSetsHaveTheirExactMoments() {
    let samples = Tensor<Float>([4, 2, 1], [1, 0, 3, 4, 5, 8, 7, 0])
    let moments = SampleMoments(samples)
    #expect(moments.count == 4 && moments.dimensions == 2 && moments.mean == [4, 3])
    // Sums of squares 20 and 44, of products 4, over 3.
    let expected = [20.0 / 3, 4.0 / 3, 4.0 / 3, 44.0 / 3]
    #expect(zip(moments.covariance, expected).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(Metrics.means(samples).map(\.value) == [4, 3])
    #expect(abs(Metrics.means(samples)[0].standardError - (20.0 / 12).squareRoot()) < 1e-15)
    let deviations = Metrics.standardDeviations(samples).map(\.value)
    #expect(abs(deviations[1] - (44.0 / 3).squareRoot()) < 1e-15)
  }

  @Test func estimatesJoinAndScale() {
    let a = Estimate(3, standardError: 0.3)
    let b = Estimate(1, standardError: 0.4)
    #expect((a - b).value == 2 && abs((a - b).standardError - 0.5) < 1e-15)
    #expect((-2 * a).value == -6 && (-2 * a).standardError == 0.6)
    #expect(abs(a.deviation(from: 2.4) - 2) < 1e-12)
  }

  /// The known eigenvalues of the second-difference matrix: 2 − 2 cos(kπ / (n + 1)).
  @Test(arguments: [1, 2, 7, 40])
  func eigenvaluesOfTheSecondDifferenceAreExact(n: Int) {
    let matrix = (0..<n * n).map { place in
      let distance = abs(place / n - place % n)
      return distance == 0 ? 2.0 : distance == 1 ? -1 : 0
    }
    let eigen = SymmetricEigen(matrix, dimension: n)
    for k in 0..<n {
      let expected = 2 - 2 * cos(Double(k + 1) * .pi / Double(n + 1))
      #expect(abs(eigen.values[k] - expected) < 1e-13)
    }
  }

  @Test func eigenvectorsAreOrthonormalAndGiveTheMatrixBack() {
    let n = 30
    let random: Tensor<Double> = RandomKey(1).normal([n, n])
    // Of rank 20, so that many eigenvalues are 0 together.
    let low = random.rows(0..<20)
    let matrix = low.matmul(low, transposeSelf: true).scalars
    let eigen = SymmetricEigen(matrix, dimension: n)
    let back = eigen.mapped { $0 }
    #expect(zip(back, matrix).allSatisfy { abs($0 - $1) < 1e-12 * (eigen.values.last ?? 0) })
    for i in 0..<n {
      for j in 0...i {
        let dot = zip(eigen.vectors[i], eigen.vectors[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(dot - (i == j ? 1 : 0)) < 1e-13)
      }
    }
    #expect(eigen.values.prefix(10).allSatisfy { abs($0) < 1e-12 * (eigen.values.last ?? 0) })
    #expect(eigen.values == eigen.values.sorted())
    #expect(SymmetricEigen([0, 0, 0, 0], dimension: 2).values == [0, 0])
  }
}

import ScoreAutodiff
import ScoreTensors
import ScoreTraining
import Testing

/// Value, gradient and norm of a batch in shards, beside the closed form of linear regression.
@Suite struct ShardedGradientTests {
  // Parameters of several blocks of the sum of squares, none a whole number of them, and batches that shards do not divide.
  @Test(arguments: [1, 60, 65, 700], [1, 2, 5])
  func linearRegressionHasItsClosedForm(batch: Int, threads: Int) throws {
    let (inputs, outputs) = (70, 65)
    let key = RandomKey(3)
    let (x, y) = (
      key.folded("x").normal([batch, inputs], of: Double.self),
      key.folded("y").normal([batch, outputs], of: Double.self)
    )
    let (w, b) = (
      key.folded("w").normal([inputs, outputs], of: Double.self),
      key.folded("b").normal([1, outputs], of: Double.self)
    )
    let (weights, bias) = (
      Formula.input("w", [inputs, outputs]), Formula.input("b", [1, outputs])
    )
    let gradient = try ShardedGradient<Double>(
      batch: batch, parameters: [weights, bias], trained: [0, 1],
      pool: ThreadPool(threads: threads)
    ) { rows in
      let (x, y) = (Formula.input("x", [rows, inputs]), Formula.input("y", [rows, outputs]))
      let squares = square(x.matmul(weights) + bias - y)
      return ([x, y], squares.sum() / Double(rows))
    }
    let (value, norm) = gradient([w, b], [x, y])

    var (squares, ofWeights, ofBias) = (
      0.0, [Double](repeating: 0, count: inputs * outputs), [Double](repeating: 0, count: outputs)
    )
    for row in 0..<batch {
      for j in 0..<outputs {
        var residual = b[0, j] - y[row, j]
        for i in 0..<inputs { residual += x[row, i] * w[i, j] }
        squares += residual * residual
        for i in 0..<inputs {
          ofWeights[i * outputs + j] += 2 * residual * x[row, i] / Double(batch)
        }
        ofBias[j] += 2 * residual / Double(batch)
      }
    }
    let expected = (ofWeights + ofBias).reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(value * Double(batch) / squares - 1) < 1e-13)
    #expect(abs(norm / expected - 1) < 1e-13)
    for (found, exact) in zip(gradient.gradients, [ofWeights, ofBias]) {
      let difference = exact.indices.map { abs(found[$0] - exact[$0]) }.max() ?? .infinity
      #expect(difference < 1e-13 * expected)
    }
  }
}

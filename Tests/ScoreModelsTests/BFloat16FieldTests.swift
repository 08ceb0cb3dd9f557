import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

@Suite struct BFloat16FieldTests {
  private func model(threads: Int = 1) throws -> ScoreModel<Float> {
    let configuration = ModelConfiguration(
      sampleShape: [3], network: NetworkSpec(width: 64, depth: 2, frequencies: 8),
      preconditioning: .standardized(mean: 0.2, deviation: 0.7))
    let parameters = configuration.parameters.map {
      $0.isTrained ? Parameter($0.name, $0.shape, .normal(deviation: 0.1)) : $0
    }
    return try ScoreModel(
      configuration, process: VariancePreserving(),
      parameters: Parameters(drawing: parameters, key: RandomKey(5)),
      pool: ThreadPool(threads: threads))
  }

  private let x: Tensor<Float> = RandomKey(1).normal([200, 3])
  private let times = Times.perSample((0..<200).map { 0.001 + 0.998 * Double($0) / 199 })

  @Test func itIsOffByRoundingAndLeavesTheModelAsItWas() throws {
    let model = try model()
    let before = try model.noise(x, at: times)
    let found = try BFloat16Field(model).noise(x, at: times)
    #expect(found != before)
    let difference = found - before
    let share =
      difference.rowDots(difference).reduce(0, +) / before.rowDots(before).reduce(0, +)
    #expect(share.squareRoot() < 0.01, "\(share.squareRoot())")
    #expect(try model.noise(x, at: times) == before)
  }

  @Test(arguments: [1, 2]) func aRowsBitsDependOnTheRowAlone(threads: Int) throws {
    let whole = try BFloat16Field(model()).noise(x, at: times)
    let field = BFloat16Field(try model(threads: threads))
    for size in [1, 7, 100] {
      let parts = try stride(from: 0, to: 200, by: size).map { first in
        let rows = Array(first..<min(200, first + size))
        return try field.noise(x.rows(rows), at: times.rows(rows))
      }
      #expect(Tensor.concatenated(parts) == whole, "batches of \(size), \(threads) threads")
    }
  }
}

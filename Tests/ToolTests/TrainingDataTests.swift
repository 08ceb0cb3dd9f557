import ScoreSDE
import Testing

/// What data sets of each kind are trained on.
@Suite struct TrainingDataTests {
  @Test func levelsAreTheLowerEndsOfTheirBins() throws {
    let raw = Tensor<Double>([2, 2], [0, 3, 1, 2])
    for (factor, ends) in [(0.5, [1, 2.5, 1.5, 2]), (-0.5, [0.5, -1, 0, -0.5])] {
      let scale = DataScale(levels: 4, factor: factor, offset: 1)
      let data = try Dataset(name: "", samples: raw, labels: [1, 0], scale: scale).trainingData()
      #expect(data.samples == Tensor([2, 2], ends) && data.labels == [1, 0])
      #expect(data.bins == Bins(widths: [0.5]) && data.covariates == nil)
    }
  }

  @Test func tablesAreStandardisedWithTheirBins() throws {
    let table = Dataset(name: "", samples: Tensor<Double>([4, 2], [0, 0.5, 1, 2, 1, 8, 2, 1.5]))
    let whole = try table.discretized(["1"]).standardized(by: .columns)
    let units = try #require(whole.standardization)
    let data = try whole.trainingData()
    #expect(data.samples == units.standardized(table.samples))
    #expect(data.bins == Bins(widths: [1 / units.deviations[0], 0]))
    // As training spreads them, entries have mean 0 and deviation 1.
    #expect(abs(data.moments.mean) < 1e-14 && abs(data.moments.deviation - 1) < 1e-14)
    #expect(try table.trainingData().bins == nil)
  }

  @Test func covariatesAreStandardisedByTheMapThatIsGiven() throws {
    let given = Covariates(values: Tensor([2, 1], [3, 5]))
    let data = try Dataset(name: "", samples: Tensor<Float>([2, 1])).given(given)
    #expect(try data.trainingData().covariates == given.values)
    let map = try Standardization(of: given.values, by: .columns)
    #expect(try data.trainingData(covariates: map).covariates == Tensor([2, 1], [-1, 1]))
  }
}

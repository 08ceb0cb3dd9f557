import ScoreGuidance
import ScoreSampling
import ScoreTensors
import Testing

/// Observations say what they say they say.
@Suite struct LinearObservationTests {
  @Test func entriesAreThoseOfTheMask() throws {
    let observation = try LinearObservation.entries([false, true, true, false], of: [2, 2])
    #expect(observation.shape == [2])
    let x = Tensor<Double>([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try observation.apply(x) == Tensor([2, 2], [2, 3, 6, 7]))
    #expect(
      try observation.adjoint(Tensor([2, 2], [1, 2, 3, 4]))
        == Tensor([2, 2, 2], [0, 1, 2, 0, 0, 3, 4, 0]))
  }

  /// Blocks lie in rows and columns, and channels apart.
  @Test func blockMeansAreMeansOfPixels() throws {
    let shape: Shape = [4, 6, 3]
    let observation = try LinearObservation.blockMeans(of: shape, size: 2)
    #expect(observation.shape == [2, 3, 3])
    let x: Tensor<Double> = RandomKey(1).normal([2, 4, 6, 3])
    let means = try observation.apply(x)
    for i in 0..<2 {
      for (a, b, c) in [(0, 0, 0), (1, 2, 1), (0, 1, 2), (1, 0, 2)] {
        let sum = [(0, 0), (0, 1), (1, 0), (1, 1)].reduce(0) {
          $0 + x[i, 2 * a + $1.0, 2 * b + $1.1, c]
        }
        #expect(abs(means[i, a, b, c] - sum / 4) < 1e-15)
      }
    }
    let grey = try LinearObservation.blockMeans(of: [4, 4], size: 4)
    #expect(grey.shape == [1, 1])
    #expect(try grey.adjoint(Tensor([1, 1, 1], [16])) == Tensor([1, 4, 4], repeating: 1))
    #expect(try LinearObservation.blockMeans(of: [3, 5], size: 1).shape == [3, 5])
  }

  /// Of two axes those of series are times and channels.
  @Test func blockMeansOfSeriesAreMeansOfTimes() throws {
    let pairs = try LinearObservation.blockMeans(of: [4, 2], size: 2, isSeries: true)
    let x = Tensor<Double>([1, 4, 2], [1, 10, 3, 20, 5, 30, 7, 50])
    #expect(try pairs.apply(x) == Tensor([1, 2, 2], [2, 15, 6, 40]))
    #expect(
      try pairs.adjoint(Tensor([1, 2, 2], [2, 4, 6, 8]))
        == Tensor([1, 4, 2], [1, 2, 1, 2, 3, 4, 3, 4]))
    let line = try LinearObservation.blockMeans(of: [6], size: 3, isSeries: true)
    #expect(try line.apply(Tensor([1, 6], [1, 2, 3, 4, 5, 9])) == Tensor([1, 2], [2, 6]))
  }

  @Test func matricesMultiply() throws {
    let observation = try LinearObservation.matrix([[1, 2, 3], [0, -1, 1]], of: [3])
    #expect(
      try observation.apply(Tensor([2, 3], [1, 1, 1, 1, 0, 2])) == Tensor([2, 2], [6, 0, 7, 2]))
    #expect(try observation.adjoint(Tensor([1, 2], [1, 10])) == Tensor([1, 3], [1, -8, 13]))
  }

  /// One after the other, and in other units.
  @Test func observationsCompose() throws {
    let means = try LinearObservation.blockMeans(of: [2, 4], size: 2)
    let first = try means.followed(by: .entries([false, true], of: [1, 2]))
    let x = Tensor<Double>([1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(first.shape == [1])
    #expect(try first.apply(x) == Tensor([1, 1], [5.5]))
    #expect(
      try first.adjoint(Tensor([1, 1], [4])) == Tensor([1, 2, 4], [0, 0, 1, 1, 0, 0, 1, 1]))
    let weighted = try means.weighted(samples: (1...8).map(Double.init), observed: [2, 10])
    #expect(try weighted.apply(x) == Tensor([1, 1, 2], [0.5 * (1 + 4 + 25 + 36), 2.5 * 138]))
    #expect(
      try weighted.adjoint(Tensor([1, 1, 2], [2, 4]))
        == Tensor([1, 2, 4], [1, 2, 30, 40, 5, 6, 70, 80]))
  }

  @Test func wrongShapesAreRefused() throws {
    func refused(_ sentence: String, _ make: () throws -> Void) {
      #expect(throws: SamplingError(sentence)) { try make() }
    }
    refused("the mask has 3 entries; expected 4, as samples of shape [2, 2] have") {
      _ = try LinearObservation.entries([true, true, true], of: [2, 2])
    }
    refused("the mask observes no entry; expected at least one") {
      _ = try LinearObservation.entries([false, false], of: [2])
    }
    refused(
      "means over blocks are of images [height, width] or [height, width, channels], or of series [length] or [length, channels]; found samples of shape [6]"
    ) { _ = try LinearObservation.blockMeans(of: [6], size: 2) }
    refused(
      "the blocks' side is 4; expected one that divides 6, the length of samples of shape [6, 2]"
    ) { _ = try LinearObservation.blockMeans(of: [6, 2], size: 4, isSeries: true) }
    for size in [0, 3] {
      refused(
        "the blocks' side is \(size); expected one that divides 4 and 6, the sides of samples of shape [4, 6]"
      ) { _ = try LinearObservation.blockMeans(of: [4, 6], size: size) }
    }
    refused(
      "row 1 of the observation's matrix has 1 entries; expected 2 finite ones, as samples of shape [2] have"
    ) { _ = try LinearObservation.matrix([[1, 2], [3]], of: [2]) }
    refused(
      "row 0 of the observation's matrix has 2 entries, not all of them finite; expected 2 finite ones, as samples of shape [2] have"
    ) { _ = try LinearObservation.matrix([[1, .nan]], of: [2]) }
    refused(
      "the observation takes samples of shape [2] to shape [0]; expected at least one entry of each"
    ) { _ = try LinearObservation.matrix([], of: [2]) }
    let observation = try LinearObservation.entries([true, false], of: [2])
    refused(
      "an observation of shape [2] is to follow one that gives shape [1]; expected one shape"
    ) { _ = try observation.followed(by: observation) }
    refused(
      "there are 1 weights of samples and 2 of what is observed; expected 2 and 1, one an entry"
    ) { _ = try observation.weighted(samples: [1], observed: [1, 2]) }
    refused("the observation is applied to shape [1, 3]; expected [n] + [2]") {
      _ = try observation.apply(Tensor([1, 3]))
    }
    refused("the adjoint is applied to shape [2]; expected [n] + [1]") {
      _ = try observation.adjoint(Tensor([2]))
    }
  }

  /// Maps of one's own are held to each other.
  @Test func adjointsAreChecked() throws {
    // Differences of neighbours.
    let differences: LinearObservation.Map = { x in
      Tensor([x.rows, 2]) { out in
        for place in out.indices {
          out[place] = x[place / 2, place % 2 + 1] - x[place / 2, place % 2]
        }
      }
    }
    @Sendable func adjoint(_ sign: Double) -> LinearObservation.Map {
      { y in
        Tensor(
          rows: (0..<y.rows).map { [-y[$0, 0], y[$0, 0] - sign * y[$0, 1], sign * y[$0, 1]] })
      }
    }
    let good = try LinearObservation(
      of: [3], shape: [2], apply: differences, adjoint: adjoint(1))
    #expect(try good.apply(Tensor([1, 3], [1, 4, 2])) == Tensor([1, 2], [3, -2]))

    func sentence(
      _ apply: @escaping LinearObservation.Map, _ adjoint: @escaping LinearObservation.Map
    )
      -> String?
    {
      do {
        _ = try LinearObservation(of: [3], shape: [2], apply: apply, adjoint: adjoint)
        return nil
      } catch { return error.description }
    }
    let wrong = try #require(sentence(differences, adjoint(-1)))
    #expect(wrong.hasPrefix("the adjoint is not that of the observation: ⟨A x, y⟩ is "))
    // What is not linear has no adjoint.
    #expect(sentence({ x in differences(x).map { $0 + 1 } }, adjoint(1)) != nil)
    let uneven: LinearObservation.Map = { x in differences(Double(x.rows) * x) }
    let unevenly: LinearObservation.Map = { y in adjoint(1)(Double(y.rows) * y) }
    let coupled = sentence(uneven, unevenly)
    #expect(coupled?.contains("depends on the other rows") == true)
    #expect(
      sentence({ $0 }, adjoint(1)) == "the observation takes [3, 3] to [3, 3]; expected [3, 2]")
    #expect(
      sentence({ x in differences(x).map { _ in .nan } }, adjoint(1))?.contains("not finite")
        == true)
  }
}

import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// Models of images.
@Suite struct ImageModelTests {
  private func spec(_ width: Int = 8) -> NetworkSpec {
    NetworkSpec(.unet, width: width, depth: 1, frequencies: 8, multipliers: [1, 2], groups: 4)
  }

  private func model<Scalar: TensorScalar>(_ spec: NetworkSpec, _ shape: Shape, threads: Int = 1)
    throws -> ScoreModel<Scalar>
  {
    let configuration = ModelConfiguration(
      sampleShape: shape, network: spec,
      preconditioning: .standardized(mean: 0.2, deviation: 0.7))
    let parameters = configuration.parameters.map {
      $0.isTrained ? Parameter($0.name, $0.shape, .normal(deviation: 0.2)) : $0
    }
    return try ScoreModel(
      configuration, process: VariancePreserving(),
      parameters: Parameters(drawing: parameters, key: RandomKey(5)),
      pool: ThreadPool(threads: threads))
  }

  @Test(
    arguments: [1, 2],
    [
      nil, "ddpm-unet:channels=8-16,blocks=1,groups=4,head=8,frequencies=8",
      "ncsnpp:channels=8-16,blocks=1,attention=0-1,frequencies=8",
    ])
  func anImagesBitsDependOnTheImageAlone(threads: Int, network: String?) throws {
    let spec = try network.map { try NetworkSpec($0) } ?? spec()
    let reference: ScoreModel<Float> = try model(spec, [6, 4, 2])
    let other: ScoreModel<Float> = try model(spec, [6, 4, 2], threads: threads)
    let x: Tensor<Float> = RandomKey(1).normal([37, 6, 4, 2])
    let times = Times.perSample((0..<37).map { 0.01 + 0.02 * Double($0) })
    let v: Tensor<Float> = RandomKey(2).normal(x.shape)
    let whole = try reference.noiseAndPullback(x, at: times, cotangent: v)
    for size in [1, 5, 37] {
      let parts = try stride(from: 0, to: 37, by: size).map { first in
        let rows = Array(first..<min(37, first + size))
        return try other.noiseAndPullback(
          x.rows(rows), at: times.rows(rows), cotangent: v.rows(rows))
      }
      #expect(Tensor.concatenated(parts.map(\.noise)) == whole.noise)
      #expect(Tensor.concatenated(parts.map(\.pullback)) == whole.pullback)
    }
  }

  @Test func largeImagesGoInShortChunks() throws {
    let model: ScoreModel<Float> = try model(spec(32), [64, 64, 1], threads: 2)
    let x: Tensor<Float> = RandomKey(1).normal([6, 64, 64, 1])
    let all = try model.noise(x, at: .shared(0.3))
    let one = try model.noise(x.rows([5]), at: .shared(0.3))
    #expect(all.shape == x.shape && one == all.rows([5]))
  }

  @Test func shapesThatTheNetworkCannotTakeAreNamed() {
    for shape: Shape in [[6, 5, 1], [24], [2, 6, 4, 1], [0, 2, 1]] {
      let model = ModelConfiguration(
        sampleShape: shape, network: spec(), preconditioning: .noise)
      #expect(throws: ProcessError.self, "\(shape)") {
        try ScoreModel<Float>(
          model, process: VariancePreserving(), parameters: Parameters(names: [], tensors: []),
          pool: ThreadPool(threads: 1))
      }
    }
    for network in [
      NetworkSpec(.unet, width: 12), NetworkSpec(.unet, multipliers: []),
      NetworkSpec(.unet, multipliers: [1, 0]), NetworkSpec(.unet, groups: 0),
    ] {
      let model = ModelConfiguration(
        sampleShape: [8, 8, 1], network: network, preconditioning: .noise)
      #expect(throws: ProcessError.self) { try model.check() }
    }
    #expect(throws: Never.self) { try (model(spec(), [6, 4]) as ScoreModel<Float>) }
    for shape: Shape in [[6, 5, 1], [5], [5, 2]] {
      let error = #expect(throws: ProcessError.self, "\(shape)") {
        try ModelConfiguration(sampleShape: shape, network: series, preconditioning: .noise).check()
      }
      #expect(error?.description.contains("unet-1d") == true)
    }
    #expect(throws: Never.self) { try (model(series, [6]) as ScoreModel<Float>) }
  }

  private var series: NetworkSpec {
    NetworkSpec(.unet1D, width: 8, depth: 1, frequencies: 8, multipliers: [1, 2], groups: 4)
  }

  /// An image whose two rows are one series goes the series' way, where filters have only zeros in their outer rows.
  @Test(arguments: [false, true])
  func aSeriesIsARowOfAnImage(attention: Bool) throws {
    var (line, plane) = (series, spec())
    (line.attention, plane.attention) = (attention, attention)
    let one: ScoreModel<Double> = try model(line, [8, 3])
    let names = one.parameters.names
    let tensors = zip(names, one.parameters.tensors).map { name, filter -> Tensor<Double> in
      guard filter.shape.rank == 4, !name.contains("skip") else { return filter }
      let zeros = [Double](repeating: 0, count: filter.count)
      return Tensor(
        Shape([3] + filter.shape.extents.dropFirst()), zeros + filter.scalars + zeros)
    }
    let two = try ScoreModel<Double>(
      ModelConfiguration(
        sampleShape: [2, 8, 3], network: plane,
        preconditioning: .standardized(mean: 0.2, deviation: 0.7)),
      process: VariancePreserving(), parameters: Parameters(names: names, tensors: tensors),
      pool: ThreadPool(threads: 1))
    let x: Tensor<Double> = RandomKey(1).normal([5, 24])
    let twice = Tensor([5, 2, 8, 3], (0..<5).flatMap { x.row($0) + x.row($0) })
    let expected = try one.noise(x.reshaped([5, 8, 3]), at: .shared(0.3))
    let found = try two.noise(twice, at: .shared(0.3))
    for row in 0..<5 {
      for (a, b) in zip(found.row(row), expected.row(row) + expected.row(row)) {
        #expect(abs(a - b) < 1e-10)
      }
    }
    // A series of one channel needs no axis for it.
    let single: ScoreModel<Double> = try model(line, [8])
    let channel: ScoreModel<Double> = try model(line, [8, 1])
    let y: Tensor<Double> = RandomKey(2).normal([5, 8])
    #expect(
      try single.noise(y, at: .shared(0.3)).scalars
        == channel.noise(y.reshaped([5, 8, 1]), at: .shared(0.3)).scalars)
  }

  @Test func networksReadBackFromTheirText() throws {
    for text in [
      "unet", "unet:channels=12,multipliers=1-3,blocks=2,attention=true,features=positional",
      "unet:channels=6,groups=3,frequencies=4", "unet-1d:channels=8,multipliers=1-2",
      "ncsnpp", "ncsnpp:channels=32-64,attention=1-0,blocks=3,head=16,epsilon=0.001",
    ] {
      let spec = try NetworkSpec(text)
      #expect(try NetworkSpec(spec.text) == spec)
    }
    #expect(try NetworkSpec("unet").text.hasPrefix("unet:channels=32,blocks=1,multipliers=1-2-2"))
    #expect(
      try NetworkSpec("ncsnpp").text.hasPrefix(
        "ncsnpp:channels=128-128-256-256-256-256-256,attention=0-0-0-0-1-0-0,head=all,blocks=2,"))
    for (channels, sentence) in [
      ("8-132", "normalises 132 channels"), ("2", "normalises 2 channels"),
    ] {
      let spec = try NetworkSpec("ncsnpp:channels=\(channels)")
      let error = #expect(throws: ProcessError.self) { try spec.check([8, 8, 3]) }
      #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
    #expect(try NetworkSpec("unet:channels=6").groups == 6)
    for text in ["unet:groups=5", "unet:multipliers=1-x", "unet:multipliers=0-1", "unet:width=3"] {
      #expect(throws: SpecError.self, "\(text)") { try NetworkSpec(text) }
    }
  }
}

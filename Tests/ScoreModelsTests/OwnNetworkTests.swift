import ScoreAutodiff
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// A network that is given as closures.
private struct Written: Network {
  var parameters: [Parameter]
  let body: @Sendable (Formula, Formula) -> Formula

  func callAsFunction(_ x: Formula, condition: Formula) -> Formula { body(x, condition) }
}

/// Networks that are written outside the library.
@Suite struct OwnNetworkTests {
  private func configuration(
    _ network: NetworkSpec, sampleShape: Shape = [3], classes: Int = 0
  ) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: sampleShape, network: network,
      preconditioning: .standardized(mean: 0.2, deviation: 0.7), classes: classes)
  }

  private func model<Scalar: TensorScalar>(
    _ configuration: ModelConfiguration
  ) throws -> ScoreModel<Scalar> {
    try ScoreModel(drawn: configuration, process: try VariancePreserving(), threads: 2)
  }

  /// The library's own perceptron, handed over as somebody's, is the same to the bit, with classes and without.
  @Test(arguments: [NetworkSpec.Features.fourier, .positional], [0, 3])
  func theLibrarysNetworkAsOnesOwnIsTheSameBits(
    features: NetworkSpec.Features, classes: Int
  ) throws {
    let built = NetworkSpec(.mlp, width: 24, depth: 2, features: features, frequencies: 8)
    let own = NetworkSpec(own: "perceptron", features: features, frequencies: 8) {
      MLP(
        inputs: $0.count, conditions: $1, width: 24, layers: 2, outputs: $0.count)
    }
    let x: Tensor<Float> = RandomKey(1).normal([37, 3])
    let v: Tensor<Float> = RandomKey(2).normal([37, 3])
    let t = Times.perSample((0..<37).map { 0.01 + 0.02 * Double($0) })
    let label = classes > 0 ? 1 : nil
    let expected = try model(configuration(built, classes: classes)).conditioned(on: label)
      .noiseAndPullback(x, at: t, cotangent: v)
    let found = try model(configuration(own, classes: classes)).conditioned(on: label)
      .noiseAndPullback(x, at: t, cotangent: v)
    #expect(found.noise == expected.noise && found.pullback == expected.pullback)
  }

  /// A U-Net's chunks are cut to its largest value, whoever hands it over.
  @Test func ownNetworksOfImagesAreTheSameBits() throws {
    let built = NetworkSpec(.unet, width: 8, depth: 1, frequencies: 8, multipliers: [1, 2])
    let own = NetworkSpec(own: "images", frequencies: 8) { shape, conditions in
      var sizes = UNet.Configuration()
      sizes.channels = 8
      sizes.multipliers = [1, 2]
      return UNet(image: Shape(shape.extents + [1]), conditions: conditions, sizes)
    }
    let x: Tensor<Float> = RandomKey(1).normal([9, 28, 28])
    let expected = try model(configuration(built, sampleShape: [28, 28])).noise(x, at: .shared(0.4))
    let found = try model(configuration(own, sampleShape: [28, 28])).noise(x, at: .shared(0.4))
    #expect(found == expected)
    // The uppermost level's skip and what comes from below, joined.
    #expect(configuration(own, sampleShape: [28, 28]).largestValue == 28 * 28 * 16)
    #expect(configuration(NetworkSpec(.mlp, width: 300)).largestValue == 300)
  }

  /// A field that is the gradient of an energy has a symmetric Jacobian; another's is not.
  @Test func theGradientOfAnEnergyHasNoCurl() throws {
    let energy = NetworkSpec(own: "energy", frequencies: 8) { shape, conditions in
      let body = MLP(
        inputs: shape.count, conditions: conditions, width: 24, layers: 2, outputs: 1)
      return Written(parameters: body.parameters) { x, condition in
        gradient(of: body(x, condition: condition).sum(), withRespectTo: x)
      }
    }
    func curl(_ network: NetworkSpec) throws -> Double {
      let model: ScoreModel<Double> = try model(configuration(network))
      let x: Tensor<Double> = RandomKey(1).normal([20, 3])
      let jacobian = try (0..<3).map { j in
        var unit = Tensor<Double>([20, 3])
        for i in 0..<20 { unit[i, j] = 1 }
        return try model.noiseAndPullback(x, at: .shared(0.3), cotangent: unit).pullback
      }
      return (0..<20).map { i in
        (0..<3).flatMap { j in (0..<3).map { abs(jacobian[j][i, $0] - jacobian[$0][i, j]) } }
          .max() ?? .nan
      }.max() ?? .nan
    }
    #expect(try curl(energy) < 1e-13)
    #expect(try curl(NetworkSpec(.mlp, width: 24, depth: 2, frequencies: 8)) > 1e-3)
  }

  /// With `plain` features the condition is the number itself: a network that gives it back has log(α/σ) for its F.
  @Test(arguments: [NetworkSpec.Condition.logSNR, .time])
  func plainFeaturesAreTheNumber(condition: NetworkSpec.Condition) throws {
    let network = NetworkSpec(own: "clock", condition: condition, features: .plain) { _, width in
      #expect(width == 1)
      return Written(parameters: []) { x, condition in 0 * x + condition }
    }
    let process = try VariancePreserving()
    let model = try ScoreModel<Double>(
      ModelConfiguration(sampleShape: [3], network: network, preconditioning: .noise),
      process: process, parameters: Parameters(names: [], tensors: []),
      pool: ThreadPool(threads: 1))
    for t in [0.1, 0.6] {
      let expected = condition == .time ? t : process.marginal(at: t).halfLogSNR
      let found = try model.noise(Tensor([2, 3]), at: .shared(t))
      #expect(found.scalars == [Double](repeating: expected, count: 6))
    }
  }

  @Test func wrongNetworksAreRefusedByName() {
    let bias = Parameter("bias", [3], .constant(0))
    func error(
      _ parameters: [Parameter], _ body: @escaping @Sendable (Formula, Formula) -> Formula
    ) -> String {
      let network = NetworkSpec(own: "mine", features: .plain) { _, _ in
        Written(parameters: parameters, body: body)
      }
      do {
        try configuration(network).check()
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(error([bias]) { x, _ in x + bias.formula } == "")
    #expect(
      error([bias, bias]) { x, _ in x + bias.formula }.contains("two parameters called bias"))
    #expect(
      error([]) { x, _ in x + bias.formula }.contains("takes the input bias, which is none of"))
    #expect(
      error([]) { x, _ in x.slice(axis: 1, 0..<2) }
        .contains("the network mine takes [3, 3] and a condition of as many rows to [3, 2]"))
    #expect(
      error([]) { _, c in c + Formula(repeating: 0, [1, 3]) }
        .contains("takes [3, 3] and a condition of one row to [1, 3]; expected [3, 3]"))
    #expect(
      error([]) { x, _ in x - x.mean([0], keepDims: true) }
        .contains("depends on the other rows of its batch"))
    #expect(
      error([]) { x, c in x + c.mean([0], keepDims: true) }
        .contains("depends on the other rows of its batch"))
    let others = "depends on the other rows of its batch, or on how many there are"
    #expect(error([]) { x, _ in x / Double(x.shape[0]) }.contains(others))
    #expect(error([]) { x, _ in gradient(of: square(x).mean(), withRespectTo: x) }.contains(others))
    #expect(
      error([]) { x, c in
        x + c.slice(axis: 0, 0..<1)
      }.contains(others))
    #expect(error([]) { x, _ in x - x.slice(axis: 0, 0..<1) }.contains(others))
    #expect(
      error([bias]) { x, _ in x + Formula.input("bias", [1, 3]) }
        .contains("takes its parameter bias in shape [1, 3], and lists it in [3]"))
    let taken = Parameter("batch: x", [3], .constant(0))
    #expect(
      error([taken]) { x, _ in x + taken.formula }.contains("does not begin with batch:"))
    #expect(
      error([Parameter("none", [0], .constant(0))]) { x, _ in x }.contains("some entries"))
  }

  @Test(arguments: ["", "two\nlines", String(repeating: "x", count: 101)])
  func aNameIsOfOneLine(name: String) {
    let network = NetworkSpec(own: name) { _, _ in Written(parameters: []) { x, _ in x } }
    #expect(throws: ProcessError.self) { try configuration(network).check() }
  }

  @Test func networksOfOnesOwnAreKnownByTheirNames() {
    func spec(_ name: String, _ condition: NetworkSpec.Condition = .logSNR) -> NetworkSpec {
      NetworkSpec(own: name, condition: condition) { shape, _ in
        Written(parameters: []) { x, _ in x }
      }
    }
    #expect(spec("a") == spec("a") && spec("a") != spec("b") && spec("a") != spec("a", .time))
    #expect(
      spec("a").text == "own: a (condition=log-snr,features=fourier,frequencies=64,scale=0.16)")
    #expect(throws: SpecError.self) { try NetworkSpec(spec("a").text) }
  }
}

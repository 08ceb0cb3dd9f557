import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// Models whose covariates are images beside the samples.
@Suite struct GivenImageModelTests {
  private static func configuration(
    _ network: String = "unet:channels=4,groups=2,multipliers=1-2,given-channels=2",
    _ shape: Shape = [4, 6, 1], covariates: Int = 48
  ) throws -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: shape, network: try NetworkSpec(network),
      preconditioning: .standardized(mean: 0.2, deviation: 0.7), covariates: covariates)
  }

  /// Row i under its own image has the bits that it has where this is given to all.
  @Test func eachRowHasItsOwnImage() throws {
    let model = try ScoreModel<Float>(
      drawn: try Self.configuration(), process: try VariancePreserving(), threads: 2)
    let x: Tensor<Float> = RandomKey(1).normal([40, 4, 6, 1])
    let images: Tensor<Double> = RandomKey(2).normal([40, 48])
    let noise = try model.conditioned(onRows: images).noise(x, at: .shared(0.3))
    for row in [0, 17, 39] {
      let alone = try model.conditioned(on: images.row(row))
      #expect(try alone.noise(x.rows([row]), at: .shared(0.3)) == noise.rows([row]))
      #expect(try alone.noise(x, at: .shared(0.3)).rows([row]) == noise.rows([row]))
    }
    #expect(try model.noise(x, at: .shared(0.3)) != noise)
  }

  @Test func textsKeepTheChannels() throws {
    for name in ["unet", "unet-1d", "ddpm-unet", "ncsnpp"] {
      let spec = try NetworkSpec("\(name):given-channels=3")
      #expect(spec.givenChannels == 3 && spec.text.hasSuffix("given-channels=3"))
      #expect(try NetworkSpec(spec.text) == spec)
      #expect(try !NetworkSpec(name).text.contains("given"))
    }
    #expect(throws: SpecError.self) { try NetworkSpec("mlp:given-channels=1") }
    #expect(throws: SpecError.self) { try NetworkSpec("unet:given-channels=-1") }
  }

  @Test func covariatesThatAreNoSuchImagesAreRefused() throws {
    for covariates in [0, 24, 49, 72] {
      #expect(throws: ProcessError.self) { try Self.configuration(covariates: covariates).check() }
    }
    var mlp = NetworkSpec(.mlp)
    mlp.givenChannels = 1
    let flat = ModelConfiguration(
      sampleShape: [3], network: mlp, preconditioning: .noise, covariates: 3)
    #expect(throws: ProcessError.self) { try flat.check() }
    try Self.configuration("unet-1d:given-channels=2", [8, 1], covariates: 16).check()
  }

  @Test func channelsAreThoseOfImagesOfTheSamplesSides() throws {
    let (unet, series) = (NetworkSpec(.unet), NetworkSpec(.unet1D))
    #expect(unet.channels(ofGiven: [8, 4, 3], beside: [8, 4, 1]) == 3)
    #expect(unet.channels(ofGiven: [8, 4], beside: [8, 4]) == 1)
    #expect(unet.channels(ofGiven: [4, 8], beside: [8, 4]) == nil)
    #expect(unet.channels(ofGiven: [32], beside: [8, 4]) == nil)
    #expect(unet.channels(ofGiven: [8, 4, 3, 1], beside: [8, 4, 1]) == nil)
    #expect(series.channels(ofGiven: [8, 3], beside: [8]) == 3)
    #expect(series.channels(ofGiven: [8], beside: [8, 1]) == nil)
    #expect(NetworkSpec(.mlp).channels(ofGiven: [8, 4], beside: [8, 4]) == nil)
    #expect(try NetworkSpec("ddpm-unet").channels(ofGiven: [8, 8, 1], beside: [8, 8, 3]) == 1)
  }
}

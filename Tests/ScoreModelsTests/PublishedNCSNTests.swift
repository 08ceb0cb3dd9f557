import Foundation
import ScoreModels
import ScoreProcesses
import ScoreTensors
import Testing

/// NCSN++ of the VE SDE, read from the files that it is published in.
@Suite struct PublishedNCSNTests {
  private static let own = PublishedCase(
    config: """
      {"_class_name": "UNet2DModel", "attention_head_dim": null, "block_out_channels": [32, 128, 32],
       "center_input_sample": false, "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"],
       "flip_sin_to_cos": true, "in_channels": 3, "layers_per_block": 1, "mid_block_scale_factor": 1.41421356237,
       "norm_eps": 1e-06, "norm_num_groups": null, "out_channels": 3, "sample_size": [8, 4],
       "time_embedding_type": "fourier", "up_block_types": ["SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"]}
      """,
    chain: """
      {"_class_name": "ScoreSdeVeScheduler", "correct_steps": 2, "num_train_timesteps": 1000, "sampling_eps": 1e-05,
       "sigma_max": 50, "sigma_min": 0.01, "snr": 0.16}
      """, tensors: PublishedNCSNFixture.tensors, isNested: true)

  @Test(arguments: [false, true])
  func scoresAreThoseOfPyTorch(isCentred: Bool) throws {
    var own = Self.own
    if isCentred {
      own.config = own.config.replacingOccurrences(
        of: "\"center_input_sample\": false", with: "\"center_input_sample\": true")
    }
    let folder = try own.folder()
    let published = try PublishedModel(folder.path)
    #expect(published.configuration.sampleShape == [8, 4, 3])
    let model: ScoreModel<Double> = try published.model(pool: ThreadPool(threads: 2))
    let results = isCentred ? PublishedNCSNFixture.centredResults : PublishedNCSNFixture.results
    let times = [0.01, 1.5, 50].map { published.process.time(halfLogSNR: -log($0)) }
    let x = published.wave(rows: 3)
    let scores = try model.score(x, at: .perSample(times))
    let width = x.shape.rowCount
    for row in 0..<3 {
      for (column, result) in zip([0, 1, 2, 3, 4, width - 1], results[row]) {
        let found = scores.scalars[row * width + column]
        #expect(abs(found - result) < 1e-6 * max(1, abs(result)), "\(row), \(column): \(found)")
      }
    }
    let single: ScoreModel<Float> = try published.model(pool: ThreadPool(threads: 1))
    let rounded = try single.noise(Tensor<Float>(x), at: .perSample(times))
    let noise = try model.noise(x, at: .perSample(times))
    // The frequencies of the features make 1e-4 of the rounding of log σ.
    for (a, b) in zip(rounded.scalars, noise.scalars) { #expect(abs(Double(a) - b) < 2e-3) }
  }

  @Test func theProcessIsThatOfItsScheduler() throws {
    func scheduler(_ text: String) throws -> PublishedScheduler {
      var own = Self.own
      (own.chain, own.tensors) = (text, "conv_in.bias 32")
      let folder = try own.folder()
      return try withExtendedLifetime(folder) { try PublishedModel(folder.path).scheduler }
    }
    let told = try scheduler(Self.own.chain)
    #expect(ProcessSpec.text(of: told.process) == "ve:sigma-min=0.01,sigma-max=50")
    #expect(told.steps == 1000 && told.corrector?.snr == 0.16 && told.corrector?.steps == 2)
    #expect(told.dataRange == 0...1)
    let usual = try scheduler(#"{"_class_name": "ScoreSdeVeScheduler", "sampling_eps": 0.001}"#)
    #expect(
      ProcessSpec.text(of: usual.process)
        == "ve:sigma-min=0.01,sigma-max=1348,sampling-epsilon=0.001")
    #expect(usual.steps == 2000 && usual.corrector?.snr == 0.15 && usual.corrector?.steps == 1)
  }

  @Test(arguments: [
    ("\"ScoreSdeVeScheduler\"", "\"DDPMScheduler\"", ["fourier", "expected positional"]),
    ("\"fourier\"", "\"positional\"", ["mid_block_scale_factor"]),
    ("\"fourier\"", "\"learned\"", ["time_embedding_type is learned", "positional or fourier"]),
    ("1.41421356237", "1", ["mid_block_scale_factor is 1", "square root of 2"]),
    ("\"norm_num_groups\": null", "\"norm_num_groups\": 32", ["norm_num_groups is 32", "null"]),
    ("\"norm_num_groups\": null, ", "", ["norm_num_groups is 32"]),
    ("[32, 128, 32]", "[32, 64, 32]", ["128 channels or more", "there are 64"]),
    ("[32, 128, 32]", "[36, 128, 36]", ["normalises 164 channels"]),
    ("\"SkipDownBlock2D\"]", "\"DownBlock2D\"]", ["down_block_types", "AttnSkipDownBlock2D"]),
    ("\"AttnSkipUpBlock2D\"", "\"SkipUpBlock2D\"", ["up_block_types"]),
    ("[8, 4]", "[8, 6]", ["multiples of 4", "[8, 6, 3]"]),
    ("\"sigma_max\": 50", "\"sigma_max\": 0.001", ["sigma-max 0.001"]),
    ("\"snr\": 0.16", "\"snr\": 0", ["snr is 0"]),
    ("\"correct_steps\": 2", "\"correct_steps\": -1", ["correct_steps is -1"]),
    ("\"num_train_timesteps\": 1000", "\"num_train_timesteps\": 0", ["num_train_timesteps is 0"]),
    ("1e-05,\n", "2,\n", ["sampling_eps is 2"]),
  ])
  func saysWhatIsRefused(_ from: String, _ to: String, _ words: [String]) throws {
    var own = Self.own
    #expect((own.config + own.chain).contains(from))
    own.config = own.config.replacingOccurrences(of: from, with: to)
    own.chain = own.chain.replacingOccurrences(of: from, with: to)
    own.tensors = "conv_in.bias 32"
    let folder = try own.folder()
    let error = #expect(throws: FileError.self) { try PublishedModel(folder.path) }
    for word in words + [folder.path] {
      #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }
  }
}

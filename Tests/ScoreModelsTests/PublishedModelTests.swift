import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// Models that were trained with PyTorch, read from the files that they are published in.
@Suite struct PublishedModelTests {
  private static let plain = PublishedCase(
    config: """
      {"_class_name": "UNet2DModel", "act_fn": "silu", "attention_head_dim": null, "block_out_channels": [4, 8],
       "center_input_sample": false, "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "downsample_padding": 0,
       "flip_sin_to_cos": false, "freq_shift": 1, "in_channels": 1, "layers_per_block": 1, "mid_block_scale_factor": 1,
       "norm_eps": 1e-06, "norm_num_groups": 2, "out_channels": 1, "sample_size": [4, 8],
       "time_embedding_type": "positional", "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]}
      """,
    chain: """
      {"_class_name": "DDPMScheduler", "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001,
       "num_train_timesteps": 1000, "trained_betas": null}
      """, tensors: PublishedFixture.plainTensors,
    // As in the first published files.
    renamed: ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"])

  private static let other = PublishedCase(
    config: """
      {"_class_name": "UNet2DModel", "attention_head_dim": 2, "add_attention": false, "block_out_channels": [8, 4],
       "down_block_types": ["AttnDownBlock2D", "DownBlock2D"], "in_channels": 2, "norm_num_groups": 4, "out_channels": 2,
       "sample_size": 4, "up_block_types": ["UpBlock2D", "AttnUpBlock2D"], "num_class_embeds": null}
      """,
    chain: """
      {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
       "prediction_type": "v_prediction"}
      """, tensors: PublishedFixture.otherTensors, isNested: true)

  /// `plain` with classes, of which the results are under 2, 0 and 1.
  private static let classes = changed(
    to: "\"out_channels\": 1, \"num_class_embeds\": 3", tensors: "class_embedding.weight 3,16\n")

  /// `plain` with variances, whose results but for these are those of `plain`.
  private static var variances: PublishedCase {
    var own = changed(to: "\"out_channels\": 2")
    own.chain = own.chain.replacingOccurrences(
      of: "\"trained_betas\": null", with: "\"variance_type\": \"learned_range\"")
    own.tensors = own.tensors.replacingOccurrences(of: "conv_out.bias 1", with: "conv_out.bias 2")
      .replacingOccurrences(of: "conv_out.weight 1,", with: "conv_out.weight 2,")
    return own
  }

  private static func changed(to text: String, tensors: String = "") -> PublishedCase {
    var own = plain
    own.config = own.config.replacingOccurrences(of: "\"out_channels\": 1", with: text)
    own.tensors = tensors + own.tensors
    return own
  }

  @Test(arguments: [true, false])
  func resultsAreThoseOfPyTorch(isPlain: Bool) throws {
    let own = isPlain ? Self.plain : Self.other
    let folder = try own.folder()
    let published = try PublishedModel(folder.path)
    let model: ScoreModel<Double> = try published.model(pool: ThreadPool(threads: 2))
    let results = isPlain ? PublishedFixture.plainResults : PublishedFixture.otherResults
    let steps = [0, 7, 999]
    let chain = try published.chain
    let times = steps.map { chain.time(ofStep: $0) }
    let x = published.wave(rows: 3)
    let noise = try model.noise(x, at: .perSample(times))
    let width = x.shape.rowCount
    for (row, time) in times.enumerated() {
      let kernel = published.process.marginal(at: time)
      for (column, result) in zip([0, 1, 2, 3, 4, width - 1], results[row]) {
        let entry = row * width + column
        // v = α ε − σ x₀ where the network gives that.
        let expected =
          isPlain ? result : kernel.sigma * x.scalars[entry] + kernel.alpha * result
        #expect(abs(noise.scalars[entry] - expected) < 2e-6, "step \(steps[row]), \(column)")
      }
    }
    let single: ScoreModel<Float> = try published.model(pool: ThreadPool(threads: 1))
    let rounded = try single.noise(Tensor<Float>(x), at: .perSample(times))
    for (a, b) in zip(rounded.scalars, noise.scalars) { #expect(abs(Double(a) - b) < 2e-5) }
  }

  @Test(arguments: [true, false])
  func classesAndMeansAreThoseOfPyTorch(hasClasses: Bool) throws {
    let folder = try (hasClasses ? Self.classes : Self.variances).folder()
    let published = try PublishedModel(folder.path)
    #expect(published.hasLearnedVariances == !hasClasses)
    var model: ScoreModel<Double> = try published.model(pool: ThreadPool(threads: 1))
    if hasClasses { model = try model.conditioned(onRows: [2, 0, 1]) }
    let results = hasClasses ? PublishedFixture.classResults : PublishedFixture.plainResults
    let chain = try published.chain
    let times = [0, 7, 999].map { chain.time(ofStep: $0) }
    let x = published.wave(rows: 3)
    let noise = try model.noise(x, at: .perSample(times))
    let width = x.shape.rowCount
    for row in 0..<3 {
      for (column, result) in zip([0, 1, 2, 3, 4, width - 1], results[row]) {
        #expect(abs(noise.scalars[row * width + column] - result) < 2e-6, "\(row), \(column)")
      }
    }
  }

  @Test func theChainIsThatOfItsScheduler() throws {
    func published(_ own: PublishedCase) throws -> PublishedModel {
      let folder = try own.folder()
      return try withExtendedLifetime(folder) { try PublishedModel(folder.path) }
    }
    let plain = try published(Self.plain)
    #expect(ProcessSpec.text(of: plain.process) == ProcessSpec.text(of: try DDPMChain.linear()))
    #expect(plain.configuration.preconditioning == .noise)
    var other = Self.other
    let scaled = try published(other)
    let betas = try scaled.chain.betas
    // β_i are squares of numbers that are even.
    for (i, beta) in [(0, 0.00085), (999, 0.012)] {
      #expect(abs(betas[i] - beta) < 1e-15)
    }
    let middle = 0.5 * (0.00085.squareRoot() + 0.012.squareRoot())
    let near =
      0.5 * (betas[499].squareRoot() + betas[500].squareRoot())
    #expect(abs(near - middle) < 1e-15 && scaled.configuration.preconditioning == .velocity)
    other.chain =
      #"{"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 50, "prediction_type": "sample"}"#
    let cosine = try published(other)
    #expect(try cosine.chain.betas == (try DDPMChain.cosine(steps: 50)).betas)
    #expect(cosine.configuration.preconditioning == .denoised)
    #expect(cosine.configuration.network.chainSteps == 50)
    // The network sees the step, which is 0 at the first time and 49 at the last.
    for (step, expected) in [(0, 0.0), (49, 49.0)] {
      var columns = [Double](repeating: .nan, count: cosine.configuration.columns)
      let time = try cosine.chain.time(ofStep: step)
      cosine.configuration.fillColumns(cosine.process.marginal(at: time), at: time, &columns)
      #expect(abs(columns[0] - expected) < 1e-12)
    }
  }

  @Test(arguments: [
    ("\"in_channels\": 1", "\"in_channels\": 2", ["out_channels is 1", "2"]),
    ("\"block_out_channels\": [4, 8]", "\"block_out_channels\": []", ["block_out_channels"]),
    ("\"norm_num_groups\": 2", "\"norm_num_groups\": 3", ["norm_num_groups is 3", "[4, 8]"]),
    ("\"DownBlock2D\", \"Attn", "\"CrossAttnDownBlock2D\", \"Attn", ["down_block_types"]),
    (
      "[\"AttnUpBlock2D\", \"UpBlock2D\"]", "[\"UpBlock2D\", \"AttnUpBlock2D\"]", ["up_block_types"]
    ),
    ("\"UNet2DModel\"", "\"UNet2DConditionModel\"", ["_class_name is UNet2DConditionModel"]),
    ("\"positional\"", "\"fourier\"", ["mid_block_scale_factor is 1", "the square root of 2"]),
    ("\"silu\"", "\"gelu\"", ["act_fn is gelu"]),
    ("[4, 8],\n \"time", "[4, 7],\n \"time", ["[4, 7, 1]", "multiples of 2"]),
    ("[4, 8],\n \"time", "null,\n \"time", ["sample_size is null", "--size HEIGHTxWIDTH"]),
    ("[4, 8],\n \"time", "[4, 8, 1],\n \"time", ["sample_size"]),
    (
      "\"layers_per_block\": 1", "\"layers_per_block\": \"1\"",
      ["layers_per_block is \"1\"; expected a whole number"]
    ),
    (
      "\"layers_per_block\": 1", "\"layers_per_block\": 1.5",
      ["layers_per_block is 1.5; expected a whole number"]
    ),
    (
      "\"layers_per_block\": 1", "\"layers_per_block\": 1e400",
      ["layers_per_block is a number too large to be read"]
    ),
    ("[\"AttnUpBlock2D\", \"UpBlock2D\"]", "3", ["up_block_types is 3; expected a list of texts"]),
    ("\"norm_eps\": 1e-06", "\"norm_eps\": {}", ["norm_eps is an object; expected a number"]),
    ("\"norm_eps\": 1e-06", "\"norm_eps\": NaN", ["epsilon nan"]),
    (
      "\"center_input_sample\": false", "\"center_input_sample\": 0",
      ["center_input_sample is 0; expected true or false"]
    ),
    ("\"layers_per_block\": 1", "\"layers_per_block\": 0", ["blocks 0"]),
    ("\"layers_per_block\": 1", "\"layers_per_block\": 2", ["resnets.1", "there is no"]),
    (
      "\"layers_per_block\": 1", "\"layers_per_block\": 1, \"num_class_embeds\": 10",
      ["there is no class_embedding.weight"]
    ),
    (
      "\"layers_per_block\": 1", "\"layers_per_block\": 1, \"num_class_embeds\": 0",
      ["num_class_embeds is 0", "from 1 to 4096"]
    ),
    (
      "\"layers_per_block\": 1", "\"layers_per_block\": 1, \"class_embed_type\": \"timestep\"",
      ["class_embed_type is \"timestep\""]
    ),
    (
      "\"out_channels\": 1", "\"out_channels\": 2",
      ["out_channels is twice in_channels", "variance_type is fixed_small"]
    ),
    ("\"out_channels\": 1", "\"out_channels\": 3", ["out_channels is 3", "in_channels, 1"]),
    (
      "\"layers_per_block\": 1", "\"layers_per_block\": 1, \"add_attention\": false",
      ["there is a mid"]
    ),
    (
      "\"attention_head_dim\": null", "\"attention_head_dim\": 3",
      ["heads of 3 channels", "with attention, 8, or all of them in one head"]
    ),
    ("\"attention_head_dim\": null,", "\"attention_head_dim\": null", ["not a JSON object"]),
    ("\"norm_eps\": 1e-06", "\"norm_eps\": -1", ["epsilon -1"]),
    (
      "[4, 8],\n \"center", "[8, 8],\n \"center",
      ["conv_in.weight", "[4, 1, 3, 3]", "[8, 1, 3, 3]"]
    ),
  ])
  func saysWhatAConfigurationIsRefusedFor(_ from: String, _ to: String, _ words: [String]) throws {
    var own = Self.plain
    #expect(own.config.contains(from))
    own.config = own.config.replacingOccurrences(of: from, with: to)
    let sentence = try refusal(of: own.folder())
    for word in words { #expect(sentence.contains(word), "\(sentence)") }
  }

  @Test(arguments: [
    ("\"linear\"", "\"sigmoid\"", ["beta_schedule is sigmoid", "linear"]),
    (
      "\"trained_betas\": null", "\"trained_betas\": [0.1, 0.2]",
      ["trained_betas is [0.1, 0.2]; expected null"]
    ),
    (
      "\"trained_betas\": null", "\"use_flow_sigmas\": true",
      ["use_flow_sigmas is true; expected false"]
    ),
    (
      "DDPMScheduler", "ScoreSdeVeScheduler",
      [
        "time_embedding_type is positional; expected fourier, as the scheduler is ScoreSdeVeScheduler"
      ]
    ),
    ("DDPMScheduler", "KarrasVeScheduler", ["_class_name is KarrasVeScheduler"]),
    ("DDPMScheduler", "FlowMatchEulerDiscreteScheduler", ["_class_name is FlowMatchEulerDiscrete"]),
    ("DDPMScheduler", "DDPM", ["_class_name is DDPM; expected"]),
    ("0.02", "\"0.02\"", ["beta_end is \"0.02\"; expected a number"]),
    ("\"trained_betas\": null", "\"prediction_type\": \"flow\"", ["prediction_type is flow"]),
    ("\"trained_betas\": null", "\"rescale_betas_zero_snr\": true", ["rescale_betas_zero_snr"]),
    ("1000", "1", ["2 or more"]), ("0.02", "2", ["below 1"]),
  ])
  func saysWhatAChainIsRefusedFor(_ from: String, _ to: String, _ words: [String]) throws {
    var own = Self.plain
    #expect(own.chain.contains(from))
    own.chain = own.chain.replacingOccurrences(of: from, with: to)
    let sentence = try refusal(of: own.folder())
    for word in words {
      #expect(sentence.contains(word), "\(sentence)")
    }
  }

  /// Of each class: whether it clips, and its chain where the file says neither.
  @Test(arguments: [
    ("DDPM", 1.0, 0.02), ("DDIM", 1, 0.02), ("RePaint", 1, 0.02), ("PNDM", nil, 0.02),
    ("UniPCMultistep", nil, 0.02), ("HeunDiscrete", nil, 0.012), ("KDPM2Discrete", nil, 0.012),
  ])
  func schedulersAreReadAsTheirClassesAre(_ name: String, _ clip: Double?, _ last: Double) throws {
    func scheduler(_ more: String) throws -> PublishedScheduler {
      var own = Self.plain
      own.chain =
        "{\"_class_name\": \"\(name)Scheduler\", \"lambda_min_clipped\": -Infinity\(more)}"
      let folder = try own.folder()
      return try withExtendedLifetime(folder) { try PublishedModel(folder.path).scheduler }
    }
    let bare = try scheduler("")
    #expect(bare.clip == clip && bare.threshold == nil && bare.spacing == nil)
    #expect(try bare.steps == 1000 && bare.chain.betas[999] == last)
    let set = try scheduler(
      ", \"clip_sample\": true, \"clip_sample_range\": 2, \"thresholding\": true, \"sample_max_value\": 1.5, \"timestep_spacing\": \"trailing\", \"variance_type\": \"fixed_large\", \"beta_end\": 0.5"
    )
    #expect(set.clip == (clip == nil && name != "HeunDiscrete" ? nil : 2))
    let thresholds = ["DDPM", "DDIM", "UniPCMultistep"].contains(name)
    #expect(set.threshold?.quantile == (thresholds ? 0.995 : nil))
    #expect(set.threshold?.limit == (thresholds ? 1.5 : nil))
    let plain = try scheduler(", \"thresholding\": true")
    #expect(plain.threshold?.limit == (thresholds ? 1 : nil))
    #expect(set.spacing == "trailing" && set.variance == "fixed_large")
    #expect(try set.chain.betas[999] == 0.5)
    #expect(try scheduler(", \"clip_sample\": false").clip == nil)
  }

  @Test func sidesMayBeGiven() throws {
    var own = Self.plain
    own.config = own.config.replacingOccurrences(of: "[4, 8],\n \"time", with: "null,\n \"time")
    let folder = try own.folder()
    defer { withExtendedLifetime(folder) {} }
    let model = try PublishedModel(folder.path, sides: [6, 2])
    #expect(model.configuration.sampleShape == [6, 2, 1])
    for sides in [[5, 2], [4, 0], [4]] {
      #expect(throws: FileError.self) { try PublishedModel(folder.path, sides: sides) }
    }
  }

  @Test func theNetworksOwnFolderWillDo() throws {
    let folder = try Self.other.folder()
    defer { withExtendedLifetime(folder) {} }
    let outer = try PublishedModel(folder.path)
    let inner = try PublishedModel(folder.path + "/unet")
    #expect(outer.configuration.sampleShape == inner.configuration.sampleShape)
    #expect(try outer.chain.betas == inner.chain.betas)
    for (part, isModel) in [("", true), ("/unet", true), ("/scheduler", false)] {
      #expect(PublishedModel.isFolder(folder.path + part) == isModel)
    }
  }

  @Test(arguments: [Float.nan, .infinity, 1e20])
  func weightsThatAreNoneAreRefusedByName(_ bad: Float) throws {
    let folder = try Self.plain.folder()
    let path = "\(folder.path)/diffusion_pytorch_model.safetensors"
    var tensors = try Safetensors<Float>(contentsOf: path).parameters
    let place = try #require(tensors.names.firstIndex(of: "conv_in.bias"))
    tensors.tensors[place].withUnsafeMutableBuffer { $0[1] = bad }
    try Safetensors(tensors).write(to: path)
    let sentence = try refusal(of: folder)
    #expect(sentence.contains("conv_in.bias has an entry of \(bad) in float32"), "\(sentence)")
  }

  @Test func saysWhichFileIsMissing() throws {
    #expect(refusal(of: "/nowhere").contains("no such folder"))
    for file in ["config.json", "scheduler_config.json", "diffusion_pytorch_model.safetensors"] {
      let folder = try Self.plain.folder()
      try folder.remove(file)
      #expect(try refusal(of: folder).contains(file))
    }
    let folder = try Self.plain.folder()
    try folder.remove("diffusion_pytorch_model.safetensors")
    try folder.write("", to: "diffusion_pytorch_model.bin")
    #expect(try refusal(of: folder).contains("a program for Python"))
  }

  /// Files in half precision stand in for the plain one; other weights have to be asked for by name.
  @Test func weightsInHalfPrecisionStandIn() throws {
    let folder = try Self.plain.folder()
    defer { withExtendedLifetime(folder) {} }
    let name = "diffusion_pytorch_model"
    let whole = try PublishedModel(folder.path)
    let parameters: Parameters<Float> = try whole.parameters()
    #expect(!whole.hasRoundedWeights)
    func move(_ variant: String, to other: String) throws {
      try FileManager.default.moveItem(
        atPath: "\(folder.path)/\(name)\(variant).safetensors",
        toPath: "\(folder.path)/\(name)\(other).safetensors")
    }
    try move("", to: ".non_ema")
    let sentence = refusal(of: folder.path)
    #expect(
      sentence.contains("there is no \(name).safetensors, but \(name).non_ema.safetensors"),
      "\(sentence)")
    var last = ".non_ema"
    for variant in [".bf16", ".fp16"] {
      try move(last, to: variant)
      last = variant
      let model = try PublishedModel(folder.path)
      #expect(model.hasRoundedWeights && model.weightsPath.hasSuffix("\(variant).safetensors"))
      #expect(try model.parameters().tensors == parameters.tensors)
    }
    // What is rounded less is taken of two, and the plain file before all.
    try folder.write("", to: "\(name).bf16.safetensors")
    #expect(try PublishedModel(folder.path).weightsPath.hasSuffix(".fp16.safetensors"))
    try folder.write("", to: "\(name).safetensors")
    #expect(try !PublishedModel(folder.path).hasRoundedWeights)
  }

  private func refusal(of folder: PublishedFiles) throws -> String {
    let sentence = withExtendedLifetime(folder) { refusal(of: folder.path) }
    #expect(sentence.contains(folder.path))
    return sentence
  }

  private func refusal(of path: String) -> String {
    do {
      let _: Parameters<Float> = try PublishedModel(path).parameters()
      Issue.record("\(path) was read")
      return ""
    } catch { return "\(error)" }
  }
}

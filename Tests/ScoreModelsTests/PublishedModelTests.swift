import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// Models that were trained with PyTorch, read from the files that they are published in.
@Suite struct PublishedModelTests {
  /// A folder with a published model, removed with the last of its users.
  private final class Folder {
    let path = FileManager.default.temporaryDirectory.path + "/published-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
      try AtomicFile.makeFolder(AtomicFile.folder(of: "\(path)/\(name)"))
      try AtomicFile.write(text, to: "\(path)/\(name)")
    }

    func remove(_ name: String) throws {
      try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  private struct Case {
    var config: String
    var chain: String
    var tensors: String
    var isNested = false
    /// What names are written with instead.
    var renamed: [String: String] = [:]
  }

  private static let plain = Case(
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

  private static let other = Case(
    config: """
      {"_class_name": "UNet2DModel", "attention_head_dim": 2, "add_attention": false, "block_out_channels": [8, 4],
       "down_block_types": ["AttnDownBlock2D", "DownBlock2D"], "in_channels": 2, "norm_num_groups": 4, "out_channels": 2,
       "sample_size": 4, "up_block_types": ["UpBlock2D", "AttnUpBlock2D"], "num_class_embeds": null}
      """,
    chain: """
      {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
       "prediction_type": "v_prediction"}
      """, tensors: PublishedFixture.otherTensors, isNested: true)

  /// The weights that the reference has too, and the folder that holds them.
  private static func folder(_ own: Case) throws -> Folder {
    let folder = Folder()
    let unet = own.isNested ? "unet/" : ""
    try folder.write(own.config, to: unet + "config.json")
    try folder.write(
      own.chain, to: (own.isNested ? "scheduler/" : "") + "scheduler_config.json")
    var names: [String] = []
    var tensors: [Tensor<Float>] = []
    for (i, line) in own.tensors.split(separator: "\n").enumerated() {
      let parts = line.split(separator: " ")
      let shape = Shape(parts[1].split(separator: ",").compactMap { Int($0) })
      let isFlat = shape.rank == 1
      let isNorm = isFlat && parts[0].hasSuffix("weight")
      let wave = (0..<shape.count).map { sin(1 + 0.7 * Double($0) + 1.3 * Double(i)) }
      tensors.append(
        Tensor(
          shape, wave.map { Float(isNorm ? 1 + 0.3 * $0 : (isFlat ? 0.3 : 0.4) * $0) }))
      names.append(
        own.renamed.reduce(String(parts[0])) {
          $0.replacingOccurrences(of: ".\($1.key).", with: ".\($1.value).")
        })
    }
    try Safetensors(Parameters(names: names, tensors: tensors))
      .write(to: "\(folder.path)/\(unet)diffusion_pytorch_model.safetensors")
    return folder
  }

  private static func wave(_ model: PublishedModel, rows: Int) -> Tensor<Double> {
    let shape = model.configuration.sampleShape
    let row = (0..<shape.count).map { Double(Float(sin(0.3 * Double($0)))) }
    return Tensor(Shape([rows] + shape.extents), (0..<rows).flatMap { _ in row })
  }

  @Test(arguments: [true, false])
  func resultsAreThoseOfPyTorch(isPlain: Bool) throws {
    let own = isPlain ? Self.plain : Self.other
    let folder = try Self.folder(own)
    let published = try PublishedModel(folder.path)
    let model: ScoreModel<Double> = try published.model(pool: ThreadPool(threads: 2))
    let results = isPlain ? PublishedFixture.plainResults : PublishedFixture.otherResults
    let steps = [0, 7, 999]
    let times = steps.map { published.process.time(ofStep: $0) }
    let x = Self.wave(published, rows: 3)
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

  @Test func theChainIsThatOfItsScheduler() throws {
    func published(_ own: Case) throws -> PublishedModel {
      let folder = try Self.folder(own)
      return try withExtendedLifetime(folder) { try PublishedModel(folder.path) }
    }
    let plain = try published(Self.plain)
    #expect(ProcessSpec.text(of: plain.process) == ProcessSpec.text(of: try DDPMChain.linear()))
    #expect(plain.configuration.preconditioning == .noise)
    var other = Self.other
    let scaled = try published(other)
    // β_i are squares of numbers that are even.
    for (i, beta) in [(0, 0.00085), (999, 0.012)] {
      #expect(abs(scaled.process.betas[i] - beta) < 1e-15)
    }
    let middle = 0.5 * (0.00085.squareRoot() + 0.012.squareRoot())
    let near =
      0.5 * (scaled.process.betas[499].squareRoot() + scaled.process.betas[500].squareRoot())
    #expect(abs(near - middle) < 1e-15 && scaled.configuration.preconditioning == .velocity)
    other.chain =
      #"{"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 50, "prediction_type": "sample"}"#
    let cosine = try published(other)
    #expect(cosine.process.betas == (try DDPMChain.cosine(steps: 50)).betas)
    #expect(cosine.configuration.preconditioning == .denoised)
    #expect(cosine.configuration.network.chainSteps == 50)
    // The network sees the step, which is 0 at the first time and 49 at the last.
    for (step, expected) in [(0, 0.0), (49, 49.0)] {
      var columns = [Double](repeating: .nan, count: cosine.configuration.columns)
      let time = cosine.process.time(ofStep: step)
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
    ("\"positional\"", "\"fourier\"", ["time_embedding_type is fourier", "positional"]),
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
    ("\"layers_per_block\": 1", "\"layers_per_block\": 1, \"num_class_embeds\": 10", ["classes"]),
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
    let sentence = try refusal(of: Self.folder(own))
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
      ["_class_name is ScoreSdeVeScheduler", "DDPM's chain"]
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
    let sentence = try refusal(of: Self.folder(own))
    for word in words + ["scheduler_config.json"] {
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
      let folder = try Self.folder(own)
      return try withExtendedLifetime(folder) { try PublishedModel(folder.path).scheduler }
    }
    let bare = try scheduler("")
    #expect(bare.clip == clip && bare.threshold == nil && bare.spacing == nil)
    #expect(bare.process.count == 1000 && bare.process.betas[999] == last)
    let set = try scheduler(
      ", \"clip_sample\": true, \"clip_sample_range\": 2, \"thresholding\": true, \"sample_max_value\": 1.5, \"timestep_spacing\": \"trailing\", \"variance_type\": \"fixed_large\", \"beta_end\": 0.5"
    )
    #expect(set.clip == (clip == nil && name != "HeunDiscrete" ? nil : 2))
    let thresholds = ["DDPM", "DDIM", "UniPCMultistep"].contains(name)
    #expect(set.threshold?.quantile == (thresholds ? 0.995 : nil))
    #expect(set.threshold?.limit == (thresholds ? 1.5 : nil))
    #expect(set.spacing == "trailing" && set.variance == "fixed_large")
    #expect(set.process.betas[999] == 0.5)
    #expect(try scheduler(", \"clip_sample\": false").clip == nil)
  }

  @Test func sidesMayBeGiven() throws {
    var own = Self.plain
    own.config = own.config.replacingOccurrences(of: "[4, 8],\n \"time", with: "null,\n \"time")
    let folder = try Self.folder(own)
    defer { withExtendedLifetime(folder) {} }
    let model = try PublishedModel(folder.path, sides: [6, 2])
    #expect(model.configuration.sampleShape == [6, 2, 1])
    for sides in [[5, 2], [4, 0], [4]] {
      #expect(throws: FileError.self) { try PublishedModel(folder.path, sides: sides) }
    }
  }

  @Test func theNetworksOwnFolderWillDo() throws {
    let folder = try Self.folder(Self.other)
    defer { withExtendedLifetime(folder) {} }
    let outer = try PublishedModel(folder.path)
    let inner = try PublishedModel(folder.path + "/unet")
    #expect(outer.configuration.sampleShape == inner.configuration.sampleShape)
    #expect(outer.process.betas == inner.process.betas)
    for (part, isModel) in [("", true), ("/unet", true), ("/scheduler", false)] {
      #expect(PublishedModel.isFolder(folder.path + part) == isModel)
    }
  }

  @Test(arguments: [Float.nan, .infinity, 1e20])
  func weightsThatAreNoneAreRefusedByName(_ bad: Float) throws {
    let folder = try Self.folder(Self.plain)
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
      let folder = try Self.folder(Self.plain)
      try folder.remove(file)
      #expect(try refusal(of: folder).contains(file))
    }
    let folder = try Self.folder(Self.plain)
    try folder.remove("diffusion_pytorch_model.safetensors")
    try folder.write("", to: "diffusion_pytorch_model.bin")
    #expect(try refusal(of: folder).contains("a program for Python"))
  }

  private func refusal(of folder: Folder) throws -> String {
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

import Foundation
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// What `config.json` of a `UNet2DModel` says, with the library's values for what is left out.
struct PublishedUNet: Decodable {
  var className: String?
  var sampleSize: Sides?
  var inChannels: Int?
  var outChannels: Int?
  var centerInputSample: Bool?
  var timeEmbeddingType: String?
  var timeEmbeddingDim: Int?
  var freqShift: Int?
  var flipSinToCos: Bool?
  var downBlockTypes: [String]?
  var midBlockType: String?
  var upBlockTypes: [String]?
  var blockOutChannels: [Int]?
  var layersPerBlock: Int?
  var midBlockScaleFactor: Double?
  var downsamplePadding: Int?
  var downsampleType: String?
  var upsampleType: String?
  var actFn: String?
  var attentionHeadDim: HeadWidth?
  var normNumGroups: Int?
  var attnNormNumGroups: Int?
  var normEps: Double?
  var resnetTimeScaleShift: String?
  var addAttention: Bool?
  var classEmbedType: String?
  var numClassEmbeds: Int?

  private enum CodingKeys: String, CodingKey {
    case className = "_class_name"
    case sampleSize = "sample_size"
    case inChannels = "in_channels"
    case outChannels = "out_channels"
    case centerInputSample = "center_input_sample"
    case timeEmbeddingType = "time_embedding_type"
    case timeEmbeddingDim = "time_embedding_dim"
    case freqShift = "freq_shift"
    case flipSinToCos = "flip_sin_to_cos"
    case downBlockTypes = "down_block_types"
    case midBlockType = "mid_block_type"
    case upBlockTypes = "up_block_types"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case midBlockScaleFactor = "mid_block_scale_factor"
    case downsamplePadding = "downsample_padding"
    case downsampleType = "downsample_type"
    case upsampleType = "upsample_type"
    case actFn = "act_fn"
    case attentionHeadDim = "attention_head_dim"
    case normNumGroups = "norm_num_groups"
    case attnNormNumGroups = "attn_norm_num_groups"
    case normEps = "norm_eps"
    case resnetTimeScaleShift = "resnet_time_scale_shift"
    case addAttention = "add_attention"
    case classEmbedType = "class_embed_type"
    case numClassEmbeds = "num_class_embeds"
  }

  /// One number for both sides, or height and width.
  struct Sides: Decodable {
    var height: Int
    var width: Int

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let side = try? value.decode(Int.self) {
        (height, width) = (side, side)
      } else {
        let sides = try value.decode([Int].self)
        guard sides.count == 2 else {
          throw DecodingError.dataCorruptedError(in: value, debugDescription: "two sides")
        }
        (height, width) = (sides[0], sides[1])
      }
    }
  }

  /// The channels of a head; null says one head of all, and what is left out 8.
  struct HeadWidth: Decodable {
    var value: Int

    init(from decoder: any Decoder) throws {
      value = try decoder.singleValueContainer().decode(Int.self)
    }
  }
}

extension PublishedUNet {
  /// The largest numbers of channels and sides that are read.
  private static let most = 1 << 16

  /// Checks that it is a network that `DDPMUNet` computes.
  /// - Parameter fail: the error for what a key has and what is expected.
  func check(
    _ fail: (_ key: String, _ found: String, _ expected: String) -> FileError
  ) throws(FileError) {
    func expect<Value: Equatable>(
      _ key: String, _ value: Value?, _ expected: Value
    ) throws(FileError) {
      if let value, value != expected { throw fail(key, "\(value)", "\(expected)") }
    }
    guard className == "UNet2DModel" else {
      throw fail("_class_name", className ?? "nothing", "UNet2DModel")
    }
    try expect("center_input_sample", centerInputSample, false)
    try expect("time_embedding_type", timeEmbeddingType, "positional")
    try expect("mid_block_type", midBlockType, "UNetMidBlock2D")
    try expect("mid_block_scale_factor", midBlockScaleFactor, 1)
    try expect("downsample_type", downsampleType, "conv")
    try expect("upsample_type", upsampleType, "conv")
    try expect("resnet_time_scale_shift", resnetTimeScaleShift, "default")
    guard ["silu", "swish"].contains(actFn ?? "silu") else {
      throw fail("act_fn", actFn ?? "", "silu")
    }
    for (key, value) in [
      ("num_class_embeds", numClassEmbeds.map(String.init)), ("class_embed_type", classEmbedType),
    ] {
      if let value { throw fail(key, value, "null, a network without classes") }
    }
    guard (0...1).contains(downsamplePadding ?? 1) else {
      throw fail("downsample_padding", "\(downsamplePadding ?? 1)", "0 or 1")
    }
    guard (0...1).contains(freqShift ?? 0) else {
      throw fail("freq_shift", "\(freqShift ?? 0)", "0 or 1")
    }
    let channels = [inChannels ?? 3, outChannels ?? 3]
    guard channels[0] == channels[1], (1...Self.most).contains(channels[0]) else {
      throw fail(
        "out_channels", "\(channels[1])",
        "as many as in_channels, \(channels[0]): a network that gives no variances")
    }
    guard let sampleSize else {
      throw fail("sample_size", "nothing", "the sides of images")
    }
    guard (1...Self.most).contains(sampleSize.height), (1...Self.most).contains(sampleSize.width)
    else {
      throw fail(
        "sample_size", "\(sampleSize.height), \(sampleSize.width)", "from 1 to \(Self.most)")
    }
    guard let widths = blockOutChannels, !widths.isEmpty, widths[0] % 2 == 0,
      widths.allSatisfy({ (1...Self.most).contains($0) })
    else {
      throw fail(
        "block_out_channels", blockOutChannels.map { "\($0)" } ?? "nothing",
        "the channels of each level, those of the first an even number")
    }
    try expect("time_embedding_dim", timeEmbeddingDim, 4 * widths[0])
    let groups = normNumGroups ?? 32
    guard (1...Self.most).contains(groups), widths.allSatisfy({ $0 % groups == 0 }) else {
      throw fail("norm_num_groups", "\(groups)", "a divisor of all of \(widths)")
    }
    try expect("attn_norm_num_groups", attnNormNumGroups, groups)
    let plain = (down: "DownBlock2D", up: "UpBlock2D")
    let attending = (down: "AttnDownBlock2D", up: "AttnUpBlock2D")
    guard let down = downBlockTypes, down.count == widths.count,
      down.allSatisfy({ [plain.down, attending.down].contains($0) })
    else {
      throw fail(
        "down_block_types", downBlockTypes.map { "\($0)" } ?? "nothing",
        "\(plain.down) or \(attending.down) for each of the \(widths.count) levels")
    }
    let mirrored = down.reversed().map { $0 == attending.down ? attending.up : plain.up }
    guard upBlockTypes == mirrored else {
      throw fail(
        "up_block_types", upBlockTypes.map { "\($0)" } ?? "nothing",
        "those of down_block_types from the last on, \(mirrored)")
    }
  }

  /// The sizes of the network; it is checked already.
  func sizes(hasHeadWidth: Bool) -> DDPMUNet.Configuration {
    var sizes = DDPMUNet.Configuration()
    sizes.widths = blockOutChannels ?? []
    sizes.attention = (downBlockTypes ?? []).map { $0 == "AttnDownBlock2D" }
    sizes.blocks = layersPerBlock ?? 2
    sizes.groups = normNumGroups ?? 32
    sizes.headWidth = attentionHeadDim?.value ?? (hasHeadWidth ? nil : 8)
    sizes.attendsInMiddle = addAttention ?? true
    sizes.padsAllSides = (downsamplePadding ?? 1) == 1
    sizes.epsilon = normEps ?? 1e-5
    return sizes
  }
}

/// What `scheduler_config.json` says of the chain that a network was trained on.
struct PublishedChain: Decodable {
  var className: String?
  var numTrainTimesteps: Int?
  var betaStart: Double?
  var betaEnd: Double?
  var betaSchedule: String?
  var trainedBetas: [Double]?
  var predictionType: String?
  var rescaleBetasZeroSnr: Bool?

  private enum CodingKeys: String, CodingKey {
    case className
    case numTrainTimesteps = "num_train_timesteps"
    case betaStart = "beta_start"
    case betaEnd = "beta_end"
    case betaSchedule = "beta_schedule"
    case trainedBetas = "trained_betas"
    case predictionType = "prediction_type"
    case rescaleBetasZeroSnr = "rescale_betas_zero_snr"
  }

  /// The chain.
  /// - Parameter fail: the error for what a key has and what is expected.
  func process(
    _ fail: (_ key: String, _ found: String, _ expected: String) -> FileError
  ) throws(FileError) -> DDPMChain {
    let known = ["linear", "scaled_linear", "squaredcos_cap_v2"]
    guard let betaSchedule, known.contains(betaSchedule), trainedBetas == nil else {
      throw fail(
        trainedBetas == nil ? "beta_schedule" : "trained_betas",
        trainedBetas == nil ? betaSchedule ?? "nothing" : "a list",
        trainedBetas == nil ? "one of \(known.joined(separator: ", "))" : "null")
    }
    guard rescaleBetasZeroSnr != true else {
      throw fail("rescale_betas_zero_snr", "true", "false, a chain that has a score at its end")
    }
    let count = numTrainTimesteps ?? 1000
    do {
      return betaSchedule == known[2]
        ? try .cosine(steps: count)
        : try .linear(
          steps: count, from: betaStart ?? 1e-4, to: betaEnd ?? 0.02,
          power: betaSchedule == known[1] ? 2 : 1)
    } catch {
      throw fail("beta_schedule", betaSchedule, "one that makes a chain: \(error)")
    }
  }

  /// What the network gives.
  func preconditioning(
    _ fail: (_ key: String, _ found: String, _ expected: String) -> FileError
  ) throws(FileError) -> Preconditioning {
    switch predictionType ?? "epsilon" {
    case "epsilon": .noise
    case "sample": .denoised
    case "v_prediction": .velocity
    default: throw fail("prediction_type", predictionType ?? "", "epsilon, sample or v_prediction")
    }
  }
}

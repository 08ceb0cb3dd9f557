import Foundation
import ScoreSDE

/// A published model of one level for images of 2 × 4 grey pixels, whose network gives the same number for every pixel and, where
/// it gives variances, 9 for each of these: DDPM's, or NCSN++, which sees the noise and gives σ times the score.
enum PublishedFolder {
  static func files(
    noise: Float, classes: Int? = nil, hasVariances: Bool = false, seesNoise: Bool = false
  ) -> [String: Data] {
    let results = hasVariances ? 2 : 1
    let width = seesNoise ? 4 : 2
    var tensors: [(String, [Int])] = [
      ("conv_in.weight", [width, 1, 3, 3]), ("conv_in.bias", [width]),
      ("conv_norm_out.weight", [width]), ("conv_norm_out.bias", [width]),
      ("conv_out.weight", [results, width, 3, 3]), ("conv_out.bias", [results]),
      ("time_embedding.linear_1.weight", [4 * width, seesNoise ? 2 * width : width]),
      ("time_embedding.linear_1.bias", [4 * width]),
      ("time_embedding.linear_2.weight", [4 * width, 4 * width]),
      ("time_embedding.linear_2.bias", [4 * width]),
    ]
    if let classes { tensors.append(("class_embedding.weight", [classes, 4 * width])) }
    if seesNoise {
      tensors.append(("time_proj.weight", [width]))
      let name = "mid_block.attentions.0"
      for (part, extents) in [
        ("group_norm", [width]), ("to_q", [width, width]), ("to_k", [width, width]),
        ("to_v", [width, width]), ("to_out.0", [width, width]),
      ] {
        tensors += [("\(name).\(part).weight", extents), ("\(name).\(part).bias", [width])]
      }
    }
    let blocks = [
      ("down_blocks.0.resnets.0", width), ("mid_block.resnets.0", width),
      ("mid_block.resnets.1", width), ("up_blocks.0.resnets.0", 2 * width),
      ("up_blocks.0.resnets.1", 2 * width),
    ]
    for (name, inputs) in blocks {
      tensors += [
        ("\(name).norm1.weight", [inputs]), ("\(name).norm1.bias", [inputs]),
        ("\(name).conv1.weight", [width, inputs, 3, 3]), ("\(name).conv1.bias", [width]),
        ("\(name).time_emb_proj.weight", [width, 4 * width]),
        ("\(name).time_emb_proj.bias", [width]),
        ("\(name).norm2.weight", [width]), ("\(name).norm2.bias", [width]),
        ("\(name).conv2.weight", [width, width, 3, 3]), ("\(name).conv2.bias", [width]),
      ]
      guard inputs != width else { continue }
      tensors += [
        ("\(name).conv_shortcut.weight", [width, inputs, 1, 1]),
        ("\(name).conv_shortcut.bias", [width]),
      ]
    }
    let weights = Safetensors(
      Parameters(
        names: tensors.map(\.0),
        tensors: tensors.map { name, extents in
          name == "conv_out.bias"
            ? Tensor(Shape(extents), [Float]([noise, 9][..<results]))
            : Tensor<Float>(Shape(extents))
        }))
    let kind = seesNoise ? "Skip" : ""
    let network =
      seesNoise
      ? #""mid_block_scale_factor": 1.41421356237, "norm_num_groups": null, "time_embedding_type": "fourier""#
      : #""add_attention": false, "norm_num_groups": 1"#
    let scheduler =
      seesNoise
      ? #""_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 1000, "sigma_max": 2.0, "snr": 0.075"#
      : #""beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02, "num_train_timesteps": 1000"#
    return [
      "published/config.json": .text(
        """
        {"_class_name": "UNet2DModel", "attention_head_dim": null, "block_out_channels": [\(width)], "down_block_types": ["\(kind)DownBlock2D"],
         "in_channels": 1, "layers_per_block": 1, "num_class_embeds": \(classes.map(String.init) ?? "null"), "out_channels": \(results),
         "sample_size": [2, 4], "up_block_types": ["\(kind)UpBlock2D"], \(network)}
        """),
      "published/scheduler_config.json": .text(
        "{\(scheduler), \"variance_type\": \"\(hasVariances ? "learned_range" : "fixed_small")\"}"),
      "published/diffusion_pytorch_model.safetensors": Data(weights.bytes),
    ]
  }
}

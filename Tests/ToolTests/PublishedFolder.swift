import Foundation
import ScoreSDE

/// A published model of one level for images of 2 × 4 grey pixels, whose network gives the same number for every pixel.
enum PublishedFolder {
  static func files(noise: Float) -> [String: Data] {
    let width = 2
    var tensors: [(String, [Int])] = [
      ("conv_in.weight", [width, 1, 3, 3]), ("conv_in.bias", [width]),
      ("conv_norm_out.weight", [width]), ("conv_norm_out.bias", [width]),
      ("conv_out.weight", [1, width, 3, 3]), ("conv_out.bias", [1]),
      ("time_embedding.linear_1.weight", [4 * width, width]),
      ("time_embedding.linear_1.bias", [4 * width]),
      ("time_embedding.linear_2.weight", [4 * width, 4 * width]),
      ("time_embedding.linear_2.bias", [4 * width]),
    ]
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
        tensors: tensors.map {
          Tensor<Float>(Shape($0.1), repeating: $0.0 == "conv_out.bias" ? noise : 0)
        }))
    return [
      "published/config.json": .text(
        """
        {"_class_name": "UNet2DModel", "add_attention": false, "block_out_channels": [\(width)], "down_block_types": ["DownBlock2D"],
         "in_channels": 1, "layers_per_block": 1, "norm_num_groups": 1, "out_channels": 1, "sample_size": [2, 4],
         "up_block_types": ["UpBlock2D"]}
        """),
      "published/scheduler_config.json": .text(
        #"{"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02, "num_train_timesteps": 1000}"#
      ),
      "published/diffusion_pytorch_model.safetensors": Data(weights.bytes),
    ]
  }
}

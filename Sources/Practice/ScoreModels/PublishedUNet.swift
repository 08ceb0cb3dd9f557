import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// The network that `config.json` of a `UNet2DModel` describes, with the library's values for what is left out.
struct PublishedUNet {
  /// [height, width, channels].
  let sampleShape: Shape
  let sizes: DDPMUNet.Configuration
  let features: NetworkSpec.Features
  let cosinesFirst: Bool

  /// The largest numbers of channels and sides that are read.
  private static let most = 1 << 16

  /// - Parameter sides: height and width in place of the file's; nil takes those.
  /// - Throws: `FileError` unless it is a network that `DDPMUNet` computes.
  init(_ object: PublishedObject, sides: [Int]?) throws(FileError) {
    try Self.checkKind(object)
    let channels = [
      try object.integer("in_channels") ?? 3, try object.integer("out_channels") ?? 3,
    ]
    guard channels[0] == channels[1], (1...Self.most).contains(channels[0]) else {
      throw object.failure(
        "out_channels", "\(channels[1])",
        "as many as in_channels, \(channels[0]): a network that gives no variances")
    }
    let published = try object.sides("sample_size")
    guard let sides = sides ?? published else {
      throw object.failure(
        "sample_size", object.has("sample_size") ? "null" : "nothing",
        "the sides of images, here or where it is read, as import --size HEIGHTxWIDTH takes them")
    }
    guard sides.count == 2, sides.allSatisfy({ (1...Self.most).contains($0) }) else {
      throw object.failure(
        "sample_size", "\(sides.map(String.init).joined(separator: ", "))",
        "two sides from 1 to \(Self.most)")
    }
    let shift = try object.integer("freq_shift") ?? 0
    guard (0...1).contains(shift) else { throw object.failure("freq_shift", "\(shift)", "0 or 1") }
    sampleShape = Shape(sides + [channels[0]])
    sizes = try Self.sizes(object)
    features = shift == 1 ? .positional : .positionalOpen
    cosinesFirst = try object.flag("flip_sin_to_cos") ?? true
  }

  /// Checks what all networks that are read have alike.
  private static func checkKind(_ object: PublishedObject) throws(FileError) {
    let name = "UNet2DModel"
    guard object.has("_class_name") else { throw object.failure("_class_name", "nothing", name) }
    try object.expect("_class_name", name)
    try object.expect("center_input_sample", false)
    try object.expect("time_embedding_type", "positional")
    try object.expect("mid_block_type", "UNetMidBlock2D")
    if let factor = try object.number("mid_block_scale_factor"), factor != 1 {
      throw object.failure("mid_block_scale_factor", Spec.text(factor), "1")
    }
    try object.expect("downsample_type", "conv")
    try object.expect("upsample_type", "conv")
    try object.expect("resnet_time_scale_shift", "default")
    if let function = try object.text("act_fn"), !["silu", "swish"].contains(function) {
      throw object.failure("act_fn", function, "silu")
    }
    for key in ["num_class_embeds", "class_embed_type"] {
      try object.expectNothing(key, "null, a network without classes")
    }
  }

  private static func sizes(
    _ object: PublishedObject
  ) throws(FileError) -> DDPMUNet.Configuration {
    var sizes = DDPMUNet.Configuration()
    let widths = try object.integers("block_out_channels") ?? []
    guard !widths.isEmpty, widths[0] % 2 == 0, widths.allSatisfy({ (1...most).contains($0) })
    else {
      throw object.failure(
        "block_out_channels", object.has("block_out_channels") ? "\(widths)" : "nothing",
        "the channels of each level, those of the first an even number")
    }
    try object.expect("time_embedding_dim", 4 * widths[0])
    let groups = try object.integer("norm_num_groups") ?? 32
    guard (1...most).contains(groups), widths.allSatisfy({ $0 % groups == 0 }) else {
      throw object.failure("norm_num_groups", "\(groups)", "a divisor of all of \(widths)")
    }
    try object.expect("attn_norm_num_groups", groups)
    let padding = try object.integer("downsample_padding") ?? 1
    guard (0...1).contains(padding) else {
      throw object.failure("downsample_padding", "\(padding)", "0 or 1")
    }
    sizes.widths = widths
    sizes.attention = try attention(object, levels: widths.count)
    sizes.blocks = try object.integer("layers_per_block") ?? 2
    sizes.groups = groups
    // null says one head of all channels, and what is left out 8 channels a head.
    sizes.headWidth =
      try object.integer("attention_head_dim") ?? (object.has("attention_head_dim") ? nil : 8)
    sizes.attendsInMiddle = try object.flag("add_attention") ?? true
    sizes.padsAllSides = padding == 1
    sizes.epsilon = try object.number("norm_eps") ?? 1e-5
    return sizes
  }

  /// Which levels have attention.
  private static func attention(
    _ object: PublishedObject, levels: Int
  ) throws(FileError) -> [Bool] {
    let plain = (down: "DownBlock2D", up: "UpBlock2D")
    let attending = (down: "AttnDownBlock2D", up: "AttnUpBlock2D")
    guard let down = try object.texts("down_block_types"), down.count == levels,
      down.allSatisfy({ [plain.down, attending.down].contains($0) })
    else {
      throw object.failure(
        "down_block_types", try object.texts("down_block_types").map { "\($0)" } ?? "nothing",
        "\(plain.down) or \(attending.down) for each of the \(levels) levels")
    }
    let mirrored = down.reversed().map { $0 == attending.down ? attending.up : plain.up }
    guard let up = try object.texts("up_block_types"), up == mirrored else {
      throw object.failure(
        "up_block_types", try object.texts("up_block_types").map { "\($0)" } ?? "nothing",
        "those of down_block_types from the last on, \(mirrored)")
    }
    return down.map { $0 == attending.down }
  }
}

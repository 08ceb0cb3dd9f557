import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// The blocks that published networks are made of.
extension PublishedUNet {
  /// DDPM's network, which is given the steps of a chain.
  static func ddpm(_ object: PublishedObject) throws(FileError) -> NetworkSpec {
    try object.expect("center_input_sample", false)
    try object.expect("downsample_type", "conv")
    try object.expect("upsample_type", "conv")
    try checkMiddle(object, factor: 1)
    let shift = try object.integer("freq_shift") ?? 0
    guard (0...1).contains(shift) else { throw object.failure("freq_shift", "\(shift)", "0 or 1") }
    let sizes = try ddpmSizes(object)
    return NetworkSpec(
      .ddpmUNet(sizes), condition: .step, features: shift == 1 ? .positional : .positionalOpen,
      frequencies: sizes.widths[0] / 2)
  }

  /// NCSN++, which is given the noise.
  static func ncsnPlusPlus(_ object: PublishedObject) throws(FileError) -> NetworkSpec {
    try checkMiddle(object, factor: 2.0.squareRoot())
    try object.expect("add_attention", true)
    var sizes = NCSNPlusPlus.Configuration()
    sizes.widths = try widths(object)
    sizes.attention = try attention(
      object, plain: "Skip", attending: "AttnSkip", levels: sizes.widths.count)
    sizes.blocks = try object.integer("layers_per_block") ?? 2
    sizes.headWidth = try headWidth(object)
    sizes.epsilon = try object.number("norm_eps") ?? 1e-5
    try checkGroups(object, sizes)
    return NetworkSpec(
      .ncsnPlusPlus(sizes), condition: .logSigma, features: .fourier,
      frequencies: sizes.widths[0], scale: 16)
  }

  /// Checks that attention and the last layers are normalised in the groups that all other layers have.
  private static func checkGroups(
    _ object: PublishedObject, _ sizes: NCSNPlusPlus.Configuration
  ) throws(FileError) {
    for (key, last) in [
      ("norm_num_groups", [sizes.widths[0], sizes.widths[sizes.widths.count - 1]]),
      ("attn_norm_num_groups", sizes.widths.suffix(1)),
    ] {
      // What is left out is 32 groups of the first, and as many as the others of the second.
      let groups =
        try object.integer(key) ?? (key == "norm_num_groups" && !object.has(key) ? 32 : nil)
      guard let groups else { continue }
      let other = last.first { NCSNPlusPlus.Configuration.groups(of: $0) != groups }
      if let other {
        throw object.failure(
          key, "\(groups)", "null: \(other) channels in a quarter as many groups, or 32")
      }
    }
    let small = zip(sizes.widths, sizes.attention).first { $0.1 && $0.0 < 128 }
    if let small {
      throw object.failure(
        "block_out_channels", "\(sizes.widths)",
        "128 channels or more in levels that have attention, where there are \(small.0)")
    }
  }

  /// Checks what sums in the middle are divided by.
  private static func checkMiddle(
    _ object: PublishedObject, factor: Double
  ) throws(FileError) {
    let found = try object.number("mid_block_scale_factor") ?? 1
    guard abs(found - factor) < 1e-6 else {
      throw object.failure(
        "mid_block_scale_factor", Spec.text(found), factor == 1 ? "1" : "the square root of 2")
    }
  }

  private static func ddpmSizes(
    _ object: PublishedObject
  ) throws(FileError) -> DDPMUNet.Configuration {
    var sizes = DDPMUNet.Configuration()
    let widths = try widths(object)
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
    sizes.attention = try attention(object, plain: "", attending: "Attn", levels: widths.count)
    sizes.blocks = try object.integer("layers_per_block") ?? 2
    sizes.groups = groups
    sizes.headWidth = try headWidth(object)
    sizes.attendsInMiddle = try object.flag("add_attention") ?? true
    sizes.padsAllSides = padding == 1
    sizes.epsilon = try object.number("norm_eps") ?? 1e-5
    return sizes
  }

  /// The channels of each level.
  private static func widths(_ object: PublishedObject) throws(FileError) -> [Int] {
    let widths = try object.integers("block_out_channels") ?? []
    guard !widths.isEmpty, widths[0] % 2 == 0, widths.allSatisfy({ (1...most).contains($0) })
    else {
      throw object.failure(
        "block_out_channels", object.has("block_out_channels") ? "\(widths)" : "nothing",
        "the channels of each level, those of the first an even number")
    }
    try object.expect("time_embedding_dim", 4 * widths[0])
    return widths
  }

  /// The channels of a head: null says one head of all channels, and what is left out 8 channels a head.
  private static func headWidth(_ object: PublishedObject) throws(FileError) -> Int? {
    try object.integer("attention_head_dim") ?? (object.has("attention_head_dim") ? nil : 8)
  }

  /// Which levels have attention, of a kind of blocks.
  private static func attention(
    _ object: PublishedObject, plain: String, attending: String, levels: Int
  ) throws(FileError) -> [Bool] {
    func names(_ kind: String) -> (down: String, up: String) {
      ("\(kind)DownBlock2D", "\(kind)UpBlock2D")
    }
    let (plain, attending) = (names(plain), names(attending))
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

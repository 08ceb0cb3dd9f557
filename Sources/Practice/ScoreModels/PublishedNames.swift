import ScoreNetworks

/// What parameters are called in published files.
extension PublishedModel {
  /// The names that a parameter of ours has had in published files: `down.0.1.conv1.weight` is
  /// `down_blocks.0.resnets.1.conv1.weight`.
  func publishedNames(of name: String) -> [String] {
    var parts = name.split(separator: ".").map(String.init)
    let kind = parts.removeLast()
    func inside(_ part: String) -> String {
      ["embedding": "time_emb_proj", "skip": "conv_shortcut"][part] ?? part
    }
    switch parts[0] {
    case "time": return ["time_proj.weight"]
    case "input": return ["conv_in.\(kind)"]
    case "norm": return ["conv_norm_out.\(kind)"]
    case "output": return ["conv_out.\(kind)"]
    case "embedding" where parts[1] == "classes": return ["class_embedding.\(kind)"]
    case "embedding": return ["time_embedding.linear_\(parts[1] == "0" ? 1 : 2).\(kind)"]
    case "middle": parts[0] = "mid_block"
    case "down": parts.replaceSubrange(0...1, with: ["down_blocks.\(parts[1])"])
    default:
      let level = configuration.network.imageLevels - 1 - (Int(parts[1]) ?? 0)
      parts.replaceSubrange(0...1, with: ["up_blocks.\(level)"])
    }
    // Now the level, then the block's place in it, what changes the sides, or what is beside blocks.
    let (level, place, rest) = (parts[0], parts[1], parts.dropFirst(2).map(inside))
    switch place {
    case "half" where rest.isEmpty: return ["\(level).downsamplers.0.conv.\(kind)"]
    case "double" where rest.isEmpty: return ["\(level).upsamplers.0.conv.\(kind)"]
    case "half": return ["\(level).resnet_down.\(rest[0]).\(kind)"]
    case "double": return ["\(level).resnet_up.\(rest[0]).\(kind)"]
    case "image", "norm": return ["\(level).skip_\(place == "image" ? "conv" : "norm").\(kind)"]
    case "attention":
      return attentionNames(of: rest[0]).map { "\(level).attentions.0.\($0).\(kind)" }
    default: break
    }
    guard rest[0] == "attention" else { return ["\(level).resnets.\(place).\(rest[0]).\(kind)"] }
    return attentionNames(of: rest[1]).map { "\(level).attentions.\(place).\($0).\(kind)" }
  }

  private func attentionNames(of part: String) -> [String] {
    [
      "norm": ["group_norm"], "query": ["to_q", "query"], "key": ["to_k", "key"],
      "value": ["to_v", "value"], "output": ["to_out.0", "proj_attn"],
    ][part] ?? []
  }
}

extension NetworkSpec {
  /// The levels of DDPM's network and of NCSN++.
  fileprivate var imageLevels: Int {
    switch architecture {
    case .ddpmUNet(let sizes): sizes.widths.count
    case .ncsnPlusPlus(let sizes): sizes.widths.count
    default: 0
    }
  }
}
